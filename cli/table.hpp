#pragma once
// Columns of text for people; and lists that come in pages.

#include "bridges/telemetry/log_format.hpp"
#include "cli/running_router.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pb::cli {

/// Characters, not bytes: labels may be in any language.
inline std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// The first row is the head. People name their rooms: nothing that they write may steer the
/// operator's terminal.
inline void print_table(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows)
    for (auto& cell : row)
      cell = escape_log(cell);
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line +=
          row[i] + (i + 1 < row.size() ? std::string(widths[i] - width_of(row[i]) + 2, ' ') : "");
    std::cout << line << '\n';
  }
}

/// Text of a member; empty when it is none.
inline std::string text_in(const nlohmann::json& object, const char* key) {
  const auto i = object.find(key);
  if (i == object.end() || i->is_null())
    return {};
  return i->is_string() ? i->get<std::string>() : i->dump();
}

/// All pages as one object with all items in it; nothing: `failed` is the answer that was an error.
inline std::optional<nlohmann::json> all_pages(running_router& router, const std::string& target,
                                               std::optional<http_response>& failed) {
  constexpr int most_pages = 10'000;
  nlohmann::json out;
  std::string cursor;
  for (int page = 0; page < most_pages; ++page) {
    failed = router.ask("GET", target + (target.find('?') == std::string::npos ? "?" : "&") +
                                   "limit=1000" +
                                   (cursor.empty() ? "" : "&cursor=" + path_part(cursor)));
    auto got = failed && failed->status == 200 ? nlohmann::json::parse(failed->body, nullptr, false)
                                               : nlohmann::json{};
    if (!got.is_object() || !got["items"].is_array())
      return std::nullopt;
    cursor = text_in(got, "next");
    if (out.is_null())
      out = std::move(got);
    else
      out["items"].insert(out["items"].end(), got["items"].begin(), got["items"].end());
    if (cursor.empty())
      break;
  }
  out["next"] = nullptr;
  return out;
}

inline std::string dump_of(const nlohmann::json& j) { return json_text(j); }

} // namespace pb::cli
