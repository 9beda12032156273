#pragma once
// What agents say, whatever their protocol: the codecs of bridges/agent make these.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pb {

namespace agent_says {
struct status {
  std::string text;
};
struct text_chunk {
  std::string text;
}; ///< appended to the answer
struct tool_call {
  std::string id, name, args;
}; ///< args: the piece that came, joined by id
struct tool_result {
  std::string id, name, result;
  bool is_error = false;
}; ///< result: JSON text
struct custom_update {
  std::string name, payload;
}; ///< payload: JSON text
struct send_file {
  std::string path;
};
struct confirm {
  std::string id, prompt;
  std::optional<std::chrono::seconds> expires_in;
};
struct push {
  std::string event_id, kind, text;
  std::vector<std::string> attachments;
};
struct end {
  std::int64_t input_tokens = 0, output_tokens = 0;
};
struct error {
  std::string code, details;
  bool retryable = false;
};
struct goodbye {}; ///< the agent goes away after this turn
struct unknown {
  std::string type;
}; ///< ignored, counted, logged once a kind
struct malformed {
  std::string cause;
}; ///< not a frame of the protocol
} // namespace agent_says

using agent_event =
    std::variant<agent_says::status, agent_says::text_chunk, agent_says::tool_call,
                 agent_says::tool_result, agent_says::custom_update, agent_says::send_file,
                 agent_says::confirm, agent_says::push, agent_says::end, agent_says::error,
                 agent_says::goodbye, agent_says::unknown, agent_says::malformed>;

/// A decoded frame: the event and, where the agent echoes it, the turn that it belongs to.
struct agent_frame {
  agent_event event;
  std::string message_id; ///< empty: not echoed
};

/// How a turn ended, seen from the connection.
enum class turn_ending {
  answered,    ///< END
  agent_error, ///< ERROR; detail is its code
  unreachable, ///< never connected, nothing was handed over
  rejected,    ///< the agent refused the connection (HTTP status in detail), nothing handed over
  interrupted, ///< closed without END after the frame was handed over
  idle,        ///< limits.event_idle passed
  too_long,    ///< limits.turn passed
  too_large,   ///< the answer or a frame passed its limit
  malformed,   ///< the agent broke the protocol
  cancelled,   ///< we cancelled
  disabled,    ///< the agent is not in the registry or not enabled
  busy,        ///< the agent's queue is at its cap
  storage,     ///< the dispatched mark could not be written
};

/// For the log and for the operator's lists.
constexpr std::string_view word_of(turn_ending e) {
  switch (e) {
  case turn_ending::answered:
    return "answered";
  case turn_ending::agent_error:
    return "agent_error";
  case turn_ending::unreachable:
    return "unreachable";
  case turn_ending::rejected:
    return "rejected";
  case turn_ending::interrupted:
    return "interrupted";
  case turn_ending::idle:
    return "idle";
  case turn_ending::too_long:
    return "too_long";
  case turn_ending::too_large:
    return "too_large";
  case turn_ending::malformed:
    return "malformed";
  case turn_ending::cancelled:
    return "cancelled";
  case turn_ending::disabled:
    return "disabled";
  case turn_ending::busy:
    return "busy";
  case turn_ending::storage:
    return "storage";
  }
  return "unknown";
}

/// A turn that ended so tells something about the agent. What people stop, what the registry
/// forbids and what our own disk refuses does not.
constexpr bool agents_fault(turn_ending e) {
  return e != turn_ending::answered && e != turn_ending::cancelled && e != turn_ending::disabled &&
         e != turn_ending::busy && e != turn_ending::storage;
}

} // namespace pb
