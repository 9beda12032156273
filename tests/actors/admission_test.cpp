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

TEST_CASE("messages, redactions and encrypted events of others are kept, in order") {
  const auto got = sync_of(
      {{"!r:s",
        {{"timeline",
          {{"events",
            {event("m.room.message", "@a:s", hello), event("m.room.message", "@bot:s", hello),
             event("m.room.topic", "@a:s", {{"topic", "x"}}, ""),
             event("m.room.redaction", "@a:s", {{"redacts", "$1"}}),
             event("m.reaction", "@a:s", json::object()),
             event("m.room.encrypted", "@a:s", {{"algorithm", "x"}})}}}}}}});
  const auto out = sort_batch(got, rules());
  REQUIRE(out.keep.events.size() == 3);
  CHECK(out.keep.events[0].event.type == "m.room.message");
  CHECK(out.keep.events[1].event.type == "m.room.redaction");
  CHECK(out.keep.events[2].event.type == "m.room.encrypted");
  CHECK(out.keep.cursor == "s2");
  CHECK(out.gaps.empty());
}

TEST_CASE("without a position timelines are history, and state restores the rooms") {
  const json marker{{"owner", "@a:s"},   {"chat", "C3"}, {"platform_chat_id", 7}, {"agent_id", "x"},
                    {"state", "active"}, {"epoch", 0},   {"intent", "i"}};
  const json state{
      event("m.room.create", "@bot:s", {{"room_version", "9"}, {"creator", "@bot:s"}}, ""),
      event("io.patchbay.chat", "@bot:s", marker, "")};
  const auto got = sync_of({{"!r:s",
                             {{"state", {{"events", state}}},
                              {"timeline",
                               {{"events", {event("m.room.message", "@a:s", hello)}},
                                {"limited", true},
                                {"prev_batch", "p"}}}}}});
  const auto out = sort_batch(got, rules(true));
  CHECK(out.keep.events.empty());
  CHECK(out.gaps.empty());
  REQUIRE(out.keep.restored.size() == 1);
  CHECK(out.keep.restored[0].chat == "C3");
  CHECK(out.keep.restored[0].platform.value == 7);
}

TEST_CASE("a marker that somebody else wrote restores nothing") {
  const json marker{{"owner", "@eve:s"}, {"chat", "C1"}, {"platform_chat_id", 7}, {"agent_id", "x"},
                    {"state", "active"}, {"epoch", 0},   {"intent", "i"}};
  const auto got = sync_of(
      {{"!r:s", {{"state", {{"events", {event("io.patchbay.chat", "@eve:s", marker, "")}}}}}}});
  CHECK(sort_batch(got, rules(true)).keep.restored.empty());
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
