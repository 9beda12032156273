#include "actors/persistence.hpp"
#include "persistence/sqlite/open.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/mortal_store.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::test;
using namespace std::chrono_literals;

namespace {

struct world : deterministic {
  std::shared_ptr<store> disk;
  std::shared_ptr<mortal_store> life;
  std::shared_ptr<health_board> health = std::make_shared<health_board>();
  std::shared_ptr<std::vector<outbox_ready>> handed = std::make_shared<std::vector<outbox_ready>>();
  persistence_actor store_actor;
  outbox_sink sink;

  world() {
    store_options o;
    o.path = ":memory:";
    disk = std::move(*open_store(o));
    life = std::make_shared<mortal_store>(disk);
    surroundings around{null_logger(), std::make_shared<metrics>(), [] { return unix_ms{1}; }, 1};
    store_actor = spawn(persistence, around, health, std::shared_ptr<store>{life},
                        std::chrono::milliseconds{0});
    sink = spawn([h = handed]() -> outbox_sink::behavior_type {
      return {[h](const outbox_ready& m) { h->push_back(m); }};
    });
    run();
  }
  /// Sends it as a request of a little actor; where the answer is noted.
  template <class Answer, class Message>
  std::shared_ptr<std::string> ask(Message m) {
    auto said = std::make_shared<std::string>();
    spawn([to = store_actor, m = std::move(m), said](caf::event_based_actor* self) {
      self->request(to, 10s, m)
          .then([said](const Answer&) { *said = "yes"; },
                [said](caf::error& e) { *said = to_fault(e).cause; });
    });
    return said;
  }
  std::string status() {
    std::string json;
    spawn([to = store_actor, &json](caf::event_based_actor* self) {
      self->request(to, 10s, get_status{})
          .then([&json](const status_report& r) { json = r.json; }, [](caf::error&) {});
    });
    run();
    return json;
  }
};

store_settle words(int n, const std::string& room = "!r:s") {
  settlement s;
  outbox_row row;
  row.id = outbox_id{"o" + std::to_string(n)};
  row.txn = "pb-" + row.id.value;
  row.room = room_id{room};
  row.device = device_id{"D"};
  row.body = "{}";
  s.outbox.push_back(row);
  return {std::make_shared<const settlement>(std::move(s))};
}

} // namespace

TEST_CASE_METHOD(world, "writes that wait together share one commit, and are answered after it") {
  std::vector<std::shared_ptr<std::string>> said;
  for (int i = 0; i < 50; ++i)
    said.push_back(ask<done>(words(i)));
  for (int i = 0; i < 50; ++i) // every asker has asked; the store has not run yet
    step();
  CHECK(*said[0] == "");
  run();
  for (const auto& s : said)
    CHECK(*s == "yes");
  CHECK(disk->outbox(0, 100)->size() == 50);
  CHECK(status().find("\"commits\":1,\"writes\":50") != std::string::npos);
}

TEST_CASE_METHOD(world, "rows reach the sink after COMMIT, in order, and never beyond its credit") {
  caf::anon_send(store_actor, outbox_subscribe{sink, 2});
  run();
  REQUIRE(handed->size() == 1);
  CHECK((*handed)[0].more); // what was waiting on disk comes first
  ask<outbox_page>(store_outbox{0, 10});
  run();
  handed->clear();
  for (int i = 0; i < 3; ++i) {
    ask<done>(words(i));
    run();
  }
  REQUIRE(handed->size() == 3);
  CHECK((*handed)[0].rows.at(0).id.value == "o0");
  CHECK((*handed)[1].rows.at(0).id.value == "o1");
  CHECK((*handed)[2].rows.empty()); // credit + 1: it is told that there is more
  CHECK((*handed)[2].more);
  caf::anon_send(store_actor, outbox_credit{10});
  ask<done>(words(3));
  run();
  CHECK(handed->back().more); // still behind: order matters more than credit
  ask<outbox_page>(store_outbox{2, 10});
  ask<done>(words(4));
  run();
  CHECK(handed->back().rows.at(0).id.value == "o4");
}

TEST_CASE_METHOD(world, "a write that is refused leaves its neighbours in the group alone") {
  settlement bad;
  turn_row turn; // of a room that is not on disk
  turn.id = turn_id{"t"};
  turn.room = room_id{"!nowhere:s"};
  bad.turn = turn;
  const auto one = ask<done>(words(1));
  const auto refused = ask<done>(store_settle{std::make_shared<const settlement>(bad)});
  const auto two = ask<done>(words(2));
  run();
  CHECK(*one == "yes");
  CHECK(*two == "yes");
  CHECK(*refused != "yes");
  CHECK_FALSE(refused->empty());
}

