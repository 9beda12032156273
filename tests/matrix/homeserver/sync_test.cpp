#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

namespace {

std::string next(const json& sync) { return sync.at("next_batch"); }

std::shared_ptr<exchange> poll(const client& c, const std::string& since,
                               const std::string& more = {}) {
  return c.begin("GET", "/_matrix/client/v3/sync?timeout=30000&since=" + since + more);
}

std::string inline_filter(const json& filter) { return "&filter=" + encoded(filter.dump()); }

} // namespace

TEST_CASE("a long poll is answered by what concerns it, and by nothing else") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"invite", json::array({alice.user})}});
  alice.join(room);
  const auto other = alice.create();
  const auto since = next(bob.sync());
  const auto waiting = poll(bob, since);
  CHECK_FALSE(waiting->response);
  alice.say(other, "not for bob");
  CHECK_FALSE(waiting->response);
  const auto id = alice.say(room, "for bob");
  const auto told = client::read(waiting).body;
  REQUIRE(timeline(told, room).at("events").size() == 1);
  CHECK(timeline(told, room).at("events")[0].at("event_id") == id);
  CHECK(timeline(told, room).at("limited") == false);
  CHECK_FALSE(told.at("rooms").at("join").contains(other));
  CHECK_FALSE(timeline(told, room).at("events")[0].contains("room_id"));
}

TEST_CASE("a long poll ends empty when its time is over, and its timer harms nobody later") {
  lab l;
  const auto bob = l.user("bob");
  const auto since = next(bob.sync());
  const auto waiting = poll(bob, since);
  l.clock.advance(29'999);
  CHECK_FALSE(waiting->response);
  l.clock.advance(1);
  const auto told = client::read(waiting).body;
  CHECK_FALSE(told.contains("rooms"));
  const auto second = poll(bob, next(told));
  bob.create();
  CHECK(second->response);
  l.clock.advance(60'000);
  CHECK(l.hs->status().waiting_syncs == 0);
}

TEST_CASE("a client that goes away frees its poll") {
  lab l;
  const auto bob = l.user("bob");
  const auto waiting = poll(bob, next(bob.sync()));
  CHECK(l.hs->status().waiting_syncs == 1);
  REQUIRE(waiting->gone);
  waiting->gone();
  CHECK(l.hs->status().waiting_syncs == 0);
  CHECK(waiting->dropped);
  bob.create();
  CHECK_FALSE(waiting->response);
}

TEST_CASE("a client may poll again from inside the answer") {
  lab l;
  const auto bob = l.user("bob");
  const auto first = poll(bob, next(bob.sync()));
  std::shared_ptr<exchange> second;
  first->answered = [&] { second = poll(bob, next(client::read(first).body)); };
  bob.create();
  REQUIRE(second);
  CHECK_FALSE(second->response);
  bob.create();
  CHECK(second->response);
}

TEST_CASE("a token from a forgotten life does not wait for its time to come") {
  lab l;
  const auto bob = l.user("bob");
  const auto waiting = poll(bob, "s999999_9_9");
  bob.create();
  CHECK(waiting->response);
}

TEST_CASE("one user's polls are bounded: the oldest is answered") {
  lab l;
  const auto bob = l.user("bob");
  const auto since = next(bob.sync());
  std::vector<std::shared_ptr<exchange>> all;
  for (int i = 0; i < 65; ++i)
    all.push_back(poll(bob, since));
  CHECK(all[0]->response);
  CHECK_FALSE(all[1]->response);
  CHECK(l.hs->status().waiting_syncs == 64);
}

TEST_CASE("one request that makes many events wakes a poll once, with all of them") {
  lab l;
  const auto bob = l.user("bob");
  const auto waiting = poll(bob, next(bob.sync()));
  const auto room = bob.create({{"name", "x"}, {"topic", "y"}});
  const auto told = client::read(waiting).body;
  CHECK(timeline(told, room).at("events").back().at("type") == "m.room.topic");
}

TEST_CASE("a gap is marked limited, and prev_batch leads back over it to a known event") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"invite", json::array({alice.user})}});
  alice.join(room);
  const auto since = next(bob.sync());
  for (int i = 0; i < 30; ++i)
    alice.say(room, "line " + std::to_string(i));
  const auto told = bob.sync(since);
  const auto t = timeline(told, room);
  CHECK(t.at("limited") == true);
  CHECK(bodies(t.at("events")).front() == "line 20");
  CHECK(bodies(t.at("events")).back() == "line 29");
  const auto page = bob.ok("GET", client::room_path(room) + "/messages?dir=b&limit=100&from=" +
                                      t.at("prev_batch").get<std::string>() + "&to=" + since);
  const auto lines = bodies(page.at("chunk"));
  REQUIRE(lines.size() == 20);
  CHECK(lines.front() == "line 19");
  CHECK(lines.back() == "line 0");
  CHECK_FALSE(
      timeline(bob.sync(since, inline_filter({{"room", {{"timeline", {{"limit", 50}}}}}})), room)
          .at("limited")
          .get<bool>());
}

