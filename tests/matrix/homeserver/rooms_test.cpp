#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

namespace {

json content_of(const client& c, const std::string& room, const std::string& type,
                const std::string& key = {}) {
  return c.ok("GET", client::room_path(room) + "/state/" + type + "/" + encoded(key));
}

reply_view put_state(const client& c, const std::string& room, const std::string& type,
                     const json& content, const std::string& key = {}) {
  return c.call("PUT", client::room_path(room) + "/state/" + type + "/" + encoded(key), content);
}

reply_view act(const client& c, const std::string& room, const std::string& what,
               const std::string& user) {
  return c.call("POST", client::room_path(room) + "/" + what, {{"user_id", user}});
}

} // namespace

TEST_CASE("createRoom writes its events in the order of the specification") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create({{"name", "Chat"},
                                {"topic", "T"},
                                {"preset", "private_chat"},
                                {"room_alias_name", "chat-1"},
                                {"invite", json::array({"@alice:localhost"})},
                                {"is_direct", true},
                                {"initial_state",
                                 {{{"type", "io.patchbay.chat"},
                                   {"state_key", ""},
                                   {"content", {{"owner", "@alice:localhost"}}}}}}});
  std::vector<std::string> types;
  for (const auto& e : l.hs->events(room))
    types.push_back(e.at("type"));
  CHECK(types == std::vector<std::string>{"m.room.create", "m.room.member", "m.room.power_levels",
                                          "m.room.canonical_alias", "m.room.join_rules",
                                          "m.room.history_visibility", "m.room.guest_access",
                                          "io.patchbay.chat", "m.room.name", "m.room.topic",
                                          "m.room.member"});
  CHECK(content_of(bob, room, "m.room.member", "@alice:localhost").at("is_direct") == true);
  CHECK(bob.ok("GET", "/directory/room/%23chat-1%3Alocalhost").at("room_id") == room);
  CHECK(bob.call("POST", "/createRoom", {{"room_alias_name", "chat-1"}}).errcode() ==
        "M_ROOM_IN_USE");
}

TEST_CASE("initial state replaces the preset's, name and topic come after it") {
  lab l;
  const auto bob = l.user("bob");
  const auto room =
      bob.create({{"name", "wins"},
                  {"initial_state",
                   {{{"type", "m.room.join_rules"}, {"content", {{"join_rule", "public"}}}},
                    {{"type", "m.room.name"}, {"content", {{"name", "loses"}}}}}}});
  CHECK(content_of(bob, room, "m.room.join_rules").at("join_rule") == "public");
  CHECK(content_of(bob, room, "m.room.name").at("name") == "wins");
}

TEST_CASE("the override of power levels replaces whole keys, and must name the creator") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create(
      {{"power_level_content_override", {{"events_default", 100}, {"events", {{"x.y", 7}}}}}});
  const auto levels = content_of(bob, room, "m.room.power_levels");
  CHECK(levels.at("events_default") == 100);
  CHECK(levels.at("events") == json{{"x.y", 7}});
  CHECK(bob.call("POST", "/createRoom",
                 {{"power_level_content_override", {{"users", {{"@a:localhost", 100}}}}}})
            .errcode() == "M_BAD_JSON");
}

TEST_CASE("a trusted private chat gives its guests the creator's level") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room =
      bob.create({{"preset", "trusted_private_chat"}, {"invite", json::array({alice.user})}});
  alice.join(room);
  CHECK(put_state(alice, room, "m.room.name", {{"name", "mine"}}).status == 200);
}

TEST_CASE("an invitation is needed to join, and works once") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice"), eve = l.user("eve");
  const auto room = bob.create();
  CHECK(eve.call("POST", "/join/" + encoded(room), json::object()).errcode() == "M_FORBIDDEN");
  CHECK(act(bob, room, "invite", alice.user).status == 200);
  CHECK(act(bob, room, "invite", alice.user).status == 200); // again: nothing new
  alice.join(room);
  alice.join(room);
  CHECK(act(bob, room, "invite", alice.user).errcode() == "M_FORBIDDEN");
  CHECK(act(eve, room, "invite", eve.user).errcode() == "M_FORBIDDEN");
  CHECK(act(bob, room, "invite", "alice").errcode() == "M_INVALID_PARAM");
  CHECK(act(bob, room, "invite", "@a:elsewhere.example").errcode() == "M_FORBIDDEN");
  CHECK(l.hs->members(room) == std::vector<std::string>{alice.user, bob.user});
  CHECK(alice.ok("GET", "/joined_rooms").at("joined_rooms") == json::array({room}));
}

