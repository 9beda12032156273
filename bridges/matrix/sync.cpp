#include "bridges/matrix/sync.hpp"

#include "bridges/matrix/content.hpp"
#include "bridges/matrix/url.hpp"

#include <utility>

namespace pb::matrix {
namespace {

constexpr std::size_t max_token = 8192;

/// Walks the body once. Every function passes over exactly one value.
class reader {
public:
  explicit reader(std::string_view body) : at_(body), events_(body) {}

  result<sync_response> run() {
    if (at_.peek() == json::kind::object)
      at_.members([&](std::string_view name, json::cursor& c) {
        if (name == "next_batch")
          out_.next_batch = token(c.skip());
        else if (name == "rooms")
          rooms(c);
        else
          c.skip();
      });
    else
      return fail(fault_code::malformed, "sync: the body is not an object");
    if (at_.broken() || !at_.at_end())
      return fail(fault_code::malformed, "sync: the body is not JSON");
    if (out_.next_batch.empty())
      return fail(fault_code::malformed, "sync: no next_batch");
    return std::move(out_);
  }

private:
  std::string token(const json::value& v) {
    if (v.raw.size() > max_token || !events_.utf8(v.raw))
      return {};
    return json::text_or_empty(v);
  }

  /// An object's members by f, or poison. null counts as an empty object.
  template <class F>
  void object(json::cursor& c, const char* what, const room_id& room, F&& f) {
    const json::kind k = c.peek();
    if (k == json::kind::object)
      c.members(std::forward<F>(f));
    else if (k == json::kind::null)
      c.skip();
    else
      events_.not_a(c, what, room, out_.poisoned);
  }

  void rooms(json::cursor& c) {
    object(c, "an object of rooms", {}, [&](std::string_view name, json::cursor& in) {
      if (name == "join")
        section(in, out_.join);
      else if (name == "invite")
        section(in, out_.invite);
      else if (name == "leave")
        section(in, out_.leave);
      else
        in.skip();
    });
  }

  template <class Room>
  void section(json::cursor& c, std::vector<Room>& to) {
    object(c, "an object of rooms", {}, [&](std::string_view name, json::cursor& in) {
      if (!is_identifier(name, '!') || !events_.utf8(name))
        return events_.not_a(in, "a room id", {}, out_.poisoned);
      Room r;
      r.room.value = name;
      if (in.peek() != json::kind::object)
        return events_.not_a(in, "a room", r.room, out_.poisoned);
      in.members([&](std::string_view part, json::cursor& at) { read(part, at, r); });
      if (!in.broken())
        to.push_back(std::move(r));
    });
  }

  /// {"events": […], …}: the list, and the rest by f.
  template <class Event, class F>
  void events(json::cursor& c, const char* what, const room_id& room, std::vector<Event>& to,
              F&& rest) {
    object(c, what, room, [&](std::string_view name, json::cursor& at) {
      if (name == "events")
        events_.list(at, room, to, out_.poisoned);
      else
        rest(name, at);
    });
  }

  void read(std::string_view part, json::cursor& c, sync_response::joined& r) {
    const auto skip = [](std::string_view, json::cursor& at) { at.skip(); };
    if (part == "state")
      return events(c, "a state section", r.room, r.state, skip);
    if (part != "timeline") {
      c.skip();
      return;
    }
    events(c, "a timeline", r.room, r.timeline, [&](std::string_view name, json::cursor& at) {
      const json::value v = at.skip();
      if (name == "limited") // whatever is not plainly false may hide a gap
        r.limited = v.raw != "false" && v.type != json::kind::null;
      else if (name == "prev_batch")
        r.prev_batch = token(v);
    });
  }

  void read(std::string_view part, json::cursor& c, sync_response::left& r) {
    const auto skip = [](std::string_view, json::cursor& at) { at.skip(); };
    if (part == "state")
      events(c, "a state section", r.room, r.state, skip);
    else if (part == "timeline")
      events(c, "a timeline", r.room, r.timeline, skip);
    else
      c.skip();
  }

  void read(std::string_view part, json::cursor& c, sync_response::invited& r) {
    const auto skip = [](std::string_view, json::cursor& at) { at.skip(); };
    if (part == "invite_state")
      events(c, "an invite_state section", r.room, r.state, skip);
    else
      c.skip();
  }

  json::cursor at_;
  event_reader events_;
  sync_response out_;
};

} // namespace

result<sync_response> parse_sync(std::string_view body) { return reader(body).run(); }

std::optional<invite_row> invitation(const sync_response::invited& room, const user_id& me) {
  std::optional<invite_row> out;
  for (const stripped_event& e : room.state) {
    if (e.type != "m.room.member" || e.state_key != me.value)
      continue;
    const member_content m = parse_member(e.content);
    if (m.membership == "invite")
      out = invite_row{room.room, e.sender, m.direct, {}};
    else
      out.reset();
  }
  return out;
}

std::optional<membership_row> own_membership(const std::vector<matrix_event>& events,
                                             const user_id& me) {
  std::optional<membership_row> out;
  for (const matrix_event& e : events) {
    if (e.type != "m.room.member" || e.state_key != me.value)
      continue;
    const std::string m = parse_member(e.content).membership;
    if (m == "join")
      out = membership_row{e.room, membership::join, e.sender};
    else if (m == "leave")
      out = membership_row{e.room, membership::leave, e.sender};
    else if (m == "ban")
      out = membership_row{e.room, membership::ban, e.sender};
  }
  return out;
}

} // namespace pb::matrix
