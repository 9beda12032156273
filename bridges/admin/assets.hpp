#pragma once
// The console's page, compiled into the program. The definitions are made at build time.

#include <string_view>

namespace pb::admin {

struct asset {
  std::string_view path; ///< as in the URL; "/" is the page
  std::string_view type; ///< Content-Type
  std::string_view body;
};

/// nullptr: there is no such file.
const asset* find_asset(std::string_view path);

} // namespace pb::admin
