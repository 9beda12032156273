#pragma once
// ContentBlock: text, and files in their several forms.

#include "bridges/agent/json.hpp"
#include "bridges/agent/session.hpp"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pb::acp {

/// The blocks of session/prompt: the text, and a resource_link for each attachment (relative to
/// `folder`, the workspace as the agent sees it). Sizes are unknown here and left out.
nlohmann::json prompt_blocks(std::string_view text, const std::vector<std::string>& attachments,
                             std::string_view folder);

/// What a block of the agent is to the person.
struct said_text {
  std::string text;
};
struct strange_block {
  std::string type; ///< for the log
};
using block = std::variant<said_text, agent_says::send_file, agent_wants::put_file, strange_block>;

/// A link to a file in `folder` is a file to be sent, a link to anything else Markdown; embedded
/// bytes are a file of the agent's.
block read_block(const agent_json::value& content, std::string_view folder);

} // namespace pb::acp
