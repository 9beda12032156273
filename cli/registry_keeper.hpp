#pragma once
// Keeps the registry in force in step with its files: looks for changes, reads them again, writes
// what the admin API changes. On one thread of its own: no file is read or parsed on the I/O thread
// or in an actor.

#include "bridges/telemetry/log.hpp"
#include "bridges/telemetry/metrics.hpp"
#include "cli/registry_change.hpp"
#include "cli/registry_files.hpp"
#include "config/load.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace pb::cli {

/// What is in force, and what is known of the files.
struct registry_view {
  registry agents;
  std::map<agent_id, std::vector<std::string>> sources; ///< the files that speak of an agent
  std::string file;                                     ///< empty: there is none
  bool good = true;           ///< false: the files have faults, an earlier registry is in force
  unix_ms in_force_since = 0; ///< by our clock
  std::uint64_t reloads = 0;  ///< since the start; failed ones do not count
  std::vector<std::string> problems; ///< of the files as they are, `problem_cap` at most

  static constexpr std::size_t problem_cap = 20;
};

class registry_keeper {
public:
  static constexpr std::size_t change_cap = 32;          ///< changes that wait; one more is refused
  static constexpr std::chrono::milliseconds pause{500}; ///< between two looks at the files

  struct wiring {
    config::command_line given;
    settings process;  ///< as it was read, before anything was added to it
    registry in_force; ///< as the router started with
    /// In force when the files name no agent: the embedded default's demonstration agent.
    std::optional<registry> fallback;
    std::shared_ptr<logger> log;
    std::shared_ptr<metrics> numbers;
    std::function<unix_ms()> wall;
    /// Hands it to the actors; calls back, on any thread, when they have it.
    std::function<void(registry, std::function<void()>)> apply;
  };

  explicit registry_keeper(wiring w);
  ~registry_keeper();
  registry_keeper(const registry_keeper&) = delete;
  registry_keeper& operator=(const registry_keeper&) = delete;

  [[nodiscard]] std::shared_ptr<const registry_view> view() const;
  /// SIGHUP: reads everything again, changed or not. Returns at once.
  void reload();
  /// Calls back, on any thread, when the change is in force or refused. Returns at once.
  void change(agent_change what, std::function<void(change_outcome)> done);
  /// Ends the thread; later changes are refused. Not on that thread.
  void stop();

private:
  struct job {
    agent_change what;
    std::function<void(change_outcome)> done;
  };
  enum class why { watched, signalled, changed };

  void run();
  void look();
  /// `then`: whether the registry on the disk is the one in force now; at most once, if there is
  /// one.
  using answer = std::function<void(bool good)>;
  void read_again(why reason, answer then);
  void compare_process();
  void carry_out(job& j);
  void take(config::registry_outcome found, why reason, answer then);
  void refuse(const config::registry_outcome& found);
  [[nodiscard]] config::environment environment() const;
  void put(registry_view next);

  wiring w_;
  registry_files files_;
  counter good_, failed_, unchanged_;
  std::uint64_t handled_ = 0;              ///< the content that was read last
  std::optional<std::uint64_t> candidate_; ///< another content, seen once: it may still be written
  mutable std::mutex m_;
  std::condition_variable wake_;
  std::shared_ptr<const registry_view> view_;
  std::deque<job> jobs_;
  bool reload_ = false, stop_ = false;
  std::thread thread_;
};

} // namespace pb::cli
