#include "actors/matrix/admission_logic.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {
using namespace pb;
using nlohmann::json;

json event(const std::string& type, const std::string& sender, json content,
           std::optional<std::string> key = {}) {
  static int n = 0;
  json e{{"event_id", "$" + std::to_string(++n)},
         {"type", type},
         {"sender", sender},
         {"origin_server_ts", 1},
         {"content", std::move(content)}};
  if (key)
    e["state_key"] = *key;
  return e;
}

matrix::sync_response sync_of(const json& join, const json& rest = json::object()) {
  json rooms = rest;
  rooms["join"] = join;
  const auto got = matrix::parse_sync(json{{"next_batch", "s2"}, {"rooms", rooms}}.dump());
  REQUIRE(got);
  return *got;
}

admission_rules rules(bool initial = false) {
  admission_rules r;
  r.bot = user_id{"@bot:s"};
  r.initial = initial;
  r.next_trace = [] { return std::string{"t"}; };
  return r;
}

const json hello{{"msgtype", "m.text"}, {"body", "hello"}};
} // namespace

TEST_CASE("messages, reactions, redactions and encrypted events of others are kept, in order") {
  const auto got = sync_of(
      {{"!r:s",
        {{"timeline",
          {{"events",
            {event("m.room.message", "@a:s", hello), event("m.room.message", "@bot:s", hello),
             event("m.room.topic", "@a:s", {{"topic", "x"}}, ""),
             event("m.room.redaction", "@a:s", {{"redacts", "$1"}}),
             event("m.reaction", "@a:s", json::object()),
             event("m.call.invite", "@a:s", json::object()),
             event("m.room.encrypted", "@a:s", {{"algorithm", "x"}})}}}}}}});
  const auto out = sort_batch(got, rules());
  REQUIRE(out.keep.events.size() == 4);
  CHECK(out.keep.events[0].event.type == "m.room.message");
  CHECK(out.keep.events[1].event.type == "m.room.redaction");
  CHECK(out.keep.events[2].event.type == "m.reaction");
  CHECK(out.keep.events[3].event.type == "m.room.encrypted");
  CHECK(out.keep.cursor == "s2");
  CHECK(out.gaps.empty());
}

TEST_CASE("without a position everything is history, and only the position is kept") {
  const auto got = sync_of({{"!r:s",
                             {{"timeline",
                               {{"events", {event("m.room.message", "@a:s", hello)}},
                                {"limited", true},
                                {"prev_batch", "p"}}}}}});
  const auto out = sort_batch(got, rules(true));
  CHECK(out.keep.events.empty());
  CHECK(out.gaps.empty());
  CHECK(out.continued.empty());
  CHECK(out.keep.cursor == "s2");
}

TEST_CASE("a timeline that is not limited may still be looked behind, except in a room new to us") {
  const json talk{{"events", {event("m.room.message", "@a:s", hello)}},
                  {"limited", false},
                  {"prev_batch", "p3"}};
  const json whole{{"events", {event("m.room.create", "@bot:s", json::object(), "")}}};
  const auto out = sort_batch(sync_of({{"!old:s", {{"timeline", talk}}},
                                       {"!new:s", {{"state", whole}, {"timeline", talk}}}}),
                              rules());
  REQUIRE(out.continued.size() == 1);
  CHECK(out.continued[0].room.value == "!old:s");
  CHECK(out.continued[0].from == "p3");
  CHECK(out.continued[0].suspected);
}

TEST_CASE("a gap of a room that is new to us ends at our own join; tombstones are named") {
  const json whole{{"events", {event("m.room.create", "@bot:s", json::object(), "")}}};
  const json cut{
      {"events", {event("m.room.tombstone", "@a:s", {{"replacement_room", "!n:s"}}, "")}},
      {"limited", true},
      {"prev_batch", "p"}};
  const auto out =
      sort_batch(sync_of({{"!new:s", {{"state", whole}, {"timeline", cut}}}}), rules());
  REQUIRE(out.gaps.size() == 1);
  CHECK(out.gaps[0].newly_joined);
  REQUIRE(out.upgraded.size() == 1);
  CHECK(out.upgraded[0].value == "!new:s");
  REQUIRE(out.keep.memberships.size() == 1); // also if we were thought to be out of it
  CHECK(out.keep.memberships[0].state == membership::join);
}

namespace {
matrix_event said(const std::string& id, const std::string& sender = "@a:s") {
  matrix_event e;
  e.id = event_id{id};
  e.room = room_id{"!r:s"};
  e.sender = user_id{sender};
  e.type = "m.room.message";
  e.content = "{}";
  return e;
}
} // namespace

