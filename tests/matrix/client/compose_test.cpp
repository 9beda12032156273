#include "bridges/matrix/compose.hpp"
#include "bridges/matrix/json_scan.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pb;
using namespace pb::matrix;

namespace {

const chat_marker chat{user_id("@alice:hs"), "C7", {41}, agent_id("agent-1"), "active", 2,
                       intent_id("01J")};
const space_marker space{user_id("@alice:hs"), agent_id("agent-1"), language::ru, intent_id("01S")};

const std::string power =
    R"({"m.room.name":50,"m.room.avatar":50,"m.room.canonical_alias":50,"m.room.power_levels":100,)"
    R"("m.room.history_visibility":100,"m.room.server_acl":100,"m.room.encryption":100,)"
    R"("m.room.tombstone":100,"m.space.child":100,"io.patchbay.chat":100,"io.patchbay.space":100})";
const std::string doors =
    R"({"type":"m.room.history_visibility","state_key":"","content":{"history_visibility":"shared"}},)"
    R"({"type":"m.room.guest_access","state_key":"","content":{"guest_access":"forbidden"}},)";

} // namespace

TEST_CASE("compose: a final answer replies, notifies its asker and says whose it is", "[compose]") {
  message_draft m;
  m.text = "Hi \"you\"\n\u20ac";
  m.reply_to = event_id("$q");
  m.tells = {user_id("@alice:hs")};
  m.turn = turn_id("t1");
  m.kind = delivery::final_answer;
  CHECK(compose_message(m) ==
        R"({"msgtype":"m.text","body":"Hi \"you\"\n€","m.mentions":{"user_ids":["@alice:hs"]},)"
        R"("m.relates_to":{"m.in_reply_to":{"event_id":"$q"}},)"
        R"("io.patchbay.delivery":{"turn":"t1","kind":"final","part":0}})");
}

TEST_CASE("compose: a notice mentions nobody, in words of its own", "[compose]") {
  message_draft m;
  m.text = "later";
  m.silent = true;
  m.kind = delivery::notice;
  m.part = 2;
  CHECK(compose_message(m) == R"({"msgtype":"m.notice","body":"later","m.mentions":{},)"
                              R"("io.patchbay.delivery":{"kind":"notice","part":2}})");
}

TEST_CASE("compose: text that is not text becomes a body that every server takes", "[compose]") {
  message_draft m;
  m.text = std::string("a\xFF\0b\xE2\x82", 6);
  const std::string body = compose_message(m);
  CHECK(json::is_utf8(body));
  CHECK(parse_message(body).body == "a\uFFFD\uFFFDb\uFFFD");
}

TEST_CASE("compose: markers are written as they are read", "[compose]") {
  CHECK(compose_chat_marker(chat) ==
        R"({"owner":"@alice:hs","chat":"C7","platform_chat_id":41,"agent_id":"agent-1",)"
        R"("state":"active","epoch":2,"intent":"01J"})");
  CHECK(parse_chat_marker(compose_chat_marker(chat)) == chat);
  CHECK(compose_space_marker(space) ==
        R"({"owner":"@alice:hs","agent":"agent-1","language":"ru","intent":"01S"})");
  CHECK(parse_space_marker(compose_space_marker(space)) == space);
  CHECK(compose_space_child("hs:1") == R"({"via":["hs:1"],"suggested":true})");
  CHECK(compose_room_name("Чат 7") == R"({"name":"Чат 7"})");
  CHECK(parse_name(compose_room_name(std::string(1000, 'x'))).size() == 255);
}

TEST_CASE("compose: a Space is made with its owner, its marker and the whole map of powers",
          "[compose]") {
  CHECK(compose_create_space({"Agents \u2013 Alice", space}) ==
        R"({"preset":"private_chat","name":"Agents – Alice","invite":["@alice:hs"],)"
        R"("creation_content":{"type":"m.space"},)"
        R"("power_level_content_override":{"events_default":100,"invite":100,"events":)" +
            power + R"(},"initial_state":[)" + doors +
            R"({"type":"io.patchbay.space","state_key":"","content":)" +
            compose_space_marker(space) + "}]}");
}

TEST_CASE("compose: a chat is open to its Space, closed to others, and marked from the start",
          "[compose]") {
  CHECK(
      compose_create_chat({"Chat 7", room_id("!s:hs"), "hs", chat}) ==
      R"({"preset":"private_chat","name":"Chat 7","invite":["@alice:hs"],)"
      R"("power_level_content_override":{"invite":100,"events":)" +
          power + R"(},"initial_state":[)" + doors +
          R"({"type":"m.room.join_rules","state_key":"","content":{"join_rule":"restricted",)"
          R"("allow":[{"type":"m.room_membership","room_id":"!s:hs"}]}},)"
          R"({"type":"m.space.parent","state_key":"!s:hs","content":{"via":["hs"],"canonical":true}},)"
          R"({"type":"io.patchbay.chat","state_key":"","content":)" +
          compose_chat_marker(chat) + "}]}");
}

TEST_CASE("compose: the sync filter hides our own words but not our own markers", "[compose]") {
  const auto f = nlohmann::json::parse(compose_sync_filter(user_id("@bot:hs")));
  CHECK(f["room"]["timeline"]["not_senders"] == nlohmann::json::array({"@bot:hs"}));
  CHECK(f["room"]["timeline"]["limit"] == 50);
  CHECK_FALSE(f["room"]["state"].contains("not_senders"));
  CHECK(f["room"]["state"]["lazy_load_members"] == true);
  for (const char* section : {"presence", "account_data"})
    CHECK(f[section]["types"] == nlohmann::json::array());
  for (const char* section : {"ephemeral", "account_data"})
    CHECK(f["room"][section]["types"] == nlohmann::json::array());
  const auto has = [&](const char* section, const char* type) {
    const auto& t = f["room"][section]["types"];
    return std::find(t.begin(), t.end(), type) != t.end();
  };
  for (const char* type : {"m.room.message", "m.room.redaction", "m.room.encrypted", "m.reaction",
                           "m.room.member", "m.room.tombstone", "io.patchbay.*", "m.sticker",
                           "m.poll.start", "org.matrix.msc3381.poll.start"})
    CHECK(has("timeline", type));
  for (const char* type :
       {"m.room.create", "m.room.member", "m.space.child", "m.space.parent", "io.patchbay.chat",
        "io.patchbay.space", "m.room.encryption", "m.room.tombstone", "m.room.name"})
    CHECK(has("state", type));
  const auto b = nlohmann::json::parse(compose_backfill_filter());
  CHECK_FALSE(b.contains("limit"));
  CHECK_FALSE(b.contains("not_senders")); // our own join is where a room begins for us
  CHECK(b["types"] == f["room"]["timeline"]["types"]);
}
