#include "bridges/agent/json.hpp"

#include <cstddef>

namespace pb::agent_json {

value value::operator[](std::string_view key) const {
  value last;
  simdjson::dom::object object;
  if (!found_ || found_->get(object))
    return last;
  for (const auto& [name, field] : object)
    if (name == key)
      last = value(field);
  return last;
}

std::optional<std::string> value::string() const {
  std::string_view text;
  if (!found_ || found_->get(text))
    return std::nullopt;
  return scrubbed(text);
}

std::string value::json() const { return found_ ? simdjson::minify(*found_) : std::string("null"); }

std::optional<double> value::number() const {
  double number = 0;
  if (!found_ || found_->get(number))
    return std::nullopt;
  return number;
}

std::optional<std::int64_t> value::integer() const {
  std::int64_t number = 0;
  if (!found_ || found_->get(number))
    return std::nullopt;
  return number;
}

bool value::truth() const {
  bool truth = false;
  return found_ && !found_->get(truth) && truth;
}

std::vector<value> value::items() const {
  std::vector<value> out;
  simdjson::dom::array array;
  if (!found_ || found_->get(array))
    return out;
  for (const auto item : array)
    out.emplace_back(item);
  return out;
}

std::vector<std::pair<std::string, value>> value::fields() const {
  std::vector<std::pair<std::string, value>> out;
  simdjson::dom::object object;
  if (!found_ || found_->get(object))
    return out;
  for (const auto& [name, field] : object)
    out.emplace_back(scrubbed(name), value(field));
  return out;
}

std::string loggable(std::string_view name) {
  constexpr std::size_t longest = 64;
  std::string out(name.substr(0, longest));
  for (auto& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.' || c == '/';
    if (!plain)
      c = '?';
  }
  return out;
}

} // namespace pb::agent_json
