#pragma once
// What a test may ask the development homeserver to do wrong.

#include "bridges/http.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace pb {

/// The first rule that matches a request and has uses left takes it.
struct fault_rule {
  std::string method;     ///< empty: any
  std::string path;       ///< prefix of the percent-encoded path; empty: any
  std::string path_regex; ///< ECMAScript, searched in the percent-encoded path; empty: any
  std::string user;       ///< of the access token; empty: any
  std::uint32_t skip = 0; ///< lets so many matching requests pass first
  std::uint32_t times = 1;

  std::chrono::milliseconds delay{0}; ///< before the answer
  /// Answers this instead. `commit`: after the request did its work.
  std::optional<http_response> answer;
  bool commit = false;
  /// Does the work, begins an answer and lets the reply go without its end: the client sees its
  /// connection closed and cannot know what happened.
  bool hang_up = false;
  std::optional<std::size_t> truncate; ///< keeps so many bytes of the body
  nlohmann::json patch;                ///< RFC 6902, applied to the answer's body
  bool duplicate_events = false;       ///< in a sync: every timeline event comes twice
  bool force_limited = false;          ///< in a sync: every timeline says limited
  bool deny_limited = false;           ///< in a sync: every timeline says that nothing is missing
  bool reverse_events = false;         ///< in a sync: timelines backwards
  /// In a sync: `{room_id: [events]}` appended to the timelines as they are.
  nlohmann::json extra_events;
};

} // namespace pb
