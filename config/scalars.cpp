#include "config/scalars.hpp"

#include "config/problem.hpp"
#include "config/suggest.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace pb::config {

namespace {

using std::chrono::milliseconds;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::optional<std::uint64_t> whole(std::string_view text, int base = 10) {
  std::uint64_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, out, base);
  if (text.empty() || code != std::errc{} || stopped != end)
    return std::nullopt;
  return out;
}

/// Takes the digits at the front of `rest`; at most 12, so that nothing overflows later.
std::optional<std::uint64_t> take_digits(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && is_digit(rest[n]))
    ++n;
  if (n == 0 || n > 12)
    return std::nullopt;
  const auto out = whole(rest.substr(0, n));
  rest.remove_prefix(n);
  return out;
}

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 5> time_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 8> size_units{{{"", 1},
                                          {"b", 1},
                                          {"kib", 1u << 10},
                                          {"mib", 1u << 20},
                                          {"gib", 1u << 30},
                                          {"kb", 1'000},
                                          {"mb", 1'000'000},
                                          {"gb", 1'000'000'000}}};

} // namespace

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

parsed<std::uint64_t> number(const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto value = whole(text);
  if (!value)
    return no(quoted(text) + " is not a whole number");
  if (*value < least || *value > most)
    return no(quoted(text) + " is out of range");
  return *value;
}

parsed<bool> boolean(const std::string& text) {
  std::string low = text;
  for (auto& c : low)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const auto* yes : {"true", "yes", "on"})
    if (low == yes)
      return true;
  for (const auto* off : {"false", "no", "off"})
    if (low == off)
      return false;
  return no(quoted(text) + " is neither true nor false");
}

parsed<milliseconds> duration(const std::string& text, milliseconds least, milliseconds most) {
  std::string_view rest = text;
  std::uint64_t total = 0;
  std::size_t unit_before = 0; // index past the last unit used: units only get smaller
  const auto* refusal = " is not a duration";
  if (text == "0")
    rest = {};
  else if (text.empty())
    return no("an empty text" + std::string{refusal});
  while (!rest.empty()) {
    const auto count = take_digits(rest);
    if (!count)
      return no(quoted(text) + refusal);
    std::size_t letters = 0;
    while (letters < rest.size() && !is_digit(rest[letters]))
      ++letters;
    if (letters == 0)
      return no(quoted(text) + " has no unit", "write " + quoted(text + "s") + " for seconds");
    std::size_t u = unit_before;
    while (u < time_units.size() && time_units[u].name != rest.substr(0, letters))
      ++u;
    if (u == time_units.size() || *count > 400'000'000'000 / time_units[u].factor)
      return no(quoted(text) + refusal);
    total += *count * time_units[u].factor;
    unit_before = u + 1;
    rest.remove_prefix(letters);
  }
  const milliseconds out{static_cast<milliseconds::rep>(total)};
  if (out < least || out > most)
    return no(quoted(text) + " is out of range");
  return out;
}

parsed<std::size_t> size(const std::string& text, std::size_t least, std::size_t most) {
  std::string_view rest = text;
  const auto count = take_digits(rest);
  if (!count)
    return no(quoted(text) + " is not a size");
  while (!rest.empty() && rest.front() == ' ')
    rest.remove_prefix(1);
  std::string name{rest};
  for (auto& c : name)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* found = std::find_if(size_units.begin(), size_units.end(),
                                   [&](const unit& u) { return u.name == name; });
  if (found == size_units.end())
    return no(quoted(text) + " has an unknown unit", "write B, KiB, MiB, GiB, kB, MB or GB");
  if (*count > most / found->factor || *count * found->factor < least)
    return no(quoted(text) + " is out of range");
  return static_cast<std::size_t>(*count * found->factor);
}

parsed<std::uint32_t> file_mode(const std::string& text) {
  std::string_view digits = text;
  if (digits.starts_with("0o"))
    digits.remove_prefix(2);
  const auto value = whole(digits, 8);
  if (!value || *value > 0777)
    return no(quoted(text) + " is not a file mode");
  return static_cast<std::uint32_t>(*value);
}

parsed<address> host_and_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return no(quoted(text) + (whole(text) ? " has no host" : " has no port"),
              whole(text) ? "write 127.0.0.1:" + text : "");
  const auto port = whole(std::string_view{text}.substr(colon + 1));
  if (!port || *port > 65'535)
    return no(quoted(text) + " has no port from 0 to 65535 at its end");
  auto host = text.substr(0, colon);
  if (host.empty())
    return no(quoted(text) + " has no host", "write 0.0.0.0" + text + " for every interface");
  const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return no(quoted(text) + " is ambiguous", "put an IPv6 host into brackets: \"[::1]:8780\"");
  const auto allowed = [&](char c) {
    return is_alnum(c) || c == '.' || (bracketed ? c == ':' || c == '%' : c == '-' || c == '_');
  };
  if (host.size() > 253 || !std::all_of(host.begin(), host.end(), allowed))
    return no(quoted(text) + " has no valid host");
  address out;
  out.host = std::move(host);
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

parsed<user_id> matrix_user(const std::string& text) {
  const auto colon = text.find(':');
  const auto bad = [](char c) { return c == ' ' || has_control_characters({&c, 1}); };
  if (text.size() > 255 || text.size() < 4 || text.front() != '@' || colon == std::string::npos ||
      colon == 1 || colon + 1 == text.size() || std::any_of(text.begin(), text.end(), bad))
    return no(quoted(text) + " is not a user id");
  return user_id{text};
}

parsed<agent_id> agent_name(const std::string& text) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  if (text.empty() || text.size() > 128 || !is_alnum(text.front()) ||
      !std::all_of(text.begin(), text.end(), allowed))
    return no(quoted(text) + " is not an agent's id");
  return agent_id{text};
}

parsed<std::string> header_name(const std::string& text) {
  const auto token = [](char c) {
    return is_alnum(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > 128 || !std::all_of(text.begin(), text.end(), token))
    return no(quoted(text) + " is not a header's name");
  std::string low = text;
  for (auto& c : low)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const auto* own : {"host", "connection", "upgrade", "content-length", "transfer-encoding"})
    if (low == own || low.starts_with("sec-websocket-"))
      return no(quoted(text) + " is a header of the handshake itself");
  return text;
}

parsed<std::string> line(const std::string& text, std::size_t most) {
  if (text.empty())
    return no("an empty text");
  if (text.size() > most)
    return no("longer than " + std::to_string(most) + " bytes");
  if (has_control_characters(text))
    return no(quoted(text) + " has control characters", "write one line of text");
  return text;
}

parsed<secret> secret_text(const std::string& text, std::size_t least) {
  if (text.empty())
    return no("the secret is empty", "store the secret where the reference points to");
  if (has_control_characters(text))
    return no("the secret has line breaks or other control characters",
              "store one line, nothing but the secret");
  if (text.size() < least)
    return no("the secret is shorter than " + std::to_string(least) + " characters",
              "make a longer one, for example with: openssl rand -hex 32");
  return secret{text};
}

parsed<std::string> relative_path(const std::string& text) {
  if (text.size() > 200 || has_control_characters(text) || text.starts_with('/'))
    return no(quoted(text) + " is not a folder below the workspace");
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    if (text.substr(begin, end - begin) == "..")
      return no(quoted(text) + " leaves the workspace");
    begin = end + 1;
  }
  return text;
}

wrong no_such_word(const std::string& text, const std::vector<std::string>& known) {
  if (const auto near = nearest(text, known))
    return {quoted(text) + " is not known here", "did you mean " + quoted(*near) + "?"};
  return {quoted(text) + " is not known here"};
}

} // namespace pb::config
