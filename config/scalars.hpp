#pragma once
// Texts of one value, read strictly: units, ranges, no surprises. All pure; an error is what is
// wrong.

#include "messages/values/settings.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace pb::config {

/// Why a text is refused. `what` may quote it (never a secret's); an empty `instead` means that the
/// key's own description of its type says it.
struct wrong {
  std::string what;
  std::string instead = {};
};

inline tl::unexpected<wrong> no(std::string what, std::string instead = {}) {
  return tl::unexpected(wrong{std::move(what), std::move(instead)});
}

template <class T>
using parsed = tl::expected<T, wrong>;

/// Nothing: the text was accepted.
using verdict = std::optional<wrong>;

parsed<std::uint64_t> number(const std::string& text, std::uint64_t least, std::uint64_t most);
/// true, false, and what YAML 1.1 takes for them.
parsed<bool> boolean(const std::string& text);
/// "500ms", "1s", "2m30s", "1h", "7d": larger units first. A bare 0 is a duration, no other number.
parsed<std::chrono::milliseconds> duration(const std::string& text, std::chrono::milliseconds least,
                                           std::chrono::milliseconds most);
/// "64MiB", "8 kB", "32768": KiB, MiB, GiB by 1024, kB, MB, GB by 1000.
parsed<std::size_t> size(const std::string& text, std::size_t least, std::size_t most);
/// "0664", "664", "0o664".
parsed<std::uint32_t> file_mode(const std::string& text);
/// "127.0.0.1:8780", "[::1]:8780", "localhost:0".
parsed<address> host_and_port(const std::string& text);
/// "@alice:example.org", 255 bytes at most.
parsed<user_id> matrix_user(const std::string& text);
/// [A-Za-z0-9][A-Za-z0-9._-]*, 128 bytes at most.
parsed<agent_id> agent_name(const std::string& text);
/// A header name of HTTP (RFC 9110, token) that the handshake does not use itself.
parsed<std::string> header_name(const std::string& text);
/// Not empty, at most `most` bytes, no control characters.
parsed<std::string> line(const std::string& text, std::size_t most);
/// A secret's text: says nothing about its content.
parsed<secret> secret_text(const std::string& text, std::size_t least);
/// A path below some root: relative, no "..", may be empty.
parsed<std::string> relative_path(const std::string& text);

/// For a word that is not one of `known`: the nearest is suggested.
wrong no_such_word(const std::string& text, const std::vector<std::string>& known);

/// One of a few words.
template <class E>
parsed<E> one_of(const std::string& text, std::initializer_list<std::pair<const char*, E>> known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (text == name)
      return value;
    names.emplace_back(name);
  }
  return tl::unexpected(no_such_word(text, names));
}

/// Puts an accepted value into its field.
template <class Field, class T>
verdict into(Field& field, parsed<T> value) {
  if (!value)
    return std::move(value.error());
  field = static_cast<Field>(*std::move(value));
  return std::nullopt;
}

bool has_control_characters(std::string_view text);

} // namespace pb::config
