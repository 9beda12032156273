#include "bridges/matrix/failure.hpp"

#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/text.hpp"
#include "bridges/retry_after.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pb::matrix {
namespace {

using kind_t = matrix_failure::kind_t;
using std::chrono::milliseconds;

/// The error object of a body; fields of a wrong type, or another body, leave it empty.
struct error_body {
  std::string errcode, error;
  bool soft_logout = false;
  std::optional<milliseconds> retry_after;
};

std::optional<milliseconds> retry_after_ms(const json::value& v) {
  double ms = 0;
  if (const auto n = json::number(v)) {
    ms = *n;
  } else if (const auto s = json::text(v)) {
    const json::value inner = json::cursor(*s).skip();
    const auto in_text = json::number(inner);
    if (!in_text || inner.raw.size() != s->size())
      return std::nullopt;
    ms = *in_text;
  } else {
    return std::nullopt;
  }
  return milliseconds(static_cast<std::int64_t>(std::clamp(ms, 0.0, 3'600'000.0)));
}

error_body parse_error(std::string_view body) {
  error_body out;
  json::cursor c(body);
  if (c.peek() != json::kind::object || !json::is_utf8(body))
    return out;
  c.members([&](std::string_view name, json::cursor& at) {
    const json::value v = at.skip();
    if (name == "errcode")
      out.errcode = json::text_or_empty(v);
    else if (name == "error")
      out.error = json::text_or_empty(v);
    else if (name == "soft_logout")
      out.soft_logout = json::is_true(v);
    else if (name == "retry_after_ms")
      out.retry_after = retry_after_ms(v);
  });
  if (c.broken() || !c.at_end())
    return {};
  if (out.errcode.size() > 100)
    out.errcode.clear();
  return out;
}

/// Codes that say more than the status they come with.
std::optional<kind_t> by_errcode(std::string_view code, bool soft_logout) {
  constexpr std::array<std::pair<std::string_view, kind_t>, 16> codes{{
      {"M_LIMIT_EXCEEDED", kind_t::rate_limited},
      {"M_MISSING_TOKEN", kind_t::unauthorised},
      {"M_USER_DEACTIVATED", kind_t::unauthorised},
      {"M_USER_LOCKED", kind_t::suspended},
      {"M_USER_SUSPENDED", kind_t::suspended},
      {"M_FORBIDDEN", kind_t::forbidden},
      {"M_GUEST_ACCESS_FORBIDDEN", kind_t::forbidden},
      {"M_INVITE_BLOCKED", kind_t::forbidden},
      {"M_NOT_FOUND", kind_t::not_found},
      {"M_UNRECOGNIZED", kind_t::unrecognised},
      {"M_TOO_LARGE", kind_t::too_large},
      {"M_ROOM_IN_USE", kind_t::room_in_use},
      {"M_RESOURCE_LIMIT_EXCEEDED", kind_t::limit_exceeded},
      {"M_USER_LIMIT_EXCEEDED", kind_t::limit_exceeded},
      {"M_DUPLICATE_ANNOTATION", kind_t::conflict},
      {"M_UNKNOWN_TOKEN", kind_t::unauthorised},
  }};
  if (code == "M_UNKNOWN_TOKEN" && soft_logout)
    return kind_t::soft_logout;
  for (const auto& [name, kind] : codes)
    if (name == code)
      return kind;
  return std::nullopt;
}

kind_t by_status(int status) {
  switch (status) {
  case 401:
    return kind_t::unauthorised;
  case 403:
    return kind_t::forbidden;
  case 404:
    return kind_t::not_found;
  case 405:
    return kind_t::unrecognised;
  case 408:
    return kind_t::timed_out;
  case 409:
    return kind_t::conflict;
  case 413:
    return kind_t::too_large;
  case 429:
    return kind_t::rate_limited;
  default:
    return status >= 400 && status < 500 ? kind_t::refused : kind_t::server_error;
  }
}

/// One line, cut, of text that came from outside.
std::string printable(std::string_view text) {
  std::string out(cut_utf8(text, 200));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f')
      c = ' ';
  return out;
}

fault_code code_of(const matrix_failure& f) {
  switch (f.kind) {
  case kind_t::unreachable:
  case kind_t::server_error:
    return fault_code::unreachable;
  case kind_t::timed_out:
  case kind_t::cancelled:
    return fault_code::timed_out;
  case kind_t::busy:
    return fault_code::busy;
  case kind_t::rate_limited:
    return fault_code::rate_limited;
  case kind_t::unauthorised:
  case kind_t::soft_logout:
    return fault_code::unauthorised;
  case kind_t::not_found:
    return fault_code::not_found;
  case kind_t::too_large:
  case kind_t::oversized_answer:
    return fault_code::too_large;
  case kind_t::room_in_use:
  case kind_t::conflict:
    return fault_code::conflict;
  case kind_t::malformed:
    return fault_code::malformed;
  case kind_t::disk:
    return fault_code::storage;
  case kind_t::disk_full:
    return fault_code::disk_full;
  case kind_t::suspended:
  case kind_t::forbidden:
  case kind_t::unrecognised:
  case kind_t::limit_exceeded:
  case kind_t::refused:
    return f.status == 0 ? fault_code::configuration : fault_code::refused;
  }
  return fault_code::bug;
}

} // namespace

