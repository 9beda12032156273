#pragma once
// JSON-RPC 2.0 as agents speak it: one message a text, in both directions.

#include "bridges/agent/json.hpp"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace pb::json_rpc {

/// JSON nested deeper than this is refused.
inline constexpr std::size_t depth_limit = 64;
/// Bytes of an id as JSON text; one that is longer is refused: we keep and repeat them.
inline constexpr std::size_t id_limit = 256;

inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;

struct fault {
  std::int64_t code = 0;
  std::string message;
  agent_json::value data;
};

/// What came. The values live until the same thread reads again.
struct message {
  std::string wrong;  ///< not empty: it is not JSON-RPC 2.0, and why (no text of the agent)
  std::string id;     ///< a number or string as JSON text; empty: none, or null
  std::string method; ///< empty: an answer
  agent_json::value params;
  agent_json::value result;
  std::optional<fault> error; ///< an answer that is a refusal

  [[nodiscard]] bool is_request() const { return !method.empty() && !id.empty(); }
  [[nodiscard]] bool is_notification() const { return !method.empty() && id.empty(); }
  [[nodiscard]] bool is_answer() const { return method.empty(); }
};

/// Batches are refused: both protocols that we speak forbid them.
message read(std::string_view text);

/// Texts that are not UTF-8 become UTF-8 (U+FFFD). `id` is JSON text, as in message::id.
std::string request(std::string_view id, std::string_view method, const nlohmann::json& params);
std::string notification(std::string_view method, const nlohmann::json& params);
std::string answer(std::string_view id, const nlohmann::json& result);
std::string refusal(std::string_view id, int code, std::string_view why);

} // namespace pb::json_rpc
