#pragma once
// The address at which an agent is spoken to about one chat.

#include "messages/values/registry.hpp"

#include <string>
#include <string_view>

namespace pb {

/// base_url + path: http→ws, https→wss, exactly one slash between the two, every "{chat_id}"
/// replaced by the number.
inline std::string agent_url(const agent_spec& agent, platform_chat_id chat) {
  static constexpr std::string_view placeholder = "{chat_id}";
  std::string out = agent.base_url;
  if (out.starts_with("http://") || out.starts_with("https://"))
    out.replace(0, 4, "ws");
  while (out.ends_with('/'))
    out.pop_back();
  const auto first = agent.path.find_first_not_of('/');
  out += '/';
  if (first != std::string::npos)
    out.append(agent.path, first);
  const auto number = std::to_string(chat.value);
  for (auto at = out.find(placeholder); at != std::string::npos;
       at = out.find(placeholder, at + number.size()))
    out.replace(at, placeholder.size(), number);
  return out;
}

} // namespace pb
