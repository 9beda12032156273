// createRoom: the events of a new room, in the order of the specification.

#include "bridges/matrix/homeserver/endpoints.hpp"

namespace pb::hs::api {
namespace {

struct wish {
  std::string preset, name, topic, alias;
  std::vector<std::string> invites;
  bool has_name = false, has_topic = false, direct = false;
  json creation = json::object(), power = json::object();
  std::vector<event> initial;
};

const json& object_or_empty(const json& body, const char* key) {
  static const json none = json::object();
  const auto* value = member(body, key);
  if (value == nullptr || value->is_null())
    return none;
  if (!value->is_object())
    refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be an object");
  return *value;
}

const json& list_or_empty(const json& body, const char* key) {
  static const json none = json::array();
  const auto* value = member(body, key);
  if (value == nullptr || value->is_null())
    return none;
  if (!value->is_array())
    refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be a list");
  return *value;
}

void read_initial_state(const json& body, wish& w) {
  for (const auto& entry : list_or_empty(body, "initial_state")) {
    if (!entry.is_object())
      refuse(400, "M_BAD_JSON", "An entry of 'initial_state' must be an object");
    event e;
    e.type = need_text(entry, "type");
    e.state_key = maybe_text(entry, "state_key").value_or("");
    const auto* content = member(entry, "content");
    if (content == nullptr || !content->is_object())
      refuse(400, "M_BAD_JSON", "'content' of an initial state event must be an object");
    e.content = *content;
    w.initial.push_back(std::move(e));
  }
}

wish read_wish(server& s, const json& body) {
  wish w;
  if (const auto version = maybe_text(body, "room_version"); version && *version != room_version)
    refuse(400, "M_UNSUPPORTED_ROOM_VERSION", "Your homeserver does not support this room version");
  const auto visibility = maybe_text(body, "visibility").value_or("private");
  if (visibility != "private" && visibility != "public")
    refuse(400, "M_INVALID_PARAM", "'visibility' must be private or public");
  w.preset =
      maybe_text(body, "preset").value_or(visibility == "public" ? "public_chat" : "private_chat");
  if (w.preset != "private_chat" && w.preset != "trusted_private_chat" && w.preset != "public_chat")
    refuse(400, "M_BAD_JSON", "'" + w.preset + "' is not a valid preset");
  const auto name = maybe_text(body, "name"), topic = maybe_text(body, "topic");
  w.has_name = name.has_value();
  w.has_topic = topic.has_value();
  w.name = name.value_or("");
  w.topic = topic.value_or("");
  w.direct = maybe_bool(body, "is_direct").value_or(false);
  w.creation = object_or_empty(body, "creation_content");
  w.power = object_or_empty(body, "power_level_content_override");
  for (const auto& user : list_or_empty(body, "invite")) {
    if (!user.is_string() || !is_user_id(user.get<std::string>()))
      refuse(400, "M_INVALID_PARAM", "Invalid user_id: " + user.dump());
    w.invites.push_back(user.get<std::string>());
  }
  if (!list_or_empty(body, "invite_3pid").empty())
    refuse(403, "M_THREEPID_DENIED", "This development homeserver sends no mail.");
  read_initial_state(body, w);
  if (const auto local = maybe_text(body, "room_alias_name")) {
    w.alias = '#' + *local + ':' + s.w.server_name;
    if (!is_alias(w.alias) || local->find(':') != std::string::npos)
      refuse(400, "M_INVALID_PARAM", "Invalid characters in room alias");
    if (s.w.find_alias(w.alias) != nullptr)
      refuse(400, "M_ROOM_IN_USE", "Room alias already taken");
  }
  return w;
}

/// The creator's levels, then the preset's, then the override: keys at the top replace whole.
json power_levels(const wish& w, const std::string& creator) {
  json out{{"users", {{creator, 100}}},
           {"users_default", 0},
           {"events",
            {{"m.room.name", 50},
             {"m.room.power_levels", 100},
             {"m.room.history_visibility", 100},
             {"m.room.canonical_alias", 50},
             {"m.room.avatar", 50},
             {"m.room.tombstone", 100},
             {"m.room.server_acl", 100},
             {"m.room.encryption", 100}}},
           {"events_default", 0},
           {"state_default", 50},
           {"ban", 50},
           {"kick", 50},
           {"redact", 50},
           {"invite", w.preset == "public_chat" ? 50 : 0},
           {"historical", 100}};
  if (w.preset == "trusted_private_chat")
    for (const auto& user : w.invites)
      out["users"][user] = 100;
  out.update(w.power);
  const auto* users = member(out, "users");
  if (users == nullptr || !users->is_object() || !users->contains(creator))
    refuse(400, "M_BAD_JSON",
           "Not a valid power_level_content_override: 'users' did not contain " + creator);
  return out;
}

class builder {
public:
  builder(server& s, room& r, const account& creator) : s_(s), r_(r), creator_(creator.id) {}

  void state(const std::string& type, json content, const std::string& key = {}) {
    event e;
    e.type = type;
    e.sender = creator_;
    e.state_key = key;
    e.content = std::move(content);
    s_.send(r_, std::move(e));
  }

private:
  server& s_;
  room& r_;
  std::string creator_;
};

bool sets(const wish& w, const char* type) {
  for (const auto& e : w.initial)
    if (e.type == type && e.state_key == "")
      return true;
  return false;
}

} // namespace

answer create_room(server& s, call& c) {
  const auto now = s.w.now();
  s.rates.take(s.rates.limits.room_creation, "create", c.who->id, now);
  s.rates.take(s.rates.limits.message, "message", c.who->id, now);
  const auto w = read_wish(s, c.body);
  const auto levels = power_levels(w, c.who->id);
  auto& r = s.w.make_room();
  builder put(s, r, *c.who);
  json create = w.creation;
  create["room_version"] = room_version;
  create["creator"] = c.who->id;
  put.state("m.room.create", std::move(create));
  s.set_membership(r, c.who->id, c.who->id, "join");
  if (!sets(w, "m.room.power_levels"))
    put.state("m.room.power_levels", levels);
  if (!w.alias.empty()) {
    s.w.set_alias(w.alias, r.id, c.who->id);
    put.state("m.room.canonical_alias", {{"alias", w.alias}});
  }
  if (!sets(w, "m.room.join_rules"))
    put.state("m.room.join_rules",
              {{"join_rule", w.preset == "public_chat" ? "public" : "invite"}});
  if (!sets(w, "m.room.history_visibility"))
    put.state("m.room.history_visibility", {{"history_visibility", "shared"}});
  if (w.preset != "public_chat" && !sets(w, "m.room.guest_access"))
    put.state("m.room.guest_access", {{"guest_access", "can_join"}});
  for (const auto& e : w.initial)
    put.state(e.type, e.content, *e.state_key);
  if (w.has_name)
    put.state("m.room.name", {{"name", w.name}});
  if (w.has_topic)
    put.state("m.room.topic", {{"topic", w.topic}});
  const json direct = w.direct ? json{{"is_direct", true}} : json::object();
  for (const auto& user : w.invites) {
    // Inside createRoom only the room's own bucket counts (Synapse, handlers/room_member.py).
    s.rates.take(s.rates.limits.invite_room, "invite_room", r.id, now);
    if (server_of(user) != s.w.server_name)
      forbid("This development homeserver has no federation.");
    s.set_membership(r, c.who->id, user, "invite", direct);
  }
  return json_answer({{"room_id", r.id}});
}

} // namespace pb::hs::api
