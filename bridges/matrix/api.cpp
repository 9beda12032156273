#include "bridges/matrix/api.hpp"

#include "bridges/matrix/json_scan.hpp"

#include <initializer_list>
#include <utility>

namespace pb::matrix::ask {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t small_answer = std::size_t{1} << 20;

/// A path under /_matrix, piece by piece: the first as it is, the others encoded.
class target {
public:
  target(const session_ref& s, std::string_view fixed) : text_(s.prefix) {
    text_ += "/_matrix/";
    text_ += fixed;
  }
  target& fixed(std::string_view piece) {
    text_ += '/';
    text_ += piece;
    return *this;
  }
  target& piece(std::string_view piece) { return fixed(encode(piece)); }
  target& query(std::string_view name, std::string_view value) {
    text_ += std::exchange(mark_, '&');
    text_ += name;
    text_ += '=';
    text_ += encode(value);
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

private:
  std::string text_;
  char mark_ = '?';
};

target v3(const session_ref& s) { return {s, "client/v3"}; }

target in_room(const session_ref& s, const room_id& room) {
  return v3(s).fixed("rooms").piece(room.value);
}

/// A header's value must not begin another header, whatever a configuration or a file says.
std::string header_safe(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f')
      out += c;
  return out;
}

http_request anonymous(const session_ref& s, const char* method, target& t) {
  http_request r;
  r.method = method;
  r.origin = s.origin;
  r.target = t.take();
  r.response_limit = small_answer;
  return r;
}

http_request request(const session_ref& s, const char* method, target& t) {
  http_request r = anonymous(s, method, t);
  r.headers.push_back({"Authorization", "Bearer " + header_safe(s.access_token)});
  return r;
}

http_request with_json(http_request r, std::string body) {
  r.headers.push_back({"Content-Type", "application/json"});
  r.body = std::move(body);
  return r;
}

http_request with_timeout(http_request r, milliseconds timeout) {
  r.timeout = timeout;
  return r;
}

http_request large(http_request r) {
  r.response_limit = http_request{}.response_limit;
  return r;
}

/// {"name":"value",…}
std::string object(std::initializer_list<std::pair<std::string_view, std::string_view>> strings) {
  std::string out = "{";
  for (const auto& [name, value] : strings) {
    if (out.size() > 1)
      out += ',';
    out += json::quote(name) + ":" + json::quote(value);
  }
  return out + "}";
}

} // namespace

http_request versions(const session_ref& s) {
  target t(s, "client/versions");
  return anonymous(s, "GET", t);
}

http_request login_flows(const session_ref& s) { return anonymous(s, "GET", v3(s).fixed("login")); }

http_request login_password(const session_ref& s, const std::string& user,
                            const std::string& password, const device_id& device,
                            const std::string& display_name) {
  std::string body = R"({"type":"m.login.password","identifier":)" +
                     object({{"type", "m.id.user"}, {"user", user}}) +
                     ",\"password\":" + json::quote(password);
  if (!device.empty())
    body += ",\"device_id\":" + json::quote(device.value);
  body +=
      ",\"initial_device_display_name\":" + json::quote(display_name) + ",\"refresh_token\":true}";
  return with_json(anonymous(s, "POST", v3(s).fixed("login")), std::move(body));
}

http_request refresh(const session_ref& s, const std::string& refresh_token) {
  return with_json(anonymous(s, "POST", v3(s).fixed("refresh")),
                   object({{"refresh_token", refresh_token}}));
}

http_request whoami(const session_ref& s) {
  return request(s, "GET", v3(s).fixed("account").fixed("whoami"));
}

http_request create_filter(const session_ref& s, std::string filter) {
  return with_json(request(s, "POST", v3(s).fixed("user").piece(s.user.value).fixed("filter")),
                   std::move(filter));
}

http_request sync(const session_ref& s, const sync_query& q) {
  target t = v3(s).fixed("sync");
  if (!q.filter.empty())
    t.query("filter", q.filter);
  if (q.since)
    t.query("since", *q.since);
  if (q.full_state)
    t.query("full_state", "true");
  t.query("set_presence", "offline").query("timeout", std::to_string(q.timeout.count()));
  return with_timeout(large(request(s, "GET", t)), q.timeout + seconds(30));
}

http_request send(const session_ref& s, const outbox_row& row) {
  if (row.kind == outbox_kind::state)
    return put_state(s, row.room, row.type, row.state_key, row.body);
  if (row.kind == outbox_kind::redact)
    return redact(s, row.room, event_id{row.state_key}, row.txn, {});
  target t = in_room(s, row.room).fixed("send").piece(row.type).piece(row.txn);
  return with_json(request(s, "PUT", t), row.body);
}

http_request put_state(const session_ref& s, const room_id& room, const std::string& type,
                       const std::string& key, std::string body) {
  target t = in_room(s, room).fixed("state").piece(type).piece(key);
  return with_json(request(s, "PUT", t), std::move(body));
}

http_request redact(const session_ref& s, const room_id& room, const event_id& event,
                    const std::string& txn, const std::string& reason) {
  target t = in_room(s, room).fixed("redact").piece(event.value).piece(txn);
  return with_json(request(s, "PUT", t),
                   reason.empty() ? std::string("{}") : object({{"reason", reason}}));
}

http_request get_state(const session_ref& s, const room_id& room) {
  return large(request(s, "GET", in_room(s, room).fixed("state")));
}

http_request get_state_event(const session_ref& s, const room_id& room, const std::string& type,
                             const std::string& key) {
  return request(s, "GET", in_room(s, room).fixed("state").piece(type).piece(key));
}

http_request get_event(const session_ref& s, const room_id& room, const event_id& event) {
  return request(s, "GET", in_room(s, room).fixed("event").piece(event.value));
}

http_request joined_rooms(const session_ref& s) {
  return large(request(s, "GET", v3(s).fixed("joined_rooms")));
}

http_request joined_members(const session_ref& s, const room_id& room) {
  return large(request(s, "GET", in_room(s, room).fixed("joined_members")));
}

http_request members(const session_ref& s, const room_id& room, const std::string& not_membership) {
  target t = in_room(s, room).fixed("members");
  if (!not_membership.empty())
    t.query("not_membership", not_membership);
  return large(request(s, "GET", t));
}

http_request messages(const session_ref& s, const messages_query& q) {
  target t = in_room(s, q.room).fixed("messages");
  t.query("dir", q.backwards ? "b" : "f");
  if (!q.from.empty())
    t.query("from", q.from);
  if (!q.to.empty())
    t.query("to", q.to);
  t.query("limit", std::to_string(q.limit));
  if (!q.filter.empty())
    t.query("filter", q.filter);
  return large(request(s, "GET", t));
}

http_request join(const session_ref& s, const room_id& room, const std::vector<std::string>& via) {
  target t = v3(s).fixed("join").piece(room.value);
  for (const std::string& server : via)
    t.query("server_name", server).query("via", server);
  // Over federation the server fetches the whole room first.
  return with_timeout(with_json(request(s, "POST", t), "{}"), minutes(3));
}

http_request invite(const session_ref& s, const room_id& room, const user_id& user) {
  return with_json(request(s, "POST", in_room(s, room).fixed("invite")),
                   object({{"user_id", user.value}}));
}

http_request create_room(const session_ref& s, std::string body) {
  return with_timeout(with_json(request(s, "POST", v3(s).fixed("createRoom")), std::move(body)),
                      minutes(1));
}

http_request leave(const session_ref& s, const room_id& room) {
  return with_timeout(with_json(request(s, "POST", in_room(s, room).fixed("leave")), "{}"),
                      minutes(1));
}

http_request forget(const session_ref& s, const room_id& room) {
  return with_json(request(s, "POST", in_room(s, room).fixed("forget")), "{}");
}

http_request typing(const session_ref& s, const room_id& room, bool on, milliseconds timeout) {
  std::string body = on ? R"({"typing":true,"timeout":)" + std::to_string(timeout.count()) + "}"
                        : std::string(R"({"typing":false})");
  target t = in_room(s, room).fixed("typing").piece(s.user.value);
  return with_json(request(s, "PUT", t), std::move(body));
}

http_request receipt(const session_ref& s, const room_id& room, const event_id& event) {
  target t = in_room(s, room).fixed("receipt").fixed("m.read").piece(event.value);
  return with_json(request(s, "POST", t), "{}");
}

http_request get_account_data(const session_ref& s, const std::string& type) {
  return request(s, "GET",
                 v3(s).fixed("user").piece(s.user.value).fixed("account_data").piece(type));
}

http_request put_account_data(const session_ref& s, const std::string& type, std::string body) {
  target t = v3(s).fixed("user").piece(s.user.value).fixed("account_data").piece(type);
  return with_json(request(s, "PUT", t), std::move(body));
}

http_request upload(const session_ref& s, const std::string& filename,
                    const std::string& content_type, std::string bytes) {
  target t(s, "media/v3/upload");
  if (!filename.empty())
    t.query("filename", filename);
  http_request r = request(s, "POST", t);
  const std::string type = header_safe(content_type);
  r.headers.push_back({"Content-Type", type.empty() ? "application/octet-stream" : type});
  r.body = std::move(bytes);
  return with_timeout(std::move(r), minutes(10));
}

http_request download(const session_ref& s, const mxc& file, media_path path, std::size_t limit) {
  const bool old = path == media_path::old;
  target t(s, old ? "media/v3/download" : "client/v1/media/download");
  t.piece(file.server).piece(file.id);
  http_request r = old ? anonymous(s, "GET", t) : request(s, "GET", t);
  r.response_limit = limit;
  return with_timeout(std::move(r), minutes(10));
}

http_request media_config(const session_ref& s, media_path path) {
  target t(s, path == media_path::old ? "media/v3/config" : "client/v1/media/config");
  return request(s, "GET", t);
}

} // namespace pb::matrix::ask