TEST_CASE("a walk back stops at the first known event: what is older is refused by its position") {
  gap_walk walk{{room_id{"!r:s"}, "p", false, false}, user_id{"@bot:s"}, true};
  CHECK_FALSE(
      walk.take({said("$5"), said("$own", "@bot:s"), said("$4")}, {{false, false, false}, true}));
  CHECK(walk.take({said("$3"), said("$2"), said("$1")}, {{false, true, false}, true}));
  const auto found = walk.missing();
  REQUIRE(found.size() == 3); // neither our own nor anything behind $2
  CHECK(found[0].id.value == "$3");
  CHECK(found[2].id.value == "$5");
}

TEST_CASE("in a room that is new to us, our own join is the beginning") {
  auto join = said("$j", "@bot:s");
  join.type = "m.room.member";
  join.state_key = "@bot:s";
  gap_walk fresh{{room_id{"!r:s"}, "p", false, true}, user_id{"@bot:s"}, false};
  CHECK(fresh.take({said("$2"), join, said("$1")}, {{false, false, false}, false}));
  CHECK(fresh.missing().size() == 1);
  gap_walk suspected{{room_id{"!r:s"}, "p", true, false}, user_id{"@bot:s"}, true};
  CHECK(suspected.take({join, said("$1")}, {{false, false}, true}));
  CHECK(suspected.missing().empty()); // said while we were out of the room
  // Elsewhere a member event of ours is a new display name, say, and ends nothing.
  gap_walk old{{room_id{"!r:s"}, "p", false, false}, user_id{"@bot:s"}, true};
  CHECK_FALSE(old.take({said("$2"), join, said("$1")}, {{false, false, false}, true}));
  CHECK(old.missing().size() == 2);
}

TEST_CASE("a limited timeline is a gap, an invitation and a leave are kept, encryption is noted") {
  const auto got = sync_of(
      {{"!r:s",
        {{"timeline",
          {{"events", {event("m.room.encryption", "@a:s", {{"algorithm", "x"}}, "")}},
           {"limited", true},
           {"prev_batch", "p9"}}}}}},
      {{"invite",
        {{"!i:s",
          {{"invite_state",
            {{"events",
              {event("m.room.member", "@a:s", {{"membership", "invite"}, {"is_direct", true}},
                     "@bot:s")}}}}}}}},
       {"leave",
        {{"!l:s",
          {{"timeline",
            {{"events",
              {event("m.room.member", "@a:s", {{"membership", "leave"}}, "@bot:s")}}}}}}}}});
  const auto out = sort_batch(got, rules());
  REQUIRE(out.gaps.size() == 1);
  CHECK(out.gaps[0].from == "p9");
  REQUIRE(out.keep.invites.size() == 1);
  CHECK(out.keep.invites[0].inviter.value == "@a:s");
  CHECK(out.keep.invites[0].direct);
  REQUIRE(out.keep.memberships.size() == 1);
  CHECK(out.keep.memberships[0].state == membership::leave);
  CHECK(out.keep.memberships[0].by.value == "@a:s");
  REQUIRE(out.keep.encrypted.size() == 1);
}

TEST_CASE("what was said before we were out of a room and back is over") {
  const auto member = [](const std::string& what, const std::string& by) {
    return event("m.room.member", by, {{"membership", what}}, "@bot:s");
  };
  const auto said = [](const std::string& words) {
    return event("m.room.message", "@a:s", {{"msgtype", "m.text"}, {"body", words}});
  };
  const auto kept = [](const json& events, bool just_joined) {
    json room{{"timeline", {{"events", events}}}};
    if (just_joined)
      room["state"] = {{"events", {event("m.room.create", "@a:s", {{"room_version", "10"}}, "")}}};
    const auto got = sync_of({{"!r:s", room}});
    std::vector<std::string> out;
    for (const auto& row : sort_batch(got, rules()).keep.events)
      out.push_back(json::parse(row.event.content).at("body").get<std::string>());
    return out;
  };
  const json back{
      said("before"), member("leave", "@a:s"),  said("without us"), member("invite", "@a:s"),
      said("come"),   member("join", "@bot:s"), said("again")};
  CHECK(kept(back, true) == std::vector<std::string>{"come", "again"});
  auto doubled = back;
  doubled.push_back(back[3]); // the invitation once more, at the end
  CHECK(kept(doubled, true) == std::vector<std::string>{"come", "again"});
  // In a room that we were in all the time such an event is an old one that comes once more.
  CHECK(kept({said("one"), member("invite", "@a:s")}, false) == std::vector<std::string>{"one"});
}