TEST_CASE("state that changed inside a gap comes as the state at its end") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create({{"name", "old"}});
  const auto since = next(bob.sync());
  bob.ok("PUT", client::room_path(room) + "/state/m.room.name/", {{"name", "new"}});
  for (int i = 0; i < 12; ++i)
    bob.say(room, "x");
  const auto told = bob.sync(since);
  const auto state = joined(told, room).at("state").at("events");
  REQUIRE(state.size() == 1);
  CHECK(state[0].at("content") == json{{"name", "new"}});
}

TEST_CASE("a filter of senders keeps own edits from making a gap, as Synapse does") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"invite", json::array({alice.user})}});
  alice.join(room);
  const auto filter = inline_filter(
      {{"room", {{"timeline", {{"limit", 50}, {"not_senders", json::array({bob.user})}}}}}});
  const auto since = next(bob.sync("", filter));
  const auto waiting = poll(bob, since, filter);
  for (int i = 0; i < 400; ++i)
    bob.say(room, "edit");
  CHECK_FALSE(waiting->response);
  alice.say(room, "hello");
  const auto t = timeline(client::read(waiting).body, room);
  CHECK(bodies(t.at("events")) == std::vector<std::string>{"hello"});
  CHECK(t.at("limited") == false);
  // Without having looked in between it reads back at most five times twice the limit.
  for (int i = 0; i < 200; ++i)
    bob.say(room, "edit");
  CHECK(timeline(bob.sync(since, filter), room).at("limited") == true);
}

TEST_CASE("an invitation comes with the stripped state, the answer to it in the right section") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  auto since = next(bob.sync());
  const auto room = alice.create({{"name", "A"}, {"invite", json::array({bob.user})}});
  auto told = bob.sync(since);
  const auto& state = told.at("rooms").at("invite").at(room).at("invite_state").at("events");
  std::vector<std::string> types;
  for (const auto& e : state) {
    types.push_back(e.at("type"));
    CHECK(e.contains("state_key"));
    CHECK(e.contains("sender"));
    CHECK(e.contains("content"));
  }
  CHECK(types == std::vector<std::string>{"m.room.name", "m.room.join_rules", "m.room.member",
                                          "m.room.create", "m.room.member"});
  CHECK(state.back().at("content").at("membership") == "invite");
  since = next(told);
  CHECK_FALSE(bob.sync(since).contains("rooms"));

  SECTION("rejected: leave") {
    bob.ok("POST", client::room_path(room) + "/leave", json::object());
    told = bob.sync(since);
    const auto events = timeline(told, room, "leave").at("events");
    REQUIRE(events.size() == 1);
    CHECK(events[0].at("content").at("membership") == "leave");
    CHECK(events[0].at("unsigned").at("prev_content").at("membership") == "invite");
  }
  SECTION("joined: the whole room") {
    bob.join(room);
    told = bob.sync(since);
    CHECK(joined(told, room).at("timeline").at("limited") == true);
    CHECK(told.at("device_lists").at("changed") == json::array({alice.user, bob.user}));
  }
  SECTION("kicked after joining: leave, sent by the other") {
    bob.join(room);
    since = next(bob.sync(since));
    alice.ok("POST", client::room_path(room) + "/kick", {{"user_id", bob.user}});
    alice.say(room, "secret");
    const auto left = bob.sync(since);
    const auto events = timeline(left, room, "leave").at("events");
    REQUIRE(events.size() == 1);
    CHECK(events[0].at("sender") == alice.user);
  }
}

