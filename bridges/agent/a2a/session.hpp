#pragma once
// The A2A protocol, 1.0 and 0.3, over HTTP with server-sent events.

#include "bridges/agent/session.hpp"

namespace pb {

agent_protocol a2a_protocol();

} // namespace pb
