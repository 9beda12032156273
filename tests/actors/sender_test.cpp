// The sender alone, with HTTP by hand: the budget that it shares, and a token in doubt.

#include "actors/matrix/sender.hpp"
#include "actors/persistence.hpp"
#include "persistence/sqlite/open.hpp"
#include "tests/support/deterministic.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;

namespace {

struct by_hand final : http_client {
  http_ticket send(http_request request, http_done done) override {
    open.emplace_back(std::move(request), std::move(done));
    return ++last;
  }
  void cancel(http_ticket) override {}
  std::vector<std::pair<http_request, http_done>> open;
  http_ticket last = 0;
};

struct lone_sender : deterministic {
  std::shared_ptr<store> disk;
  std::shared_ptr<by_hand> http = std::make_shared<by_hand>();
  persistence_actor store_actor;
  matrix_sender_actor sender;
  std::vector<std::string> doubted;
  session_ref session{"http://h", "", "token", user_id{"@bot:h"}, device_id{"D"}};
  int made = 0;

  lone_sender() {
    store_options o;
    o.path = ":memory:";
    disk = std::move(*open_store(o));
    const surroundings around{null_logger(), std::make_shared<metrics>(), [] { return unix_ms{1}; },
                              1};
    store_actor = spawn(persistence, around, std::make_shared<health_board>(), disk,
                        std::chrono::milliseconds{0});
    caf::anon_send(store_actor, session_renewed{session});
    matrix_session_actor keeper = spawn([this]() -> matrix_session_actor::behavior_type {
      return {[this](const session_doubt& d) { doubted.push_back(d.token); },
              [](const http_finished&) {}, [](tick) {}, [](get_status) { return status_report{}; }};
    });
    sender = spawn(matrix_sender, sender_deps{around, http, session, store_actor, keeper});
    run();
  }
  void settle(const std::string& room, send_class c, const std::string& turn = {}) {
    settlement s;
    outbox_row r;
    r.id = outbox_id{"r" + std::to_string(++made)};
    r.room = room_id{room};
    r.txn = "pb-" + r.id.value;
    r.body = "{}";
    r.priority = c;
    r.turn = turn_id{turn};
    s.outbox.push_back(std::move(r));
    caf::anon_send(store_actor, store_settle{std::make_shared<const settlement>(std::move(s))});
    run();
  }
  std::shared_ptr<std::string> ask(ask_budget m) {
    auto said = std::make_shared<std::string>();
    spawn([to = sender, m, said](caf::event_based_actor* self) {
      self->request(to, caf::infinite, m)
          .then([said](done) { *said = "yes"; },
                [said](caf::error& e) {
                  *said = to_fault(e).code == fault_code::busy ? "busy" : "error";
                });
    });
    run();
    return said;
  }
  void answer(std::size_t which, int status, const std::string& body) {
    http->open.at(which).second(http_response{status, {}, body});
    run();
  }
  /// The account is limited to one message in five seconds from now on, and nothing is open.
  void learn() {
    settle("!first:h", send_class::final_answer);
    answer(0, 429, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":5000})");
    advance(5100ms);
    answer(1, 200, R"({"event_id":"$e"})");
    http->open.clear();
  }
};

} // namespace

TEST_CASE_METHOD(lone_sender, "requests of others go at once while nothing is limited") {
  CHECK(*ask({2, send_class::state}) == "yes");
  CHECK(*ask({1, send_class::state}) == "yes");
}

TEST_CASE_METHOD(lone_sender, "requests of others wait for their place behind finals") {
  learn();
  settle("!a:h", send_class::final_answer);
  const auto create = ask({2, send_class::state});
  CHECK(create->empty());
  advance(5200ms);
  CHECK(http->open.size() == 1); // the final
  CHECK(create->empty());
  advance(12s);
  CHECK(*create == "yes");
}

TEST_CASE_METHOD(lone_sender, "of requests that wait there are 256, and the next is told") {
  learn();
  std::vector<std::shared_ptr<std::string>> asked;
  for (int i = 0; i < 257; ++i)
    asked.push_back(ask({1, send_class::state}));
  CHECK(asked[255]->empty());
  CHECK(*asked[256] == "busy");
  advance(10s);
  CHECK(*asked[0] == "yes");
}

