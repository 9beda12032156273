#pragma once
// The scripted agent in other protocols: a test writes one script in agent-ws frames, and a dialect
// says it as an agent of that protocol would, handshakes, tasks and runs included.
//
// Frames of types that agent-ws does not have, and texts that are no frames at all, go out as they
// are: that is how a test says what no agent should.

#include "messages/values/registry.hpp"
#include "tests/support/scripted_agent.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace pb::scripted {

/// An agent's server in one protocol: what it knows of tasks, sessions and runs.
class dialect {
public:
  virtual ~dialect() = default;
  virtual std::shared_ptr<link_listener> accept(far_end far) = 0;
  /// The server was started anew: what only its memory held is gone.
  virtual void forget() {}
};

/// A protocol as tests see it. What it cannot express is data here, and a test that needs it says
/// so.
struct tongue {
  std::string_view name;     ///< for the test's output
  std::string_view protocol; ///< of the registry
  std::unique_ptr<dialect> (*make)(timers& clock, agent& behind);
  void (*spell)(agent_spec& spec); ///< makes it an agent of this protocol
  bool streams = true;             ///< words come as they are said; else all of them at the end
  bool kept = false;               ///< the link goes on to the chat's next turn
  bool tools = true;               ///< tool calls and results are told
  bool usage = true;
  bool asks = true;      ///< there are questions to a person
  bool asks_many = true; ///< several at a time; else one after the other
  /// The question is the link's: when it breaks, nobody can answer any more.
  bool questions_die = false;
  bool ids = false;          ///< the agent hears the turn's id
  bool hears_cancel = true;  ///< else the link is closed, which cannot be disobeyed
  bool rejects = true;       ///< an HTTP status can refuse it
  bool resumes = false;      ///< a turn outlives links, and us
  bool handshake = false;    ///< texts go both ways before the message
  std::string_view nonsense; ///< a text of the protocol with a type that nobody knows
};

/// agent-ws, acp, acp of a child, a2a 1.0 and 0.3 and without streams, openai chat and responses,
/// ag-ui.
const std::vector<tongue>& tongues();
const tongue& tongue_named(std::string_view name);

std::unique_ptr<dialect> speak_acp(timers& clock, agent& behind);
std::unique_ptr<dialect> speak_a2a(timers& clock, agent& behind);
std::unique_ptr<dialect> speak_a2a_0_3(timers& clock, agent& behind);
std::unique_ptr<dialect> speak_a2a_without_streams(timers& clock, agent& behind);
std::unique_ptr<dialect> speak_openai_chat(timers& clock, agent& behind);
std::unique_ptr<dialect> speak_openai_responses(timers& clock, agent& behind);
std::unique_ptr<dialect> speak_ag_ui(timers& clock, agent& behind);

} // namespace pb::scripted
