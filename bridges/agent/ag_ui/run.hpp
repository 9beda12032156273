#pragma once
// One run of an AG-UI agent: its events, as what they mean for us. Pure.

#include "bridges/agent/ag_ui/record.hpp"
#include "bridges/agent/json.hpp"
#include "bridges/agent/sign_of_life.hpp"
#include "messages/values/agent_event.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pb::ag_ui {

inline constexpr std::size_t depth_limit = 64;     ///< of an event
inline constexpr std::size_t interrupt_id = 240;   ///< bytes; a question's name may have 256
inline constexpr std::size_t interrupt_limit = 32; ///< of one run; more is malformed
inline constexpr std::size_t prompt_limit = std::size_t{4} << 10; ///< bytes

/// What a run wants to know before it goes on.
struct interrupt {
  std::string id;
  std::string prompt;
  /// Where yes or no goes: a field of the answer's object; empty: the answer is it.
  std::string field = "approved";
};

/// What one event came to.
struct happened {
  std::vector<agent_event> events; ///< never end or error
  enum class ending { none, success, interrupted, failed, cancelled } how = ending::none;
  std::vector<interrupt> interrupts; ///< interrupted
  agent_says::error error;           ///< failed
  agent_says::end used;              ///< with any ending
  std::string malformed;             ///< not empty: why it is no event of the protocol
};

class run {
public:
  /// `state`: JSON text of the shared state; empty: none.
  explicit run(std::string state) : state_(std::move(state)) {}
  happened read(std::string_view text);
  [[nodiscard]] const record& said() const { return record_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  /// Something of the answer was said.
  [[nodiscard]] bool spoke() const { return spoke_; }
  /// The next run of the same turn: what was said stays, the answer goes on behind it.
  void again();

private:
  void event(std::string_view type, const agent_json::value& all, happened& out);
  bool text_event(std::string_view type, const agent_json::value& all, happened& out);
  bool tool_event(std::string_view type, const agent_json::value& all, happened& out);
  bool state_event(std::string_view type, const agent_json::value& all, happened& out);
  bool ending_event(std::string_view type, const agent_json::value& all, happened& out);
  void say(const std::string& message, std::string text, happened& out);
  void finish(const agent_json::value& all, happened& out);
  void interrupts(const agent_json::value& outcome, happened& out);
  [[nodiscard]] std::string prompt(const agent_json::value& asked) const;

  std::string state_;
  record record_;
  std::string message_, call_;   ///< the last one, for chunks that name none
  std::set<std::string> others_; ///< open messages that are not the agent's
  std::string summary_;          ///< of a snapshot of the messages: what was not said
  bool spoke_ = false, apart_ = false;
  sign_of_life thoughts_;
};

} // namespace pb::ag_ui
