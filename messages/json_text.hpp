#pragma once
// JSON as text, the one way that we write it.

#include <string>

namespace pb {

/// A value of nlohmann's library in one line. What is not UTF-8 in it becomes U+FFFD: it never
/// throws for what came from outside.
template <class Json>
std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace pb
