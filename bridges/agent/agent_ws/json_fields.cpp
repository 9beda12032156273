#include "bridges/agent/agent_ws/json_fields.hpp"

#include "bridges/agent/agent_ws/json_repair.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <system_error>

namespace pb::agent_json {

namespace {

/// A parser keeps buffers some ten times as large as the largest frame it saw; beyond this many
/// bytes of frame they are given back.
constexpr std::size_t kept_capacity = std::size_t{256} << 10;

std::unique_ptr<simdjson::dom::parser>& parser_slot() {
  thread_local std::unique_ptr<simdjson::dom::parser> slot;
  return slot;
}

simdjson::error_code parse_into(std::string_view text, std::size_t depth, element& root) {
  auto& slot = parser_slot();
  if (!slot)
    slot = std::make_unique<simdjson::dom::parser>();
  // The parser counts the document itself as one level.
  if (slot->max_depth() != depth + 1 || slot->capacity() < text.size())
    if (const auto error = slot->allocate(std::max<std::size_t>(text.size(), 4096), depth + 1))
      return error;
  return slot->parse(text.data(), text.size(), true).get(root);
}

std::string_view words(simdjson::error_code error) {
  switch (error) {
  case simdjson::UTF8_ERROR:
    return "not UTF-8";
  case simdjson::DEPTH_ERROR:
    return "JSON nested too deep";
  case simdjson::CAPACITY:
  case simdjson::MEMALLOC:
    return "no memory for the frame";
  default:
    return "not JSON";
  }
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size() || value != value)
    return std::nullopt;
  if (error == std::errc{})
    return value;
  if (error != std::errc::result_out_of_range)
    return std::nullopt;
  if (text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos)
    return 0.0;
  const double huge = std::numeric_limits<double>::max();
  return text.front() == '-' ? -huge : huge;
}

} // namespace

std::string scrubbed(std::string_view text) {
  if (text.find('\0') == std::string_view::npos)
    return std::string(text);
  std::string out;
  out.reserve(text.size() + 8);
  for (const char c : text) {
    if (c == '\0')
      out += "\xEF\xBF\xBD";
    else
      out += c;
  }
  return out;
}

fields::fields(const simdjson::dom::object& object, const field_names& names) {
  for (const auto& [key, value] : object)
    if (const auto i = names.find(key); i != names.end())
      values_[static_cast<std::size_t>(i->second)] = value;
}

std::optional<std::string> fields::string(field f) const {
  std::string_view text;
  if (!find(f) || find(f)->get(text))
    return std::nullopt;
  return scrubbed(text);
}

std::string fields::loose(field f) const {
  if (!find(f) || find(f)->is_null())
    return {};
  if (auto text = string(f))
    return std::move(*text);
  return json(f);
}

std::string fields::json(field f) const {
  return find(f) ? simdjson::minify(*find(f)) : std::string("null");
}

std::optional<double> fields::number(field f) const {
  if (!find(f))
    return std::nullopt;
  double value = 0;
  if (!find(f)->get(value))
    return value;
  std::string_view text;
  if (!find(f)->get(text))
    return number_in(text);
  return std::nullopt;
}

bool fields::truth(field f) const {
  bool value = false;
  return find(f) && !find(f)->get(value) && value;
}

std::vector<std::string> fields::strings(field f) const {
  std::vector<std::string> out;
  simdjson::dom::array items;
  if (!find(f) || find(f)->get(items))
    return out;
  for (const auto item : items) {
    std::string_view text;
    if (!item.get(text))
      out.push_back(scrubbed(text));
  }
  return out;
}

bool fields::only_strings(field f) const {
  simdjson::dom::array items;
  if (!find(f) || find(f)->is_null())
    return true;
  return !find(f)->get(items) &&
         std::all_of(items.begin(), items.end(), [](element item) { return item.is_string(); });
}

fields fields::nested(field f, const field_names& names) const {
  simdjson::dom::object object;
  if (!find(f) || find(f)->get(object))
    return {};
  return {object, names};
}

parsed parse(std::string_view text, std::size_t depth) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF")
    text.remove_prefix(3);
  if (text.empty())
    return {"empty frame", {}};
  element root;
  auto error = may_have_surrogates(text) ? parse_into(repaired(text), depth, root)
                                         : parse_into(text, depth, root);
  if (error == simdjson::NUMBER_ERROR)
    error = parse_into(repaired(text), depth, root);
  if (error)
    return {words(error), {}};
  parsed out;
  out.root = root;
  if (root.get(out.object))
    out.wrong = "not a JSON object";
  return out;
}

void release_large() {
  if (auto& slot = parser_slot(); slot && slot->capacity() > kept_capacity)
    slot.reset();
}

} // namespace pb::agent_json
