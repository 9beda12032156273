#include "bridges/matrix/failure.hpp"
#include "bridges/retry_after.hpp"
#include "tests/matrix/client/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::matrix;
using namespace std::chrono_literals;
using kind_t = matrix_failure::kind_t;

namespace {

constexpr unix_ms sunday = 784'111'777'000; // 1994-11-06 08:49:37 UTC, of RFC 9110

matrix_failure judge(int status, std::string body, http_headers headers = {}) {
  return to_failure(http_response{status, std::move(headers), std::move(body)}, sunday);
}

std::optional<std::chrono::milliseconds> wait(std::string body, http_headers headers = {}) {
  const matrix_failure f = judge(429, std::move(body), std::move(headers));
  CHECK(f.kind == kind_t::rate_limited);
  CHECK_FALSE(f.final());
  return f.retry_after;
}

std::string error(const std::string& code, const std::string& more = "") {
  return R"({"errcode":")" + code + R"(","error":"words")" + more + "}";
}

} // namespace

TEST_CASE("rate limit: the header counts before the body, the body before nothing", "[429]") {
  CHECK(wait(error("M_LIMIT_EXCEEDED", R"(,"retry_after_ms":1663)")) == 1663ms);
  CHECK(wait(error("M_LIMIT_EXCEEDED", R"(,"retry_after_ms":"1663")")) == 1663ms);
  CHECK(wait(error("M_LIMIT_EXCEEDED", R"(,"retry_after_ms":1663.7)")) == 1663ms);
  CHECK(wait("", {{"Retry-After", "2"}}) == 2000ms);
  CHECK(wait("<html>", {{"retry-after", " 2 "}}) == 2000ms);
  CHECK(wait(error("M_LIMIT_EXCEEDED", R"(,"retry_after_ms":1663)"), {{"Retry-After", "2"}}) ==
        2000ms);
  CHECK(wait(R"({"retry_after_ms":5})", {{"Retry-After", "soon"}}) == 5ms);
  CHECK(wait(error("M_LIMIT_EXCEEDED")) == std::nullopt);
  CHECK(wait("") == std::nullopt);
}

TEST_CASE("rate limit: a date is measured by the clock of the server that wrote it", "[429]") {
  const http_header until{"Retry-After", "Mon, 07 Nov 1994 08:49:37 GMT"};
  CHECK(wait("", {until}) == 1h);
  CHECK(wait("", {until, {"Date", "Mon, 07 Nov 1994 08:49:32 GMT"}}) == 5000ms);
  CHECK(wait("", {until, {"Date", "whenever"}}) == 1h);
  CHECK(wait("", {{"Retry-After", "Sat, 05 Nov 1994 08:49:37 GMT"},
                  {"Date", "Sat, 05 Nov 1994 08:49:35 GMT"}}) == 2000ms);
}

TEST_CASE("rate limit: a date is a wait from now, in each of its three forms", "[429]") {
  const auto date = [](const char* text) { return parse_retry_after(text, sunday - 5000); };
  CHECK(date("Sun, 06 Nov 1994 08:49:37 GMT") == 5000ms);
  CHECK(date("Sunday, 06-Nov-94 08:49:37 GMT") == 5000ms);
  CHECK(date("Sun Nov  6 08:49:37 1994") == 5000ms);
  CHECK(date("Sun, 06 Nov 1994 08:49:00 GMT") == 0ms);
  CHECK(date("Mon, 07 Nov 1994 08:49:37 GMT") == 1h);
  for (const char* bad :
       {"", " ", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "1e9", "--5", "0x10",
        "1-2", "+", "-", "."})
    CHECK(date(bad) == std::nullopt);
}

