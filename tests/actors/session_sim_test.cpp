// A token that ends while we run: nothing is lost, nothing said twice, nobody crashes.

#include "tests/support/check_replies.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

const std::string bot = "@bot:localhost";

struct session_world : sim_world {
  explicit session_world(std::uint64_t seed = 1, std::chrono::milliseconds token_life = 0ms)
      : sim_world(seeded(seed)) {
    server.set_token_life(token_life);
    agent.use([](const heard& h) {
      return std::vector<step>{wait(3s), chunk(h.frame.value("text", "")), end()};
    });
  }
  static sim_options seeded(std::uint64_t seed) {
    sim_options o;
    o.seed = seed;
    return o;
  }
  /// From the next start on it logs in by itself.
  void by_password() {
    process.homeserver.access_token.reset();
    process.homeserver.password = secret{"secret"};
    process.homeserver.device = device_id{"BOT"};
  }
  std::size_t requests(const std::string& path) const {
    std::size_t n = 0;
    for (const auto& r : http->seen)
      n += r.target.find(path) != std::string::npos ? 1 : 0;
    return n;
  }
};

fault_rule no_token() {
  fault_rule f;
  f.user = bot;
  f.times = 1'000'000;
  f.answer =
      http_response{401, {}, R"({"errcode":"M_UNKNOWN_TOKEN","error":"gone","soft_logout":false})"};
  return f;
}

} // namespace

TEST_CASE("logged out in mid-traffic, softly or not: each message is answered once") {
  const bool soft = GENERATE(true, false);
  const auto life = GENERATE(0ms, 3'600'000ms); // without refresh tokens, and with them
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    session_world w{seed, life};
    w.by_password();
    w.start();
    const auto chat = w.onboard("alice");
    w.http->lose_answer = 0.2; // so that some of what is open had arrived
    std::vector<std::string> asked, wanted;
    for (int i = 0; i < 6; ++i) {
      asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
      wanted.push_back("m" + std::to_string(i));
      w.run_for(std::chrono::milliseconds(900 + 100 * seed));
      if (i == 1 || i == 4)
        w.server.expire_tokens(bot, soft);
    }
    w.run_for(5min);
    w.http->lose_answer = 0;
    w.run_for(5min);
    INFO("seed " << seed << " soft " << soft << " life " << life.count());
    CHECK(w.answer_texts(chat) == wanted);
    check_each_once(w, chat, asked);
    CHECK(w.health->read().ready);
    CHECK_FALSE(w.ended);
    CHECK(w.log->count("session_renewed") >= 1);
    CHECK(w.log->count("actor_died") == 0);
  }
}

TEST_CASE("a soft logout is answered with the refresh token, a hard one with the password") {
  session_world w{1, 1h};
  w.by_password();
  w.start();
  const auto chat = w.onboard("alice");
  REQUIRE(w.requests("/v3/login") == 1);
  w.say("alice", chat, "one");
  w.run_for(1s);
  w.server.expire_tokens(bot, true);
  w.run_for(3min);
  CHECK(w.requests("/v3/login") == 1);
  CHECK(w.requests("/v3/refresh") == 1);
  w.say("alice", chat, "two");
  w.run_for(1s);
  w.server.expire_tokens(bot, false);
  w.run_for(3min);
  CHECK(w.requests("/v3/login") == 2);
  CHECK(w.answer_texts(chat) == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a token that ends is renewed before it does: nobody ever meets a refusal") {
  session_world w{1, 60s};
  w.by_password();
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> asked;
  for (int i = 0; i < 30; ++i) {
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
    w.run_for(20s);
  }
  w.run_for(30s);
  check_each_once(w, chat, asked);
  CHECK(w.requests("/v3/refresh") >= 10);
  CHECK(w.requests("/v3/login") == 1);
  CHECK(w.log->count("session_doubted") == 0);
  CHECK(w.log->count("sync_failed") == 0);
}

TEST_CASE("a configured token that is gone: not ready, in words, until it counts again") {
  session_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "question");
  w.run_for(1s);
  w.server.add_fault(no_token());
  w.run_for(1h);
  const auto health = w.health->read();
  CHECK_FALSE(health.ready);
  CHECK_FALSE(health.why.empty());
  CHECK_FALSE(w.ended);
  CHECK(w.log->count("session_lost") >= 1);
  CHECK(w.log->count("actor_died") == 0);
  CHECK(w.replies_to(chat, asked).empty());
  w.server.clear_faults();
  w.run_for(3min);
  CHECK(w.health->read().ready);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"question"});
}

