// What `patchbay agent check` tells of a run: for people and for programs.

#include "tests/agent/check_world.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace pb;
using namespace pb::agent_check;
namespace scripted = pb::scripted;

TEST_CASE("a transcript keeps the first and the newest lines and counts what is between") {
  transcript t;
  t.begin(1000ms);
  constexpr auto most = transcript::first_lines + transcript::last_lines;
  for (std::size_t i = 1; i <= most; ++i)
    t.add(1000ms + milliseconds(i), passage::received, 5, 1, std::to_string(i));
  CHECK(t.lines().size() == most);
  CHECK(t.left_out() == 0);
  t.add(2000ms, passage::received, 5, 1, "one more");
  CHECK(t.lines().size() == most);
  CHECK(t.left_out() == 1);
  CHECK(t.lines()[transcript::first_lines - 1].text == std::to_string(transcript::first_lines));
  CHECK(t.lines()[transcript::first_lines].text == std::to_string(transcript::first_lines + 2));
  CHECK(t.lines().back().text == "one more");
  CHECK(t.lines().back().at == 1000ms);
  t.begin(3000ms);
  CHECK(t.lines().empty());
  CHECK(t.left_out() == 0);
}

TEST_CASE("a text is cut between characters, and harmless on a terminal") {
  CHECK(beginning("abc", 3) == "abc");
  CHECK(beginning("abcd", 3) == "abc");
  CHECK(beginning("a\u0416\u0416", 4) == "a\u0416");
  CHECK(beginning("a\xFF", 10) == "a\uFFFD");
  CHECK(printable("a\x1B[2J\u009B\u0416\n") == "a\\x1b[2J\\x9b\u0416\\x0a");
  transcript t;
  t.add(0ms, passage::sent, 1, 1, std::string(transcript::text_bytes + 1, 'x'));
  CHECK(t.lines()[0].text.size() == transcript::text_bytes);
  CHECK(t.lines()[0].bytes == transcript::text_bytes + 1);
}

TEST_CASE("a run as JSON: every case with its rule, the failed one with its frames") {
  check_world w;
  w.peer.use(scripted::always({scripted::chunk("x"), scripted::end(), scripted::end()}));
  w.asked.only = {"turn", "attachment"};
  const auto all = nlohmann::json::parse(to_json(w.check()));
  CHECK(all["agent"] == "http://agent:7000");
  CHECK(all["protocol"] == "agent-ws");
  CHECK(all["verdict"] == "failed");
  CHECK(all["ok"] == 1);
  CHECK(all["failed"] == 1);
  CHECK(all["skipped"] == 1);
  REQUIRE(all["cases"].size() == 3);
  CHECK_FALSE(all["cases"][0].contains("frames"));
  const auto& turn = all["cases"][1];
  CHECK(turn["name"] == "turn");
  CHECK(turn["result"] == "failed");
  CHECK(turn["where"] == "docs/agents.md#a-turn");
  CHECK_FALSE(turn["rule"].get<std::string>().empty());
  CHECK_FALSE(turn["why"].get<std::string>().empty());
  std::size_t ends = 0;
  for (const auto& f : turn["frames"])
    if (f["direction"] == "received" &&
        f["text"].get<std::string>().find("AGENT_EVENT_END") != std::string::npos) {
      ++ends;
      CHECK(f["chat"] == 102);
      CHECK(f["connection"] == 2);
      CHECK(f["bytes"] == f["text"].get<std::string>().size());
    }
  CHECK(ends == 2);
  CHECK(all["cases"][2]["why"].get<std::string>().find("--workspace") != std::string::npos);

  w.net.plan(scripted::dial_plan{scripted::dial_plan::how::refuse});
  CHECK(nlohmann::json::parse(to_json(w.check()))["verdict"] == "unreachable");
  w.net.plan(scripted::dial_plan{});
  w.peer.use(good_agent());
  CHECK(nlohmann::json::parse(to_json(w.check()))["verdict"] == "ok");
}

TEST_CASE("for people: a line a case, what is wrong, the rule and the frames, and the verdict") {
  check_world w;
  w.peer.use(scripted::always({scripted::chunk("x"), scripted::raw("{oops\x1B")}));
  w.asked.only = {"turn"};
  std::ostringstream out;
  const auto all = run(w.around(), w.asked, [&](const case_result& r) { print(out, r); });
  print_verdict(out, all);
  for (const auto* part :
       {"ok       handshake", "FAILED   turn", "what: a frame is none of the protocol",
        "rule: A turn is", "docs/agents.md#a-turn", "\u2192 {\"type\":\"USER_MESSAGE\"",
        "\u2190 {oops\\x1b", "1 ok, 1 failed, 0 skipped: the agent does not keep the rules."}) {
    INFO(out.str());
    CHECK(out.str().find(part) != std::string::npos);
  }
}

TEST_CASE("every case has a name of its own, a rule and a place where it stands") {
  for (const auto protocol : checked_protocols()) {
    std::set<std::string_view> names;
    for (const auto& c : cases_for(protocol)) {
      INFO(c.name);
      CHECK(names.insert(c.name).second);
      CHECK(c.name.size() <= 16); // the column in what people read
      CHECK(c.rule.ends_with('.'));
      CHECK(c.where.starts_with("docs/"));
    }
    std::ostringstream listed;
    print_cases(listed, protocol, true);
    CHECK(nlohmann::json::parse(listed.str())["cases"].size() == names.size());
  }
}
