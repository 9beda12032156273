// ACP: session/request_permission as a question to the person.

#include "acp_agent.hpp"

#include "bridges/agent/acp/safe_text.hpp"

using namespace pb;
using namespace pb::test;

namespace {

json chosen(const acp_agent& a) { return a.last()["result"]["outcome"]; }

json option(const std::string& id, const std::string& kind) {
  return {{"optionId", id}, {"name", id}, {"kind", kind}};
}

} // namespace

TEST_CASE("acp: a question shows what is to be done, and the answer names the agent's option") {
  acp_agent a;
  a.prompted();
  a.updates({{"sessionUpdate", "tool_call"},
             {"toolCallId", "t"},
             {"title", "rm *.log"},
             {"kind", "delete"},
             {"rawInput", {{"path", "*.log"}}}});
  a.asks_permission("a-5", {{"toolCallId", "t"}, {"locations", {{{"path", "/workspace/a.log"}}}}});
  const auto asked = a.heard<says::confirm>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].prompt ==
        "`rm *.log` (`delete`)\n\n`/workspace/a.log`\n\n```\n{\"path\":\"*.log\"}\n```");
  CHECK_FALSE(asked[0].expires_in);
  CHECK(a.writes.empty());
  SECTION("yes") {
    a.decide(asked[0].id, true);
    CHECK(a.last()["id"] == "a-5");
    CHECK(chosen(a) == json::parse(R"({"outcome":"selected","optionId":"y"})"));
  }
  SECTION("no, or too late") {
    a.decide(asked[0].id, false);
    CHECK(chosen(a) == json::parse(R"({"outcome":"selected","optionId":"n"})"));
  }
  a.decide(asked[0].id, true); // once is enough
  CHECK(a.writes.size() == 1);
}

TEST_CASE("acp: where there is no option for this once, the one for always stands in") {
  acp_agent a;
  a.prompted();
  const auto decide = [&](std::vector<json> options, bool yes) {
    a.asks_permission(1, {{"toolCallId", "t"}}, std::move(options));
    a.decide(a.heard<says::confirm>().back().id, yes);
    return chosen(a);
  };
  CHECK(decide({option("A", "allow_always"), option("R", "reject_always")}, true)["optionId"] ==
        "A");
  CHECK(decide({option("A", "allow_always"), option("R", "reject_always")}, false)["optionId"] ==
        "R");
  CHECK(decide({option("A", "allow_once")}, false)["outcome"] == "cancelled");
  CHECK(decide({option("R", "reject_once")}, true)["outcome"] == "cancelled");
  CHECK(decide({option("x", "ask_my_mother")}, true)["outcome"] == "cancelled");
}

TEST_CASE("acp: several questions at a time, with ids of every kind") {
  acp_agent a;
  a.prompted();
  a.asks_permission(5, {{"toolCallId", "t1"}, {"title", "one"}});
  a.asks_permission("5", {{"toolCallId", "t2"}, {"title", "two"}});
  a.asks_permission(5, {{"toolCallId", "t1"}}); // the same once more
  const auto asked = a.heard<says::confirm>();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].id != asked[1].id);
  CHECK(a.strays == 1);
  a.decide(asked[1].id, false);
  CHECK(a.last()["id"] == "5");
  a.decide(asked[0].id, true);
  CHECK(a.last()["id"] == 5);
  a.asks_permission(5, {{"toolCallId", "t3"}}); // an id is free again when it was answered
  CHECK(a.heard<says::confirm>().size() == 3);
  CHECK(a.heard<says::confirm>()[2].id != asked[0].id);
}

TEST_CASE("acp: what cannot be asked is answered at once") {
  SECTION("without options, or about nothing") {
    acp_agent a;
    a.prompted();
    a.asks_permission(1, {{"toolCallId", "t"}}, json::array());
    CHECK(a.last()["error"]["code"] == -32602);
    a.asks_permission(2, json::object());
    CHECK(a.last()["error"]["code"] == -32602);
  }
  SECTION("of another session") {
    acp_agent a;
    a.prompted();
    a.asks(1, "session/request_permission",
           {{"sessionId", "s-9"},
            {"toolCall", {{"toolCallId", "t"}}},
            {"options", a.usual_options()}});
    CHECK(chosen(a)["outcome"] == "cancelled");
  }
  SECTION("between turns") {
    acp_agent a;
    a.prompted();
    a.ends();
    a.asks_permission(1, {{"toolCallId", "t"}});
    CHECK(chosen(a)["outcome"] == "cancelled");
  }
  SECTION("of an agent that shall not ask") {
    auto spec = acp_spec();
    spec.features.erase(agent_feature::confirm);
    acp_agent a(spec);
    a.prompted();
    a.asks_permission(1, {{"toolCallId", "t"}});
    CHECK(chosen(a)["optionId"] == "n");
    CHECK(a.heard<says::confirm>().empty());
  }
  SECTION("one more than fit") {
    acp_agent a;
    a.prompted();
    for (int i = 0; i < 64; ++i)
      a.asks_permission(i, {{"toolCallId", "t"}});
    CHECK(a.writes.empty());
    a.asks_permission(64, {{"toolCallId", "t"}});
    CHECK(chosen(a)["optionId"] == "n");
    CHECK(a.heard<says::confirm>().size() == 64);
  }
}

