#include "bridges/agent/a2a/session.hpp"

#include "bridges/agent/a2a/conversation.hpp"

#include <memory>
#include <utility>

namespace pb {

agent_protocol a2a_protocol() {
  agent_protocol p;
  p.name = "a2a";
  p.make = [](session_start start) -> std::unique_ptr<agent_session> {
    return std::make_unique<a2a::conversation>(std::move(start));
  };
  p.remembers = p.resumes = p.carries_files = true;
  p.cancel_grace = std::chrono::seconds(3);
  return p;
}

} // namespace pb