TEST_CASE("a refresh token that is refused: the password makes a new session") {
  session_world w{1, 1h};
  w.by_password();
  w.start();
  const auto chat = w.onboard("alice");
  fault_rule f;
  f.path_regex = "/refresh$";
  f.times = 100;
  f.answer = http_response{403, {}, R"({"errcode":"M_FORBIDDEN","error":"used"})"};
  const auto rule = w.server.add_fault(f);
  const auto asked = w.say("alice", chat, "question");
  w.run_for(1s);
  w.server.expire_tokens(bot, true);
  w.run_for(3min);
  CHECK(w.server.fault_hits(rule) == 1);
  CHECK(w.requests("/v3/login") == 2);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"question"});
}

TEST_CASE("refused with token, refresh token and password, it stays and looks once a minute") {
  session_world w{1, 1h};
  w.by_password();
  w.start();
  const auto chat = w.onboard("alice");
  fault_rule f;
  f.path_regex = "/(refresh|login)$";
  f.times = 1'000'000;
  f.answer = http_response{403, {}, R"({"errcode":"M_FORBIDDEN","error":"no"})"};
  w.server.add_fault(f);
  w.server.add_fault(no_token());
  const auto asked = w.say("alice", chat, "question");
  w.run_for(5s);
  const auto before = w.http->seen.size();
  w.run_for(1h);
  CHECK(w.http->seen.size() - before < 400);
  CHECK_FALSE(w.ended);
  CHECK_FALSE(w.health->read().ready);
  w.server.clear_faults();
  w.run_for(20min); // the password is tried again, too, every quarter of an hour
  CHECK(w.health->read().ready);
  CHECK(w.replies_to(chat, asked).size() == 1);
}

TEST_CASE("killed at any step around a refresh, the stored tokens are enough to come back") {
  for (std::uint64_t kill_at = 0; kill_at <= 40; kill_at += 2) {
    session_world w{kill_at + 1, 60s};
    w.by_password();
    w.start();
    const auto chat = w.onboard("alice");
    const auto refreshed = w.requests("/v3/refresh");
    REQUIRE(w.run_until([&] { return w.requests("/v3/refresh") > refreshed; }, 2min));
    const auto from = w.steps;
    w.run_until([&] { return w.steps - from >= kill_at; }, 1s);
    w.crash();
    w.process.homeserver.password = secret{"changed since"};
    w.start();
    w.run_for(30s);
    INFO("killed " << kill_at << " steps after the refresh was asked for");
    CHECK_FALSE(w.ended);
    const auto asked = w.say("alice", chat, "question");
    w.run_for(1min);
    CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"question"});
  }
}

TEST_CASE("down for longer than its token lives, it comes back with the refresh token") {
  session_world w{1, 60s};
  w.by_password();
  w.start();
  const auto chat = w.onboard("alice");
  w.crash();
  w.run_for(1h);
  w.process.homeserver.password = secret{"changed since"};
  w.start();
  w.run_for(1min);
  const auto asked = w.say("alice", chat, "question");
  w.run_for(1min);
  CHECK(w.replies_to(chat, asked).size() == 1);
  CHECK_FALSE(w.ended);
}

TEST_CASE("at the start a homeserver that is away, or not itself, is waited for an hour") {
  const int what = GENERATE(0, 1, 2, 3);
  session_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.crash();
  fault_rule f;
  f.times = 1'000'000;
  const http_headers html{{"Content-Type", "text/html"}};
  if (what == 0)
    f.answer = http_response{200, html, "<html>Welcome to nginx!</html>"};
  else if (what == 1)
    f.answer = http_response{502, html, "<html>Bad Gateway</html>"};
  else if (what == 2)
    f.answer = http_response{404, html, "404 page not found"};
  if (f.answer)
    w.server.add_fault(f);
  else
    w.http->down = true;
  w.start();
  const auto before = w.http->seen.size();
  w.run_for(1h);
  INFO("case " << what);
  CHECK_FALSE(w.ended);
  CHECK_FALSE(w.health->read().ready);
  CHECK(w.http->seen.size() - before < 400);
  w.server.clear_faults();
  w.http->down = false;
  w.run_for(1min);
  CHECK(w.health->read().ready);
  const auto asked = w.say("alice", chat, "question");
  w.run_for(10s);
  CHECK(w.replies_to(chat, asked).size() == 1);
}
