#pragma once
// A bare model behind an API as an agent: one HTTP exchange a turn, the context kept by us.

#include "bridges/agent/session.hpp"

namespace pb {

agent_protocol openai_protocol();

} // namespace pb
