#pragma once
// Addresses of the Matrix side: percent-encoding, mxc, identifiers, links.

#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

/// One piece of a path or a query: everything but letters, digits and "-._~" becomes %XX, and so
/// does a piece of dots alone, which a proxy would take for a folder.
std::string encode(std::string_view piece);

/// A homeserver's address in two: "https://host:8448" and the path before /_matrix ("" or "/x/y").
struct base_url {
  std::string origin, prefix;
};
/// Takes scheme://host[:port][/prefix][/]; configuration if it is another thing.
result<base_url> split_url(std::string_view url);

/// A file in the content repository. Both pieces are attacker's text that was checked: the server
/// is a server name (appendices, "Server name"), the id has only letters, digits, "_" and "-".
struct mxc {
  std::string server, id;
  friend bool operator==(const mxc&, const mxc&) = default;
};
std::optional<mxc> parse_mxc(std::string_view uri);
std::string to_string(const mxc& file);

/// hostname [":" port] of the appendices, 230 bytes at most.
bool is_server_name(std::string_view name);

/// An identifier as it comes from outside: the sigil, something after it, 255 bytes at most, no
/// control characters, no spaces. "@" ids need a server, room ids do not (room version 12).
bool is_identifier(std::string_view id, char sigil);

/// "example.org:8448" of "@alice:example.org:8448"; empty if there is none.
std::string server_of(const user_id& user);

/// https://matrix.to/#/!room%3Aserver?via=server
std::string room_link(const room_id& room, const std::vector<std::string>& via);

} // namespace pb::matrix
