#pragma once
// Requests of the Matrix client-server API as values. Nothing here opens a connection; what comes
// back goes through answer.hpp. Paths are those of the specification's /v3 (data: client-server).

#include "bridges/http.hpp"
#include "bridges/matrix/url.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/outbox.hpp"
#include "messages/values/session.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

struct sync_query {
  std::optional<std::string> since; ///< nothing: an initial sync
  std::string filter;               ///< an id of create_filter, or the filter itself as JSON
  std::chrono::milliseconds timeout{30'000}; ///< the server's; ours is 30 s longer
  bool full_state = false;
};

struct messages_query {
  room_id room;
  std::string from; ///< a token; empty: from the live end (dir b) or the beginning (f)
  std::string to;   ///< empty: no end
  bool backwards = true;
  int limit = 100;
  std::string filter; ///< JSON of a room event filter; empty: none
};

/// Two places where servers keep files: with a token (1.11 and later), and the old one. Ask the
/// first; the second when the answer says unrecognised (or not_found, for old files).
enum class media_path { authenticated, old };

namespace ask {

http_request versions(const session_ref& s);
http_request login_flows(const session_ref& s);
/// Always with the device id, so that transaction ids and encryption keep their scope; asks for a
/// refresh token, which servers without them ignore.
http_request login_password(const session_ref& s, const std::string& user,
                            const std::string& password, const device_id& device,
                            const std::string& display_name);
http_request refresh(const session_ref& s, const std::string& refresh_token);
http_request whoami(const session_ref& s);
http_request create_filter(const session_ref& s, std::string filter);
http_request sync(const session_ref& s, const sync_query& q);

/// What an outbox row says, byte for byte: a message under its transaction id, or a state event.
http_request send(const session_ref& s, const outbox_row& row);
http_request put_state(const session_ref& s, const room_id& room, const std::string& type,
                       const std::string& key, std::string body);
http_request redact(const session_ref& s, const room_id& room, const event_id& event,
                    const std::string& txn, const std::string& reason);

http_request get_state(const session_ref& s, const room_id& room);
/// Answers with the content alone.
http_request get_state_event(const session_ref& s, const room_id& room, const std::string& type,
                             const std::string& key);
http_request get_event(const session_ref& s, const room_id& room, const event_id& event);
http_request joined_rooms(const session_ref& s);
http_request joined_members(const session_ref& s, const room_id& room);
/// Member events; `not_membership` ("leave") leaves some out, empty: none.
http_request members(const session_ref& s, const room_id& room, const std::string& not_membership);
http_request messages(const session_ref& s, const messages_query& q);

/// `via` goes out under its old name, too (before 1.14: server_name).
http_request join(const session_ref& s, const room_id& room, const std::vector<std::string>& via);
http_request invite(const session_ref& s, const room_id& room, const user_id& user);
http_request create_room(const session_ref& s, std::string body);
http_request leave(const session_ref& s, const room_id& room);
http_request forget(const session_ref& s, const room_id& room);

http_request typing(const session_ref& s, const room_id& room, bool on,
                    std::chrono::milliseconds timeout = std::chrono::seconds(30));
/// m.read for the whole room (no thread_id).
http_request receipt(const session_ref& s, const room_id& room, const event_id& event);

http_request get_account_data(const session_ref& s, const std::string& type);
http_request put_account_data(const session_ref& s, const std::string& type, std::string body);

http_request upload(const session_ref& s, const std::string& filename,
                    const std::string& content_type, std::string bytes);
/// `limit`: more bytes end the exchange with too_large.
http_request download(const session_ref& s, const mxc& file, media_path path, std::size_t limit);
http_request media_config(const session_ref& s, media_path path);

} // namespace ask
} // namespace pb::matrix
