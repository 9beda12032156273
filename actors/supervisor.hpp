#pragma once
// Starts the others in order, restarts what dies together with all that was started after it (they
// hold its handle), ends the process when that does not help, and stops from source to sink.

#include "actors/agent/directory.hpp"
#include "actors/common.hpp"
#include "actors/health.hpp"
#include "actors/restart_logic.hpp"
#include "actors/room_directory.hpp"
#include "messages/actors.hpp"

#include <array>
#include <deque>

namespace pb {

/// All that the router is made of. The functions are called from actors and must return at once.
struct router_deps {
  surroundings around;
  std::shared_ptr<health_board> health;
  std::shared_ptr<store> disk;
  std::shared_ptr<http_client> http;
  std::shared_ptr<dialer> dial;
  settings process;
  registry agents;
  room_timing timing;
  rest_rules rest;
  std::string version; ///< that people are shown
  std::chrono::milliseconds poll{30'000};
  bool own_thread_for_store = true; ///< false in the simulation: one thread runs all
  restart_policy restarts;
  /// Only the rooms are compared with the homeserver: nothing is synced, nobody is answered.
  struct reconcile_only {
    bool dry_run = false;
    std::function<void(std::string)> report; ///< JSON: the plan, then the outcome
  };
  std::optional<reconcile_only> reconcile;
  std::function<void(const session_ref&)> on_ready; ///< the first sync has fixed our position
  std::function<void(int code, std::string sentence)> on_end; ///< everything is stopped
};

class supervisor_state {
public:
  static constexpr const char* name = "supervisor";
  explicit supervisor_state(supervisor_actor::pointer self) : self_(self) {}
  supervisor_actor::behavior_type start(router_deps deps);

private:
  /// In the order of their start; each may hold handles of those before it.
  enum part : std::size_t {
    store_part,
    agents_part,
    session_part,
    media_part,
    sender_part,
    topology_part,
    rooms_part,
    sync_part,
    parts
  };
  struct child {
    const char* label;
    caf::actor actor;
    restart_budget budget;
    bool wanted = false;
  };

  void start_from(std::size_t first);
  void only_reconcile(bool dry_run);
  void reconcile_beside_the_work(const reconcile_now& m);
  caf::actor make(std::size_t which);
  void on_down(const caf::down_msg& m);
  void restart(std::size_t first);
  void fail(int code, std::string sentence);
  void stop();
  void next_stop();
  void stop_part(std::size_t which);
  void ended();
  void stop_overdue();
  void gather(const collect_status& m);
  void list(const list_aside& m);
  void push(const push_now& m);
  void apply(apply_now& m);
  void set_drain(const drain_now& m);
  void list(const list_rooms& m);
  void move(const move_now& m);
  void note(std::string_view what, std::string_view whom);
  template <class Handle>
  Handle handle(std::size_t which) const {
    return caf::actor_cast<Handle>(children_[which].actor);
  }

  supervisor_actor::pointer self_;
  router_deps deps_;
  std::array<child, parts> children_{{{"persistence", {}, {}, true},
                                      {"agent_directory", {}, {}, true},
                                      {"matrix_session", {}, {}, true},
                                      {"matrix_media", {}, {}, false},
                                      {"matrix_sender", {}, {}, false},
                                      {"topology", {}, {}, false},
                                      {"room_directory", {}, {}, false},
                                      {"matrix_sync", {}, {}, false}}};
  std::mt19937_64 engine_;
  std::optional<session_ref> session_;
  bool stopping_ = false, ended_ = false, ready_told_ = false;
  std::size_t restart_from_ = parts;
  std::uint64_t generation_ = 0, stop_generation_ = 0;
  std::deque<std::function<void()>> stop_steps_;
  std::optional<std::size_t> awaited_; ///< the part whose DOWN the next step of stopping waits for
  std::optional<std::size_t> killed_;  ///< it was awaited in vain once
  int exit_code_ = 0;
  std::string sentence_;
  std::deque<std::string> journal_; ///< the newest 256 entries
};

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self, router_deps deps);

} // namespace pb
