#include "bridges/matrix/content.hpp"
#include "tests/matrix/client/support.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace pb;
using namespace pb::matrix;
using namespace pb::matrix::test;

namespace {

const std::vector<std::string> wrong_values{"null",           "true",  "7",           "1.5",
                                            "\"x\"",          "[]",    "{}",          "[{}]",
                                            "{\"events\":7}", "1e400", "\"\\ud800\"", "tru"};

/// One event between two good ones.
result<sync_response> between(const std::string& event) {
  return parse_sync(sync_with(good_event("$before") + "," + event + "," + good_event("$after")));
}

void only_that_one_is_lost(const std::string& event) {
  CAPTURE(event.substr(0, 300));
  const auto r = between(event);
  REQUIRE(r);
  REQUIRE(r->join.size() == 1);
  REQUIRE(r->join[0].timeline.size() == 2);
  CHECK(r->join[0].timeline[1].id.value == "$after");
  REQUIRE(r->poisoned.total == 1);
  CHECK(r->poisoned.items[0].room.value == "!r:hs");
  CHECK_FALSE(r->poisoned.items[0].reason.empty());
  CHECK(r->poisoned.items[0].raw.size() <= 4096);
  CHECK(json::is_utf8(r->poisoned.items[0].raw));
}

std::string event_with(const std::map<std::string, std::string>& changed) {
  std::map<std::string, std::string> fields{{"type", "\"m.room.message\""},
                                            {"event_id", "\"$e\""},
                                            {"sender", "\"@a:hs\""},
                                            {"origin_server_ts", "5"},
                                            {"content", R"({"msgtype":"m.text","body":"hi"})"}};
  for (const auto& [name, value] : changed)
    fields[name] = value;
  std::string out;
  for (const auto& [name, value] : fields)
    out += (out.empty() ? "{\"" : ",\"") + name + "\":" + value;
  return out + "}";
}

std::string message(const std::string& body) {
  return event_with({{"content", R"({"msgtype":"m.text","body":)" + body + "}"}});
}

} // namespace

TEST_CASE("hostile sync: a field of the wrong type loses that event alone", "[sync]") {
  for (const std::string& v : wrong_values) {
    only_that_one_is_lost(event_with({{"event_id", v}}));
    only_that_one_is_lost(event_with({{"sender", v}}));
    if (v != "\"x\"") // a type may be any string, so may a state key
      only_that_one_is_lost(event_with({{"type", v}}));
    if (v != "\"x\"")
      only_that_one_is_lost(event_with({{"state_key", v}}));
    if (v != "{}" && v != "{\"events\":7}")
      only_that_one_is_lost(event_with({{"content", v}}));
    if (v != "{}")
      only_that_one_is_lost(v);
  }
}

TEST_CASE("hostile sync: a field that nobody needs may be anything", "[sync]") {
  for (const std::string& v : wrong_values) {
    const auto r = between(event_with({{"origin_server_ts", v}, {"unsigned", v}, {"age", v}}));
    REQUIRE(r);
    REQUIRE(r->join[0].timeline.size() == 3);
    CHECK(r->join[0].timeline[1].sent_at == (v == "7" ? 7 : 0));
  }
}

TEST_CASE("hostile sync: an event whose every field has a wrong type is poison", "[sync]") {
  only_that_one_is_lost(R"({"type":[],"event_id":{},"sender":1,"origin_server_ts":"x","content":[],
                            "state_key":{},"unsigned":0,"redacts":[],"room_id":null})");
  only_that_one_is_lost("{}");
}

