#pragma once
// ?limit= and ?cursor= of lists that are sorted by a name.

#include "bridges/admin/admin.hpp"

#include <charconv>
#include <optional>
#include <string>

namespace pb::cli {

struct page_query {
  std::size_t limit = 0;
  std::string cursor; ///< the last name of the page before; empty: from the first one

  /// Nothing: limit is no number from 1 to `most`.
  static std::optional<page_query> of(const api_request& r, std::size_t otherwise,
                                      std::size_t most) {
    page_query out{otherwise, {}};
    if (const auto i = r.query.find("cursor"); i != r.query.end())
      out.cursor = i->second;
    const auto i = r.query.find("limit");
    if (i == r.query.end())
      return out;
    const auto* end = i->second.data() + i->second.size();
    const auto [at, error] = std::from_chars(i->second.data(), end, out.limit);
    if (error != std::errc{} || at != end || out.limit < 1 || out.limit > most)
      return std::nullopt;
    return out;
  }

  static std::string refused(std::size_t most) {
    return api_error("bad_request", "limit is out of range",
                     "limit is 1 to " + std::to_string(most) +
                         "; take cursor from `next` of the page before");
  }
};

} // namespace pb::cli
