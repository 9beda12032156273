#include "bridges/matrix/homeserver/call.hpp"

#include "messages/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace pb::hs {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

const std::string* look_up(const fields& in, std::string_view name) {
  const auto i = std::ranges::find_if(in, [&](const auto& f) { return f.first == name; });
  return i == in.end() ? nullptr : &i->second;
}

} // namespace

void need_self(const call& c) {
  if (c.param("user") != c.who->id)
    forbid("Cannot act for another user");
}

const std::string& call::param(std::string_view name) const {
  static const std::string none;
  const auto* value = look_up(params, name);
  return value == nullptr ? none : *value;
}

std::optional<std::string> call::ask(std::string_view name) const {
  const auto* value = look_up(query, name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> call::ask_int(std::string_view name) const {
  const auto* text = look_up(query, name);
  if (text == nullptr)
    return std::nullopt;
  std::int64_t value = 0;
  const auto end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end || value < 0)
    refuse(400, "M_INVALID_PARAM",
           "Query parameter '" + std::string(name) + "' must be an integer of 0 or more");
  return value;
}

bool call::ask_bool(std::string_view name) const {
  const auto* text = look_up(query, name);
  if (text != nullptr && *text != "true" && *text != "false")
    refuse(400, "M_INVALID_PARAM",
           "Boolean query parameter '" + std::string(name) + "' must be one of true, false");
  return text != nullptr && *text == "true";
}

viewer call::view(unix_ms now) const {
  return {now, who == nullptr ? std::string() : device_key(who->id, device)};
}

http_response json_answer(const json& body, int status) {
  return {status, {{"Content-Type", "application/json"}}, json_text(body)};
}

http_response error_answer(const api_error& error) {
  auto out = json_answer(error.body, error.status);
  if (const auto* wait = member(error.body, "retry_after_ms"); wait != nullptr)
    // Rounded up, as Synapse does.
    out.headers.push_back(
        {"Retry-After", std::to_string((wait->get<std::int64_t>() + 999) / 1000)});
  return out;
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!is_utf8(out) || out.find('\0') != std::string::npos)
    return std::nullopt;
  return out;
}

std::optional<fields> parse_query(std::string_view query) {
  fields out;
  std::size_t at = 0;
  while (at < query.size()) {
    const auto end = query.find('&', at);
    const auto pair = query.substr(at, end == std::string_view::npos ? end : end - at);
    at += pair.size() + 1;
    if (pair.empty())
      continue;
    const auto equal = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equal), true);
    auto value = percent_decoded(
        equal == std::string_view::npos ? std::string_view() : pair.substr(equal + 1), true);
    if (!name || !value || out.size() > 100)
      return std::nullopt;
    out.emplace_back(*std::move(name), *std::move(value));
  }
  return out;
}

std::string_view header(const http_headers& headers, std::string_view name) {
  for (const auto& h : headers)
    if (std::ranges::equal(h.name, name, [](char a, char b) { return lower(a) == lower(b); }))
      return h.value;
  return {};
}

} // namespace pb::hs
