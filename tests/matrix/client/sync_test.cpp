#include "bridges/matrix/content.hpp"
#include "tests/matrix/client/support.hpp"

#include <catch2/catch.hpp>
#include <ctime>

using namespace pb;
using namespace pb::matrix;
using namespace pb::matrix::test;

TEST_CASE("sync: a recorded batch of messages is read whole and in order", "[sync]") {
  const auto r = parse_sync(committed("sync_messages").response.body);
  REQUIRE(r);
  CHECK(r->next_batch == "s3542_1_1_3_1_1_1_112_0");
  CHECK(r->poisoned.total == 0);
  REQUIRE(r->join.size() == 1);
  const auto& room = r->join[0];
  CHECK(room.room.value == "!pfBpyswSeAtaroHnVA:localhost");
  CHECK(room.limited);
  CHECK(room.prev_batch == "s3532_1_1_3_1_1_1_112_0");
  REQUIRE(room.timeline.size() == 10);
  CHECK(parse_message(room.timeline[0].content).body == "!new research");
  CHECK(room.timeline[0].sent_at == 1795228999474);
  CHECK(room.timeline[0].room == room.room);
  CHECK_FALSE(room.timeline[0].state_key);
  CHECK(room.timeline[9].type == "m.room.redaction");
  CHECK(redaction_target(room.timeline[9].content)->value ==
        "$N3wEtxJD-RG_tbl9R6xBEwdaROg6zYljFak00W67CFE");
}

TEST_CASE("sync: a recorded invitation names who invites and whether directly", "[sync]") {
  const auto r = parse_sync(committed("sync_invite").response.body);
  REQUIRE(r);
  REQUIRE(r->invite.size() == 1);
  const auto row = invitation(r->invite[0], user_id("@bot_2:localhost"));
  REQUIRE(row);
  CHECK(row->room.value == "!ZkFRcJCrEDyLMgiGqI:localhost");
  CHECK(row->inviter.value == "@alice_2:localhost");
  CHECK(row->direct);
  CHECK_FALSE(invitation(r->invite[0], user_id("@other:localhost")));
}

TEST_CASE("sync: rooms that were left say who caused it", "[sync]") {
  const auto r = parse_sync(committed("sync_after_leave").response.body);
  REQUIRE(r);
  REQUIRE(r->leave.size() == 2);
  const auto m = own_membership(r->leave[0].timeline, user_id("@bot_2:localhost"));
  REQUIRE(m);
  CHECK(m->state == membership::leave);
  CHECK(m->by.value == "@bot_2:localhost");
}

TEST_CASE("sync: a redaction's target beside the content counts before one inside", "[sync]") {
  const auto target = [](const std::string& event) {
    const auto r = parse_sync(sync_with(event));
    REQUIRE(r);
    REQUIRE(r->join[0].timeline.size() == 1);
    const std::string& content = r->join[0].timeline[0].content;
    REQUIRE(json::whole(content));
    return redaction_target(content).value_or(event_id("none")).value;
  };
  const std::string head = R"({"type":"m.room.redaction","event_id":"$e","sender":"@a:hs",)";
  CHECK(target(head + R"("content":{},"redacts":"$x"})") == "$x");
  CHECK(target(head + R"("content":{ },"redacts":"$x"})") == "$x");
  CHECK(target(head + R"("redacts":"$x","content":{"reason":"}" } })") == "$x");
  CHECK(target(head + R"("content":{"redacts":"$lie"},"redacts":"$x"})") == "$x");
  CHECK(target(head + R"("content":{"redacts":"$v11"}})") == "$v11");
  CHECK(target(head + R"("content":{"redacts":"$v11"},"redacts":7})") == "$v11");
  CHECK(target(head + R"("content":{}})") == "none");
}

TEST_CASE("sync: sections that a bot does not read, or that are null, change nothing", "[sync]") {
  const auto r = parse_sync(
      R"({"account_data":{"events":[1]},"to_device":7,"rooms":{"knock":[],"leave":null,"join":
      {"!a:b":{"state":null,"timeline":null,"ephemeral":"x","summary":[]}}},"next_batch":"n"})");
  REQUIRE(r);
  CHECK(r->poisoned.total == 0);
  CHECK(r->join.size() == 1);
  CHECK(parse_sync(R"( {"next_batch":"n"} )")->next_batch == "n");
}

TEST_CASE("sync: a state event keeps its key, an empty one included", "[sync]") {
  const auto r = parse_sync(sync_with(
      R"({"type":"m.room.name","event_id":"$n","sender":"@a:hs","state_key":"","content":{}})"));
  REQUIRE(r);
  REQUIRE(r->join[0].timeline.size() == 1);
  CHECK(r->join[0].timeline[0].state_key == "");
}

TEST_CASE("sync: names may be written with escapes and twice, the last one counts", "[sync]") {
  const auto r = parse_sync(sync_with(
      R"({"typ\u0065":"m.room.message","event_id":"$1","sender":"@a:hs","sender":"@b:hs","content":
      {"msgtype":"m.text","body":"1","body":"2"}})"));
  REQUIRE(r);
  REQUIRE(r->join[0].timeline.size() == 1);
  CHECK(r->join[0].timeline[0].sender.value == "@b:hs");
  CHECK(parse_message(r->join[0].timeline[0].content).body == "2");
}

// Hidden: a figure to look at, not a promise. Run with [speed].
TEST_CASE("sync: the time of one large batch", "[.][speed]") {
  const std::string head =
      R"({"type":"m.room.message","sender":"@alice_2:localhost","content":{"msgtype":"m.text",)"
      R"("body":"a line of text that a person wrote"},"origin_server_ts":1795228999847,)"
      R"("unsigned":{"age":123},"event_id":"$pGn6KrGvjA9To_zaTfGMMvH7U-omiXlMrFjvc)";
  std::string events = good_event("$0");
  for (int i = 1; events.size() < 100'000; ++i)
    events += "," + head + std::to_string(i) + "\"}";
  const std::string body = sync_with(events);
  const std::clock_t from = std::clock();
  std::size_t n = 0;
  for (int i = 0; i < 1000; ++i)
    n += parse_sync(body)->join[0].timeline.size();
  const double micros = static_cast<double>(std::clock() - from) * 1e6 / CLOCKS_PER_SEC;
  WARN(body.size() << " bytes, " << n / 1000 << " events: " << micros / 1000 << " us of CPU");
}
