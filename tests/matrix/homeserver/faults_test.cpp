#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

namespace {

const json text{{"msgtype", "m.text"}, {"body", "x"}};

std::string send_path(const std::string& room, const std::string& txn) {
  return client::room_path(room) + "/send/m.room.message/" + txn;
}

} // namespace

TEST_CASE("a rule answers in place of the server, as often as it says") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  l.nobody().ok("POST", "/_dev/faults",
                {{"method", "PUT"},
                 {"path_regex", "/send/"},
                 {"skip", 1},
                 {"times", 2},
                 {"answer",
                  {{"status", 429},
                   {"headers", {{"Retry-After", "2"}}},
                   {"body", {{"errcode", "M_LIMIT_EXCEEDED"}}}}}});
  CHECK(bob.call("PUT", send_path(room, "1"), text).status == 200);
  const auto limited = bob.call("PUT", send_path(room, "2"), text);
  CHECK(limited.status == 429);
  CHECK(limited.header("Retry-After") == "2");
  CHECK(bob.call("PUT", send_path(room, "3"), text).status == 429);
  CHECK(bob.call("PUT", send_path(room, "4"), text).status == 200);
  CHECK(bob.ok("GET", "/_dev/faults").at("faults")[0].at("hits") == 2);
  CHECK(l.hs->events(room).size() == 8); // six of the room itself and two messages
}

TEST_CASE("commit and lose the answer: the work is done, a repeat finds it") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  fault_rule rule;
  rule.path_regex = "/send/";
  SECTION("by another answer") {
    rule.commit = true;
    rule.answer = http_response{502, {{"Content-Type", "text/html"}}, "<html>Bad gateway</html>"};
    const auto id = l.hs->add_fault(rule);
    const auto lost = bob.raw("PUT", "/_matrix/client/v3" + send_path(room, "1"), text.dump());
    CHECK(lost.status == 502);
    CHECK(lost.raw.body == "<html>Bad gateway</html>");
    CHECK(l.hs->fault_hits(id) == 1);
  }
  SECTION("by hanging up") {
    rule.hang_up = true;
    l.hs->add_fault(rule);
    const auto lost = bob.begin("PUT", "/_matrix/client/v3" + send_path(room, "1"), text.dump());
    CHECK_FALSE(lost->response);
    CHECK(lost->streamed);
    CHECK(lost->dropped);
  }
  const auto before = l.hs->events(room).back().at("event_id");
  CHECK(bob.ok("PUT", send_path(room, "1"), text).at("event_id") == before);
}

TEST_CASE("an answer can come late, cut short, or changed") {
  lab l;
  const auto bob = l.user("bob");
  fault_rule rule;
  rule.path = "/_matrix/client/v3/account/whoami";
  SECTION("late") {
    rule.delay = std::chrono::milliseconds(500);
    l.hs->add_fault(rule);
    const auto waiting = bob.begin("GET", rule.path);
    CHECK_FALSE(waiting->response);
    l.clock.advance(500);
    CHECK(waiting->response);
  }
  SECTION("cut short") {
    rule.truncate = 10;
    l.hs->add_fault(rule);
    const auto cut = bob.raw("GET", rule.path);
    CHECK(cut.raw.body.size() == 10);
    CHECK(cut.body.is_discarded());
  }
  SECTION("changed") {
    rule.patch = json::parse(R"([{"op":"replace","path":"/user_id","value":7}])");
    l.hs->add_fault(rule);
    CHECK(bob.raw("GET", rule.path).body.at("user_id") == 7);
  }
  SECTION("only for one user, and not after clearing") {
    rule.user = "@alice:localhost";
    rule.answer = http_response{500, {}, ""};
    l.hs->add_fault(rule);
    CHECK(bob.raw("GET", rule.path).status == 200);
    const auto alice = l.user("alice");
    l.hs->clear_faults();
    CHECK(alice.raw("GET", rule.path).status == 200);
  }
}

TEST_CASE("a sync can double, reverse and invent events, and claim a gap") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  const auto since = bob.sync().at("next_batch").get<std::string>();
  bob.say(room, "one");
  bob.say(room, "two");
  fault_rule rule;
  rule.path_regex = "/sync$";
  rule.duplicate_events = rule.reverse_events = rule.force_limited = true;
  rule.extra_events = {{room, json::array({{{"type", 7}, {"content", nullptr}}})}};
  l.hs->add_fault(rule);
  const auto told = bob.sync(since);
  const auto t = timeline(told, room);
  CHECK(t.at("limited") == true);
  REQUIRE(t.at("events").size() == 6);
  CHECK(t.at("events")[0].at("type") == 7);
  CHECK(t.at("events")[2].at("content").at("body") == "two");
  CHECK(t.at("events")[5].at("content").at("body") == "one");
}

TEST_CASE("a poisoned event stays in the room for everybody who reads it") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  const auto since = bob.sync().at("next_batch").get<std::string>();
  l.hs->inject_event(bob.user, room, "m.room.message", json::array(),
                     {{"sender", 7}, {"content", "no object"}, {"origin_server_ts", "x"}});
  const auto e = timeline(bob.sync(since), room).at("events")[0];
  CHECK(e.at("sender") == 7);
  CHECK(e.at("content") == "no object");
  CHECK(bob.ok("GET", client::room_path(room) + "/messages?dir=b&limit=1")
            .at("chunk")[0]
            .at("content") == "no object");
}

TEST_CASE("without permission there is no control interface") {
  fake_timers clock;
  homeserver_options options;
  options.seed = 1;
  homeserver hs(std::move(options), clock);
  const client anybody(hs, "", "", "");
  CHECK(anybody.call("GET", "/_dev/faults").status == 404);
  CHECK(anybody.call("POST", "/_dev/expire", {{"user", "@a:localhost"}}).status == 404);
}

TEST_CASE("messages, state and new rooms draw from one bucket of the account") {
  homeserver_options options;
  options.limits = rate_limits::synapse_defaults();
  lab l(std::move(options));
  const auto bob = l.user("bob");
  const auto a = bob.create(); // draws one
  for (int i = 0; i < 8; ++i)
    bob.say(a, "x");
  bob.ok("PUT", client::room_path(a) + "/state/m.room.topic/", {{"topic", "t"}});
  const auto refused = bob.call("PUT", send_path(a, "r"), text);
  CHECK(refused.status == 429);
  CHECK(refused.errcode() == "M_LIMIT_EXCEEDED");
  const auto wait = refused.body.at("retry_after_ms").get<int>();
  CHECK(wait == 5'000);
  CHECK(refused.header("Retry-After") == "5");
  bob.ok("PUT", client::room_path(a) + "/typing/" + encoded(bob.user), {{"typing", true}});
  l.clock.advance(wait);
  CHECK(bob.call("PUT", send_path(a, "r"), text).status == 200);
}

TEST_CASE("the sixth separate invitation of one person waits, those inside createRoom do not") {
  homeserver_options options;
  lab l(std::move(options));
  const auto bob = l.user("bob"), alice = l.user("alice");
  rate_limits limits;
  limits.invite_receiver = rate_limits::synapse_defaults().invite_receiver;
  l.hs->set_limits(limits);
  for (int i = 0; i < 7; ++i)
    bob.create({{"invite", json::array({alice.user})}});
  const auto invite = [&] {
    return bob.call("POST", client::room_path(bob.create()) + "/invite", {{"user_id", alice.user}});
  };
  for (int i = 0; i < 5; ++i)
    CHECK(invite().status == 200);
  const auto sixth = invite();
  CHECK(sixth.status == 429);
  CHECK(sixth.body.at("retry_after_ms").get<int>() > 300'000);
}
