#pragma once
// The address at which an agent is spoken to about one chat.

#include "messages/values/registry.hpp"

#include <string>
#include <string_view>

namespace pb {

/// An address as ws or wss: http→ws, https→wss, the rest as it is.
inline std::string as_websocket(std::string_view url) {
  std::string out{url};
  if (out.starts_with("http://") || out.starts_with("https://"))
    out.replace(0, 4, "ws");
  return out;
}

/// base (of the agent's endpoints) + path: http→ws, https→wss, exactly one slash between the two,
/// every "{chat_id}" replaced by the number.
inline std::string agent_url(const agent_spec& agent, std::string_view base,
                             platform_chat_id chat) {
  static constexpr std::string_view placeholder = "{chat_id}";
  auto out = as_websocket(base);
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

inline std::string agent_url(const agent_spec& agent, platform_chat_id chat) {
  return agent_url(agent, agent.base_url, chat);
}

/// An address as http or https: ws→http, wss→https, the rest as it is; `tail` behind it with
/// exactly one slash between the two.
inline std::string as_http(std::string_view url, std::string_view tail = {}) {
  std::string out{url};
  if (out.starts_with("ws://") || out.starts_with("wss://"))
    out.replace(0, 2, "http");
  if (tail.empty())
    return out;
  while (out.ends_with('/'))
    out.pop_back();
  return out.append(tail.starts_with('/') ? "" : "/").append(tail);
}

} // namespace pb
