#include "bridges/matrix/url.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace pb::matrix {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class F>
bool all(std::string_view s, F&& f) {
  return std::all_of(s.begin(), s.end(), f);
}

/// Empty, or ":" and one to five digits.
bool is_port(std::string_view s) {
  return s.empty() ||
         (s.front() == ':' && s.size() >= 2 && s.size() <= 6 && all(s.substr(1), is_digit));
}

/// A byte up to a space, or DEL; eight bytes at once, because this is asked several times an event.
bool has_blank_or_control(std::string_view s) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
  while (s.size() >= 8) {
    std::uint64_t x = 0;
    std::memcpy(&x, s.data(), 8);
    const std::uint64_t del = x ^ (ones * 0x7f);
    if (((((x - ones * 0x21) & ~x) | ((del - ones) & ~del)) & high) != 0)
      return true;
    s.remove_prefix(8);
  }
  return !all(s, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; });
}

} // namespace

std::string encode(std::string_view piece) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  const bool dots = piece == "." || piece == "..";
  std::string out;
  out.reserve(piece.size() + 16);
  for (const char c : piece) {
    if (is_digit(c) || is_letter(c) || c == '-' || c == '_' || c == '~' || (c == '.' && !dots)) {
      out += c;
    } else {
      out += '%';
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

result<base_url> split_url(std::string_view url) {
  const auto wrong = [&](const char* why) {
    return fail(fault_code::configuration, std::string("homeserver url: ") + why,
                "Write the homeserver as https://matrix.example.org");
  };
  std::size_t at = 0;
  if (url.starts_with("https://"))
    at = 8;
  else if (url.starts_with("http://"))
    at = 7;
  else
    return wrong("neither http:// nor https://");
  const std::size_t slash = std::min(url.find('/', at), url.size());
  if (!is_server_name(url.substr(at, slash - at)))
    return wrong("no host");
  std::string_view prefix = url.substr(slash);
  while (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  const auto fits = [](char c) { return c > ' ' && c < '\x7f' && c != '?' && c != '#'; };
  if (!all(prefix, fits))
    return wrong("a path with characters that do not belong there");
  return base_url{std::string(url.substr(0, slash)), std::string(prefix)};
}

bool is_server_name(std::string_view name) {
  if (name.empty() || name.size() > 230)
    return false;
  if (name.front() == '[') {
    const std::size_t close = name.find(']');
    if (close == std::string_view::npos)
      return false;
    const std::string_view inside = name.substr(1, close - 1);
    return inside.size() >= 2 && inside.size() <= 45 &&
           all(inside, [](char c) { return is_hex(c) || c == ':' || c == '.'; }) &&
           is_port(name.substr(close + 1));
  }
  const std::size_t colon = std::min(name.find(':'), name.size());
  const std::string_view host = name.substr(0, colon);
  // A name of dots alone fits the grammar, but would be a folder in a path.
  return all(host, [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '.'; }) &&
         host.find_first_not_of('.') != std::string_view::npos && is_port(name.substr(colon));
}

std::optional<mxc> parse_mxc(std::string_view uri) {
  constexpr std::string_view scheme = "mxc://";
  if (!uri.starts_with(scheme))
    return std::nullopt;
  uri.remove_prefix(scheme.size());
  const std::size_t slash = uri.find('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  const std::string_view server = uri.substr(0, slash), id = uri.substr(slash + 1);
  const auto fits = [](char c) { return is_digit(c) || is_letter(c) || c == '_' || c == '-'; };
  if (!is_server_name(server) || id.empty() || id.size() > 255 || !all(id, fits))
    return std::nullopt;
  return mxc{std::string(server), std::string(id)};
}

std::string to_string(const mxc& file) { return "mxc://" + file.server + "/" + file.id; }

bool is_identifier(std::string_view id, char sigil) {
  if (id.size() < 2 || id.size() > 255 || id.front() != sigil)
    return false;
  if (has_blank_or_control(id))
    return false;
  return sigil != '@' || id.find(':') < id.size() - 1;
}

std::string server_of(const user_id& user) {
  const std::size_t colon = user.value.find(':');
  return colon == std::string::npos ? std::string{} : user.value.substr(colon + 1);
}

std::string room_link(const room_id& room, const std::vector<std::string>& via) {
  std::string out = "https://matrix.to/#/";
  if (room.value.starts_with('!'))
    out += "!" + encode(std::string_view(room.value).substr(1));
  else
    out += encode(room.value);
  char mark = '?';
  for (const std::string& server : via) {
    out += mark;
    out += "via=" + encode(server);
    mark = '&';
  }
  return out;
}

} // namespace pb::matrix
