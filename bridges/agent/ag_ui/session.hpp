#pragma once
// Agents that speak AG-UI: a turn is a run, which is one HTTP exchange with a stream of events; an
// interrupt ends the run and is answered by the next one.

#include "bridges/agent/session.hpp"

namespace pb {

agent_protocol ag_ui_protocol();

} // namespace pb
