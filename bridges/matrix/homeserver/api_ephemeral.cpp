// Typing, receipts, read markers.

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>

namespace pb::hs::api {
namespace {

void check_receipt(server& s, const room& r, const std::string& kind, const std::string& event) {
  if (kind != "m.read" && kind != "m.read.private" && kind != "m.fully_read")
    refuse(400, "M_INVALID_PARAM",
           "Receipt type must be one of m.read, m.read.private, m.fully_read");
  if (!event.starts_with('$'))
    refuse(400, "M_INVALID_PARAM", "Invalid event id");
  const auto target = s.w.find_event(event);
  if (!target || target->room != r.id)
    refuse(404, "M_NOT_FOUND", "Event not found.");
}

void set(server& s, room& r, account& who, const std::string& kind, const std::string& thread,
         const std::string& event) {
  if (kind == "m.fully_read")
    s.w.set_data(who, r.id, kind, {{"event_id", event}});
  else
    s.w.set_receipt(r, kind, who, thread, event);
}

} // namespace

answer typing(server& s, call& c) {
  if (c.param("user") != c.who->id)
    forbid("Cannot set another user's typing state");
  auto& r = s.joined_room(c);
  const auto on = maybe_bool(c.body, "typing");
  if (!on)
    refuse(400, "M_MISSING_PARAM", "Missing parameter 'typing'");
  const auto timeout =
      std::clamp<std::int64_t>(maybe_int(c.body, "timeout").value_or(30'000), 1, 120'000);
  if (!*on) {
    s.w.set_typing(r, c.who->id, std::nullopt);
    return json_answer(json::object());
  }
  const auto request = ++s.typing_requests;
  s.w.set_typing(r, c.who->id, request);
  s.clock.after(std::chrono::milliseconds(timeout), [&s, weak = std::weak_ptr(s.alive), id = r.id,
                                                     user = c.who->id, request] {
    if (weak.expired())
      return;
    auto* where = s.w.find_room(id);
    // A later request has its own timer.
    if (const auto i = where->typing.find(user); i == where->typing.end() || i->second != request)
      return;
    s.w.set_typing(*where, user, std::nullopt);
    s.syncs.wake_all(s.w);
  });
  return json_answer(json::object());
}

answer post_receipt(server& s, call& c) {
  auto& r = s.joined_room(c);
  const auto& kind = c.param("kind");
  check_receipt(s, r, kind, c.param("event"));
  const auto thread = maybe_text(c.body, "thread_id");
  if (thread && (thread->empty() || kind == "m.fully_read"))
    refuse(400, "M_INVALID_PARAM", "Invalid thread_id");
  set(s, r, *c.who, kind, thread.value_or(""), c.param("event"));
  return json_answer(json::object());
}

answer read_markers(server& s, call& c) {
  auto& r = s.joined_room(c);
  for (const auto* kind : {"m.fully_read", "m.read", "m.read.private"})
    if (const auto event = maybe_text(c.body, kind)) {
      check_receipt(s, r, kind, *event);
      set(s, r, *c.who, kind, "", *event);
    }
  return json_answer(json::object());
}

} // namespace pb::hs::api
