// State, sending, redaction.

#include "bridges/matrix/homeserver/endpoints.hpp"

namespace pb::hs::api {
namespace {

/// One transaction id means one thing for one device on one path.
std::string txn_key(const call& c) {
  return device_key(c.who->id, c.device) + ' ' + c.request.method + ' ' + c.request.path;
}

void take_message_rate(server& s, const call& c) {
  s.rates.take(s.rates.limits.message, "message", c.who->id, s.w.now());
}

/// A member event by state PUT counts as what it does, an invitation's limits and profile included.
std::string membership_by_state(server& s, room& r, call& c, event draft) {
  const auto wanted = text_or_empty(draft.content, "membership");
  if (wanted == "invite")
    s.take_invite_rates(r, c.who->id, *draft.state_key);
  if (wanted == "join" && r.membership(c.who->id) != "join")
    s.rates.take(s.rates.limits.join, "join", c.who->id, s.w.now());
  s.add_profile(draft);
  return s.send(r, std::move(draft))->id;
}

} // namespace

answer get_state(server& s, call& c) {
  const auto& r = s.readable_room(c);
  // Who left sees the state of that moment.
  const bool in = r.joined.contains(c.who->id);
  const auto* own = r.current("m.room.member", c.who->id);
  const auto until = in || own == nullptr ? s.w.head() : own->pos;
  json out = json::array();
  for (const auto& [key, history] : r.state)
    if (const auto* e = r.at(key, until))
      out.push_back(wire_form(*e, c.view(s.w.now()), false));
  return json_answer(out);
}

answer get_state_event(server& s, call& c) {
  const auto& r = s.readable_room(c);
  const bool in = r.joined.contains(c.who->id);
  const auto* own = r.current("m.room.member", c.who->id);
  const auto* e =
      r.at({c.param("type"), c.param("state_key")}, in || own == nullptr ? s.w.head() : own->pos);
  if (e == nullptr)
    refuse(404, "M_NOT_FOUND", "Event not found.");
  const auto format = c.ask("format").value_or("content");
  if (format != "content" && format != "event")
    refuse(400, "M_INVALID_PARAM", "'format' must be content or event");
  return json_answer(format == "event" ? wire_form(*e, c.view(s.w.now()), false) : e->content);
}

answer put_state_event(server& s, call& c) {
  event e;
  e.type = c.param("type");
  e.state_key = c.param("state_key");
  e.sender = c.who->id;
  e.content = c.body;
  auto& r = s.any_room(c.param("room"));
  if (e.type == "m.room.member")
    return json_answer({{"event_id", membership_by_state(s, r, c, std::move(e))}});
  s.joined_room(c);
  take_message_rate(s, c);
  if (e.type == "m.room.canonical_alias")
    if (const auto alias = maybe_text(e.content, "alias"); alias && !alias->empty()) {
      const auto* entry = s.w.find_alias(*alias);
      if (entry == nullptr || entry->room != r.id)
        refuse(400, "M_BAD_ALIAS", "Room alias " + *alias + " does not point to the room");
    }
  return json_answer({{"event_id", s.send(r, std::move(e))->id}});
}

answer send_event(server& s, call& c) {
  const auto key = txn_key(c);
  if (const auto known = s.w.known_txn(key); !known.empty())
    return json_answer({{"event_id", known}});
  auto& r = s.joined_room(c);
  if (c.param("type") == "m.room.redaction")
    refuse(400, "M_UNKNOWN", "Use the redaction endpoint.");
  take_message_rate(s, c);
  event e;
  e.type = c.param("type");
  e.sender = c.who->id;
  e.content = c.body;
  e.txn = c.param("txn");
  e.txn_device = device_key(c.who->id, c.device);
  return json_answer({{"event_id", s.send(r, std::move(e), key)->id}});
}

answer redact(server& s, call& c) {
  const auto key = txn_key(c);
  if (const auto known = s.w.known_txn(key); !known.empty())
    return json_answer({{"event_id", known}});
  auto& r = s.joined_room(c);
  const auto target = s.w.find_event(c.param("event"));
  if (!target || target->room != r.id)
    refuse(404, "M_NOT_FOUND", "Event not found.");
  if (target->type == "m.room.create")
    forbid("Redacting create events is not permitted");
  if (target->sender != c.who->id && level_of(r, c.who->id) < level_for(r, "redact"))
    forbid("You don't have permission to redact events");
  take_message_rate(s, c);
  event e;
  e.type = "m.room.redaction";
  e.sender = c.who->id;
  e.redacts = target->id;
  if (const auto reason = maybe_text(c.body, "reason"))
    e.content["reason"] = *reason;
  e.txn = c.param("txn");
  e.txn_device = device_key(c.who->id, c.device);
  return json_answer({{"event_id", s.send(r, std::move(e), key)->id}});
}

} // namespace pb::hs::api
