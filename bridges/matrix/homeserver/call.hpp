#pragma once
// One request on its way through the homeserver, read and checked.

#include "bridges/http_server.hpp"
#include "bridges/matrix/homeserver/model.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pb::hs {

using fields = std::vector<std::pair<std::string, std::string>>;

struct call {
  const server_request& request;
  std::shared_ptr<http_reply> reply; ///< for answers that come later
  fields params;                     ///< of the path, decoded
  fields query;                      ///< decoded, in order
  json body = json::object();
  account* who = nullptr; ///< not null where the endpoint needs a token
  std::string device;

  /// By name; the router has put it there.
  [[nodiscard]] const std::string& param(std::string_view name) const;
  /// First value of a query parameter.
  [[nodiscard]] std::optional<std::string> ask(std::string_view name) const;
  /// Refuses M_INVALID_PARAM when it is not a whole number of 0 or more.
  [[nodiscard]] std::optional<std::int64_t> ask_int(std::string_view name) const;
  [[nodiscard]] bool ask_bool(std::string_view name) const;
  [[nodiscard]] viewer view(unix_ms now) const;
};

/// Refuses when the {user} of the path is another one than who asks.
void need_self(const call& c);

/// nullopt: the answer comes later through call::reply.
using answer = std::optional<http_response>;

http_response json_answer(const json& body, int status = 200);
http_response error_answer(const api_error& error);

/// Percent-decoding; nothing: malformed or not UTF-8. `plus`: + is a space, as in queries.
std::optional<std::string> percent_decoded(std::string_view text, bool plus = false);
/// nothing: malformed.
std::optional<fields> parse_query(std::string_view query);
/// Value of the header or an empty view.
std::string_view header(const http_headers& headers, std::string_view name);

} // namespace pb::hs