TEST_CASE("acp: a question that the agent takes back, or that is open at the end, is answered") {
  acp_agent a;
  a.prompted();
  a.asks_permission("a", {{"toolCallId", "t"}});
  a.asks_permission("b", {{"toolCallId", "t"}});
  a.tells("$/cancel_request", {{"requestId", "a"}});
  CHECK(a.last()["id"] == "a");
  CHECK(a.last()["error"]["code"] == -32800);
  a.tells("$/cancel_request", {{"requestId", "a"}});
  CHECK(a.strays == 1);
  a.decide(a.heard<says::confirm>()[0].id, true);
  CHECK(a.writes.size() == 1);
  a.ends();
  CHECK(a.last()["id"] == "b");
  CHECK(chosen(a)["outcome"] == "cancelled");
  CHECK(a.keep());
}

TEST_CASE("acp: a question cannot be made to look like another one") {
  acp_agent a;
  a.prompted();
  a.asks_permission(1, {{"toolCallId", "t"},
                        {"title", "ls `x`\n# Confirmed!\x1b[2K \u202Etxt.exe"},
                        {"kind", "execute"},
                        {"rawInput", "```\nevil"}});
  const auto prompt = a.heard<says::confirm>().at(0).prompt;
  CHECK(prompt == "``ls `x` # Confirmed! [2K \xEF\xBF\xBDtxt.exe`` (`execute`)\n\n"
                  "````\n\"```\\nevil\"\n````");
  a.asks_permission(2, {{"toolCallId", "t2"},
                        {"title", std::string(9'000, 'x')},
                        {"rawInput", std::string(90'000, 'y')}});
  CHECK(a.heard<says::confirm>().at(1).prompt.size() < 3'000);
}

TEST_CASE("acp: texts are cut between characters") {
  CHECK(acp::cut("h\xC3\xA9llo", 2) == "h…");
  CHECK(acp::cut("h\xC3\xA9llo", 3) == "h\xC3\xA9…");
  CHECK(acp::cut("hello", 5) == "hello");
  CHECK(acp::code("") == "`  `");
  CHECK(acp::code("`a") == "`` `a ``");
}

TEST_CASE("acp: a question about an edit shows the change, not its JSON") {
  acp_agent a;
  a.prompted();
  const auto diff = [](const std::string& path, const json& before, const std::string& after) {
    return json{{"type", "diff"}, {"path", path}, {"oldText", before}, {"newText", after}};
  };
  a.asks_permission(
      1, {{"toolCallId", "t"},
          {"title", "/w/a.txt"},
          {"kind", "edit"},
          {"locations", {{{"path", "/w/a.txt"}}}},
          {"rawInput", {{"diff", "the same as JSON"}}},
          {"content",
           {diff("/w/a.txt", "1\n2\n3\n4\nold\n5\n6\n7\n", "1\n2\n3\n4\nnew\nmore\n5\n6\n7\n"),
            diff("/w/b.txt", nullptr, "hello")}}});
  CHECK(a.heard<says::confirm>().back().prompt ==
        "`/w/a.txt` (`edit`)\n\n```\n@@ /w/a.txt\n 3\n 4\n-old\n+new\n+more\n 5\n 6\n"
        "@@ /w/b.txt\n+hello\n\n```");
  SECTION("words beside a command are shown with it") {
    a.asks_permission(
        2,
        {{"toolCallId", "u"},
         {"title", "shell"},
         {"rawInput", {{"command", "id"}}},
         {"content",
          {{{"type", "content"}, {"content", {{"type", "text"}, {"text", "in /w (runs it)"}}}}}}});
    CHECK(a.heard<says::confirm>().back().prompt ==
          "`shell`\n\n```\nin /w (runs it)\n```\n\n```\n{\"command\":\"id\"}\n```");
  }
  SECTION("a large change is cut, and cannot end its block") {
    a.asks_permission(3, {{"toolCallId", "v"},
                          {"content", {diff("/w/c", "", "```\n" + std::string(9'000, 'x'))}}});
    const auto prompt = a.heard<says::confirm>().back().prompt;
    CHECK(prompt.size() < 2'200);
    CHECK(prompt.find("````\n@@ /w/c\n+```\n+xxx") != std::string::npos);
  }
}
