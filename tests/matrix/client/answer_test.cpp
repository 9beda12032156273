#include "bridges/matrix/answer.hpp"
#include "tests/matrix/client/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::matrix;
using namespace pb::matrix::test;
using kind_t = matrix_failure::kind_t;

namespace {

template <class T>
bool is_malformed(const answer<T>& a) {
  return !a && a.error().kind == kind_t::malformed;
}

/// Runs every reader on one result and says whether all of them call it that.
bool all_say(const http_result& r, kind_t kind) {
  const room_id room("!r:hs");
  const auto is = [&](const auto& a) { return !a && a.error().kind == kind; };
  return is(read::done(r, 0)) && is(read::versions(r, 0)) && is(read::login_flows(r, 0)) &&
         is(read::login(r, 0)) && is(read::refresh(r, 0)) && is(read::whoami(r, 0)) &&
         is(read::filter_id(r, 0)) && is(read::sync(r, 0)) && is(read::sent_event(r, 0)) &&
         is(read::room(r, 0)) && is(read::joined_rooms(r, 0)) && is(read::joined_members(r, 0)) &&
         is(read::state(r, room, 0)) && is(read::members(r, room, 0)) &&
         is(read::messages(r, room, 0)) && is(read::event(r, room, 0)) && is(read::content(r, 0)) &&
         is(read::upload(r, 0)) && is(read::media_config(r, 0));
}

} // namespace

TEST_CASE("answer: a yes that is not JSON is malformed, for every reader", "[answer]") {
  for (const char* body : {"", "<html>", "null", "7", "\"x\"", "{", "{}x", "{\"a\":}", "]"}) {
    CAPTURE(body);
    CHECK(all_say(ok(body), kind_t::malformed));
  }
  CHECK(read::sent_event(ok("{}"), 0).error().sent);
}

TEST_CASE("answer: a no is judged the same by every reader", "[answer]") {
  CHECK(all_say(status(403, ""), kind_t::forbidden));
  CHECK(all_say(status(429, "{}"), kind_t::rate_limited));
  CHECK(all_say(tl::unexpected(http_failure{http_error::timeout, "t", true}), kind_t::timed_out));
}

TEST_CASE("answer: a field of the wrong type is malformed, not empty", "[answer]") {
  for (const std::string v :
       {"null", "7", "true", "[]", "{}", "\"\"", "1e400", "\"\\ud800\"", "\"\xFF\"", "\"a b\""}) {
    CAPTURE(v);
    CHECK(is_malformed(read::sent_event(ok("{\"event_id\":" + v + "}"), 0)));
    CHECK(is_malformed(read::room(ok("{\"room_id\":" + v + "}"), 0)));
    CHECK(is_malformed(read::whoami(ok("{\"user_id\":" + v + "}"), 0)));
    CHECK(is_malformed(read::upload(ok("{\"content_uri\":" + v + "}"), 0)));
    CHECK(is_malformed(read::login(
        ok(R"({"user_id":"@a:h","device_id":"D","access_token":"t","user_id":)" + v + "}"), 0)));
    if (v != "[]") {
      CHECK(is_malformed(read::joined_rooms(ok("{\"joined_rooms\":" + v + "}"), 0)));
      CHECK(is_malformed(read::versions(ok("{\"versions\":" + v + "}"), 0)));
      CHECK(is_malformed(read::login_flows(ok("{\"flows\":" + v + "}"), 0)));
      CHECK(is_malformed(read::messages(ok("{\"chunk\":" + v + "}"), room_id("!r"), 0)));
      CHECK(is_malformed(read::members(ok("{\"chunk\":" + v + "}"), room_id("!r"), 0)));
    }
    if (v != "{}")
      CHECK(is_malformed(read::joined_members(ok("{\"joined\":" + v + "}"), 0)));
    CHECK(read::media_config(ok("{\"m.upload.size\":" + v + "}"), 0).value() ==
          (v == "7" ? std::optional<std::int64_t>(7) : std::nullopt));
  }
}

