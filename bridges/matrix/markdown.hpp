#pragma once
// Markdown as agents write it → the HTML subset of Matrix (client-server API, "m.room.message
// msgtypes", allowed tags).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pb::matrix {

/// No more HTML than this is made of a text, and no deeper than this.
constexpr std::size_t max_html_bytes = 48'000;
constexpr std::size_t max_html_depth = 64;

/// Well-nested HTML of the tags h1–h6 p br hr blockquote pre code ul ol li table thead tbody tr th
/// td strong em del a, everything else escaped; line ends stay line ends. Raw HTML is text, a
/// picture a link, and a link whose address must not be one its text and the address in <code>,
/// where clients leave it alone. Nothing: the text says it all by itself, or it is longer than
/// part_bytes, or its HTML would pass a limit. Bytes that are not UTF-8 and control characters
/// become U+FFFD.
std::optional<std::string> to_html(std::string_view markdown);

} // namespace pb::matrix
