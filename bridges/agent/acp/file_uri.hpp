#pragma once
// Files of the workspace as file:// addresses, and back.

#include <optional>
#include <string>
#include <string_view>

namespace pb::acp {

/// file:// + folder (absolute) + path (relative), every byte but letters, digits and "-._~/" as
/// %XX.
std::string file_uri(std::string_view folder, std::string_view path);

/// The absolute path of a file: address (no host, or localhost) or of one that is a bare absolute
/// path; nothing: it is no local file.
std::optional<std::string> path_of(std::string_view uri);

/// The path below `folder`, or `path` itself if it is not below it. Whether it may be read is for
/// the reader to say.
std::string below(std::string_view folder, std::string_view path);

/// The last part of an address or a path, without its query.
std::string last_part(std::string_view uri);

} // namespace pb::acp
