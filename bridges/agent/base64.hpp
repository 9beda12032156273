#pragma once
// Bytes in JSON.

#include <optional>
#include <string>
#include <string_view>

namespace pb {

std::string to_base64(std::string_view bytes);
/// Nothing: it is no base64. White space between the digits and missing padding are allowed.
std::optional<std::string> from_base64(std::string_view text);

} // namespace pb
