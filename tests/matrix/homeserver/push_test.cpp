#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

namespace {

struct watched {
  lab l;
  client bot = l.user("bot"), alice = l.user("alice");
  std::string room = bot.create({{"invite", json::array({alice.user})}});
  std::string path = client::room_path(room);
  std::string since;
  watched() {
    alice.join(room);
    since = alice.sync().at("next_batch");
    read(bot.say(room, "before"));
  }
  std::string send(const json& content, const std::string& type = "m.room.message") const {
    return bot.ok("PUT", path + "/send/" + type + "/" + client::next_txn(), content).at("event_id");
  }
  void read(const std::string& id) const {
    alice.ok("POST", path + "/receipt/m.read/" + encoded(id), json::object());
  }
  /// What one event adds to alice's counts: notifications, highlights.
  std::pair<int, int> counted(const json& content, const std::string& type = "m.room.message") {
    const auto id = send(content, type);
    const auto counts = joined(alice.sync(since), room).at("unread_notifications");
    read(id);
    return {counts.at("notification_count"), counts.at("highlight_count")};
  }
};

using counts = std::pair<int, int>;

} // namespace

TEST_CASE("the default push rules are those of the specification, in its order") {
  watched t;
  const auto rules = t.alice.ok("GET", "/pushrules/");
  const auto ids = [&](const char* kind) {
    std::vector<std::string> out;
    for (const auto& r : rules.at("global").at(kind))
      out.push_back(r.at("rule_id").get<std::string>().substr(8));
    return out;
  };
  CHECK(ids("override") == std::vector<std::string>{"master", "suppress_notices", "invite_for_me",
                                                    "member_event", "is_user_mention",
                                                    "contains_display_name", "is_room_mention",
                                                    "roomnotif", "tombstone", "reaction",
                                                    "room.server_acl", "suppress_edits"});
  CHECK(ids("content") == std::vector<std::string>{"contains_user_name"});
  CHECK(ids("underride") == std::vector<std::string>{"call", "encrypted_room_one_to_one",
                                                     "room_one_to_one", "message", "encrypted"});
  CHECK(t.alice.ok("GET", "/pushrules/global/") == rules.at("global"));
  CHECK(t.alice.ok("GET", "/pushrules/global/override/.m.rule.is_user_mention")
            .at("conditions")[0]
            .at("value") == t.alice.user);
  CHECK(t.alice.call("GET", "/pushrules/global/override/none").errcode() == "M_NOT_FOUND");
  const auto synced = t.alice.sync();
  for (const auto& e : synced.at("account_data").at("events"))
    if (e.at("type") == "m.push_rules")
      CHECK(e.at("content") == rules);
}

TEST_CASE("a silent draft and its progress count for nothing, the final edit is a highlight") {
  watched t;
  const json nobody = json::object(), asker{{"user_ids", json::array({t.alice.user})}};
  CHECK(t.counted({{"msgtype", "m.notice"}, {"body", "working…"}, {"m.mentions", nobody}}) ==
        counts{0, 0});
  const auto draft = t.send({{"msgtype", "m.notice"}, {"body", "x"}, {"m.mentions", nobody}});
  const auto edit = [&](const char* type, const json& mentions) {
    return json{
        {"msgtype", type},
        {"body", "* alice: text"},
        {"m.mentions", mentions},
        {"m.new_content", {{"msgtype", type}, {"body", "alice: text"}, {"m.mentions", mentions}}},
        {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", draft}}}};
  };
  CHECK(t.counted(edit("m.notice", nobody)) == counts{0, 0});
  CHECK(t.counted(edit("m.notice", asker)) == counts{0, 0}); // a notice never notifies
  CHECK(t.counted(edit("m.text", nobody)) == counts{0, 0});  // nor does an edit without mention
  CHECK(t.counted(edit("m.text", asker)) == counts{1, 1});
}

TEST_CASE("the other rules count as they should") {
  watched t;
  const auto text = [](const char* body) { return json{{"msgtype", "m.text"}, {"body", body}}; };
  CHECK(t.counted(text("hello")) == counts{1, 0});
  CHECK(t.counted(text("hello, Alice!")) == counts{1, 1});
  CHECK(t.counted(text("malice")) == counts{1, 0});
  auto quiet = text("hello, alice");
  quiet["m.mentions"] = json::object(); // switches the rules off that look into the text
  CHECK(t.counted(quiet) == counts{1, 0});
  CHECK(t.counted(text("@room: look")) == counts{1, 1}); // the bot has the level for it
  CHECK(t.counted({{"msgtype", "m.text"}, {"body", "x"}, {"m.mentions", {{"room", true}}}}) ==
        counts{1, 1});
  CHECK(t.counted({{"body", "x"}}, "x.y") == counts{0, 0});
  const auto target = t.send(text("react"));
  t.read(target);
  CHECK(t.counted(
            {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", target}, {"key", "+"}}}},
            "m.reaction") == counts{0, 0});
  // Without the level @room is a word like another.
  const auto since = t.bot.sync().at("next_batch").get<std::string>();
  t.alice.say(t.room, "@room");
  CHECK(joined(t.bot.sync(since), t.room).at("unread_notifications") ==
        json{{"notification_count", 1}, {"highlight_count", 0}});
}
