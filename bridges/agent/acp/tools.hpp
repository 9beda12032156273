#pragma once
// The tool calls of a turn: what was told of them so far, since updates carry only what changed.

#include "bridges/agent/json.hpp"
#include "bridges/agent/session.hpp"

#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pb::acp {

struct tool {
  std::string id, title, kind;
  std::string input;              ///< rawInput as JSON text, cut
  std::vector<std::string> paths; ///< where it reads or writes
  std::string words;              ///< texts of its content, cut
  std::string diff;               ///< changes of its content, as lines with + and -, cut
  bool told = false, input_told = false, over = false;
};

class tool_table {
public:
  /// Calls that are remembered; the oldest makes place.
  static constexpr std::size_t cap = 256;
  static constexpr std::size_t title_cap = 1'000, input_cap = 4'000,
                               paths_cap = 16; ///< bytes; paths

  void clear();
  /// A ToolCall or ToolCallUpdate is remembered; nothing is told yet.
  tool& learn(const agent_json::value& call);
  /// tool_call and tool_call_update: what they are to the person. Files are those of a call that
  /// is completed and made them: not of one that read or searched. Each is told once.
  agent_steps update(const agent_json::value& update, std::string_view folder);

private:
  void take_files(const tool& call, const agent_json::value& content, std::string_view folder,
                  agent_steps& into);

  std::deque<tool> tools_;
  std::set<std::size_t> files_; ///< hashes of those that were told
};

} // namespace pb::acp
