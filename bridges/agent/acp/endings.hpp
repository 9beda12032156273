#pragma once
// How a turn ends by the agent's word.

#include "bridges/agent/json.hpp"
#include "bridges/agent/json_rpc.hpp"
#include "bridges/agent/session.hpp"

#include <string>

namespace pb::acp {

inline constexpr std::int64_t auth_required = -32000;

/// PromptResponse. `said_text`: the answer has a text already.
agent_steps prompt_ended(const agent_json::value& response, bool said_text);

/// An error in the place of an answer. `logins`: names of the agent's ways to log in.
agent_says::error refused(const json_rpc::fault& why, const std::string& logins);

} // namespace pb::acp
