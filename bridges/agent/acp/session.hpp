#pragma once
// ACP, the Agent Client Protocol, version 1 (agentclientprotocol.com): JSON-RPC 2.0 in both
// directions over a WebSocket or over a child's stdin and stdout. A chat is an ACP session, its
// memory the sessionId.

#include "bridges/agent/session.hpp"

namespace pb {

agent_protocol acp_protocol();

} // namespace pb
