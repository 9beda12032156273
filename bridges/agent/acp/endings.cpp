#include "bridges/agent/acp/endings.hpp"

#include "bridges/agent/acp/safe_text.hpp"

#include <algorithm>
#include <utility>

namespace pb::acp {
namespace {

using agent_json::value;

/// More than any sum of turns can reach, exact in a double.
constexpr double most_tokens = 1e15;

agent_wants::say tell(agent_event event) { return {{std::move(event), {}}}; }

std::int64_t tokens(const value& number) {
  return static_cast<std::int64_t>(
      std::min(std::max(number.number().value_or(0.0), 0.0), most_tokens));
}

} // namespace

agent_steps prompt_ended(const value& response, bool said_text) {
  agent_steps out;
  const auto reason = response["stopReason"].text();
  if (reason == "cancelled") {
    out.emplace_back(agent_wants::give_up{turn_ending::cancelled, "by the agent"});
    return out;
  }
  if (reason == "refusal") {
    out.emplace_back(tell(agent_says::error{"refusal", "The agent refuses to go on.", false}));
    return out;
  }
  if (reason.empty()) {
    out.emplace_back(tell(agent_says::malformed{"session/prompt: stopReason is missing"}));
    return out;
  }
  if (reason == "max_tokens" || reason == "max_turn_requests")
    // Else the person would take the part for the whole.
    out.emplace_back(tell(agent_says::text_chunk{
        std::string(said_text ? "\n\n" : "") +
        (reason == "max_tokens" ? "*(The agent stopped here: its limit of tokens is reached.)*"
                                : "*(The agent stopped here: its limit of steps is reached.)*")}));
  else if (reason != "end_turn")
    out.emplace_back(tell(agent_says::unknown{"stopReason/" + agent_json::loggable(reason)}));
  const auto usage = response["usage"];
  out.emplace_back(
      tell(agent_says::end{tokens(usage["inputTokens"]), tokens(usage["outputTokens"])}));
  return out;
}

agent_says::error refused(const json_rpc::fault& why, const std::string& logins) {
  if (why.code != auth_required)
    return {std::to_string(why.code), one_line(why.message, 500), false};
  return {"auth_required",
          "The agent wants somebody to log in to it first" +
              (logins.empty() ? std::string(".") : " (" + logins + ")."),
          false};
}

} // namespace pb::acp
