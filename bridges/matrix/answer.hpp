#pragma once
// Answers of a homeserver as typed values: one function for each request of api.hpp.
// Each takes the end of the exchange and the time (for a Retry-After that is a date), never throws,
// and gives malformed for a 2xx whose body is not what the specification says.

#include "bridges/matrix/events.hpp"
#include "bridges/matrix/failure.hpp"
#include "bridges/matrix/sync.hpp"
#include "bridges/matrix/url.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pb::matrix {

template <class T>
using answer = tl::expected<T, matrix_failure>;

struct server_versions {
  std::vector<std::string> versions; ///< "v1.11", "r0.6.1"
  [[nodiscard]] bool has(std::string_view version) const;
};

struct login_answer {
  user_id user;
  device_id device;
  std::string access_token;
  std::string refresh_token;                       ///< empty: the server gives none
  std::optional<std::chrono::milliseconds> life{}; ///< of the access token; nothing: no end named
};

struct refresh_answer {
  std::string access_token;
  std::string refresh_token; ///< empty: the old one goes on counting
  std::optional<std::chrono::milliseconds> life{};
};

struct whoami_answer {
  user_id user;
  device_id device; ///< empty: the token belongs to no device
};

/// A list of events; what could not be understood is in `poisoned`.
struct event_list {
  std::vector<matrix_event> events;
  poison_list poisoned;
};

struct messages_page {
  std::vector<matrix_event> chunk; ///< in the order of the direction that was asked for
  poison_list poisoned;
  std::string start;
  std::optional<std::string> end; ///< nothing: there is no more. An empty chunk is not the end.
};

struct download_answer {
  std::string body, content_type;
  std::string redirect; ///< where the file is instead; go there without our token
};

namespace read {

/// For requests whose answer says nothing but "done" (an object).
answer<void> done(const http_result& r, unix_ms now);

answer<server_versions> versions(const http_result& r, unix_ms now);
answer<std::vector<std::string>> login_flows(const http_result& r, unix_ms now);
answer<login_answer> login(const http_result& r, unix_ms now);
answer<refresh_answer> refresh(const http_result& r, unix_ms now);
answer<whoami_answer> whoami(const http_result& r, unix_ms now);
answer<std::string> filter_id(const http_result& r, unix_ms now);
answer<sync_response> sync(const http_result& r, unix_ms now);

/// Of send, state and redact.
answer<event_id> sent_event(const http_result& r, unix_ms now);
/// Of createRoom and join.
answer<room_id> room(const http_result& r, unix_ms now);
answer<std::vector<room_id>> joined_rooms(const http_result& r, unix_ms now);
answer<std::vector<user_id>> joined_members(const http_result& r, unix_ms now);
/// Of /state: an array of events of that room.
answer<event_list> state(const http_result& r, const room_id& room, unix_ms now);
/// Of /members: the same in a chunk.
answer<event_list> members(const http_result& r, const room_id& room, unix_ms now);
answer<messages_page> messages(const http_result& r, const room_id& room, unix_ms now);
/// Of /event.
answer<matrix_event> event(const http_result& r, const room_id& room, unix_ms now);
/// The content of one state event, or account data: an object's text, checked as that of an event.
answer<std::string> content(const http_result& r, unix_ms now);

answer<mxc> upload(const http_result& r, unix_ms now);
answer<download_answer> download(http_result r, unix_ms now);
/// m.upload.size; nothing: the server names no limit.
answer<std::optional<std::int64_t>> media_config(const http_result& r, unix_ms now);

} // namespace read
} // namespace pb::matrix
