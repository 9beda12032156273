// Coming, going, being invited or thrown out; who is where; names of rooms.

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>

namespace pb::hs::api {
namespace {

json reason_of(const call& c) {
  const auto reason = maybe_text(c.body, "reason");
  return reason ? json{{"reason", *reason}} : json::object();
}

std::string target_of(const call& c) {
  auto user = need_text(c.body, "user_id");
  if (!is_user_id(user))
    refuse(400, "M_INVALID_PARAM", "Invalid user_id: " + user);
  return user;
}

answer join_room(server& s, call& c, const std::string& id) {
  auto& r = s.any_room(id);
  const auto before = r.membership(c.who->id);
  if (before == "join")
    return json_answer({{"room_id", r.id}});
  s.rates.take(s.rates.limits.join, "join", c.who->id, s.w.now());
  auto more = reason_of(c);
  const auto rule = text_or_empty(r.content("m.room.join_rules"), "join_rule");
  if (before != "invite" && (rule == "restricted" || rule == "knock_restricted") &&
      restricted_join_allowed(r, c.who->id, s.lookup())) {
    const auto sponsor = std::ranges::find_if(r.joined, [&](const std::string& user) {
      return level_of(r, user) >= level_for(r, "invite");
    });
    if (sponsor == r.joined.end())
      forbid("Nobody in the room can let you in.");
    more["join_authorised_via_users_server"] = *sponsor;
  }
  s.set_membership(r, c.who->id, c.who->id, "join", more);
  return json_answer({{"room_id", r.id}});
}

} // namespace

answer join(server& s, call& c) {
  const auto& wanted = c.param("room");
  if (wanted.starts_with('#')) {
    const auto* alias = s.w.find_alias(wanted);
    if (alias == nullptr)
      refuse(404, "M_NOT_FOUND", "Room alias " + wanted + " not found");
    return join_room(s, c, alias->room);
  }
  if (!is_room_id(wanted))
    refuse(400, "M_INVALID_PARAM", wanted + " was not legal room ID or room alias");
  return join_room(s, c, wanted);
}

answer join_by_id(server& s, call& c) { return join_room(s, c, c.param("room")); }

answer leave(server& s, call& c) {
  auto& r = s.any_room(c.param("room"));
  if (r.membership(c.who->id) != "leave")
    s.set_membership(r, c.who->id, c.who->id, "leave", reason_of(c));
  return json_answer(json::object());
}

answer forget(server& s, call& c) {
  const auto& r = s.any_room(c.param("room"));
  const auto now = r.membership(c.who->id);
  if (now == "join" || now == "invite" || now == "knock")
    refuse(400, "M_UNKNOWN", "User " + c.who->id + " in room " + r.id);
  if (now.empty())
    forbid("User " + c.who->id + " was never in room " + r.id);
  s.w.forget(*c.who, r.id);
  return json_answer(json::object());
}

answer invite(server& s, call& c) {
  const auto target = target_of(c);
  auto& r = s.joined_room(c);
  s.take_invite_rates(r, c.who->id, target);
  s.set_membership(r, c.who->id, target, "invite", reason_of(c));
  return json_answer(json::object());
}

answer kick(server& s, call& c) {
  const auto target = target_of(c);
  auto& r = s.joined_room(c);
  const auto before = r.membership(target);
  if (before != "join" && before != "invite" && before != "knock")
    forbid("The target user is not in the room");
  if (target == c.who->id)
    forbid("Use leave for yourself.");
  s.set_membership(r, c.who->id, target, "leave", reason_of(c));
  return json_answer(json::object());
}

answer ban(server& s, call& c) {
  const auto target = target_of(c);
  s.set_membership(s.joined_room(c), c.who->id, target, "ban", reason_of(c));
  return json_answer(json::object());
}

answer unban(server& s, call& c) {
  const auto target = target_of(c);
  auto& r = s.joined_room(c);
  if (r.membership(target) != "ban")
    forbid("Cannot unban user who was not banned");
  s.set_membership(r, c.who->id, target, "leave", reason_of(c));
  return json_answer(json::object());
}

answer joined_rooms(server& s, call& c) {
  json list = json::array();
  for (const auto& [id, pos] : c.who->touched)
    if (const auto* r = s.w.find_room(id); r != nullptr && r->joined.contains(c.who->id))
      list.push_back(id);
  return json_answer({{"joined_rooms", std::move(list)}});
}

answer joined_members(server& s, call& c) {
  const auto& r = s.joined_room(c);
  json joined = json::object();
  for (const auto& user : r.joined) {
    const auto& content = r.content("m.room.member", user);
    auto& entry = joined[user] = json::object();
    // Synapse says null for what is not set; the specification has strings alone.
    for (const auto& [key, name] :
         {std::pair("displayname", "display_name"), std::pair("avatar_url", "avatar_url")})
      if (auto value = text_or_empty(content, key); !value.empty())
        entry[name] = std::move(value);
  }
  return json_answer({{"joined", std::move(joined)}});
}

answer members(server& s, call& c) {
  const auto& r = s.readable_room(c);
  const auto wanted = c.ask("membership"), unwanted = c.ask("not_membership");
  auto at = s.w.head();
  if (const auto text = c.ask("at")) {
    const auto token = read_token(*text);
    if (!token)
      refuse(400, "M_INVALID_PARAM", "Invalid 'at' token");
    at = token->stream;
  }
  if (const auto* own = r.current("m.room.member", c.who->id);
      own != nullptr && !r.joined.contains(c.who->id))
    at = std::min(at, own->pos);
  json chunk = json::array();
  for (auto i = r.state.lower_bound({"m.room.member", ""});
       i != r.state.end() && i->first.first == "m.room.member"; ++i) {
    const auto* e = r.at(i->first, at);
    if (e == nullptr)
      continue;
    const auto membership = text_or_empty(e->content, "membership");
    if ((!wanted || membership == *wanted) && (!unwanted || membership != *unwanted))
      chunk.push_back(wire_form(*e, c.view(s.w.now()), false));
  }
  return json_answer({{"chunk", std::move(chunk)}});
}

answer get_alias(server& s, call& c) {
  if (!is_alias(c.param("alias")))
    refuse(400, "M_INVALID_PARAM", "Room alias invalid: " + c.param("alias"));
  const auto* found = s.w.find_alias(c.param("alias"));
  if (found == nullptr)
    refuse(404, "M_NOT_FOUND", "Room alias " + c.param("alias") + " not found");
  return json_answer({{"room_id", found->room}, {"servers", json::array({s.w.server_name})}});
}

answer put_alias(server& s, call& c) {
  const auto& alias = c.param("alias");
  if (!is_alias(alias) || server_of(alias) != s.w.server_name)
    refuse(400, "M_INVALID_PARAM", "Room alias invalid: " + alias);
  const auto id = need_text(c.body, "room_id");
  if (s.w.find_alias(alias) != nullptr)
    refuse(409, "M_UNKNOWN", "Room alias " + alias + " already exists");
  const auto* r = s.w.find_room(id);
  if (r == nullptr || !r->joined.contains(c.who->id))
    forbid("You are not in that room.");
  s.w.set_alias(alias, id, c.who->id);
  return json_answer(json::object());
}

answer delete_alias(server& s, call& c) {
  const auto* found = s.w.find_alias(c.param("alias"));
  if (found == nullptr)
    refuse(404, "M_NOT_FOUND", "Room alias " + c.param("alias") + " not found");
  const auto* r = s.w.find_room(found->room);
  if (found->creator != c.who->id &&
      (r == nullptr || level_of(*r, c.who->id) < level_to_send(*r, "m.room.canonical_alias", true)))
    forbid("You don't have permission to delete the alias.");
  s.w.drop_alias(c.param("alias"));
  return json_answer(json::object());
}

answer room_aliases(server& s, call& c) {
  const auto& r = s.joined_room(c);
  return json_answer({{"aliases", s.w.aliases_of(r.id)}});
}

} // namespace pb::hs::api