TEST_CASE("answer: good answers give their values", "[answer]") {
  CHECK(read::done(ok("{}"), 0));
  CHECK(read::versions(ok(R"({"versions":["v1.11",7,"v1.2"]})"), 0)->has("v1.11"));
  CHECK_FALSE(read::versions(ok(R"({"versions":[]})"), 0)->has("v1.11"));
  const auto logged =
      read::login(ok(R"({"user_id":"@b:h","device_id":"D","access_token":"a","refresh_token":"r",)"
                     R"("expires_in_ms":300000})"),
                  0);
  REQUIRE(logged);
  CHECK(logged->refresh_token == "r");
  CHECK(logged->life == std::chrono::minutes(5));
  const auto renewed = read::refresh(ok(R"({"access_token":"b","expires_in_ms":"soon"})"), 0);
  REQUIRE(renewed);
  CHECK(renewed->access_token == "b");
  CHECK(renewed->refresh_token.empty());
  CHECK_FALSE(renewed->life);
  CHECK_FALSE(read::refresh(ok(R"({"refresh_token":"r"})"), 0));
  CHECK(read::filter_id(ok(R"({"filter_id":"12"})"), 0).value() == "12");
  CHECK(is_malformed(read::filter_id(ok(R"({"filter_id":"{}"})"), 0)));
  CHECK(
      read::login_flows(ok(R"({"flows":[{"type":"m.login.password"},{"type":7},7]})"), 0).value() ==
      std::vector<std::string>{"m.login.password"});
  CHECK(read::whoami(ok(R"({"user_id":"@a:h","device_id":7})"), 0)->device.empty());
  CHECK(read::joined_rooms(ok(R"({"joined_rooms":["!a:h",7,"b","!c"]})"), 0)->size() == 2);
  CHECK(read::joined_members(ok(R"({"joined":{"@a:h":{},"x":{},"@b:h":7}})"), 0)->size() == 2);
  CHECK(read::content(ok(R"({ "a" : 1 })"), 0).value() == R"({ "a" : 1 })");
  CHECK(is_malformed(read::content(ok(R"({"a":1e400})"), 0)));
  CHECK(is_malformed(read::content(ok("{\"a\":\"\xFF\"}"), 0)));
}

TEST_CASE("answer: a page of messages ends only where it says so", "[answer]") {
  const room_id room("!r:hs");
  const auto page = [&](const std::string& rest) {
    return read::messages(ok(R"({"start":"s","chunk":[])" + rest + "}"), room, 0);
  };
  CHECK(page(R"(,"end":"e")")->end == "e");
  CHECK_FALSE(page("")->end);
  CHECK_FALSE(page(R"(,"end":null)")->end);
  CHECK(is_malformed(page(R"(,"end":7)")));
  CHECK(is_malformed(page(R"(,"end":"")")));
}

TEST_CASE("answer: one bad event in a list loses itself alone", "[answer]") {
  const room_id room("!r:hs");
  const std::string list = "[" + good_event("$1") + ",7,{}," + good_event("$2") + "]";
  const auto state = read::state(ok(list), room, 0);
  REQUIRE(state);
  CHECK(state->events.size() == 2);
  CHECK(state->events[1].room == room);
  CHECK(state->poisoned.total == 2);
  const auto page = read::messages(ok(R"({"chunk":)" + list + "}"), room, 0);
  REQUIRE(page);
  CHECK(page->chunk.size() == 2);
  CHECK(page->poisoned.total == 2);
  CHECK(read::members(ok(R"({"chunk":)" + list + "}"), room, 0)->events.size() == 2);
  CHECK(read::event(ok(good_event("$3")), room, 0)->id.value == "$3");
  CHECK(is_malformed(read::event(ok("{}"), room, 0)));
}

TEST_CASE("answer: a download gives its bytes, or where they are", "[answer]") {
  const auto file = read::download(status(200, "%PDF", {{"Content-Type", "application/pdf"}}), 0);
  REQUIRE(file);
  CHECK(file->body == "%PDF");
  CHECK(file->content_type == "application/pdf");
  CHECK(read::download(status(307, "", {{"location", "https://cdn/x"}}), 0)->redirect ==
        "https://cdn/x");
  CHECK_FALSE(read::download(status(307, "", {{"Location", "file:///etc/passwd"}}), 0));
  CHECK_FALSE(read::download(status(302, "", {{"Location", "https://cdn/x"}}), 0));
  CHECK(read::download(status(400, R"({"errcode":"M_UNRECOGNIZED"})"), 0).error().kind ==
        kind_t::unrecognised);
}
