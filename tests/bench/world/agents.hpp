#pragma once
// All agents of the world: who of them is dead, who has gone away, and who asked for them when.

#include <cstdint>
#include <memory>
#include <vector>

namespace pb::bench {

/// A WebSocket between an agent and the subject that can be cut.
class open_session {
public:
  virtual ~open_session() = default;
  virtual void cut() = 0;
};

class agents {
public:
  /// The last `dead` of `count` agents never answer a handshake.
  agents(std::uint32_t count, std::uint32_t dead) : count_(count), dead_(dead) {}

  [[nodiscard]] bool is_dead(std::uint32_t agent) const { return agent + dead_ > count_; }

  /// Nobody is there: every handshake is answered by closing, every open session is cut.
  void leave();
  void come_back() { away_ = false; }
  [[nodiscard]] bool away() const { return away_; }

  /// A handshake came in for an agent, numbered from 1.
  void asked(std::int64_t now_ns) {
    if (watching)
      asked_ns.push_back(now_ns);
  }
  void opened(std::weak_ptr<open_session> session);
  [[nodiscard]] std::size_t open() const;

  bool watching = false;              ///< the times of handshakes are kept
  std::vector<std::int64_t> asked_ns; ///< in order

private:
  std::uint32_t count_, dead_;
  bool away_ = false;
  std::vector<std::weak_ptr<open_session>> sessions_;
};

/// The most handshakes within any one second of sorted times.
std::size_t most_in_a_second(const std::vector<std::int64_t>& sorted_ns);

} // namespace pb::bench
