// Any bytes as the answer to any request, with any of a few statuses: no reader crashes, and JSON
// is judged as a strict parser judges it.

#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace {

void read_all(const pb::http_result& r) {
  namespace read = pb::matrix::read;
  const pb::room_id room("!r:hs");
  const pb::unix_ms now = 1'700'000'000'000;
  (void)read::done(r, now);
  (void)read::versions(r, now);
  (void)read::login_flows(r, now);
  (void)read::login(r, now);
  (void)read::whoami(r, now);
  (void)read::filter_id(r, now);
  (void)read::sent_event(r, now);
  (void)read::room(r, now);
  (void)read::joined_rooms(r, now);
  (void)read::joined_members(r, now);
  (void)read::state(r, room, now);
  (void)read::members(r, room, now);
  (void)read::messages(r, room, now);
  (void)read::event(r, room, now);
  (void)read::content(r, now);
  (void)read::upload(r, now);
  (void)read::download(r, now);
  (void)read::media_config(r, now);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<int, 8> statuses{200, 200, 200, 400, 401, 403, 429, 502};
  const std::string body(reinterpret_cast<const char*>(data), size);
  const int status = statuses[size == 0 ? 0 : data[size - 1] % statuses.size()];
  read_all(pb::http_response{200, {}, body});
  read_all(pb::http_response{status, {{"Retry-After", body.substr(0, 64)}}, body});
  // The other parser takes a NUL for the end, skips a byte order mark, and replaces what is not
  // UTF-8.
  const bool comparable = pb::matrix::json::is_utf8(body) && !body.starts_with("\xEF\xBB\xBF") &&
                          body.find('\0') == std::string::npos;
  if (comparable && nlohmann::json::accept(body) != pb::matrix::json::whole(body).has_value())
    std::abort();
  if (!pb::matrix::json::is_utf8(pb::matrix::valid_utf8(body)))
    std::abort();
  for (const std::string& part : pb::matrix::split_text(body))
    if (part.empty() || part.size() > pb::matrix::part_bytes)
      std::abort();
  return 0;
}
