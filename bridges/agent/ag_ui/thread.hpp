#pragma once
// What of a chat with an AG-UI agent outlives a turn, and the requests made of it. Pure.

#include "bridges/agent/ag_ui/run.hpp"
#include "bridges/agent/history.hpp"
#include "messages/values/registry.hpp"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::ag_ui {

/// An interrupt that the agent has not been answered yet.
struct open_interrupt {
  std::string id;
  std::string field;          ///< as in interrupt::field
  std::optional<bool> answer; ///< decided; it is told to the agent together with the others
  std::size_t repeat = 0;     ///< not 0: the turn has had questions of this id
  /// Of the question that a person answers.
  [[nodiscard]] std::string name() const {
    return repeat == 0 ? id : id + "#" + std::to_string(repeat);
  }
};

struct thread {
  chat_history said;
  std::string state; ///< JSON text; empty: none
  std::vector<open_interrupt> open;
  std::string asked; ///< the turn that the open interrupts are of

  /// From a memory that written() made; anything else is an empty thread.
  thread(const agent_spec& agent, const std::string& memory);
  /// At most 256 KiB.
  [[nodiscard]] std::string written() const;

  [[nodiscard]] open_interrupt* find(std::string_view id);
  [[nodiscard]] std::size_t undecided() const;
  /// The entries for RunAgentInput.resume: what was decided; what was not is cancelled, for a
  /// resume covers every interrupt that is open.
  [[nodiscard]] nlohmann::json resume() const;
  /// The entries of the exchange that the open interrupts are of.
  [[nodiscard]] std::vector<history_entry> asking() const;
};

/// RunAgentInput. `thread_id` and `run_id` as they stand in it; `resume` is left out if it is
/// empty. Nothing else that an older agent would not know.
std::string run_input(const std::string& thread_id, const std::string& run_id,
                      nlohmann::json messages, const std::string& state, nlohmann::json resume);

} // namespace pb::ag_ui
