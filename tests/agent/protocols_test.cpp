// The table of protocols, and the names that the configuration takes.

#include "bridges/agent/session.hpp"
#include "tests/agent/session_driver.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace pb;

TEST_CASE("the configuration takes the names of the protocols that there are, and no others") {
  std::vector<std::string_view> table, known(protocol_names.begin(), protocol_names.end());
  for (const auto& p : agent_protocols())
    table.push_back(p.name);
  std::sort(table.begin(), table.end());
  std::sort(known.begin(), known.end());
  CHECK(table == known);
}

namespace {

/// An agent-ws session that is kept between turns, in the middle of turn-1.
test::session_driver half_way() {
  agent_spec spec;
  spec.connection = connection_mode::chat;
  test::session_driver d(*find_protocol("agent-ws"), spec, "ws://agent.test");
  d.begin("one");
  d.opened();
  d.says(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":"x","message_id":"turn-1"})");
  return d;
}

} // namespace

TEST_CASE("agent-ws: what comes before the question has left is no answer to it") {
  auto d = half_way();
  d.says(R"({"type":"AGENT_EVENT_END"})");
  REQUIRE_FALSE(d.running);
  REQUIRE(d.keep());
  d.hand_over_at_once = false;
  d.begin("two", {}, "turn-2");
  d.says(R"({"type":"AGENT_EVENT_END"})"); // the first turn's, once more
  CHECK(d.running);
  d.handed();
  d.says(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":"y","message_id":"turn-2"})");
  d.says(R"({"type":"AGENT_EVENT_END"})");
  CHECK_FALSE(d.running);
  CHECK(d.heard<agent_says::text_chunk>().size() == 2);
}

TEST_CASE("agent-ws: a session whose agent has said goodbye is not kept") {
  auto d = half_way();
  d.says(R"({"type":"AGENT_EVENT_END","message_id":"turn-1"})");
  CHECK(d.keep());
  d.says(R"({"type":"GRACEFUL_DISCONNECT"})");
  CHECK_FALSE(d.keep());
}
