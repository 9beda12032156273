#pragma once
// Which addresses of an agent's text may become links.

#include <optional>
#include <string>
#include <string_view>

namespace pb::matrix {

/// The address as it may stand in an href (its HTML escaping left to the caller); nothing: it stays
/// text. Links are absolute, of the schemes that Matrix allows (client-server API, "m.room.message
/// msgtypes"), and name no person and no room: clients would show those as mentions.
std::optional<std::string> link_target(std::string_view address);

} // namespace pb::matrix
