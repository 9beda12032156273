#pragma once
// How an agent refuses, and what a person is told of it.

#include "bridges/agent/json_rpc.hpp"
#include "bridges/link.hpp"
#include "messages/values/agent_event.hpp"

#include <cstdint>

namespace pb::a2a {

/// Codes of JSON-RPC and of A2A that are more than an error to us.
enum : std::int64_t {
  method_not_found = -32601,
  invalid_params = -32602,
  task_not_found = -32001,
  task_not_cancelable = -32002,
  unsupported_operation = -32004,
  version_not_supported = -32009,
};

agent_says::error to_error(const json_rpc::fault& fault);
/// An answer of another status than 2xx, whose body is no JSON-RPC.
agent_says::error to_error(const link_closed& why);

} // namespace pb::a2a
