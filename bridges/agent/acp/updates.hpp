#pragma once
// session/update within a turn: what the person sees of it.

#include "bridges/agent/acp/tools.hpp"
#include "bridges/agent/json.hpp"
#include "bridges/agent/session.hpp"

#include <string>
#include <string_view>

namespace pb::acp {

class update_reader {
public:
  /// A new turn. `folder`: the workspace as the agent sees it.
  void begin(std::string folder);
  /// `kind` is the update's sessionUpdate.
  agent_steps read(const std::string& kind, const agent_json::value& update);
  [[nodiscard]] tool_table& tools() { return tools_; }
  [[nodiscard]] bool said_text() const { return said_text_; }

private:
  agent_steps read_message(const agent_json::value& update);

  std::string folder_;
  tool_table tools_;
  bool said_text_ = false, ends_line_ = false, new_paragraph_ = false;
  std::string message_; ///< messageId of the text that came last
};

/// What a session is like, for editors: it may come at any time and is nothing to a person.
bool is_quiet(std::string_view kind);

} // namespace pb::acp
