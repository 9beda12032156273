// ACP: from the link to the prompt and to the end of the turn.

#include "acp_agent.hpp"

using namespace pb;
using namespace pb::test;
using how = link_closed::how;

TEST_CASE("acp: a turn from the first frame to the last") {
  acp_agent a;
  a.begin("summarise", {"in/a b.txt", "ü.log"});
  REQUIRE(a.links.size() == 1);
  CHECK(a.links[0].to.url == "ws://agent.test/base");
  CHECK(a.links[0].to.by == carrier::websocket);
  CHECK(a.writes.empty());

  a.opened();
  const auto hello = a.last();
  CHECK(hello["jsonrpc"] == "2.0");
  CHECK(hello["id"] == 0);
  CHECK(hello["method"] == "initialize");
  CHECK(hello["params"]["protocolVersion"] == 1);
  CHECK(hello["params"]["clientCapabilities"] ==
        json::parse(R"({"fs":{"readTextFile":false,"writeTextFile":false},"terminal":false})"));
  CHECK(hello["params"]["clientInfo"]["name"] == "patchbay");
  CHECK_FALSE(hello["params"]["clientInfo"]["version"].get<std::string>().empty());
  CHECK(a.alarm_after == std::chrono::milliseconds{70'000});

  a.initialized();
  CHECK(a.last()["method"] == "session/new");
  CHECK(a.last()["params"] == json::parse(R"({"cwd":"/workspace","mcpServers":[]})"));
  CHECK_FALSE(a.writes.back().hands_over);

  a.order.clear();
  a.result({{"sessionId", "s-1"}});
  CHECK(a.memory == "s-1");
  CHECK(a.order == std::vector<std::string>{"remember", "write", "wait"});
  CHECK(a.writes.back().hands_over);
  CHECK_FALSE(a.alarm_after);
  CHECK(a.last()["method"] == "session/prompt");
  CHECK(a.last()["params"] == json::parse(R"({"sessionId":"s-1","prompt":[
    {"type":"text","text":"summarise"},
    {"type":"resource_link","uri":"file:///workspace/in/a%20b.txt","name":"a b.txt"},
    {"type":"resource_link","uri":"file:///workspace/%C3%BC.log","name":"ü.log"}]})"));

  a.chunk("I will ");
  a.chunk("do it.");
  CHECK(a.answer() == "I will do it.");
  a.result({{"stopReason", "end_turn"},
            {"usage", {{"inputTokens", 812}, {"outputTokens", 96}, {"totalTokens", 908}}}});
  CHECK_FALSE(a.running);
  REQUIRE(a.heard<says::end>().size() == 1);
  CHECK(a.heard<says::end>()[0].input_tokens == 812);
  CHECK(a.heard<says::end>()[0].output_tokens == 96);
  CHECK(a.keep());
}

TEST_CASE("acp: the next turn of a kept session is a prompt alone") {
  acp_agent a;
  a.prompted();
  a.ends();
  a.forget();
  a.begin("and now?", {}, "turn-2");
  REQUIRE(a.writes.size() == 1);
  CHECK(a.writes[0].hands_over);
  CHECK(a.last()["method"] == "session/prompt");
  CHECK(a.last()["params"]["sessionId"] == "s-1");
  CHECK(a.links.size() == 1);
}

TEST_CASE("acp: a child works in its workspace, with its variables and its secrets") {
  acp_agent a(acp_child_spec());
  a.begin("hello", {"in/a.txt"});
  const auto& to = a.links[0].to;
  CHECK(to.by == carrier::process);
  CHECK(to.url.empty());
  CHECK(to.child.command == std::vector<std::string>{"coder", "--acp"});
  CHECK(to.child.cwd == "/srv/agents/1");
  CHECK(to.child.env ==
        std::vector<std::pair<std::string, std::string>>{{"MODE", "fast"}, {"KEY", "hidden"}});
  a.opened();
  a.initialized();
  CHECK(a.last()["params"]["cwd"] == "/srv/agents/1");
  a.result({{"sessionId", "s-1"}});
  CHECK(a.last()["params"]["prompt"][1]["uri"] == "file:///srv/agents/1/in/a.txt");

  a.says("Starting up…"); // printed, not said
  CHECK(a.heard<says::unknown>().at(0).type == "stdout");
  a.says("[INFO] ready");
  a.says("[12:00:01] up");
  CHECK(a.running);
  a.says("");
  a.says(" \r");
  a.says(R"( {"jsonrpc":"2.0","method":"_news"})");
  CHECK(a.heard<says::unknown>().size() == 4);
  a.says("{\"cut");
  CHECK(a.heard<says::malformed>().size() == 1);
}

TEST_CASE("acp: a folder for each person; another person's question begins elsewhere") {
  auto spec = acp_child_spec();
  spec.workspace = "/srv/{user}";
  acp_agent a(spec);
  const auto ask = [&](const char* who) {
    session_turn turn;
    turn.what.id = turn_id{who};
    turn.what.asker = user_id{who};
    turn.what.text = "hello";
    a.begin(std::move(turn));
  };
  ask("@ann:x");
  CHECK(a.links[0].to.child.cwd == "/srv/ann=3ax");
  a.opened();
  a.initialized({{"loadSession", true}});
  CHECK(a.last()["params"]["cwd"] == "/srv/ann=3ax");
  a.result({{"sessionId", "s-1"}});
  a.ends();
  ask("@ann:x");
  CHECK(a.links.size() == 1);
  a.ends();
  ask("@bob:x");
  REQUIRE(a.links.size() == 2);
  CHECK(a.closes == std::vector<wire_id>{a.links[0].wire});
  CHECK(a.links[1].to.child.cwd == "/srv/bob=3ax");
  a.opened();
  a.initialized({{"loadSession", true}});
  CHECK(a.last()["method"] == "session/load");
  CHECK(a.last()["params"]["cwd"] == "/srv/bob=3ax");
}

TEST_CASE("acp: a child's folder is absolute for it, whatever the registry says") {
  auto spec = acp_child_spec();
  spec.workspace = "agents/1";
  acp_agent a(spec);
  a.begin("hello");
  CHECK(a.links[0].to.child.cwd.front() == '/');
  CHECK(a.links[0].to.child.cwd.ends_with("/agents/1"));
}

TEST_CASE("acp: path, cwd and auth of the registry count") {
  auto spec = acp_spec();
  spec.path = "/acp";
  spec.cwd = "/data/";
  spec.auth = agent_auth{"Authorization", secret{"key"}};
  acp_agent a(spec);
  a.begin("hello", {"x"});
  CHECK(a.links[0].to.url == "ws://agent.test/base/acp");
  REQUIRE(a.links[0].to.headers.size() == 1);
  CHECK(a.links[0].to.headers[0].value == "Bearer key");
  a.opened();
  a.initialized();
  CHECK(a.last()["params"]["cwd"] == "/data/");
  a.result({{"sessionId", "s-1"}});
  CHECK(a.last()["params"]["prompt"][1]["uri"] == "file:///data/x");
}

TEST_CASE("acp: a remembered session is resumed, else loaded, else begun anew and told") {
  acp_agent a;
  a.memory = "s-1";
  a.begin("hello");
  a.opened();

  SECTION("resumed") {
    a.initialized({{"loadSession", true}, {"sessionCapabilities", {{"resume", json::object()}}}});
    CHECK(a.last()["method"] == "session/resume");
    CHECK(a.last()["params"] ==
          json::parse(R"({"sessionId":"s-1","cwd":"/workspace","mcpServers":[]})"));
    SECTION("and goes on") {
      a.result(json::object());
      CHECK(a.last()["method"] == "session/prompt");
      CHECK(a.last()["params"]["sessionId"] == "s-1");
      CHECK(a.heard<says::custom_update>().empty());
    }
    SECTION("which fails: loaded") {
      a.refuse(-32002);
      CHECK(a.last()["method"] == "session/load");
    }
  }
  SECTION("loaded, its past not said once more") {
    a.initialized({{"loadSession", true}, {"sessionCapabilities", {{"resume", nullptr}}}});
    CHECK(a.last()["method"] == "session/load");
    a.updates(
        {{"sessionUpdate", "user_message_chunk"}, {"content", {{"type", "text"}, {"text", "q"}}}});
    a.chunk("an old answer");
    a.updates({{"sessionUpdate", "tool_call"}, {"toolCallId", "t"}, {"title", "old"}});
    CHECK(a.said.empty());
    CHECK(a.strays == 0);
    a.result(nullptr);
    a.chunk("an old answer"); // some answer first and repeat the past then
    CHECK(a.last()["method"] == "session/load");
    CHECK(a.alarm_after == std::chrono::milliseconds(250));
    a.chunk("and another one");
    a.result(nullptr); // once more
    a.alarm();
    CHECK(a.last()["method"] == "session/prompt");
    CHECK_FALSE(a.alarm_after);
    a.chunk("new");
    CHECK(a.answer() == "new");
  }
  SECTION("begun anew: it can do neither") {
    a.initialized();
    CHECK(a.last()["method"] == "session/new");
    a.result({{"sessionId", "s-2"}});
    CHECK(a.memory == "s-2");
    CHECK(a.last()["params"]["sessionId"] == "s-2");
    CHECK(a.heard<says::custom_update>().at(0).name == "context_lost");
    CHECK(a.heard<says::custom_update>().at(0).payload == "null");
    CHECK(a.answer() == "*The agent begins without what was said before.*\n\n");
  }
  SECTION("begun anew: it does not know it any more") {
    a.initialized({{"loadSession", true}});
    a.refuse(-32603);
    CHECK(a.last()["method"] == "session/new");
    a.result({{"sessionId", "s-2"}});
    CHECK(a.heard<says::custom_update>().at(0).name == "context_lost");
    const auto why = json::parse(a.heard<says::custom_update>().at(0).payload);
    CHECK(why["how"] == "session/load");
    CHECK(why["code"] == -32603);
  }
}

TEST_CASE("acp: another version of the protocol is refused in words") {
  acp_agent a;
  a.begin("hello");
  a.opened();
  SECTION("another") {
    a.result({{"protocolVersion", 2}});
    REQUIRE(a.gave_up);
    CHECK(a.gave_up->detail == "the agent speaks version 2 of ACP, we speak 1");
  }
  SECTION("none") {
    a.result({{"agentCapabilities", json::object()}});
    REQUIRE(a.gave_up);
    CHECK(a.gave_up->detail == "initialize: protocolVersion is missing");
  }
  CHECK(a.gave_up->ending == turn_ending::malformed);
  CHECK_FALSE(a.keep());
}

TEST_CASE("acp: an agent that wants a login says so to the person") {
  acp_agent a;
  a.begin("hello");
  a.opened();
  a.result({{"protocolVersion", 1}, {"authMethods", {{{"id", "k"}, {"name", "API key"}}}}});
  a.refuse(-32000, "Authentication required");
  REQUIRE(a.heard<says::error>().size() == 1);
  CHECK(a.heard<says::error>()[0].code == "auth_required");
  CHECK(a.heard<says::error>()[0].details ==
        "The agent wants somebody to log in to it first (API key).");
  CHECK_FALSE(a.running);
  CHECK_FALSE(a.keep());
}

TEST_CASE("acp: a session id has a limit") {
  for (const std::size_t bytes : {std::size_t{4096}, std::size_t{4097}, std::size_t{0}}) {
    acp_agent a;
    a.begin("hello");
    a.opened();
    a.initialized();
    a.result({{"sessionId", std::string(bytes, 's')}});
    CHECK(a.gave_up.has_value() == (bytes != 4096));
    CHECK(a.memory.size() == (bytes == 4096 ? bytes : 0));
  }
}

TEST_CASE("acp: every reason to stop has its ending") {
  acp_agent a;
  a.prompted();
  a.chunk("so far");
  SECTION("max_tokens") {
    a.ends("max_tokens");
    CHECK(a.answer() == "so far\n\n*(The agent stopped here: its limit of tokens is reached.)*");
    CHECK(a.heard<says::end>().size() == 1);
  }
  SECTION("max_turn_requests") {
    a.ends("max_turn_requests");
    CHECK(a.answer().find("limit of steps") != std::string::npos);
    CHECK(a.heard<says::end>().size() == 1);
  }
  SECTION("refusal") {
    a.ends("refusal");
    CHECK(a.heard<says::error>().at(0).code == "refusal");
  }
  SECTION("cancelled by the agent") {
    a.ends("cancelled");
    CHECK(a.gave_up->ending == turn_ending::cancelled);
  }
  SECTION("one of a later version") {
    a.ends("tired");
    CHECK(a.heard<says::unknown>().at(0).type == "stopReason/tired");
    CHECK(a.heard<says::end>().size() == 1);
  }
  SECTION("an error") {
    a.refuse(-32603, "out of\nluck");
    const auto error = a.heard<says::error>().at(0);
    CHECK(error.code == "-32603");
    CHECK(error.details == "out of luck");
    CHECK_FALSE(error.retryable);
  }
  CHECK_FALSE(a.running);
  CHECK(a.keep());
}

TEST_CASE("acp: an answer without a reason is no answer") {
  acp_agent a;
  a.prompted();
  a.result(json::object());
  CHECK(a.heard<says::malformed>().size() == 1);
  a.end_by_force();
  CHECK_FALSE(a.keep());
}

TEST_CASE("acp: a stop is told to the agent, and whatever it answers is a stop") {
  acp_agent a;
  a.prompted();
  a.asks_permission("a-1", {{"toolCallId", "t"}});
  a.cancel();
  REQUIRE(a.writes.size() == 2);
  CHECK(json::parse(a.writes[0].text) ==
        json::parse(R"({"jsonrpc":"2.0","method":"session/cancel","params":{"sessionId":"s-1"}})"));
  CHECK(json::parse(a.writes[1].text)["result"] ==
        json::parse(R"({"outcome":{"outcome":"cancelled"}})"));
  CHECK(a.running);
  a.asks_permission("a-2", {{"toolCallId", "t"}}); // too late to be asked
  CHECK(a.last()["result"]["outcome"]["outcome"] == "cancelled");
  a.chunk("late words");
  CHECK(a.answer() == "late words");
  SECTION("in order") { a.ends("cancelled"); }
  SECTION("as if nothing were") { a.ends("end_turn"); }
  SECTION("sloppily") { a.refuse(-32800); }
  CHECK(a.gave_up->ending == turn_ending::cancelled);
  CHECK(a.heard<says::end>().empty());
  CHECK(a.keep());
}

TEST_CASE("acp: a stop before the prompt, or of an agent that cannot be stopped, is at once") {
  SECTION("before") {
    acp_agent a;
    a.begin("hello");
    a.opened();
    a.cancel();
    CHECK(a.gave_up->ending == turn_ending::cancelled);
    CHECK_FALSE(a.keep());
  }
  SECTION("cannot") {
    auto spec = acp_spec();
    spec.features.erase(agent_feature::cancel);
    acp_agent a(spec);
    a.prompted();
    a.cancel();
    CHECK(a.gave_up->ending == turn_ending::cancelled);
    CHECK_FALSE(a.keep());
  }
}

TEST_CASE("acp: a turn that is ended by force is stopped at the agent, and its link not kept") {
  acp_agent a;
  a.prompted();
  a.asks_permission(7, {{"toolCallId", "t"}});
  a.forget();
  a.end_by_force();
  REQUIRE(a.writes.size() == 2);
  CHECK(json::parse(a.writes[0].text)["method"] == "session/cancel");
  CHECK(json::parse(a.writes[1].text)["id"] == 7);
  CHECK_FALSE(a.keep());
}

TEST_CASE("acp: a link that ends says what it means for the turn") {
  SECTION("in the middle") {
    acp_agent a;
    a.prompted();
    a.chunk("half a wo");
    a.closed(how::closed, 1001, "going away");
    CHECK(a.gave_up->ending == turn_ending::interrupted);
    CHECK(a.gave_up->detail == "going away");
    CHECK_FALSE(a.keep());
  }
  SECTION("a child's exit") {
    acp_agent a(acp_child_spec());
    a.prompted();
    a.closed(how::closed, 3);
    CHECK(a.gave_up->ending == turn_ending::interrupted);
    CHECK(a.gave_up->detail == "exit status 3");
  }
  SECTION("a child that is killed") {
    acp_agent a(acp_child_spec());
    a.prompted();
    a.closed(how::broken, 137, "killed");
    CHECK(a.gave_up->detail == "signal 9: killed");
  }
  SECTION("a child that does not stay") {
    acp_agent a(acp_child_spec());
    a.begin("hello");
    a.opened();
    a.closed(how::closed, 127);
    CHECK(a.gave_up->ending == turn_ending::unreachable);
    CHECK(a.gave_up->detail == "exit status 127");
  }
  SECTION("the server refuses") {
    acp_agent a;
    a.begin("hello");
    a.closed(how::rejected, 401);
    CHECK(a.gave_up->ending == turn_ending::rejected);
    CHECK(a.gave_up->detail == "401");
  }
  SECTION("the peer breaks a rule") {
    acp_agent a;
    a.prompted();
    a.closed(how::protocol, 0, "not text");
    CHECK(a.gave_up->ending == turn_ending::malformed);
  }
  SECTION("after a stop") {
    acp_agent a;
    a.prompted();
    a.cancel();
    a.closed(how::broken);
    CHECK(a.gave_up->ending == turn_ending::cancelled);
  }
  SECTION("between turns, and the next one begins anew") {
    acp_agent a;
    a.prompted();
    a.ends();
    a.closed(how::closed);
    CHECK_FALSE(a.gave_up);
    CHECK_FALSE(a.keep());
    a.begin("again", {}, "turn-2");
    CHECK(a.links.size() == 2);
  }
}

TEST_CASE("acp: how the protocol behaves") {
  const auto* p = find_protocol("acp");
  REQUIRE(p);
  CHECK(p->remembers);
  CHECK(p->always_kept);
  CHECK(p->questions_die);
  CHECK_FALSE(p->resumes);
  CHECK_FALSE(p->carries_files);
  CHECK(p->cancel_grace == std::chrono::milliseconds{3000});
}