TEST_CASE("kick, ban and unban follow the levels") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice"), eve = l.user("eve");
  const auto room = bob.create({{"preset", "public_chat"}});
  alice.join(room);
  eve.join(room);
  CHECK(act(alice, room, "kick", eve.user).errcode() == "M_FORBIDDEN");
  CHECK(act(alice, room, "ban", eve.user).errcode() == "M_FORBIDDEN");
  CHECK(act(bob, room, "kick", eve.user).status == 200);
  CHECK(act(bob, room, "kick", eve.user).errcode() == "M_FORBIDDEN"); // not there
  eve.join(room);
  CHECK(act(bob, room, "ban", eve.user).status == 200);
  CHECK(eve.call("POST", "/join/" + encoded(room), json::object()).errcode() == "M_FORBIDDEN");
  CHECK(act(alice, room, "unban", eve.user).errcode() == "M_FORBIDDEN");
  CHECK(act(bob, room, "unban", eve.user).status == 200);
  CHECK(act(bob, room, "unban", eve.user).errcode() == "M_FORBIDDEN");
  eve.join(room);
  CHECK(act(alice, room, "kick", bob.user).errcode() == "M_FORBIDDEN");
}

TEST_CASE("state needs its level, and nobody lifts himself or others above his own") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"preset", "public_chat"}});
  alice.join(room);
  const auto refused = put_state(alice, room, "m.room.name", {{"name", "x"}});
  CHECK(refused.status == 403);
  CHECK(refused.body.at("error") == "You don't have permission to post that to the room. "
                                    "user_level (0) < send_level (50)");
  auto levels = content_of(bob, room, "m.room.power_levels");
  levels["users"][alice.user] = 60;
  levels["events"]["m.room.power_levels"] = 60;
  CHECK(put_state(bob, room, "m.room.power_levels", levels).status == 200);
  auto higher = levels;
  higher["users"][alice.user] = 70;
  CHECK(put_state(alice, room, "m.room.power_levels", higher).errcode() == "M_FORBIDDEN");
  auto demote = levels;
  demote["users"][bob.user] = 0;
  CHECK(put_state(alice, room, "m.room.power_levels", demote).errcode() == "M_FORBIDDEN");
  auto own = levels;
  own["users"].erase(alice.user);
  CHECK(put_state(alice, room, "m.room.power_levels", own).status == 200);
  auto text = levels;
  text["ban"] = "50";
  CHECK(put_state(bob, room, "m.room.power_levels", text).errcode() == "M_BAD_JSON");
  CHECK(put_state(bob, room, "x.y", {{"a", 1}}, alice.user).errcode() == "M_FORBIDDEN");
}

TEST_CASE("the same state again is the same event, other state is another one") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  const auto first = put_state(bob, room, "m.room.topic", {{"topic", "a"}}).body.at("event_id");
  CHECK(put_state(bob, room, "m.room.topic", {{"topic", "a"}}).body.at("event_id") == first);
  CHECK(put_state(bob, room, "m.room.topic", {{"topic", "b"}}).body.at("event_id") != first);
  CHECK(bob.call("GET", client::room_path(room) + "/state/x.none/").errcode() == "M_NOT_FOUND");
  const auto whole = bob.ok("GET", client::room_path(room) + "/state/m.room.topic?format=event");
  CHECK(whole.at("unsigned").at("prev_content") == json{{"topic", "a"}});
}

TEST_CASE("a restricted room opens to members of the Space and to nobody else") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice"), eve = l.user("eve");
  const auto space = bob.create(
      {{"creation_content", {{"type", "m.space"}}}, {"invite", json::array({alice.user})}});
  const auto room =
      bob.create({{"initial_state",
                   {{{"type", "m.room.join_rules"},
                     {"content",
                      {{"join_rule", "restricted"},
                       {"allow", {{{"type", "m.room_membership"}, {"room_id", space}}}}}}}}}});
  CHECK(alice.call("POST", "/join/" + encoded(room), json::object()).status == 403);
  alice.join(space);
  alice.join(room);
  CHECK(
      content_of(alice, room, "m.room.member", alice.user).at("join_authorised_via_users_server") ==
      bob.user);
  CHECK(eve.call("POST", "/join/" + encoded(room), json::object()).status == 403);
}