TEST_CASE("leaving and coming back between two syncs brings the whole room again") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create({{"preset", "public_chat"}, {"name", "N"}});
  const auto alice = l.user("alice");
  alice.join(room);
  const auto since = next(alice.sync());
  alice.ok("POST", client::room_path(room) + "/leave", json::object());
  alice.join(room);
  for (int i = 0; i < 10; ++i)
    bob.say(room, "x");
  const auto state = joined(alice.sync(since), room).at("state").at("events");
  CHECK(state.size() >= 6);
}

TEST_CASE("only the sending device sees its transaction id") {
  lab l;
  const auto one = l.user("bob", "ONE"), two = l.user("bob", "TWO");
  const auto room = one.create();
  const auto s1 = next(one.sync()), s2 = next(two.sync());
  one.ok("PUT", client::room_path(room) + "/send/m.room.message/mine",
         {{"msgtype", "m.text"}, {"body", "x"}});
  CHECK(timeline(one.sync(s1), room).at("events")[0].at("unsigned").at("transaction_id") == "mine");
  const auto seen = timeline(two.sync(s2), room).at("events")[0].at("unsigned");
  CHECK_FALSE(seen.contains("transaction_id"));
  CHECK(seen.contains("age"));
}

TEST_CASE("a first sync is cached by its parameters for two minutes, and may be old") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  const auto path = "/sync?timeout=7";
  const auto first = bob.ok("GET", path);
  bob.say(room, "later");
  CHECK(bob.ok("GET", path) == first);
  CHECK(next(bob.ok("GET", "/sync?timeout=8")) != next(first));
  CHECK(next(bob.ok("GET", "/sync?timeout=7&full_state=true")) != next(first));
  l.clock.advance(121'000);
  CHECK(next(bob.ok("GET", path)) != next(first));
}

TEST_CASE("typing is told, ends by itself, and a receipt is told once") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"invite", json::array({alice.user})}});
  alice.join(room);
  const auto id = alice.say(room, "hi");
  auto since = next(bob.sync());
  const auto path = client::room_path(room);
  alice.ok("PUT", path + "/typing/" + encoded(alice.user), {{"typing", true}, {"timeout", 5000}});
  auto told = bob.sync(since);
  CHECK(joined(told, room).at("ephemeral").at("events") ==
        json::array({{{"type", "m.typing"}, {"content", {{"user_ids", {alice.user}}}}}}));
  const auto waiting = poll(bob, next(told));
  l.clock.advance(5'000);
  const auto stopped = client::read(waiting).body;
  CHECK(joined(stopped, room).at("ephemeral").at("events")[0].at("content").at("user_ids").empty());
  since = next(stopped);
  bob.ok("POST", path + "/receipt/m.read/" + encoded(id), json::object());
  const auto read = joined(bob.sync(since), room).at("ephemeral").at("events");
  CHECK(read[0].at("content").at(id).at("m.read").at(bob.user).at("ts") == l.clock.now);
  CHECK(alice.call("PUT", path + "/typing/" + encoded(bob.user), {{"typing", true}}).status == 403);
  CHECK(bob.call("POST", path + "/receipt/m.unknown/" + encoded(id), json::object()).errcode() ==
        "M_INVALID_PARAM");
  CHECK(bob.call("POST", path + "/receipt/m.read/%24none", json::object()).errcode() ==
        "M_NOT_FOUND");
  const auto quiet = inline_filter({{"room", {{"ephemeral", {{"types", json::array()}}}}}});
  CHECK_FALSE(bob.sync(since, quiet).contains("rooms"));
}

