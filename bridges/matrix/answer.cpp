#include "bridges/matrix/answer.hpp"

#include "bridges/matrix/json_scan.hpp"

#include <algorithm>
#include <utility>

namespace pb::matrix {

bool server_versions::has(std::string_view version) const {
  return std::find(versions.begin(), versions.end(), version) != versions.end();
}

namespace read {
namespace {

using json::each_element;
using json::each_member;
using json::kind;
using json::value;

constexpr std::size_t max_token = 16'384;

/// A 2xx that is of no use. The server did act: `sent`.
tl::unexpected<matrix_failure> odd(const http_response& r, std::string why) {
  matrix_failure f;
  f.kind = matrix_failure::kind_t::malformed;
  f.status = r.status;
  f.cause = "HTTP " + std::to_string(r.status) + ": " + std::move(why);
  f.sent = true;
  return tl::unexpected<matrix_failure>(std::move(f));
}

/// The response, if it says yes.
answer<const http_response*> accepted(const http_result& r, unix_ms now) {
  if (!r)
    return tl::unexpected<matrix_failure>(to_failure(r.error()));
  if (r->status < 200 || r->status > 299)
    return tl::unexpected<matrix_failure>(to_failure(*r, now));
  return &*r;
}

/// Runs f(const value&, const http_response&) on an accepted body of that kind.
template <class T, class F>
answer<T> on_body(const http_result& r, unix_ms now, kind wanted, F&& f) {
  const auto ok = accepted(r, now);
  if (!ok)
    return tl::unexpected<matrix_failure>(ok.error());
  const http_response& response = **ok;
  json::cursor c(response.body);
  const value v = c.skip();
  if (c.broken() || !c.at_end() || v.type != wanted)
    return odd(response,
               wanted == kind::array ? "the body is not an array" : "the body is not an object");
  return f(v, response);
}

template <class T, class F>
answer<T> on_object(const http_result& r, unix_ms now, F&& f) {
  return on_body<T>(r, now, kind::object, std::forward<F>(f));
}

/// A member's string, if it is one, UTF-8 and at most `max` bytes of text; else "".
std::string member(const value& object, std::string_view field, std::size_t max) {
  std::string out;
  each_member(object.raw, [&](std::string_view name, const value& v) {
    if (name == field)
      out = v.raw.size() <= max && json::is_utf8(v.raw) ? json::text_or_empty(v) : std::string{};
  });
  return out;
}

/// A member's identifier; empty: none.
std::string id_member(const value& object, std::string_view field, char sigil) {
  std::string s = member(object, field, 2048);
  return is_identifier(s, sigil) ? s : std::string{};
}

std::optional<std::string> id_text(const value& v, char sigil) {
  std::optional<std::string> s = json::text(v);
  if (!s || !is_identifier(*s, sigil) || !json::is_utf8(*s))
    return std::nullopt;
  return s;
}

/// {"chunk": [events], …}: the events, other members by rest(name, value). False: no chunk.
template <class F>
bool chunk(const value& object, const room_id& room, std::vector<matrix_event>& events,
           poison_list& bad, F&& rest) {
  event_reader reader(object.raw);
  json::cursor c(object.raw);
  bool found = false;
  c.members([&](std::string_view name, json::cursor& at) {
    if (name == "chunk" && at.peek() == kind::array) {
      found = true;
      events.clear();
      reader.list(at, room, events, bad);
    } else {
      rest(name, at.skip());
    }
  });
  return found;
}

} // namespace

answer<void> done(const http_result& r, unix_ms now) {
  const auto read =
      on_object<bool>(r, now, [](const value&, const http_response&) { return true; });
  if (!read)
    return tl::unexpected<matrix_failure>(read.error());
  return {};
}

answer<server_versions> versions(const http_result& r, unix_ms now) {
  using out_t = answer<server_versions>;
  return on_object<server_versions>(r, now, [](const value& o, const http_response& h) -> out_t {
    server_versions out;
    bool found = false;
    each_member(o.raw, [&](std::string_view name, const value& v) {
      if (name != "versions" || v.type != kind::array)
        return;
      found = true;
      out.versions.clear();
      each_element(v.raw, [&](const value& e) {
        if (auto s = json::text(e); s && s->size() < 64 && out.versions.size() < 256)
          out.versions.push_back(*std::move(s));
      });
    });
    if (!found)
      return odd(h, "no list of versions");
    return out;
  });
}

answer<std::vector<std::string>> login_flows(const http_result& r, unix_ms now) {
  using list = std::vector<std::string>;
  return on_object<list>(r, now, [](const value& o, const http_response& h) -> answer<list> {
    list out;
    bool found = false;
    each_member(o.raw, [&](std::string_view name, const value& v) {
      if (name != "flows" || v.type != kind::array)
        return;
      found = true;
      out.clear();
      each_element(v.raw, [&](const value& flow) {
        if (std::string type = member(flow, "type", 1024); !type.empty() && out.size() < 256)
          out.push_back(std::move(type));
      });
    });
    if (!found)
      return odd(h, "no list of flows");
    return out;
  });
}

/// expires_in_ms of a login or a refresh, a second to a year; nothing: the token has no end.
std::optional<std::chrono::milliseconds> life_of(const value& o) {
  std::optional<std::int64_t> ms;
  each_member(o.raw, [&](std::string_view name, const value& v) {
    if (name == "expires_in_ms")
      ms = json::integer(v);
  });
  if (!ms || *ms <= 0)
    return std::nullopt;
  constexpr std::int64_t year = 31'536'000'000;
  return std::chrono::milliseconds(std::clamp<std::int64_t>(*ms, 1'000, year));
}

answer<login_answer> login(const http_result& r, unix_ms now) {
  using out_t = answer<login_answer>;
  return on_object<login_answer>(r, now, [](const value& o, const http_response& h) -> out_t {
    login_answer out{user_id(id_member(o, "user_id", '@')), device_id(member(o, "device_id", 2048)),
                     member(o, "access_token", max_token), member(o, "refresh_token", max_token),
                     life_of(o)};
    if (out.user.empty() || out.device.empty() || out.access_token.empty())
      return odd(h, "no user_id, device_id or access_token");
    return out;
  });
}

answer<refresh_answer> refresh(const http_result& r, unix_ms now) {
  using out_t = answer<refresh_answer>;
  return on_object<refresh_answer>(r, now, [](const value& o, const http_response& h) -> out_t {
    refresh_answer out{member(o, "access_token", max_token), member(o, "refresh_token", max_token),
                       life_of(o)};
    if (out.access_token.empty())
      return odd(h, "no access_token");
    return out;
  });
}

answer<whoami_answer> whoami(const http_result& r, unix_ms now) {
  using out_t = answer<whoami_answer>;
  return on_object<whoami_answer>(r, now, [](const value& o, const http_response& h) -> out_t {
    whoami_answer out{user_id(id_member(o, "user_id", '@')),
                      device_id(member(o, "device_id", 2048))};
    if (out.user.empty())
      return odd(h, "no user_id");
    return out;
  });
}

answer<std::string> filter_id(const http_result& r, unix_ms now) {
  using out_t = answer<std::string>;
  return on_object<std::string>(r, now, [](const value& o, const http_response& h) -> out_t {
    std::string id = member(o, "filter_id", max_token);
    if (id.empty() || id.front() == '{') // that would be a filter itself
      return odd(h, "no filter_id");
    return id;
  });
}

answer<sync_response> sync(const http_result& r, unix_ms now) {
  const auto ok = accepted(r, now);
  if (!ok)
    return tl::unexpected<matrix_failure>(ok.error());
  result<sync_response> parsed = parse_sync((*ok)->body);
  if (!parsed)
    return odd(**ok, parsed.error().cause);
  return *std::move(parsed);
}

answer<event_id> sent_event(const http_result& r, unix_ms now) {
  using out_t = answer<event_id>;
  return on_object<event_id>(r, now, [](const value& o, const http_response& h) -> out_t {
    event_id id(id_member(o, "event_id", '$'));
    if (id.empty())
      return odd(h, "no event_id");
    return id;
  });
}

answer<room_id> room(const http_result& r, unix_ms now) {
  using out_t = answer<room_id>;
  return on_object<room_id>(r, now, [](const value& o, const http_response& h) -> out_t {
    room_id id(id_member(o, "room_id", '!'));
    if (id.empty())
      return odd(h, "no room_id");
    return id;
  });
}

answer<std::vector<room_id>> joined_rooms(const http_result& r, unix_ms now) {
  using list = std::vector<room_id>;
  return on_object<list>(r, now, [](const value& o, const http_response& h) -> answer<list> {
    list out;
    bool found = false;
    each_member(o.raw, [&](std::string_view name, const value& v) {
      if (name != "joined_rooms" || v.type != kind::array)
        return;
      found = true;
      out.clear();
      each_element(v.raw, [&](const value& e) {
        if (auto id = id_text(e, '!'))
          out.emplace_back(*std::move(id));
      });
    });
    if (!found)
      return odd(h, "no joined_rooms");
    return out;
  });
}

answer<std::vector<user_id>> joined_members(const http_result& r, unix_ms now) {
  using list = std::vector<user_id>;
  return on_object<list>(r, now, [](const value& o, const http_response& h) -> answer<list> {
    list out;
    bool found = false;
    each_member(o.raw, [&](std::string_view name, const value& v) {
      if (name != "joined" || v.type != kind::object)
        return;
      found = true;
      out.clear();
      each_member(v.raw, [&](std::string_view user, const value&) {
        if (is_identifier(user, '@') && json::is_utf8(user))
          out.emplace_back(std::string(user));
      });
    });
    if (!found)
      return odd(h, "no joined members");
    return out;
  });
}

answer<event_list> state(const http_result& r, const room_id& of, unix_ms now) {
  using out_t = answer<event_list>;
  return on_body<event_list>(r, now, kind::array,
                             [&](const value& list, const http_response&) -> out_t {
                               event_list out;
                               event_reader reader(list.raw);
                               json::cursor c(list.raw);
                               reader.list(c, of, out.events, out.poisoned);
                               return out;
                             });
}

answer<event_list> members(const http_result& r, const room_id& of, unix_ms now) {
  using out_t = answer<event_list>;
  return on_object<event_list>(r, now, [&](const value& o, const http_response& h) -> out_t {
    event_list out;
    if (!chunk(o, of, out.events, out.poisoned, [](std::string_view, const value&) {}))
      return odd(h, "no chunk");
    return out;
  });
}

answer<messages_page> messages(const http_result& r, const room_id& of, unix_ms now) {
  using out_t = answer<messages_page>;
  return on_object<messages_page>(r, now, [&](const value& o, const http_response& h) -> out_t {
    messages_page out;
    const auto token = [](const value& v) {
      return v.raw.size() <= max_token && json::is_utf8(v.raw) ? json::text_or_empty(v)
                                                               : std::string{};
    };
    bool odd_end = false;
    const bool found =
        chunk(o, of, out.chunk, out.poisoned, [&](std::string_view name, const value& v) {
          if (name == "start") {
            out.start = token(v);
          } else if (name == "end") {
            out.end.reset();
            odd_end = v.type != kind::null && token(v).empty();
            if (v.type != kind::null)
              out.end = token(v);
          }
        });
    // An end that cannot be used must not look like the end of the room.
    if (!found || odd_end)
      return odd(h, found ? "end is not a token" : "no chunk");
    return out;
  });
}

answer<matrix_event> event(const http_result& r, const room_id& of, unix_ms now) {
  using out_t = answer<matrix_event>;
  return on_object<matrix_event>(r, now, [&](const value& o, const http_response& h) -> out_t {
    event_list out;
    event_reader reader(o.raw);
    json::cursor c(o.raw);
    reader.read(c, of, out.events, out.poisoned);
    if (out.events.empty())
      return odd(h, out.poisoned.items.front().reason);
    return std::move(out.events.front());
  });
}

answer<std::string> content(const http_result& r, unix_ms now) {
  using out_t = answer<std::string>;
  return on_object<std::string>(r, now, [](const value& o, const http_response& h) -> out_t {
    if (!is_content(o) || !json::is_utf8(o.raw))
      return odd(h, "the content cannot be used");
    return std::string(o.raw);
  });
}

answer<mxc> upload(const http_result& r, unix_ms now) {
  using out_t = answer<mxc>;
  return on_object<mxc>(r, now, [](const value& o, const http_response& h) -> out_t {
    std::optional<mxc> file = parse_mxc(member(o, "content_uri", 2048));
    if (!file)
      return odd(h, "no content_uri");
    return *std::move(file);
  });
}

answer<download_answer> download(http_result r, unix_ms now) {
  if (r && (r->status == 307 || r->status == 308)) {
    const std::string* to = find_header(r->headers, "Location");
    if (to && (to->starts_with("https://") || to->starts_with("http://")))
      return download_answer{{}, {}, *to};
  }
  const auto ok = accepted(r, now);
  if (!ok)
    return tl::unexpected<matrix_failure>(ok.error());
  const std::string* type = find_header((*ok)->headers, "Content-Type");
  std::string content_type = type ? *type : std::string{};
  return download_answer{std::move(r->body), std::move(content_type), {}};
}

answer<std::optional<std::int64_t>> media_config(const http_result& r, unix_ms now) {
  using size = std::optional<std::int64_t>;
  return on_object<size>(r, now, [](const value& o, const http_response&) -> answer<size> {
    size out;
    each_member(o.raw, [&](std::string_view name, const value& v) {
      if (name == "m.upload.size") {
        out = json::integer(v);
        if (out && *out < 0)
          out.reset();
      }
    });
    return answer<size>(out);
  });
}

} // namespace read
} // namespace pb::matrix
