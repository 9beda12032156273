#pragma once
// Looking into JSON and names that strangers sent. Every refusal is an api_error.

#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pb::hs {

using json = nlohmann::json;

/// An answer that is an error: thrown by endpoints, caught where they are called, never let out.
struct api_error : std::exception {
  int status;
  json body; ///< errcode, error, perhaps more
  api_error(int http_status, std::string errcode, std::string text)
      : status(http_status), body{{"errcode", std::move(errcode)}, {"error", std::move(text)}} {}
  [[nodiscard]] const char* what() const noexcept override { return "refused"; }
};

[[noreturn]] void refuse(int status, std::string errcode, std::string text);
[[noreturn]] void forbid(std::string text);

/// Parses, refuses M_NOT_JSON; more than 100 levels deep is M_BAD_JSON.
json parse_json(std::string_view text);

/// Member of an object; nullptr: not an object, or not there.
const json* member(const json& object, std::string_view key);
/// Strict reading: absent or null is nothing, another type is M_BAD_JSON.
std::optional<std::string> maybe_text(const json& object, std::string_view key);
std::optional<bool> maybe_bool(const json& object, std::string_view key);
std::optional<std::int64_t> maybe_int(const json& object, std::string_view key);
/// Also refuses when absent.
std::string need_text(const json& object, std::string_view key);
/// Lenient reading, for content that is in a room already: anything else is empty.
std::string text_or_empty(const json& object, std::string_view key);

/// Canonical JSON has no floats and no integers past ±(2^53 − 1) (appendices, Canonical JSON).
void check_canonical(const json& value);

bool is_user_id(std::string_view id);
bool is_localpart(std::string_view name);
bool is_room_id(std::string_view id);
bool is_alias(std::string_view alias);
std::string_view server_of(std::string_view id);
bool is_utf8(std::string_view text);

/// `*` stands for anything, as in filters.
bool glob(std::string_view pattern, std::string_view text);

} // namespace pb::hs
