#pragma once
// The folder that a person shares with an agent.

#include "messages/values/ids.hpp"

#include <string>
#include <string_view>

namespace pb {

/// The workspace with `{user}` replaced by a form of the id that is one name of a folder:
/// lower-case letters, digits, "-", "_" and "." stay, any other byte becomes =xx. No two people
/// share one. An id of more than 200 such characters becomes two folders, one in the other.
inline std::string workspace_for(std::string_view workspace, const user_id& user) {
  constexpr std::string_view mark = "{user}", hex = "0123456789abcdef";
  constexpr std::size_t longest_name = 200; // bytes, as much as a name of a file may have
  std::string_view id = user.value;
  std::string safe;
  if (id.starts_with('@')) // every id does; another thing is kept apart from it
    id.remove_prefix(1);
  else
    safe = "=";
  for (const char c : id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       (c == '.' && !safe.empty());
    if (plain) {
      safe += c;
    } else {
      safe += '=';
      safe += hex[static_cast<unsigned char>(c) >> 4];
      safe += hex[static_cast<unsigned char>(c) & 15];
    }
  }
  // An "=" at the end is in no short form: nobody's folder lies in another's.
  for (std::size_t at = longest_name; at < safe.size(); at += longest_name + 2)
    safe.insert(at, "=/");
  std::string out;
  for (;;) {
    const auto at = workspace.find(mark);
    out += workspace.substr(0, at);
    if (at == std::string_view::npos)
      return out;
    out += safe;
    workspace.remove_prefix(at + mark.size());
  }
}

} // namespace pb
