#pragma once
// Changes single keys of a file in agents.d, and leaves every other line as it is.

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace pb::config {

struct key_edit {
  std::string key;                  ///< at the left margin: letters, digits, '_' and '-'
  std::optional<std::string> value; ///< one line of YAML; nothing: the key goes away
};

/// The file's text with these keys changed; new ones stand at its end. Comments and all other keys
/// stay, also the comment behind a value of one line. An error is why this file cannot be changed
/// in that way: it is no mapping with one key a line, or the change would touch more than it names.
tl::expected<std::string, std::string> edit_agent_file(const std::string& text,
                                                       const std::vector<key_edit>& edits);

} // namespace pb::config
