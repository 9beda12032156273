#pragma once
// Fields of what an AG-UI agent sent, read tolerantly.

#include <nlohmann/json.hpp>
#include <string>

namespace pb::ag_ui {

/// The string under `key`; missing, or of another type: "".
inline std::string string_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace pb::ag_ui