TEST_CASE_METHOD(lone_sender, "a refusal of somebody else's request limits the account") {
  caf::anon_send(sender, budget_refused{5000ms});
  run();
  settle("!a:h", send_class::final_answer);
  CHECK(http->open.empty());
  advance(5200ms);
  CHECK(http->open.size() == 1);
}

TEST_CASE_METHOD(lone_sender, "the slow bucket of createRoom does not hold messages up") {
  caf::anon_send(sender, budget_refused{62'000ms});
  run();
  settle("!a:h", send_class::final_answer);
  CHECK(http->open.size() == 1);
}

TEST_CASE_METHOD(lone_sender, "under pressure progress stays behind the finals of all rooms") {
  learn();
  settle("!p:h", send_class::progress, "t1");
  for (const auto* room : {"!a:h", "!b:h"})
    settle(room, send_class::final_answer);
  for (std::size_t i = 0; i < 2; ++i) {
    advance(5200ms);
    REQUIRE(http->open.size() == i + 1);
    CHECK(http->open[i].first.target.find("!p") == std::string::npos);
    CHECK(http->open[i].first.target.find("%21p") == std::string::npos);
    answer(i, 200, R"({"event_id":"$e"})");
  }
  advance(5200ms);
  REQUIRE(http->open.size() == 3);
}

TEST_CASE_METHOD(lone_sender, "overtaken progress is recorded as dropped and never sent") {
  learn();
  settle("!p:h", send_class::progress, "t1");
  settle("!p:h", send_class::progress, "t1");
  settle("!p:h", send_class::final_answer, "t1");
  advance(30s);
  REQUIRE(http->open.size() == 1);
  CHECK(http->open[0].first.target.find("pb-r4") != std::string::npos);
  answer(0, 200, R"({"event_id":"$e"})");
  advance(30s);
  CHECK(http->open.size() == 1);
  CHECK(disk->outbox(0, 10)->empty()); // nothing waits on the disk either
}

TEST_CASE_METHOD(lone_sender, "a lost token stops everything until the session speaks") {
  settle("!a:h", send_class::final_answer);
  answer(0, 401, R"({"errcode":"M_UNKNOWN_TOKEN","soft_logout":true})");
  CHECK(doubted == std::vector<std::string>{"token"});
  settle("!b:h", send_class::final_answer);
  advance(50s);
  CHECK(http->open.size() == 1);
  auto renewed = session;
  renewed.access_token = "token2";
  caf::anon_send(sender, session_renewed{renewed});
  run();
  CHECK(http->open.size() == 3);
  CHECK(doubted.size() == 1);
}

TEST_CASE_METHOD(lone_sender, "a refusal of the old token after the renewal raises no doubt") {
  settle("!a:h", send_class::final_answer);
  auto renewed = session;
  renewed.access_token = "token2";
  caf::anon_send(sender, session_renewed{renewed});
  run();
  answer(0, 401, R"({"errcode":"M_UNKNOWN_TOKEN","soft_logout":false})");
  CHECK(doubted.empty());
  // Another scope: the room is read before anything is sent a second time.
  REQUIRE(http->open.size() == 2);
  CHECK(http->open[1].first.target.find("/messages") != std::string::npos);
}

TEST_CASE_METHOD(lone_sender,
                 "of drafts and edits there are 1,024 in memory, and one more is dropped") {
  std::vector<outbox_state> told;
  delivery_sink rooms = spawn([&told]() -> delivery_sink::behavior_type {
    return {[&told](const row_delivered& m) { told.push_back(m.outcome.state); }};
  });
  caf::anon_send(sender, delivery_subscribe{rooms});
  learn();
  settle("!a:h", send_class::final_answer); // waits for the budget, and progress behind it
  for (std::size_t i = 0; i <= matrix_sender_state::progress_cap; ++i) {
    outbox_row r;
    r.id = outbox_id{"p" + std::to_string(i)};
    r.room = room_id{"!p" + std::to_string(i) + ":h"};
    r.turn = turn_id{"t" + std::to_string(i)};
    r.txn = "pb-" + r.id.value;
    r.body = "{}";
    r.priority = send_class::progress;
    r.notify = true;
    caf::anon_send(sender, send_progress{std::move(r)});
  }
  run();
  CHECK(told == std::vector<outbox_state>{outbox_state::dropped});
}
