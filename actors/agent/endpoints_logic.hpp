#pragma once
// Which of an agent's endpoints serves a turn: least loaded, the same for a chat, never one that
// has just failed again and again. Pure.

#include "actors/chance.hpp"
#include "messages/values/ids.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pb {

class endpoint_pool {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;
  static constexpr unsigned trips_after = 5; ///< failures without a word between them
  static constexpr milliseconds first_pause{1'000}, longest_pause{30'000};
  static constexpr std::size_t sticky_cap = 10'000; ///< chats; the oldest choice goes

  /// The addresses in the order of the registry; an agent without one (a child process) has "".
  /// What is known of those that stay is kept.
  void replace(const std::vector<std::string>& urls);

  /// For a new turn of that chat. Nothing: all of them are out of service, or one is being tried.
  std::optional<std::string> pick(platform_chat_id chat, time_point now);
  void took(const std::string& url); ///< a turn goes on where its chat's last one was
  /// Of a turn that pick() or took() was asked for. `reached`: connected() was told for it.
  void ended(const std::string& url, bool reached = true);
  /// No connection, or silence until the end. From the fifth in a row on, the endpoint is out of
  /// service for a while (half of to all of 1 s, 2 s, … 30 s); then a single turn tries it.
  void failed(const std::string& url, time_point now, const random_bits& luck);
  void broke(const std::string& url);     ///< a connection ended in the middle
  void connected(const std::string& url); ///< there is somebody
  void spoke(const std::string& url);     ///< and it is well
  /// The next dial is one after a failure.
  [[nodiscard]] bool troubled(const std::string& url) const;

  [[nodiscard]] std::size_t out_of_service(time_point now) const;
  /// Until the first of them is tried again; 0: one can be tried now.
  [[nodiscard]] milliseconds pause(time_point now) const;
  /// A JSON array of {url, turns, failures, out_of_service_ms}.
  [[nodiscard]] std::string json(time_point now) const;

private:
  struct endpoint {
    std::size_t order = 0;
    std::size_t turns = 0;
    unsigned failures = 0;
    bool troubled = false;
    bool probing = false; ///< one turn tries it after a pause
    bool gone = false;    ///< not in the registry any more, turns still run
    time_point out_until{};
  };
  endpoint* find(const std::string& url);
  static bool usable(const endpoint& e, time_point now);

  std::map<std::string, endpoint> endpoints_;
  std::unordered_map<std::int64_t, std::string> sticky_;
  std::deque<std::int64_t> sticky_order_;
};

} // namespace pb
