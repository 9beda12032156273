// An agent as JSON becomes keys of a YAML file.

#include "cli/agents_route.hpp"
#include "config/scalars.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

namespace pb::cli {
namespace {

using nlohmann::json;

bool is_plain(const std::string& text) {
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view{"_./:@+-"}.find(c) != std::string_view::npos;
  };
  return !text.empty() &&
         (std::isalnum(static_cast<unsigned char>(text.front())) != 0 || text.front() == '/') &&
         !text.ends_with(':') && std::all_of(text.begin(), text.end(), good) && text != "null" &&
         text != "Null" && text != "NULL";
}

std::string text_of(const std::string& text) {
  return is_plain(text) ? text : json_text(json(text));
}

std::string yaml_of(const json& value) {
  std::string out;
  if (value.is_string())
    return text_of(value.get<std::string>());
  if (value.is_array()) {
    for (const auto& one : value)
      out += (out.empty() ? "" : ", ") + yaml_of(one);
    return "[" + out + "]";
  }
  if (value.is_object()) {
    for (const auto& [key, one] : value.items())
      out += (out.empty() ? "" : ", ") + text_of(key) + ": " + yaml_of(one);
    return "{" + out + "}";
  }
  return value.dump();
}

} // namespace

tl::expected<agent_change, std::string> change_of_json(const std::string& body) {
  constexpr int deepest = 16;
  bool deep = false;
  const auto all = json::parse(
      body,
      [&](int depth, json::parse_event_t, json&) {
        deep = deep || depth > deepest;
        return !deep;
      },
      false);
  if (deep)
    return tl::unexpected<std::string>("The body is nested too deeply.");
  if (!all.is_object())
    return tl::unexpected<std::string>("The body is no JSON object.");
  const auto id = all.find("id");
  if (id == all.end() || !id->is_string())
    return tl::unexpected<std::string>("id is missing.");
  const auto name = config::agent_name(id->get<std::string>());
  if (!name)
    return tl::unexpected("id: " + name.error().what + ".");
  agent_change out;
  out.id = *name;
  out.edits.push_back({"id", name->value});
  for (const auto& [key, value] : all.items()) {
    const auto good = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    };
    if (key.empty() || key.size() > 64 || !std::all_of(key.begin(), key.end(), good) ||
        key == "removed")
      return tl::unexpected(config::quoted(key) + " is no key of an agent.");
    if (key != "id")
      out.edits.push_back({key, value.is_null() ? std::nullopt : std::optional{yaml_of(value)}});
  }
  return out;
}

} // namespace pb::cli
