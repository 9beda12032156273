#pragma once
// Texts of an agent inside a text of ours: short, and with nothing in them that could pass for
// ours.

#include <cstddef>
#include <string>
#include <string_view>

namespace pb::acp {

/// At most so many bytes and an ellipsis; not inside a character.
std::string cut(std::string_view text, std::size_t bytes);
/// As cut(); control characters and line ends become spaces, marks that turn the direction of
/// writing U+FFFD: with those a command can be made to look like another one.
std::string one_line(std::string_view text, std::size_t bytes);
/// As Markdown code, whatever the text holds.
std::string code(std::string_view line);
std::string code_block(std::string_view text);

} // namespace pb::acp
