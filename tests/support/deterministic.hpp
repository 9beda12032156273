#pragma once
// CAF in one thread and virtual time: only the test, or a seed, decides who runs next. Never
// includes caf/test/dsl.hpp, whose macros and engine do not go with Catch2.

#include "messages/actors.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <random>

namespace pb::test {

struct deterministic_config : caf::actor_system_config {
  deterministic_config() {
    add_message_types<caf::id_block::patchbay>();
    set("scheduler.policy", caf::atom("testing"));
  }
};

class deterministic {
public:
  using time_point = caf::actor_clock::time_point;

  explicit deterministic(std::uint64_t seed = 0)
      : sys{cfg}, sched{dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler())},
        luck_{seed}, shuffled_{seed != 0} {
    sys.await_actors_before_shutdown(false);
    sched.clock().current_time += std::chrono::hours(1);
  }
  /// A timer that rings for ever would keep the scheduler's stop() going for ever.
  ~deterministic() { kill_all(); }

  template <class... Ts>
  auto spawn(Ts&&... xs) {
    auto handle = sys.spawn(std::forward<Ts>(xs)...);
    mine_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }
  /// One message of one actor, chosen by the seed. False: nobody has any.
  bool step() {
    auto& jobs = sched.jobs;
    if (jobs.empty())
      return false;
    if (shuffled_ && jobs.size() > 1)
      std::swap(jobs.front(), jobs[luck_() % jobs.size()]);
    sched.run_once();
    return true;
  }
  void run() {
    while (step()) {
    }
  }
  /// Exactly one message of exactly this actor. False: it has none.
  template <class Handle>
  bool step(const Handle& h) {
    return sched.prioritize(h) && sched.try_run_once();
  }
  void advance(caf::timespan by) {
    sched.advance_time(by);
    run();
  }
  template <class Handle>
  static bool alive(const Handle& h) {
    return !caf::actor_cast<caf::abstract_actor*>(h)->getf(caf::abstract_actor::is_terminated_flag);
  }
  void kill_all() {
    for (auto& a : mine_)
      caf::anon_send_exit(a, caf::exit_reason::kill);
    mine_.clear();
    run();
  }

  deterministic_config cfg;
  caf::actor_system sys;
  caf::scheduler::test_coordinator& sched;

private:
  std::vector<caf::actor> mine_;
  std::mt19937_64 luck_;
  bool shuffled_;
};

} // namespace pb::test
