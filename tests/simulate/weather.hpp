#pragma once
// What may go wrong in one run, and how often: each fault is drawn for itself, so that some seeds
// are quiet, some are wild, and most have a few faults that meet.

#include "tests/simulate/dice.hpp"

#include <string>

namespace pb::simulate {

struct weather {
  // the way to the homeserver, per request
  double slow = 0, lost = 0, cut = 0, twice = 0, undead = 0;
  double limited = 0, server_error = 0, junk = 0, cut_short = 0;
  // sync, per act
  double doubled_events = 0, says_limited = 0;
  int timeline_limit = 50; ///< of the sync filter: small ones make real gaps
  bool buckets = false;    ///< the homeserver limits messages as Synapse does, only faster
  // agents, per dial or turn
  double refuses = 0, rejects = 0, never_opens = 0;
  double dies = 0, hangs = 0, reports = 0, malformed = 0, odd = 0, asks = 0;
  // disk, per operation
  double disk_full = 0, commit_error = 0;
  // whole events, weights among the acts
  double outage = 0, kill = 0, stop = 0, new_token = 0, expel = 0;

  std::uint32_t queue_limit = 32;
  int people = 2, acts = 40;
  double restless = 0; ///< not 0: rooms are put away as soon as nothing keeps them

  static weather drawn(std::uint64_t seed);
  /// Switches a fault off by the name that text() gives it. False: there is none of that name.
  bool switch_off(const std::string& name);
  [[nodiscard]] std::string text() const;
};

} // namespace pb::simulate