TEST_CASE("leave, then forget: the room is gone from the own lists, not for others") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto room = bob.create({{"invite", json::array({alice.user})}});
  alice.join(room);
  alice.say(room, "still readable");
  const auto path = client::room_path(room);
  CHECK(alice.call("POST", path + "/forget", json::object()).errcode() == "M_UNKNOWN");
  alice.ok("POST", path + "/leave", json::object());
  alice.ok("POST", path + "/leave", json::object());
  bob.say(room, "after");
  const auto page = alice.ok("GET", path + "/messages?dir=b&limit=100");
  CHECK(bodies(page.at("chunk")) == std::vector<std::string>{"still readable"});
  CHECK(alice.call("PUT", path + "/send/m.room.message/1", {{"msgtype", "m.text"}, {"body", "x"}})
            .errcode() == "M_FORBIDDEN");
  alice.ok("POST", path + "/forget", json::object());
  CHECK(alice.call("GET", path + "/messages?dir=b").errcode() == "M_FORBIDDEN");
  CHECK(alice.ok("GET", "/joined_rooms").at("joined_rooms").empty());
  CHECK(l.hs->members(room) == std::vector<std::string>{bob.user});
}

TEST_CASE("an unknown room is refused, and looks like one that is closed to us") {
  lab l;
  const auto bob = l.user("bob");
  const std::string path = "/rooms/%21none%3Alocalhost";
  CHECK(bob.call("PUT", path + "/send/m.room.message/1", json{{"msgtype", "m.text"}, {"body", "x"}})
            .errcode() == "M_FORBIDDEN");
  CHECK(bob.call("GET", path + "/messages?dir=b").errcode() == "M_FORBIDDEN");
  CHECK(bob.call("GET", path + "/state").errcode() == "M_FORBIDDEN");
  CHECK(bob.call("POST", "/join/%21none%3Alocalhost", json::object()).errcode() == "M_NOT_FOUND");
  CHECK(bob.call("POST", "/join/none", json::object()).errcode() == "M_INVALID_PARAM");
}

TEST_CASE("the tree of a Space is in order and shows only what the caller may see") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto space = bob.create({{"name", "S"},
                                 {"creation_content", {{"type", "m.space"}}},
                                 {"invite", json::array({alice.user})}});
  alice.join(space);
  std::vector<std::string> rooms;
  for (int i = 0; i < 3; ++i) {
    rooms.push_back(bob.create({{"name", std::to_string(i)},
                                {"invite", i == 2 ? json::array() : json::array({alice.user})}}));
    json child{{"via", json::array({"localhost"})}, {"suggested", i == 1}};
    if (i == 1)
      child["order"] = "a";
    CHECK(put_state(bob, space, "m.space.child", child, rooms.back()).status == 200);
    l.clock.advance(1);
  }
  const auto path = "/_matrix/client/v1/rooms/" + encoded(space) + "/hierarchy";
  const auto names = [](const json& answer) {
    std::vector<std::string> out;
    for (const auto& r : answer.at("rooms"))
      out.push_back(r.at("name"));
    return out;
  };
  CHECK(names(bob.ok("GET", path)) == std::vector<std::string>{"S", "1", "0", "2"});
  CHECK(names(alice.ok("GET", path)) == std::vector<std::string>{"S", "1", "0"});
  CHECK(names(bob.ok("GET", path + "?suggested_only=true")) == std::vector<std::string>{"S", "1"});
  const auto first = bob.ok("GET", path + "?limit=2");
  CHECK(names(first) == std::vector<std::string>{"S", "1"});
  const auto rest =
      bob.ok("GET", path + "?limit=2&from=" + first.at("next_batch").get<std::string>());
  CHECK(names(rest) == std::vector<std::string>{"0", "2"});
  CHECK_FALSE(rest.contains("next_batch"));
  // Without via it is no child.
  CHECK(put_state(bob, space, "m.space.child", json::object(), rooms[0]).status == 200);
  CHECK(names(bob.ok("GET", path)) == std::vector<std::string>{"S", "1", "2"});
}

TEST_CASE("aliases belong to who made them") {
  lab l;
  const auto bob = l.user("bob"), eve = l.user("eve");
  const auto room = bob.create();
  const std::string path = "/directory/room/%23a%3Alocalhost";
  CHECK(bob.call("GET", path).errcode() == "M_NOT_FOUND");
  CHECK(eve.call("PUT", path, {{"room_id", room}}).errcode() == "M_FORBIDDEN");
  bob.ok("PUT", path, {{"room_id", room}});
  CHECK(bob.call("PUT", path, {{"room_id", room}}).status == 409);
  CHECK(eve.call("DELETE", path).errcode() == "M_FORBIDDEN");
  bob.ok("DELETE", path);
  CHECK(bob.call("GET", path).status == 404);
}
