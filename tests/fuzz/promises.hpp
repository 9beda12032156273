#pragma once
// What every target asks of what comes out: a broken promise ends the run as a crash does.

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace pb::fuzz {

inline void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// UTF-8 without NUL; the independent parser is the judge of UTF-8.
inline void plain(const std::string& text) {
  require(text.find('\0') == std::string::npos, "no NUL in strings");
  bool valid = true;
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    valid = false;
  }
  require(valid, "strings are UTF-8");
}

} // namespace pb::fuzz
