#include "bridges/matrix/power.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace pb::matrix {
namespace {

std::int64_t level(const nlohmann::json& value, std::int64_t otherwise) {
  if (value.is_number_integer())
    return value.get<std::int64_t>();
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t n = 0;
    const auto end = text.data() + text.size();
    if (const auto [at, error] = std::from_chars(text.data(), end, n);
        error == std::errc{} && at == end)
      return n;
  }
  return otherwise;
}

std::int64_t entry(const nlohmann::json& levels, const char* map, std::string_view key,
                   std::int64_t otherwise) {
  const auto m = levels.find(map);
  if (m == levels.end() || !m->is_object())
    return otherwise;
  const auto i = m->find(std::string{key});
  return i == m->end() ? otherwise : level(*i, otherwise);
}

std::int64_t plain(const nlohmann::json& levels, const char* name, std::int64_t otherwise) {
  const auto i = levels.find(name);
  return i == levels.end() ? otherwise : level(*i, otherwise);
}

} // namespace

bool power_facts::creators_rule() const {
  int n = 0;
  const auto end = version.data() + version.size();
  const auto [at, error] = std::from_chars(version.data(), end, n);
  return error == std::errc{} && at == end && n >= 12;
}

std::vector<user_id> additional_creators(std::string_view content) {
  std::vector<user_id> out;
  const auto j = nlohmann::json::parse(content, nullptr, false);
  if (!j.is_object() || !j.contains("additional_creators") || !j["additional_creators"].is_array())
    return out;
  for (const auto& user : j["additional_creators"])
    if (user.is_string() && out.size() < 64)
      out.emplace_back(user.get<std::string>());
  return out;
}

bool may_send_state(const power_facts& room, const user_id& user, std::string_view type) {
  const bool creator =
      std::find(room.creators.begin(), room.creators.end(), user) != room.creators.end();
  if (creator && room.creators_rule())
    return true;
  const auto levels = nlohmann::json::parse(room.levels, nullptr, false);
  if (!levels.is_object()) // without the event the creator may everything, others nothing special
    return creator;
  const auto mine = entry(levels, "users", user.value, plain(levels, "users_default", 0));
  // Room version 12 asks for more to replace a room.
  const auto usual =
      room.creators_rule() && type == "m.room.tombstone" ? 150 : plain(levels, "state_default", 50);
  return mine >= entry(levels, "events", type, usual);
}

} // namespace pb::matrix
