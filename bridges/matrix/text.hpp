#pragma once
// UTF-8 text between borders: repair, cut, split.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

/// A copy in which every maximal part that is not UTF-8 (Unicode, table 3-7) is U+FFFD.
std::string valid_utf8(std::string_view text);

/// The same, without NUL, which servers on PostgreSQL refuse.
std::string storable_text(std::string_view text);

/// The longest beginning of at most `bytes` that does not end inside a character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes);

/// Bytes of the text inside a JSON string.
std::size_t escaped_size(std::string_view text);

/// How much text one message takes: in itself, and escaped. An event may have 65,536 bytes in the
/// servers' form of it, and the last edit of a Markdown answer holds the text twice and its HTML
/// twice: what surrounds them, signatures included, stays well below the rest.
constexpr std::size_t part_bytes = 12'000;
constexpr std::size_t part_escaped_bytes = 14'000;

/// The longest beginning within both limits that tears no character as people see it (a letter
/// with its marks, an emoji of several), where that costs a few bytes only.
std::string_view cut_text(std::string_view text, std::size_t bytes, std::size_t escaped);

/// The longest beginning that fits into one message.
std::string_view cut_part(std::string_view text);

/// Cuts a long Markdown text into parts that fit into one message each: at the last paragraph
/// border in the second half, else at a line border (of a table or a code block only if there is no
/// other), else at a space, else between characters. What is left out is white space at the
/// borders. A fenced code block that is cut is closed at the part's end and opened again in the
/// next one. Bytes that are not UTF-8 become U+FFFD. A text of white space alone gives no part.
std::vector<std::string> split_text(std::string_view text);

/// How an answer is shown: in three parts at most. A longer one goes as a file, and `parts` holds
/// its beginning alone.
struct long_answer {
  std::vector<std::string> parts;
  bool as_file = false;
};
constexpr std::size_t max_parts = 3;
long_answer lay_out(std::string_view text);

} // namespace pb::matrix
