#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

namespace {

struct talk {
  lab l;
  client bot = l.user("bot"), alice = l.user("alice");
  std::string room = bot.create({{"invite", json::array({alice.user})}});
  std::string path = client::room_path(room);
  talk() { alice.join(room); }

  std::string send(const client& c, const json& content,
                   const std::string& type = "m.room.message") const {
    const auto r = c.call("PUT", path + "/send/" + type + "/" + client::next_txn(), content);
    INFO(r.body.dump());
    REQUIRE(r.status == 200);
    return r.body.at("event_id");
  }
  json get(const std::string& id) const { return alice.ok("GET", path + "/event/" + encoded(id)); }
  void redact(const client& c, const std::string& id) const {
    c.ok("PUT", path + "/redact/" + encoded(id) + "/" + client::next_txn(), json::object());
  }
  /// The text that a client shows that trusts the server's aggregation.
  std::string shown(const std::string& id) const {
    const auto e = get(id);
    const auto edit = e.value("/unsigned/m.relations/m.replace"_json_pointer, json());
    return (edit.is_null() ? e.at("content") : edit.at("content").at("m.new_content"))
        .value("body", "");
  }
};

json edit(const std::string& of, const std::string& text, const std::string& type = "m.notice") {
  return {{"msgtype", type},
          {"body", "* " + text},
          {"m.mentions", json::object()},
          {"m.new_content", {{"msgtype", type}, {"body", text}}},
          {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", of}}}};
}

json in_thread(const std::string& root, const std::string& text) {
  return {{"msgtype", "m.text"},
          {"body", text},
          {"m.relates_to",
           {{"rel_type", "m.thread"},
            {"event_id", root},
            {"is_falling_back", true},
            {"m.in_reply_to", {{"event_id", root}}}}}};
}

} // namespace

TEST_CASE("the newest edit comes with the event, wherever the event is read") {
  talk t;
  const auto since = t.alice.sync().at("next_batch").get<std::string>();
  const auto draft = t.bot.say(t.room, "working");
  CHECK_FALSE(t.get(draft).at("unsigned").contains("m.relations"));
  t.send(t.bot, edit(draft, "half")); // within one millisecond
  const auto last = t.send(t.bot, edit(draft, "done", "m.text"));
  CHECK(t.shown(draft) == "done");
  // The original's own content stays as it was sent.
  CHECK(t.get(draft).at("content").at("body") == "working");
  const auto of_draft = [&](const json& events) {
    for (const auto& e : events)
      if (e.at("event_id") == draft)
        return e.at("unsigned").at("m.relations").at("m.replace").at("event_id");
    return json();
  };
  CHECK(of_draft(t.alice.ok("GET", t.path + "/messages?dir=b").at("chunk")) == last);
  CHECK(of_draft(timeline(t.alice.sync(since), t.room).at("events")) == last);
  const auto around = t.alice.ok("GET", t.path + "/context/" + encoded(last));
  CHECK(of_draft(around.at("events_before")) == last);
  // An edit has no edits of its own.
  CHECK_FALSE(t.get(last).at("unsigned").contains("m.relations"));
}

TEST_CASE("an edit that breaks a rule is accepted as an event and replaces nothing") {
  talk t;
  const auto draft = t.bot.say(t.room, "mine");
  t.send(t.alice, edit(draft, "not hers"));
  t.send(t.bot, edit(draft, "another type"), "x.other");
  auto bare = edit(draft, "no content");
  bare.erase("m.new_content");
  t.send(t.bot, bare);
  bare["m.new_content"] = 7;
  t.send(t.bot, bare);
  CHECK(t.shown(draft) == "mine");
  // Of an edit, of a state event, of another room's event, of nothing, of nonsense.
  const auto first = t.send(t.bot, edit(draft, "an edit"));
  t.send(t.bot, edit(first, "an edit of an edit"));
  CHECK(t.shown(draft) == "an edit");
  const auto create = t.l.hs->events(t.room).front().at("event_id").get<std::string>();
  t.send(t.bot, edit(create, "create"));
  CHECK_FALSE(t.get(create).at("unsigned").contains("m.relations"));
  const auto elsewhere = t.bot.say(t.bot.create(), "elsewhere");
  t.send(t.bot, edit(elsewhere, "from here"));
  t.send(t.bot, edit("$nothing", "of nothing"));
  auto odd = edit(draft, "odd");
  odd["m.relates_to"]["event_id"] = 7;
  t.send(t.bot, odd);
  CHECK(t.shown(draft) == "an edit");
}

TEST_CASE("redacting an edit brings the one before back, redacting the event ends all") {
  talk t;
  const auto draft = t.bot.say(t.room, "one");
  t.send(t.bot, edit(draft, "two"));
  const auto last = t.send(t.bot, edit(draft, "three"));
  t.redact(t.bot, last);
  CHECK(t.shown(draft) == "two");
  t.redact(t.bot, draft);
  CHECK_FALSE(t.get(draft).at("unsigned").contains("m.relations"));
  CHECK(t.get(draft).at("content").empty());
}

TEST_CASE("a thread is summed up at its root and listed, latest first") {
  talk t;
  const auto first = t.alice.say(t.room, "first"), second = t.alice.say(t.room, "second");
  t.send(t.bot, in_thread(first, "a"));
  const auto later = t.send(t.bot, in_thread(first, "b"));
  t.send(t.bot, in_thread(second, "c"));
  const auto summary = t.get(first).at("unsigned").at("m.relations").at("m.thread");
  CHECK(summary.at("count") == 2);
  CHECK(summary.at("latest_event").at("event_id") == later);
  CHECK(summary.at("current_user_participated") == true);
  const auto list = [&](const client& c, const std::string& more) {
    return c.ok("GET", "/_matrix/client/v1" + t.path + "/threads?limit=1" + more);
  };
  const auto page = list(t.alice, "");
  REQUIRE(page.at("chunk").size() == 1);
  CHECK(page.at("chunk")[0].at("event_id") == second);
  const auto rest = list(t.alice, "&from=" + page.at("next_batch").get<std::string>());
  REQUIRE(rest.at("chunk").size() == 1);
  CHECK(rest.at("chunk")[0].at("event_id") == first);
  CHECK_FALSE(rest.contains("next_batch"));
  const auto third = t.l.user("third");
  t.bot.ok("POST", t.path + "/invite", {{"user_id", third.user}});
  third.join(t.room);
  CHECK(list(third, "&include=participated").at("chunk").empty());
  CHECK(t.alice.call("GET", "/_matrix/client/v1" + t.path + "/threads?include=x").errcode() ==
        "M_INVALID_PARAM");
  t.redact(t.bot, later);
  CHECK(t.get(first).at("unsigned").at("m.relations").at("m.thread").at("count") == 1);
}

TEST_CASE("an invitation by a state event is an invitation") {
  talk t;
  const auto carol = t.l.user("carol");
  const auto put = [&](const client& c, const std::string& user, const json& content) {
    return c.call("PUT", t.path + "/state/m.room.member/" + encoded(user), content);
  };
  const json invite{{"membership", "invite"}};
  CHECK(put(t.alice, t.bot.user, invite).errcode() == "M_FORBIDDEN"); // is in the room
  CHECK(put(t.bot, "@x:elsewhere.org", invite).status == 403);
  rate_limits limits;
  limits.invite_receiver = call_rate{0.003, 1};
  t.l.hs->set_limits(limits);
  CHECK(put(t.bot, carol.user, invite).status == 200);
  CHECK(put(t.bot, carol.user, {{"membership", "invite"}, {"reason", "again"}}).status == 429);
  const auto told = carol.sync().at("rooms").at("invite").at(t.room).at("invite_state");
  CHECK(told.at("events").back().at("content").at("displayname") == "carol");
  carol.join(t.room);
  t.l.hs->set_limits({});
  t.bot.ok("PUT", t.path + "/state/m.room.power_levels/",
           {{"users", {{t.bot.user, 100}}}, {"invite", 100}});
  const auto dave = t.l.user("dave");
  CHECK(put(carol, dave.user, invite).errcode() == "M_FORBIDDEN");
  CHECK(t.alice.call("POST", t.path + "/invite", {{"user_id", dave.user}}).status == 403);
  CHECK(put(t.bot, dave.user, invite).status == 200);
}
