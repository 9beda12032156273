#pragma once
// The only writer. Writes that arrive while a commit runs make the next group (natural batching),
// and every asker is answered after COMMIT.

#include "actors/common.hpp"
#include "actors/health.hpp"
#include "messages/actors.hpp"

#include <deque>

namespace pb {

struct persistence_state {
  static constexpr const char* name = "persistence";
  surroundings around;
  std::shared_ptr<health_board> health;
  std::shared_ptr<store> disk;
  bool in_group = false;
  std::size_t in_this_group = 0;
  std::uint64_t commits = 0, writes = 0, failures = 0, records_lost = 0;
  /// Run after COMMIT, in the order of the writes; the error is the commit's.
  std::vector<std::function<void(const caf::error&)>> waiting;
  outbox_sink sink;
  std::size_t sink_credit = 0;
  bool sink_behind = false; ///< rows were not handed over: the sink asks for them
  std::vector<outbox_row> fresh_rows;
  std::chrono::milliseconds retention{}; ///< zero: nothing is pruned
  std::uint64_t pruned = 0;              ///< rows since the start
  counter pruned_total;
  /// What became of attempts, as far as it is not on disk: those that wait for room there, and
  /// those of the open group. A row that was sent and not marked would be sent again at the next
  /// start; of a state row that would bring an old state back.
  std::deque<std::vector<send_outcome>> unrecorded, recording;
  bool record_armed = false;
};

/// With a `retention` (zero: none) it takes away what was settled longer ago: a minute after its
/// start and then every hour, in small steps that let other writes go between. Ends with an error
/// when a commit fails: what is on disk is then unknown to us, and only a new process may look (an
/// fsync that failed is not tried again on the same file).
persistence_actor::behavior_type
persistence(persistence_actor::stateful_pointer<persistence_state> self, surroundings around,
            std::shared_ptr<health_board> health, std::shared_ptr<store> disk,
            std::chrono::milliseconds retention);

} // namespace pb