std::string_view to_string(kind_t kind) {
  constexpr std::array<std::string_view, 21> names{
      "unreachable",      "timed_out",    "busy",           "cancelled",
      "rate_limited",     "unauthorised", "soft_logout",    "suspended",
      "forbidden",        "not_found",    "unrecognised",   "too_large",
      "oversized_answer", "room_in_use",  "limit_exceeded", "conflict",
      "server_error",     "refused",      "malformed",      "disk",
      "disk_full"};
  return names.at(static_cast<std::size_t>(kind));
}

bool matrix_failure::final() const {
  switch (kind) {
  case kind_t::forbidden:
  case kind_t::not_found:
  case kind_t::unrecognised:
  case kind_t::too_large:
  case kind_t::room_in_use:
  case kind_t::conflict:
  case kind_t::refused:
    return true;
  case kind_t::limit_exceeded:
    return errcode == "M_USER_LIMIT_EXCEEDED";
  default:
    return false;
  }
}

fault matrix_failure::to_fault() const {
  return {code_of(*this), std::string(to_string(kind)) + ": " + cause, {}};
}

matrix_failure to_failure(const http_failure& f) {
  const auto kind = [&] {
    switch (f.error) {
    case http_error::bad_address:
      return kind_t::refused;
    case http_error::timeout:
      return kind_t::timed_out;
    case http_error::too_large:
      return kind_t::oversized_answer;
    case http_error::malformed:
      return kind_t::malformed;
    case http_error::busy:
      return kind_t::busy;
    case http_error::cancelled:
      return kind_t::cancelled;
    case http_error::disk:
      return kind_t::disk;
    case http_error::disk_full:
      return kind_t::disk_full;
    case http_error::resolve:
    case http_error::connect:
    case http_error::tls:
    case http_error::closed:
      break;
    }
    return kind_t::unreachable;
  }();
  return {kind, 0, {}, printable(f.cause), std::nullopt, f.sent};
}

matrix_failure to_failure(const http_response& r, unix_ms now) {
  const error_body error = parse_error(r.body);
  matrix_failure f;
  f.status = r.status;
  f.errcode = printable(error.errcode);
  f.kind = by_status(r.status);
  // A 5xx is trouble of the server whatever its body says, but for a file that is too large there
  // (content repository, 502).
  const bool client_error = r.status >= 400 && r.status < 500;
  if (client_error || error.errcode == "M_TOO_LARGE")
    f.kind = by_errcode(error.errcode, error.soft_logout).value_or(f.kind);
  // A 401 that asks for another stage of authentication is no lost token.
  if (r.status == 401 && !error.errcode.empty() && error.errcode != "M_UNKNOWN" &&
      error.errcode != "M_UNAUTHORIZED" && f.kind == kind_t::unauthorised &&
      !by_errcode(error.errcode, false))
    f.kind = kind_t::forbidden;
  f.cause = "HTTP " + std::to_string(r.status);
  if (!f.errcode.empty())
    f.cause += " " + f.errcode;
  if (!error.error.empty())
    f.cause += ": " + printable(error.error);
  if (f.kind == kind_t::rate_limited || f.kind == kind_t::server_error) {
    f.retry_after = retry_after(r.headers, now);
    if (!f.retry_after)
      f.retry_after = error.retry_after;
  }
  f.sent = f.kind == kind_t::server_error || f.kind == kind_t::timed_out;
  return f;
}

} // namespace pb::matrix
