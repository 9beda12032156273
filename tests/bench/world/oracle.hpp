#pragma once
// Knows every message that was put in, what its answer must be, and what came back.

#include "tests/bench/world/past.hpp"
#include "tests/bench/world/topology.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::bench {

/// Counts since the start. A subject that did its job leaves every fault at 0.
struct tally {
  std::uint64_t injected = 0, answered = 0;
  std::uint64_t told = 0; ///< where that may be: a final that says that there is no answer
  // Faults.
  std::uint64_t doubled = 0;    ///< a second final for one message
  std::uint64_t wrong = 0;      ///< a final with another text, in another room or to no message
  std::uint64_t disordered = 0; ///< a final that overtook an earlier message of its room
  std::uint64_t misrouted = 0;  ///< a message at another agent or chat, or with another text
  std::uint64_t repeated = 0;   ///< a message that reached its agent twice
  std::uint64_t broken = 0;     ///< a message that reached its agent, and got no answer
  // Traffic.
  std::uint64_t sends = 0; ///< events put into rooms, repeats of a transaction excepted
  std::uint64_t notes = 0; ///< of these, what is no final: drafts, edits, notices
  std::uint64_t requests = 0, polls = 0, typing = 0, unknown = 0, agent_connections = 0;
  std::uint64_t states = 0; ///< whole states of rooms that were read
  std::uint64_t pages = 0;  ///< of rooms' pasts that were read

  [[nodiscard]] bool faultless() const {
    return injected == answered + told && !doubled && !wrong && !disordered && !misrouted &&
           !repeated && !broken;
  }
};

class oracle {
public:
  explicit oracle(const topology& t) : topology_(t), waiting_(t.form().rooms) {}

  /// Before the first message: those that were there before this run. The unfinished ones count as
  /// written now and wait for their answer; the settled ones may never be answered again.
  void remember(const past& before);

  /// A person writes into `room`; the messages are numbered from 0 in this order.
  std::uint64_t inject(std::uint32_t room, std::int64_t now_ns);

  /// A message reached an agent. The answer that the agent must give, or nothing if it is not ours.
  std::optional<std::string> reached(std::uint32_t agent, std::uint64_t chat_id,
                                     std::string_view text, std::int64_t now_ns);

  struct final_event {
    std::string_view body, reply_to; ///< reply_to may be empty
  };
  /// A final came back. The room that may speak again, or nothing when no open message got its
  /// answer.
  std::optional<std::uint32_t> answered(std::uint32_t room, final_event e, std::int64_t now_ns);

  [[nodiscard]] std::string text_of(std::uint64_t message) const;
  [[nodiscard]] std::string answer_to(std::uint64_t message) const;
  [[nodiscard]] static std::string event_id_of(std::uint64_t message);
  [[nodiscard]] std::uint32_t room_of(std::uint64_t message) const {
    return messages_[message].room;
  }
  [[nodiscard]] std::uint64_t size() const { return messages_.size(); }
  /// The messages of a room before message `before`, newest first.
  [[nodiscard]] std::vector<std::uint64_t> history(std::uint32_t room, std::uint64_t before,
                                                   std::size_t limit) const;
  [[nodiscard]] std::uint64_t open() const {
    return counts.injected - counts.answered - counts.told;
  }

  /// Remembers the first few for the report.
  void complain(std::string what);
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  /// Told of each message that reaches the agent that it is for.
  std::function<void()> on_reached;
  /// Rooms whose agent may be away: there a final without the answer is none of the faults, unless
  /// the message had reached the agent. Empty: no room.
  std::function<bool(std::uint32_t room)> may_fail;
  std::function<void(std::uint32_t room)> on_told;
  /// While it is set, the times of messages are kept here: from injection to the agent, and from
  /// injection to the final.
  bool recording = false;
  std::vector<std::int64_t> dispatch_ns, latencies_ns;
  tally counts;

private:
  struct entry {
    std::uint32_t room = 0;
    bool answered = false, reached = false;
    std::int64_t injected_ns = 0;
  };
  [[nodiscard]] std::string filled(std::string_view word, std::uint64_t message,
                                   std::uint64_t salt) const;

  const topology& topology_;
  std::vector<entry> messages_;
  std::vector<std::deque<std::uint64_t>> waiting_; ///< per room, in the order of injection
  std::vector<std::string> complaints_;
};

} // namespace pb::bench