TEST_CASE_METHOD(world, "what a session remembers is answered after COMMIT, and recalled") {
  const auto first = ask<done>(store_remember{agent_id{"a"}, {7}, "old"});
  const auto second = ask<done>(store_remember{agent_id{"a"}, {7}, "new"});
  const auto large =
      ask<done>(store_remember{agent_id{"a"}, {8}, std::string(memory_cap + 1, 'x')});
  for (int i = 0; i < 3; ++i)
    step();
  CHECK(first->empty());
  run();
  CHECK(*first == "yes");
  CHECK(*second == "yes");
  CHECK(large->find("session memory of 262145 bytes") == 0);
  CHECK(status().find("\"commits\":1,\"writes\":3,\"failures\":1") != std::string::npos);

  const auto recalled = [&](std::int64_t chat) {
    auto memory = std::make_shared<std::string>("no answer");
    spawn([to = store_actor, chat, memory](caf::event_based_actor* self) {
      self->request(to, 10s, store_recall{agent_id{"a"}, {chat}})
          .then([memory](const recalled_memory& m) { *memory = m.memory; }, [](caf::error&) {});
    });
    run();
    return *memory;
  };
  CHECK(recalled(7) == "new");
  CHECK(recalled(8).empty());
  life->die();
  CHECK(recalled(7) == "no answer");
}

TEST_CASE_METHOD(world, "what was said already is refused, and that is no failure of the store") {
  const auto one = ask<done>(words(1));
  run();
  CHECK(*one == "yes");
  const auto again = ask<done>(words(1));
  const auto two = ask<done>(words(2));
  run();
  CHECK(*again != "yes");
  CHECK_FALSE(again->empty());
  CHECK(*two == "yes");
  CHECK(status().find("\"failures\":0") != std::string::npos);
}

TEST_CASE_METHOD(world, "the status counts the questions that are open") {
  settlement asked;
  confirmation_row c;
  c.id = outbox_id{"q"};
  c.room = room_id{"!r:s"};
  asked.confirmations = {c};
  const auto one = ask<done>(store_settle{std::make_shared<const settlement>(asked)});
  run();
  CHECK(*one == "yes");
  CHECK(status().find("\"confirmations_open\":1") != std::string::npos);
}

TEST_CASE_METHOD(world, "a commit that fails is told to everybody, and ends the store") {
  const auto one = ask<done>(words(1));
  run();
  CHECK(*one == "yes");
  life->die();
  const auto two = ask<done>(words(2));
  run();
  CHECK(*two == "the process is dead");
  CHECK_FALSE(health->read().database_writable);
}

namespace {

/// A store with a retention, and a clock for its rows that the test sets.
struct aging : deterministic {
  std::shared_ptr<unix_ms> now = std::make_shared<unix_ms>(1'700'000'000'000);
  std::shared_ptr<metrics> numbers = std::make_shared<metrics>();
  std::shared_ptr<store> disk;
  persistence_actor store_actor;

  aging() {
    store_options o;
    o.path = ":memory:";
    o.now = [n = now] { return *n; };
    disk = std::move(*open_store(o));
    (void)disk->begin();
    settlement s;
    for (int i = 0; i < 1'200; ++i)
      s.outbox.push_back(words(i).what->outbox.front());
    (void)disk->settle(s);
    std::vector<send_outcome> sent;
    for (int i = 0; i < 1'200; ++i)
      sent.push_back({outbox_id{"o" + std::to_string(i)}, outbox_state::sent, event_id{"$s"}, ""});
    (void)disk->record(sent);
    (void)disk->commit();
    surroundings around{null_logger(), numbers, [n = now] { return *n; }, 1};
    store_actor = spawn(persistence, around, std::make_shared<health_board>(), disk,
                        std::chrono::milliseconds{30 * 24h});
    run();
  }
  double pruned() { return numbers->counter_of("patchbay_pruned_rows_total", "").value(); }
};

} // namespace

TEST_CASE_METHOD(aging, "the retention begins a minute after the start, in steps that let others "
                        "write") {
  *now += unix_ms{31} * 86'400'000;
  advance(59s);
  CHECK(pruned() == 0);
  advance(1s);
  CHECK(pruned() == 500); // one step
  auto said = std::make_shared<bool>(false);
  spawn([to = store_actor, said](caf::event_based_actor* self) {
    self->request(to, 10s, words(5'000))
        .then([said](const done&) { *said = true; }, [](caf::error&) {});
  });
  run();
  CHECK(*said); // in the middle of the sweep
  CHECK(pruned() == 500);
  advance(1s);
  CHECK(pruned() == 1'000);
  advance(1s);
  CHECK(pruned() == 1'200);
}

TEST_CASE_METHOD(aging, "the retention comes back every hour") {
  advance(60s);
  CHECK(pruned() == 0); // nothing is old yet
  *now += unix_ms{31} * 86'400'000;
  advance(59min);
  CHECK(pruned() == 0);
  advance(1min);
  CHECK(pruned() == 500);
}