TEST_CASE("rate limit: negative and huge waits are cut to between nothing and an hour", "[429]") {
  CHECK(wait("", {{"Retry-After", "-5"}}) == 0ms);
  CHECK(wait("", {{"Retry-After", "86400"}}) == 1h);
  CHECK(wait("", {{"Retry-After", std::string(400, '9')}}) == 1h);
  CHECK(wait("", {{"Retry-After", "-" + std::string(400, '9')}}) == 0ms);
  CHECK(wait("", {{"Retry-After", "0.5"}}) == 500ms);
  for (const char* huge : {"99999999999999999999", "1e400", "\"1e300\"", "3600001"})
    CHECK(wait(std::string(R"({"retry_after_ms":)") + huge + "}") == 1h);
  for (const char* low : {"-1", "-1e400", "\"-7\"", "0"})
    CHECK(wait(std::string(R"({"retry_after_ms":)") + low + "}") == 0ms);
  for (const char* odd : {"null", "[]", "{}", "true", "\"soon\"", "\"5s\"", "\"\"", "\" 5\""})
    CHECK(wait(std::string(R"({"retry_after_ms":)") + odd + "}") == std::nullopt);
}

TEST_CASE("failure: a body that is no error object is judged by its status alone", "[failure]") {
  const std::vector<std::pair<int, kind_t>> expected{
      {301, kind_t::server_error}, {400, kind_t::refused},      {401, kind_t::unauthorised},
      {402, kind_t::refused},      {403, kind_t::forbidden},    {404, kind_t::not_found},
      {405, kind_t::unrecognised}, {408, kind_t::timed_out},    {409, kind_t::conflict},
      {413, kind_t::too_large},    {418, kind_t::refused},      {429, kind_t::rate_limited},
      {500, kind_t::server_error}, {502, kind_t::server_error}, {524, kind_t::server_error},
      {600, kind_t::server_error}};
  for (const auto& [status, kind] : expected)
    for (const char* body :
         {"", "<html>502 Bad Gateway</html>", "[]", "null", R"({"errcode":7,"error":[]})",
          R"({"errcode":"M_UNKNOWN"})", R"({"errcode":"M_FORBIDDEN")", "{\"errcode\":\"\xFF\"}"}) {
      CAPTURE(status, body);
      CHECK(judge(status, body).kind == kind);
      CHECK(judge(status, body).status == status);
    }
}

TEST_CASE("failure: codes say more than the status they come with", "[failure]") {
  CHECK(judge(400, error("M_UNRECOGNIZED")).kind == kind_t::unrecognised);
  CHECK(judge(404, error("M_UNRECOGNIZED")).kind == kind_t::unrecognised);
  CHECK(judge(404, error("M_NOT_FOUND")).kind == kind_t::not_found);
  CHECK(judge(400, error("M_ROOM_IN_USE")).kind == kind_t::room_in_use);
  CHECK(judge(400, error("M_TOO_LARGE")).kind == kind_t::too_large);
  CHECK(judge(502, error("M_TOO_LARGE")).kind == kind_t::too_large);
  CHECK(judge(504, error("M_NOT_YET_UPLOADED")).kind == kind_t::server_error);
  CHECK(judge(500, error("M_FORBIDDEN")).kind == kind_t::server_error);
  CHECK(judge(403, error("M_LIMIT_EXCEEDED")).kind == kind_t::rate_limited);
  CHECK(judge(403, error("M_RESOURCE_LIMIT_EXCEEDED")).kind == kind_t::limit_exceeded);
  CHECK(judge(403, error("M_INVITE_BLOCKED")).kind == kind_t::forbidden);
  CHECK(judge(400, error("M_DUPLICATE_ANNOTATION")).kind == kind_t::conflict);
  CHECK(judge(401, error("M_USER_LOCKED", R"(,"soft_logout":true)")).kind == kind_t::suspended);
}

TEST_CASE("failure: only a lost token counts as one", "[failure]") {
  CHECK(judge(401, error("M_UNKNOWN_TOKEN")).kind == kind_t::unauthorised);
  CHECK(judge(401, error("M_UNKNOWN_TOKEN", R"(,"soft_logout":false)")).kind ==
        kind_t::unauthorised);
  CHECK(judge(401, error("M_UNKNOWN_TOKEN", R"(,"soft_logout":"true")")).kind ==
        kind_t::unauthorised);
  CHECK(judge(401, error("M_UNKNOWN_TOKEN", R"(,"soft_logout":true)")).kind == kind_t::soft_logout);
  CHECK(judge(401, error("M_MISSING_TOKEN")).kind == kind_t::unauthorised);
  CHECK(judge(401, error("M_FORBIDDEN")).kind == kind_t::forbidden);
  CHECK(judge(401, error("M_SOMETHING_ELSE")).kind == kind_t::forbidden);
  CHECK(judge(403, error("M_FORBIDDEN")).kind == kind_t::forbidden);
}

