#pragma once
// Every way in which a request to a homeserver can go wrong, told apart by what one does about it.

#include "bridges/http.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pb::matrix {

struct matrix_failure {
  enum class kind_t {
    unreachable,      ///< no connection, or it ended early
    timed_out,        ///< no answer in time
    busy,             ///< our own queue of requests is full
    cancelled,        ///< by us
    rate_limited,     ///< 429, M_LIMIT_EXCEEDED
    unauthorised,     ///< the token is gone
    soft_logout,      ///< log in again with the same device
    suspended,        ///< the account may not act for now
    forbidden,        ///< 403
    not_found,        ///< 404
    unrecognised,     ///< this server has no such endpoint
    too_large,        ///< 413, M_TOO_LARGE: what we sent, or a file beyond the server's limit
    oversized_answer, ///< the answer passed our limit
    room_in_use,      ///< the alias is taken
    limit_exceeded,   ///< a quota of the server or of the account
    conflict,         ///< 409, or the same reaction twice
    server_error,     ///< 5xx, and redirects where none belong
    refused,          ///< any other 4xx, or an address that cannot be used
    malformed,        ///< an answer that cannot be understood
    disk,             ///< our own: a file that was to be sent or written
    disk_full,        ///< our own: no room for the answer
  };
  kind_t kind = kind_t::malformed;
  int status = 0;      ///< 0: there was no answer
  std::string errcode; ///< "M_…"; empty: the body named none
  std::string cause;   ///< for the log: status, errcode, the server's words cut to 200 bytes
  std::optional<std::chrono::milliseconds> retry_after; ///< what the server asks for, 0 to 1 h
  bool sent = false; ///< the server may have acted on the request

  /// Asking again will not help: a row of the outbox with this end is dead. Lost tokens are not
  /// final, because nothing is wrong with the request.
  [[nodiscard]] bool final() const;
  [[nodiscard]] fault to_fault() const;
};

std::string_view to_string(matrix_failure::kind_t kind);

matrix_failure to_failure(const http_failure& f);

/// Judges an answer whose status is not 2xx. A Retry-After that is a date is measured against the
/// answer's own Date, because the server's clock may be a day off; `now` where it has none.
matrix_failure to_failure(const http_response& r, unix_ms now);

} // namespace pb::matrix
