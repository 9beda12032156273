#pragma once
// session/request_permission: a question to the person, and the answer among the agent's options.

#include "bridges/agent/acp/tools.hpp"
#include "bridges/agent/json.hpp"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace pb::acp {

/// A question that the agent waits for.
struct permission {
  std::string rpc_id; ///< of its request, as JSON text
  std::string name;   ///< what the person's decision comes back with
  std::string yes;    ///< optionId; empty: no option allows it
  std::string no;     ///< optionId; empty: no option rejects it
};

/// What a person may answer of the agent's options; nothing: it is no list with an option in it.
/// "Once" is preferred: a plain yes or no is about this one call. Only where the agent offers
/// nothing else its "always" is taken.
std::optional<permission> read_options(const agent_json::value& options);

/// What the person is asked, as Markdown: the call as the agent shows it, and its input.
std::string question(const tool& call);

/// RequestPermissionResponse. A decision that no option stands for is `cancelled`.
nlohmann::json decided(const permission& asked, bool yes);
nlohmann::json decision_cancelled();

} // namespace pb::acp
