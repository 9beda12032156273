#include "bridges/matrix/homeserver/server.hpp"

#include <array>

namespace pb::hs {
namespace {

/// What federation adds to an event (hashes, signatures, references) is not made here but counts.
constexpr std::size_t federation_bytes = 1'200;

void check_sizes(const event& e, std::size_t limit) {
  const std::array<std::pair<const char*, std::string_view>, 4> ids{
      {{"room_id", e.room},
       {"sender", e.sender},
       {"type", e.type},
       {"state_key", e.state_key ? std::string_view(*e.state_key) : std::string_view()}}};
  std::size_t total = federation_bytes + e.content.dump().size();
  for (const auto& [name, value] : ids) {
    total += value.size();
    if (value.size() > 255)
      refuse(413, "M_TOO_LARGE", std::string("'") + name + "' is too large");
  }
  if (total > limit)
    refuse(413, "M_TOO_LARGE", "event too large");
}

void need_string(const event& e, const char* key) {
  const auto* value = member(e.content, key);
  if (value == nullptr || !value->is_string())
    refuse(400, "M_BAD_JSON", std::string("'") + key + "' not in content, or not a string");
}

/// What Synapse's validator of new events asks for, and a little more.
void check_content(const event& e) {
  if (!e.content.is_object())
    refuse(400, "M_BAD_JSON", "The content must be an object.");
  check_canonical(e.content);
  if (e.state_key && e.type == "m.room.name")
    need_string(e, "name");
  if (e.state_key && e.type == "m.room.topic")
    need_string(e, "topic");
  if (e.state_key && e.type == "m.room.member")
    need_string(e, "membership");
  if (e.state_key && e.type == "m.room.join_rules")
    need_string(e, "join_rule");
  if (!e.state_key && e.type == "m.room.message" && !e.content.empty()) {
    need_string(e, "msgtype");
    need_string(e, "body");
  }
  if (e.type == "m.room.tombstone" && e.state_key)
    need_string(e, "replacement_room");
}

void check_relation(world& w, const room& r, const event& e) {
  const auto* relation = member(e.content, "m.relates_to");
  if (relation == nullptr)
    return;
  if (!relation->is_object())
    refuse(400, "M_BAD_JSON", "'m.relates_to' must be an object");
  // An edit that breaks a rule is no edit, but an event all the same.
  if (text_or_empty(*relation, "rel_type") == "m.replace")
    return;
  const auto kind = maybe_text(*relation, "rel_type");
  if (!kind)
    return;
  const auto target_id = need_text(*relation, "event_id");
  const auto target = w.find_event(target_id);
  if (*kind == "m.annotation") {
    if (!target || target->room != r.id)
      refuse(400, "M_UNKNOWN", "Can't send reaction to unknown event");
    if (r.annotations.contains({e.sender, target_id, need_text(*relation, "key")}))
      refuse(400, "M_DUPLICATE_ANNOTATION", "Can't send same reaction twice");
  }
  if (*kind == "m.thread" && target)
    if (const auto* root = member(target->content, "m.relates_to");
        root != nullptr && !text_or_empty(*root, "rel_type").empty())
      refuse(400, "M_UNKNOWN", "Cannot start threads from an event with a relation");
}

} // namespace

room_lookup server::lookup() {
  return [this](const std::string& id) -> const room* { return w.find_room(id); };
}

room& server::any_room(const std::string& id) {
  auto* r = w.find_room(id);
  if (r == nullptr)
    refuse(404, "M_NOT_FOUND", "Unknown room: " + id);
  return *r;
}

room& server::joined_room(const call& c) {
  auto* r = w.find_room(c.param("room"));
  if (r == nullptr || !r->joined.contains(c.who->id))
    forbid("User " + c.who->id + " not in room " + c.param("room"));
  return *r;
}

room& server::readable_room(const call& c) {
  auto* r = w.find_room(c.param("room"));
  if (r == nullptr)
    forbid("User " + c.who->id + " not in room " + c.param("room"));
  if (r->joined.contains(c.who->id))
    return *r;
  const auto own = r->state.find({"m.room.member", c.who->id});
  bool was_in = false;
  if (own != r->state.end() && !c.who->forgotten.contains(r->id))
    for (const auto& e : own->second)
      was_in = was_in || text_or_empty(e->content, "membership") == "join";
  if (!was_in && text_or_empty(r->content("m.room.history_visibility"), "history_visibility") !=
                     "world_readable")
    forbid("User " + c.who->id + " not in room " + r->id);
  return *r;
}

event_ptr server::send(room& r, event draft, const std::string& txn_key) {
  draft.room = r.id;
  check_content(draft);
  check_sizes(draft, w.limits.event_bytes);
  authorise(r, draft, lookup());
  if (!draft.state_key)
    check_relation(w, r, draft);
  else if (const auto* now = r.current(draft.type, *draft.state_key);
           now != nullptr && now->content == draft.content && now->sender == draft.sender &&
           !now->redacted)
    return w.find_event(now->id);
  return w.append(std::move(draft), txn_key);
}

void server::take_invite_rates(const room& r, const std::string& issuer,
                               const std::string& receiver) {
  const auto now = w.now();
  rates.take(rates.limits.invite_room, "invite_room", r.id, now);
  rates.take(rates.limits.invite_receiver, "invite_receiver", receiver, now);
  rates.take(rates.limits.invite_issuer, "invite_issuer", issuer, now);
  if (server_of(receiver) != w.server_name)
    forbid("This development homeserver has no federation.");
}

void server::add_profile(event& e) {
  const auto membership = text_or_empty(e.content, "membership");
  const auto* profile =
      membership == "join" || membership == "invite" ? w.find(*e.state_key) : nullptr;
  if (profile == nullptr)
    return;
  // What the sender says of the name stays.
  if (profile->display_name && !e.content.contains("displayname"))
    e.content["displayname"] = *profile->display_name;
  if (profile->avatar_url && !e.content.contains("avatar_url"))
    e.content["avatar_url"] = *profile->avatar_url;
}

event_ptr server::set_membership(room& r, const std::string& sender, const std::string& target,
                                 const std::string& membership, const json& more) {
  event e;
  e.type = "m.room.member";
  e.sender = sender;
  e.state_key = target;
  e.content = more;
  e.content["membership"] = membership;
  add_profile(e);
  return send(r, std::move(e));
}

} // namespace pb::hs
