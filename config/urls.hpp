#pragma once
// Addresses of homeservers and agents. A refusal never quotes the address: it may hold a password.

#include "config/scalars.hpp"

#include <string>

namespace pb::config {

/// "http(s)://host[:port][/prefix]": scheme in small letters, no slash at the end.
parsed<std::string> homeserver_url(const std::string& text);

/// The same with http, https, ws or wss; the end stays as written.
parsed<std::string> agent_base_url(const std::string& text);

/// What older deployments keep in AGENT_WS_URL: a base address, or the whole address of a chat, of
/// which the part from /v1/agent_ws on is cut off.
std::string base_of_ws_url(const std::string& text);

} // namespace pb::config
