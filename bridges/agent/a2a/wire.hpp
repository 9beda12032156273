#pragma once
// Both wire formats of A2A over JSON-RPC: what we ask for, and what comes back, read alike.

#include "bridges/agent/a2a/card.hpp"
#include "bridges/agent/json.hpp"
#include "bridges/agent/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::a2a {

/// What a person said to the agent.
struct outgoing {
  std::string id; ///< messageId: the same for the same message
  std::string text;
  std::string context, task;         ///< empty: none
  std::optional<bool> decision{};    ///< beside the text, for agents that read structured answers
  std::vector<session_file> files{}; ///< those with `left_out` are not carried
};

enum class request_kind {
  send,      ///< one answer when the task is done or asks something
  stream,    ///< the same as it comes
  look,      ///< how a task stands
  subscribe, ///< how it stands and goes on
  cancel,
};

/// The body of a request about a message, or about a task.
std::string request_of(const endpoint& at, request_kind kind, const outgoing& message);
std::string request_of(const endpoint& at, request_kind kind, std::string_view task);
/// For both the card and requests; without the agent's key.
http_headers headers_of(dialect speaks, bool streams);

enum class task_state {
  unknown,
  working, ///< or submitted
  completed,
  failed,
  canceled,
  rejected,
  input_required,
  auth_required,
};
[[nodiscard]] constexpr bool is_over(task_state s) {
  return s == task_state::completed || s == task_state::failed || s == task_state::canceled ||
         s == task_state::rejected;
}
std::string_view name_of(task_state s);

/// One result. The values live until the same thread parses again.
struct update {
  enum class kind { unknown, task, message, status, artifact } what = kind::unknown;
  agent_json::value body;
  std::string task, context; ///< empty: not said
  task_state state = task_state::unknown;
  agent_json::value words; ///< the status's message

  [[nodiscard]] bool append() const { return body["append"].truth(); }
};
update read_update(const agent_json::value& result);

/// A part of a message or of an artifact.
struct part {
  enum class kind { unknown, text, bytes, link, data } what = kind::unknown;
  std::string text; ///< text; the address of a link; data as JSON; bytes: in base64
  std::string name; ///< of a file; empty: none was given
};
part read_part(const agent_json::value& from);

} // namespace pb::a2a
