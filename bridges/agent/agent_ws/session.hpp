#pragma once
// agent-ws (section 3 of the contract) as sessions: one WebSocket, one frame each way at a time.

#include "bridges/agent/session.hpp"

namespace pb {

agent_protocol agent_ws_protocol();

} // namespace pb
