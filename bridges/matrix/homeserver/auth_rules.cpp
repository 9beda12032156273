#include "bridges/matrix/homeserver/auth_rules.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace pb::hs {
namespace {

const json* power(const room& r) {
  const auto* e = r.current("m.room.power_levels");
  return e == nullptr || !e->content.is_object() ? nullptr : &e->content;
}

std::int64_t number_or(const json* object, std::string_view key, std::int64_t fallback) {
  const auto* value = object == nullptr ? nullptr : member(*object, key);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : fallback;
}

void need_joined(const room& r, const event& e) {
  if (!r.joined.contains(e.sender))
    forbid("User " + e.sender + " not in room " + r.id);
}

void need_level(std::int64_t have, std::int64_t want, const std::string& text) {
  if (have < want)
    forbid(text);
}

void check_join(const room& r, const event& e, const std::string& before,
                const room_lookup& rooms) {
  if (e.sender != *e.state_key)
    forbid("Cannot force another user to join.");
  if (before == "ban")
    forbid("You are banned from this room");
  const auto* create = r.current("m.room.create");
  // The creator's own first join comes right after the create event.
  if (r.timeline.size() == 1 && create != nullptr && create->sender == e.sender)
    return;
  if (before == "join" || before == "invite")
    return;
  const auto rule = text_or_empty(r.content("m.room.join_rules"), "join_rule");
  if (rule == "public")
    return;
  if ((rule == "restricted" || rule == "knock_restricted") &&
      restricted_join_allowed(r, e.sender, rooms))
    return;
  if (rule == "restricted" || rule == "knock_restricted")
    forbid("You do not belong to any of the required rooms/spaces to join this room.");
  forbid("You are not invited to this room.");
}

void check_leave(const room& r, const event& e, const std::string& before) {
  if (e.sender == *e.state_key) {
    if (before != "join" && before != "invite" && before != "knock")
      forbid("User " + e.sender + " is not in room " + r.id);
    return;
  }
  need_joined(r, e);
  const auto mine = level_of(r, e.sender);
  if (before == "ban")
    need_level(mine, level_for(r, "ban"), "You cannot unban user " + *e.state_key + ".");
  need_level(mine, level_for(r, "kick"), "You cannot kick user " + *e.state_key + ".");
  if (before != "ban" && level_of(r, *e.state_key) >= mine)
    forbid("You cannot kick user " + *e.state_key + ".");
}

void check_member(const room& r, const event& e, const room_lookup& rooms) {
  if (!is_user_id(*e.state_key))
    refuse(400, "M_BAD_JSON", "The state key of m.room.member must be a user id.");
  const auto wanted = text_or_empty(e.content, "membership");
  const auto before = r.membership(*e.state_key);
  if (wanted == "join") {
    check_join(r, e, before, rooms);
  } else if (wanted == "invite") {
    need_joined(r, e);
    if (before == "ban")
      forbid(*e.state_key + " is banned from the room");
    if (before == "join")
      forbid(*e.state_key + " is already in the room.");
    need_level(level_of(r, e.sender), level_for(r, "invite"),
               "You don't have permission to invite users");
  } else if (wanted == "leave") {
    check_leave(r, e, before);
  } else if (wanted == "ban") {
    need_joined(r, e);
    const auto mine = level_of(r, e.sender);
    if (mine < level_for(r, "ban") || level_of(r, *e.state_key) >= mine)
      forbid("You don't have permission to ban");
  } else if (wanted == "knock") {
    forbid("You don't have permission to knock");
  } else {
    refuse(400, "M_BAD_JSON", "'membership' is not one of join, invite, leave, ban.");
  }
}

constexpr std::array level_keys{"users_default", "events_default", "state_default", "ban",
                                "redact",        "kick",           "invite"};

/// Room version 10: every level is an integer, not a string.
void check_levels_shape(const json& content) {
  const auto integers = [](const json& object, std::string_view where) {
    if (!object.is_object())
      refuse(400, "M_BAD_JSON", "'" + std::string(where) + "' must be an object");
    for (const auto& [key, value] : object.items())
      if (!value.is_number_integer())
        refuse(400, "M_BAD_JSON", "The power level of '" + key + "' must be an integer");
  };
  for (const auto* key : level_keys)
    if (const auto* value = member(content, key); value != nullptr && !value->is_number_integer())
      refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be an integer");
  for (const auto* key : {"users", "events", "notifications"})
    if (const auto* map = member(content, key))
      integers(*map, key);
  if (const auto* users = member(content, "users"))
    for (const auto& [id, level] : users->items())
      if (!is_user_id(id))
        refuse(400, "M_BAD_JSON", "'" + id + "' is not a user id");
}

/// A level may be changed only by who stands at or above both its old and its new value.
void check_levels_change(const room& r, const event& e) {
  const auto* before = power(r);
  if (before == nullptr)
    return;
  const auto mine = level_of(r, e.sender);
  const auto compare = [&](const json* was, const json* is, const std::string& name,
                           bool others_below) {
    if (was == is || (was != nullptr && is != nullptr && *was == *is))
      return;
    const auto old_level = was == nullptr ? 0 : was->get<std::int64_t>();
    if (was != nullptr && (old_level > mine || (others_below && old_level == mine)))
      forbid("You don't have permission to change the level of " + name);
    if (is != nullptr && is->get<std::int64_t>() > mine)
      forbid("You don't have permission to add a level above your own for " + name);
  };
  const auto known = [](const json* value) {
    return value != nullptr && value->is_number_integer() ? value : nullptr;
  };
  for (const auto* key : level_keys)
    compare(known(member(*before, key)), known(member(e.content, key)), key, false);
  for (const auto* map : {"users", "events", "notifications"}) {
    std::set<std::string> names;
    const auto* was = member(*before, map);
    const auto* is = member(e.content, map);
    for (const auto* side : {was, is})
      if (side != nullptr && side->is_object())
        for (const auto& [name, level] : side->items())
          names.insert(name);
    for (const auto& name : names)
      compare(was == nullptr ? nullptr : known(member(*was, name)),
              is == nullptr ? nullptr : known(member(*is, name)), name,
              std::string_view(map) == "users" && name != e.sender);
  }
}

} // namespace

