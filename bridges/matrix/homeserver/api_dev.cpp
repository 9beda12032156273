// The control interface for tests, /_dev/…: only served when faults are allowed.

#include "bridges/matrix/homeserver/endpoints.hpp"

namespace pb::hs::api {
namespace {

std::optional<call_rate> rate_from(const json& body, const char* key) {
  const auto* value = member(body, key);
  if (value == nullptr || value->is_null())
    return std::nullopt;
  const auto number = [&](const char* part) {
    const auto* n = member(*value, part);
    if (n == nullptr || !n->is_number())
      refuse(400, "M_BAD_JSON", std::string("'") + key + "' needs per_second and burst");
    return n->get<double>();
  };
  return call_rate{number("per_second"), number("burst")};
}

} // namespace

answer dev_add_fault(server& s, call& c) {
  return json_answer({{"id", s.faults.add(fault_rule_from(c.body))}});
}

answer dev_list_faults(server& s, call&) { return json_answer({{"faults", s.faults.report()}}); }

answer dev_clear_faults(server& s, call&) {
  s.faults.clear();
  return json_answer(json::object());
}

answer dev_limits(server& s, call& c) {
  if (maybe_bool(c.body, "synapse_defaults").value_or(false)) {
    s.rates.limits = rate_limits::synapse_defaults();
    return json_answer(json::object());
  }
  rate_limits out;
  out.message = rate_from(c.body, "message");
  out.room_creation = rate_from(c.body, "room_creation");
  out.join = rate_from(c.body, "join");
  out.invite_room = rate_from(c.body, "invite_room");
  out.invite_receiver = rate_from(c.body, "invite_receiver");
  out.invite_issuer = rate_from(c.body, "invite_issuer");
  s.rates.limits = out;
  return json_answer(json::object());
}

answer dev_expire(server& s, call& c) {
  auto* who = s.w.find(need_text(c.body, "user"));
  if (who == nullptr)
    refuse(404, "M_NOT_FOUND", "No such account");
  const bool soft = maybe_bool(c.body, "soft").value_or(false);
  s.w.expire(*who, soft);
  api_error error(401, "M_UNKNOWN_TOKEN", "Access token has expired");
  error.body["soft_logout"] = soft;
  s.syncs.end(who->id, "", error_answer(error));
  return json_answer(json::object());
}

answer dev_inject(server& s, call& c) {
  event e;
  e.room = need_text(c.body, "room");
  e.sender = need_text(c.body, "sender");
  e.type = need_text(c.body, "type");
  e.state_key = maybe_text(c.body, "state_key");
  if (const auto* content = member(c.body, "content"))
    e.content = *content;
  if (const auto* overlay = member(c.body, "overlay"))
    e.overlay = *overlay;
  s.any_room(e.room);
  return json_answer({{"event_id", s.w.append(std::move(e))->id}});
}

} // namespace pb::hs::api
