#pragma once
// The agent of the embedded default: somebody to talk to before a real agent is plugged in.

#include "bridges/http_server.hpp"
#include "messages/values/ids.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace pb {

struct demo_options {
  std::size_t chats = 1000; ///< conversations remembered; the one unused for longest is forgotten
  std::string workspace{};  ///< a folder that is there; empty: the agent has no files
};

/// Speaks agent-ws at /v1/agent_ws/{chat_id}/ (and /agent_ws/…), any prefix before it. The handler,
/// its links and `clock` (which must outlive them) belong to one thread, the I/O thread.
ws_handler make_demo_agent(timers& clock, std::function<unix_ms()> now, demo_options options = {});

} // namespace pb