TEST_CASE("unread messages are counted until they are read") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"invite", json::array({alice.user})}});
  alice.join(room);
  alice.say(room, "one");
  const auto two = alice.say(room, "two");
  const auto count = [&] {
    return joined(bob.sync(), room).at("unread_notifications").at("notification_count").get<int>();
  };
  CHECK(count() == 2);
  bob.ok("POST", client::room_path(room) + "/receipt/m.read/" + encoded(two), json::object());
  CHECK(count() == 0);
}

TEST_CASE("account data and tags come with the next sync") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  const auto since = next(bob.sync());
  const auto mine = "/user/" + encoded(bob.user);
  bob.ok("PUT", mine + "/account_data/x.y", {{"a", 1}});
  bob.ok("PUT", mine + client::room_path(room) + "/tags/m.favourite", {{"order", 0.5}});
  const auto told = bob.sync(since);
  CHECK(told.at("account_data").at("events") ==
        json::parse(R"([{"type":"x.y","content":{"a":1}}])"));
  CHECK(joined(told, room).at("account_data").at("events")[0].at("type") == "m.tag");
  CHECK(bob.ok("GET", mine + "/account_data/x.y") == json{{"a", 1}});
  CHECK(bob.call("GET", mine + "/account_data/none").errcode() == "M_NOT_FOUND");
  CHECK(bob.call("PUT", mine + "/account_data/m.push_rules", json::object()).status == 405);
  CHECK(l.user("eve").call("GET", mine + "/account_data/x.y").errcode() == "M_FORBIDDEN");
}

TEST_CASE("filters are kept by number, and wrong parameters of a sync are named") {
  lab l;
  const auto bob = l.user("bob");
  const auto mine = "/user/" + encoded(bob.user) + "/filter";
  const json filter{{"room", {{"timeline", {{"limit", 3}}}}}};
  const auto id = bob.ok("POST", mine, filter).at("filter_id").get<std::string>();
  CHECK(bob.ok("POST", mine, filter).at("filter_id") == id);
  CHECK(bob.ok("GET", mine + "/" + id) == filter);
  const auto room = bob.create();
  CHECK(timeline(bob.sync("", "&filter=" + id), room).at("events").size() == 3);
  CHECK(bob.call("GET", "/sync?filter=99").errcode() == "M_INVALID_PARAM");
  CHECK(bob.call("POST", mine, {{"room", {{"timeline", {{"types", "x"}}}}}}).errcode() ==
        "M_BAD_JSON");
  CHECK(bob.call("GET", "/sync?timeout=x").errcode() == "M_INVALID_PARAM");
  CHECK(bob.call("GET", "/sync?set_presence=gone").errcode() == "M_INVALID_PARAM");
  const auto bad = bob.call("GET", "/sync?since=bogus");
  CHECK(bad.status == 400);
  CHECK(bad.body == json{{"errcode", "M_UNKNOWN"}, {"error", "Invalid stream token"}});
  for (const auto* token : {"s", "s1_2", "s1_2_3_4", "s-1", "s1x", "t1", "s99999999999999999999"})
    CHECK(bob.call("GET", "/sync?since=" + std::string(token)).status == 400);
}

TEST_CASE("lazy loading brings the members of those who speak, once") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create({{"preset", "public_chat"}});
  std::vector<client> people;
  for (int i = 0; i < 12; ++i) {
    people.push_back(l.user("user" + std::to_string(i)));
    people.back().join(room);
  }
  const auto filter = inline_filter(
      {{"room", {{"state", {{"lazy_load_members", true}}}, {"timeline", {{"limit", 1}}}}}});
  const auto first = bob.sync("", filter);
  const auto members = [&](const json& sync) {
    std::vector<std::string> out;
    const auto room_part = joined(sync, room);
    for (const auto& e : room_part.at("state").at("events"))
      if (e.at("type") == "m.room.member")
        out.push_back(e.at("state_key"));
    return out;
  };
  CHECK(members(first) == std::vector<std::string>{bob.user});
  CHECK(joined(first, room).at("summary").at("m.joined_member_count") == 13);
  people[3].say(room, "hi");
  const auto second = bob.sync(next(first), filter);
  CHECK(members(second) == std::vector<std::string>{people[3].user});
  people[3].say(room, "again");
  CHECK(members(bob.sync(next(second), filter)).empty());
}