std::int64_t level_of(const room& r, const std::string& user) {
  const auto* levels = power(r);
  if (levels == nullptr) {
    const auto* create = r.current("m.room.create");
    return create != nullptr && create->sender == user ? 100 : 0;
  }
  return number_or(member(*levels, "users"), user, number_or(levels, "users_default", 0));
}

std::int64_t level_for(const room& r, const std::string& action) {
  const auto* levels = power(r);
  const bool fifty = action != "invite" && action != "events_default" && action != "users_default";
  // Without a power level event nobody but the creator is above 0, and state needs 0.
  const std::int64_t fallback = fifty && !(levels == nullptr && action == "state_default") ? 50 : 0;
  return number_or(levels, action, fallback);
}

std::int64_t level_to_send(const room& r, const std::string& type, bool state) {
  const auto* levels = power(r);
  return number_or(levels == nullptr ? nullptr : member(*levels, "events"), type,
                   level_for(r, state ? "state_default" : "events_default"));
}

bool restricted_join_allowed(const room& r, const std::string& user, const room_lookup& rooms) {
  const auto* allow = member(r.content("m.room.join_rules"), "allow");
  if (allow == nullptr || !allow->is_array())
    return false;
  return std::ranges::any_of(*allow, [&](const json& condition) {
    if (text_or_empty(condition, "type") != "m.room_membership")
      return false;
    const auto* other = rooms(text_or_empty(condition, "room_id"));
    return other != nullptr && other->joined.contains(user);
  });
}

void authorise(const room& r, const event& e, const room_lookup& rooms) {
  if (e.type == "m.room.create") {
    if (!r.timeline.empty())
      forbid("A room is created once.");
    return;
  }
  if (e.type == "m.room.member" && e.state_key)
    return check_member(r, e, rooms);
  need_joined(r, e);
  const auto mine = level_of(r, e.sender);
  const auto wanted = level_to_send(r, e.type, e.state_key.has_value());
  need_level(mine, wanted,
             "You don't have permission to post that to the room. user_level (" +
                 std::to_string(mine) + ") < send_level (" + std::to_string(wanted) + ")");
  if (e.state_key && e.state_key->starts_with('@') && *e.state_key != e.sender)
    forbid("You are not allowed to set others state");
  if (e.type == "m.room.power_levels" && e.state_key == "") {
    check_levels_shape(e.content);
    check_levels_change(r, e);
  }
}

} // namespace pb::hs