TEST_CASE("failure: final is what no repetition can mend", "[failure]") {
  CHECK(judge(403, error("M_FORBIDDEN")).final());
  CHECK(judge(413, error("M_TOO_LARGE")).final());
  CHECK(judge(400, error("M_BAD_JSON")).final());
  CHECK(judge(404, "").final());
  CHECK(judge(403, error("M_USER_LIMIT_EXCEEDED")).final());
  CHECK_FALSE(judge(403, error("M_RESOURCE_LIMIT_EXCEEDED")).final());
  CHECK_FALSE(judge(401, error("M_UNKNOWN_TOKEN")).final());
  CHECK_FALSE(judge(403, error("M_USER_SUSPENDED")).final());
  CHECK_FALSE(judge(502, "").final());
  CHECK_FALSE(judge(307, "").final());
  CHECK_FALSE(to_failure(http_failure{http_error::connect, "refused", false}).final());
  CHECK(to_failure(http_failure{http_error::bad_address, "x", false}).final());
}

TEST_CASE("failure: the ends of an exchange keep whether the server may have acted", "[failure]") {
  const auto of = [](http_error e) { return to_failure(http_failure{e, "c", true}); };
  CHECK(of(http_error::timeout).kind == kind_t::timed_out);
  CHECK(of(http_error::timeout).sent);
  CHECK(of(http_error::closed).kind == kind_t::unreachable);
  CHECK(of(http_error::resolve).kind == kind_t::unreachable);
  CHECK(of(http_error::tls).kind == kind_t::unreachable);
  CHECK(of(http_error::busy).kind == kind_t::busy);
  CHECK(of(http_error::cancelled).kind == kind_t::cancelled);
  CHECK(of(http_error::disk).kind == kind_t::disk);
  CHECK(of(http_error::disk_full).kind == kind_t::disk_full);
  CHECK(of(http_error::too_large).kind == kind_t::oversized_answer);
  CHECK(of(http_error::malformed).kind == kind_t::malformed);
  CHECK_FALSE(to_failure(http_failure{http_error::closed, "c", false}).sent);
  CHECK(judge(500, "").sent);
  CHECK_FALSE(judge(429, "").sent);
  CHECK_FALSE(judge(403, "").sent);
}

TEST_CASE("failure: the cause is one line, short, and names code and status", "[failure]") {
  const matrix_failure f =
      judge(403, R"({"errcode":"M_FORBIDDEN","error":"a\nb)" + std::string(5000, 'x') + "\"}");
  CHECK(f.cause.starts_with("HTTP 403 M_FORBIDDEN: a bxxx"));
  CHECK(f.cause.size() < 300);
  CHECK(f.to_fault().code == fault_code::refused);
  CHECK(f.to_fault().cause.starts_with("forbidden: HTTP 403"));
  CHECK(judge(429, "").to_fault().code == fault_code::rate_limited);
  CHECK(judge(401, "").to_fault().code == fault_code::unauthorised);
  CHECK(judge(500, "").to_fault().code == fault_code::unreachable);
  CHECK(to_failure(http_failure{http_error::bad_address, "x", false}).to_fault().code ==
        fault_code::configuration);
}

TEST_CASE("failure: every kind has its own name", "[failure]") {
  CHECK(to_string(kind_t::unreachable) == "unreachable");
  CHECK(to_string(kind_t::oversized_answer) == "oversized_answer");
  CHECK(to_string(kind_t::malformed) == "malformed");
  CHECK(to_string(kind_t::disk_full) == "disk_full");
}
