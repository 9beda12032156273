#pragma once
// UTF-8 text between borders: repair, cut, split.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

/// A copy in which every maximal part that is not UTF-8 (Unicode, table 3-7) is U+FFFD.
std::string valid_utf8(std::string_view text);

/// The longest beginning of at most `bytes` that does not end inside a character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes);

/// Bytes of the text inside a JSON string.
std::size_t escaped_size(std::string_view text);

/// How much text one message takes: in itself, and escaped. An event may have 65,536 bytes in the
/// servers' form of it; what surrounds the body, signatures included, stays well below the rest.
constexpr std::size_t part_bytes = 28'000;
constexpr std::size_t part_escaped_bytes = 56'000;

/// The longest beginning that fits into one message.
std::string_view cut_part(std::string_view text);

/// Cuts a long text into parts that fit into one message each, at the last paragraph border, else
/// line border, else space that fits, else between characters. What is left out is white space at
/// the borders. Bytes that are not UTF-8 become U+FFFD. A text of white space alone gives no part.
std::vector<std::string> split_text(std::string_view text);

} // namespace pb::matrix