TEST_CASE("hostile sync: number bombs, depth bombs and bad bytes lose their event alone",
          "[sync]") {
  only_that_one_is_lost(message("1e400"));
  only_that_one_is_lost(message("-1" + std::string(400, '0')));
  only_that_one_is_lost(message(std::string(70, '[') + std::string(70, ']')));
  only_that_one_is_lost(message(std::string(100'000, '[') + std::string(100'000, ']')));
  only_that_one_is_lost(message("\"\xFF\""));
  only_that_one_is_lost(message("\"\xED\xA0\x80\""));
  only_that_one_is_lost(message("\"a\nb\""));
  only_that_one_is_lost(message("\"" + std::string(300'000, 'x') + "\""));
  only_that_one_is_lost(event_with({{"event_id", "\"$" + std::string(255, 'x') + "\""}}));
  only_that_one_is_lost(event_with({{"type", "\"" + std::string(256, 't') + "\""}}));
  only_that_one_is_lost(event_with({{"sender", "\"@a:h\\u0000s\""}}));
}

TEST_CASE("hostile sync: content as deep and as long as is allowed is taken", "[sync]") {
  const auto r = between(message(std::string(63, '[') + std::string(63, ']')));
  REQUIRE(r);
  CHECK(r->poisoned.total == 0);
  const auto large = between(message("\"" + std::string(65'000, 'x') + "\""));
  REQUIRE(large);
  REQUIRE(large->join[0].timeline.size() == 3);
  CHECK(parse_message(large->join[0].timeline[1].content).body.size() == 65'000);
}

TEST_CASE("hostile sync: a wrong type higher up loses that part alone", "[sync]") {
  for (const std::string& v : wrong_values) {
    CAPTURE(v);
    const bool harmless = v == "null" || v == "{}";
    const auto rooms = parse_sync(R"({"rooms":)" + v + R"(,"next_batch":"n"})");
    REQUIRE(rooms);
    CHECK((rooms->poisoned.total == 0) == (harmless || v == "{\"events\":7}"));

    const std::string good = R"(,"!g:h":{"timeline":{"events":[)" + good_event() + "]}}}}}";
    const std::string head = R"({"next_batch":"n","rooms":{"join":{"!b:h":)";
    const auto room = parse_sync(head + v + good);
    REQUIRE(room);
    CHECK(room->join.back().timeline.size() == 1);

    const auto timeline = parse_sync(head + R"({"timeline":)" + v + "}" + good);
    REQUIRE(timeline);
    REQUIRE(timeline->join.size() == 2);
    CHECK(timeline->join.back().timeline.size() == 1);

    const auto list = parse_sync(head + R"({"state":{"events":)" + v + "}}" + good);
    REQUIRE(list);
    CHECK(list->join.size() == 2);
    CHECK((list->poisoned.total == 0) == (v == "[]"));
  }
  const auto key = parse_sync(
      R"({"next_batch":"n","rooms":{"join":{"room":{},"!\ud800":{},"!a b":{}},"invite":{"":{}}}})");
  REQUIRE(key);
  CHECK(key->join.empty());
  CHECK(key->poisoned.total == 4);
}

TEST_CASE("hostile sync: a limited that is no boolean counts as a gap", "[sync]") {
  const auto limited = [](const std::string& v) {
    return parse_sync(R"({"next_batch":"n","rooms":{"join":{"!r:h":{"timeline":{"limited":)" + v +
                      "}}}}}")
        ->join[0]
        .limited;
  };
  CHECK(limited("true"));
  CHECK(limited("1"));
  CHECK(limited("\"false\""));
  CHECK_FALSE(limited("false"));
  CHECK_FALSE(limited("null"));
}

TEST_CASE("hostile sync: without structure or position there is no batch", "[sync]") {
  for (const char* body :
       {"", "null", "[]", "\"x\"", "<html>", "{}", R"({"next_batch":""})", R"({"next_batch":7})",
        R"({"next_batch":null})", R"({"next_batch":"a\ud800"})", "{\"next_batch\":\"\xFF\"}",
        R"({"next_batch":"n"}x)", R"({"next_batch":"n")", R"({"next_batch":"n",})"}) {
    CAPTURE(body);
    const auto r = parse_sync(body);
    REQUIRE_FALSE(r);
    CHECK(r.error().code == fault_code::malformed);
  }
}

TEST_CASE("hostile sync: cut at any byte it is malformed and nothing worse", "[sync]") {
  const std::string body =
      R"({"rooms":{"join":{"!r:h":{"state":{"events":[]},"timeline":{"events":[)" + good_event() +
      R"(],"limited":true,"prev_batch":"p\u00e9"}}},"invite":{"!i:h":{"invite_state":{"events":[
      {"type":"m.room.member","state_key":"@b:h","sender":"@a:h","content":{"membership":"invite"}}]}}},
      "leave":{"!l:h":{"timeline":{"events":[]}}}},"next_batch":"n"})";
  REQUIRE(parse_sync(body));
  for (std::size_t n = 0; n < body.size(); ++n) {
    // A copy of that size, so that a sanitizer sees a read past the end.
    const std::string cut(body, 0, n);
    const std::vector<char> exact(cut.begin(), cut.end());
    CHECK_FALSE(parse_sync(std::string_view(exact.data(), exact.size())));
  }
}

TEST_CASE("hostile sync: a heap of garbage is counted, not kept", "[sync]") {
  std::string events = "0";
  for (int i = 1; i < 5000; ++i)
    events += ",0";
  const auto r = parse_sync(sync_with(events));
  REQUIRE(r);
  CHECK(r->poisoned.total == 5000);
  CHECK(r->poisoned.items.size() == 64);
}

TEST_CASE("hostile sync: an invitation that lies or lacks its parts invites nobody", "[sync]") {
  const auto invites = [](const std::string& state) {
    const auto r = parse_sync(R"({"next_batch":"n","rooms":{"invite":{"!i:h":{"invite_state":)" +
                              state + "}}}}");
    REQUIRE(r);
    return r->invite.size() == 1 && invitation(r->invite[0], user_id("@b:h")).has_value();
  };
  const std::string member = R"({"type":"m.room.member","state_key":"@b:h","sender":"@a:h",)";
  CHECK(invites(R"({"events":[)" + member + R"("content":{"membership":"invite"}}]})"));
  CHECK_FALSE(invites(R"({"events":[)" + member + R"("content":{"membership":"join"}}]})"));
  CHECK_FALSE(invites(R"({"events":[)" + member + R"("content":{"membership":7}}]})"));
  CHECK_FALSE(invites(R"({"events":[)" + member + R"("content":7}]})"));
  CHECK_FALSE(invites(R"({"events":[{"type":"m.room.member","sender":"@a:h","content":{}}]})"));
  CHECK_FALSE(invites("7"));
  CHECK_FALSE(invites("{}"));
}
