// The homeserver's side of trouble: down, refusing, limiting, another token, another device.

#include "actors/phrases.hpp"
#include "tests/support/check_replies.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

fault_rule on_send(http_response answer, std::uint32_t times = 1) {
  fault_rule f;
  f.method = "PUT";
  f.path_regex = "/send/m\\.room\\.message/";
  f.times = times;
  f.answer = std::move(answer);
  return f;
}

} // namespace

TEST_CASE("a homeserver that is down at start is waited for, said once a minute, and then served") {
  sim_world w;
  w.http->down = true;
  w.start();
  w.run_for(3min);
  CHECK_FALSE(w.ready);
  CHECK_FALSE(w.ended);
  CHECK_FALSE(w.health->read().ready);
  CHECK(w.log->count("homeserver_unreachable") >= 3);
  CHECK(w.log->count("homeserver_unreachable") <= 4);
  w.http->down = false;
  CHECK(w.run_until([&] { return w.ready; }, 1min));
  CHECK(w.health->read().ready);
}

TEST_CASE("429 in all its forms is waited out, and the same bytes go again") {
  const std::vector<http_response> forms{
      {429, {{"Retry-After", "2"}}, R"({"errcode":"M_LIMIT_EXCEEDED"})"},
      {429, {}, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500})"},
      {429, {}, R"({"errcode":"M_LIMIT_EXCEEDED"})"},
      {429, {{"Retry-After", "Fri, 18 Sep 2026 13:00:00 GMT"}}, "slow down"},
      {502, {{"Content-Type", "text/html"}}, "<html>Bad gateway</html>"},
      {200, {}, "not json"}};
  for (const auto& form : forms) {
    sim_world w;
    w.start();
    const auto chat = w.onboard("alice");
    const auto rule = w.server.add_fault(on_send(form, 2));
    const auto asked = w.say("alice", chat, "hello");
    w.run_for(10min);
    INFO(form.status << " " << form.body);
    CHECK(w.server.fault_hits(rule) == 2);
    CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"hello"});
    std::set<std::string> targets, bodies;
    for (const auto& r : w.http->seen)
      if (r.method == "PUT" && r.body.find("\"final\"") != std::string::npos) {
        targets.insert(r.target);
        bodies.insert(r.body);
      }
    CHECK(targets.size() == 1);
    CHECK(bodies.size() == 1);
  }
}

TEST_CASE("Synapse's default limits delay finals and drop none") {
  sim_options o;
  o.limits.message = call_rate{0.2, 10};
  sim_world w{o};
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> asked;
  w.server.set_limits({}); // the person is not limited, the bot is
  rate_limits only_messages;
  only_messages.message = call_rate{5, 3};
  w.server.set_limits(only_messages);
  for (int i = 0; i < 12; ++i) {
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
    w.run_for(1s);
  }
  w.run_for(10min);
  check_each_once(w, chat, asked);
}

TEST_CASE("what the homeserver refuses for good blocks nothing behind it") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.server.add_fault(on_send({413, {}, R"({"errcode":"M_TOO_LARGE","error":"too large"})"}));
  const auto lost = w.say("alice", chat, "one"), next = w.say("alice", chat, "two");
  w.run_for(1min);
  CHECK(w.replies_to(chat, lost).empty());
  CHECK(w.replies_to(chat, next) == std::vector<std::string>{"two"});
  CHECK(w.log->count("outbox_dead") == 1);
}

TEST_CASE("a token that nobody knows, or that is another user's, ends with 69 and words") {
  {
    sim_world w;
    w.process.homeserver.access_token = secret{"nonsense"};
    w.start();
    REQUIRE(w.run_until([&] { return w.ended.has_value(); }, 1min));
    CHECK(w.ended->first == 69);
    CHECK(w.ended->second.find("access token") != std::string::npos);
  }
  {
    sim_world w;
    w.process.homeserver.user = user_id{"@other:localhost"};
    w.start();
    REQUIRE(w.run_until([&] { return w.ended.has_value(); }, 1min));
    CHECK(w.ended->first == 69);
    CHECK(w.ended->second.find("@bot:localhost") != std::string::npos);
  }
}

TEST_CASE("the database of another user is refused with 78") {
  sim_world w;
  REQUIRE(w.disk->begin());
  REQUIRE(w.disk->save_account({user_id{"@old:localhost"}, device_id{"D"}, ""}));
  REQUIRE(w.disk->commit());
  w.start();
  REQUIRE(w.run_until([&] { return w.ended.has_value(); }, 1min));
  CHECK(w.ended->first == 78);
  CHECK(w.ended->second.find("@old:localhost") != std::string::npos);
}

TEST_CASE("a login by password keeps its device over restarts, and its token") {
  sim_world w;
  w.process.homeserver.access_token.reset();
  w.process.homeserver.password = secret{"secret"};
  w.process.homeserver.device = device_id{"MINE"};
  w.start();
  const auto chat = w.onboard("alice");
  CHECK(w.disk->account()->value().device.value == "MINE");
  const auto token = w.disk->account()->value().access_token;
  CHECK_FALSE(token.empty());
  w.stop();
  w.crash();
  w.start();
  const auto asked = w.say("alice", chat, "still there?");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.disk->account()->value().access_token == token);
  w.stop();
  w.crash();
  w.server.expire_tokens("@bot:localhost", false);
  w.start();
  CHECK(w.run_until([&] { return w.ready; }, 1min));
  CHECK(w.disk->account()->value().device.value == "MINE");
}

TEST_CASE("after a new login what may have been sent is looked for before it is sent again") {
  for (const bool arrived : {true, false}) {
    sim_world w;
    w.start();
    const auto chat = w.onboard("alice");
    fault_rule f = on_send({503, {}, "later"}, 1'000);
    f.commit = arrived; // the server took it, and we never hear of that
    w.server.add_fault(f);
    const auto asked = w.say("alice", chat, "hello");
    w.run_for(5s);
    w.crash();
    w.server.clear_faults();
    const auto other = w.server.log_in("bot", "secret", "OTHER");
    w.process.homeserver.access_token = secret{other->access_token};
    w.start();
    w.run_for(2min);
    INFO("arrived " << arrived);
    CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"hello"});
    CHECK(w.log->count("session_device_changed") == 1);
    CHECK(w.log->count("outbox_reconciled") == (arrived ? 1 : 0));
  }
}
