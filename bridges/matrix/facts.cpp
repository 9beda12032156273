#include "bridges/matrix/facts.hpp"

#include "bridges/matrix/url.hpp"

#include <algorithm>
#include <utility>

namespace pb::matrix {
namespace {

void link(std::map<room_id, space_edge>& edges, const matrix_event& e) {
  if (!is_identifier(*e.state_key, '!'))
    return;
  space_link l = parse_space_link(e.content);
  const room_id other(*e.state_key);
  if (l.via.empty())
    edges.erase(other);
  else
    edges[other] = {e.sender, std::move(l.via), l.canonical, l.suggested};
}

/// Events whose key is "".
void apply_single(room_facts& f, const matrix_event& e, const user_id& bot) {
  if (e.type == "m.room.create") {
    create_content c = parse_create(e.content);
    f.creator = e.sender;
    f.bot_created = e.sender == bot;
    f.is_space = c.type == "m.space";
    f.power.version = f.version = std::move(c.version);
    f.power.creators = additional_creators(e.content);
    f.power.creators.push_back(e.sender);
    f.predecessor = std::move(c.predecessor);
  } else if (e.type == chat_marker_type) {
    f.chat = e.sender == bot ? parse_chat_marker(e.content) : std::nullopt;
    f.odd_marker = !f.chat;
  } else if (e.type == space_marker_type) {
    f.space = e.sender == bot ? parse_space_marker(e.content) : std::nullopt;
    f.odd_marker = !f.space;
  } else if (e.type == "m.room.power_levels") {
    f.power.levels = e.content;
  } else if (e.type == "m.room.encryption") {
    f.encrypted = true;
  } else if (e.type == "m.room.tombstone") {
    f.upgraded = true;
    f.upgraded_by = e.sender;
    f.replacement = parse_tombstone(e.content).replacement;
  } else if (e.type == "m.room.name") {
    f.name = parse_name(e.content);
  }
}

} // namespace

bool room_facts::is(const user_id& user, std::string_view membership) const {
  const auto at = members.find(user);
  return at != members.end() && at->second.membership == membership;
}

void apply(room_facts& f, const matrix_event& e, const user_id& bot) {
  if (!e.state_key)
    return;
  if (e.type == "m.room.member") {
    if (is_identifier(*e.state_key, '@'))
      f.members[user_id(*e.state_key)] = {parse_member(e.content).membership, e.sender};
  } else if (e.type == "m.space.child") {
    link(f.children, e);
  } else if (e.type == "m.space.parent") {
    link(f.parents, e);
  } else if (e.state_key->empty()) {
    apply_single(f, e, bot);
  }
}

room_facts gather_facts(const room_id& room, const user_id& bot,
                        const std::vector<matrix_event>& state) {
  room_facts f;
  f.room = room;
  for (const matrix_event& e : state)
    apply(f, e, bot);
  return f;
}

std::optional<room_id> canonical_parent(const room_facts& f) {
  const std::pair<const room_id, space_edge>* best = nullptr;
  const auto by_creator = [&](const auto& edge) { return edge.second.sender == f.creator; };
  for (const auto& edge : f.parents) { // in the order of ids
    if (!edge.second.canonical)
      continue;
    if (!best || (by_creator(edge) && !by_creator(*best)))
      best = &edge;
  }
  return best ? std::optional<room_id>(best->first) : std::nullopt;
}

std::optional<user_id> sole_other_member(const room_facts& f, const user_id& bot) {
  std::optional<user_id> found;
  for (const auto& [user, m] : f.members) {
    if (user == bot || (m.membership != "join" && m.membership != "invite"))
      continue;
    if (found)
      return std::nullopt;
    found = user;
  }
  return found;
}

std::optional<room_row> restore_room(const room_facts& f, const user_id& bot) {
  if (f.space && f.chat)
    return std::nullopt;
  room_row row;
  row.id = f.room;
  row.title = f.name;
  row.encrypted = f.encrypted;
  if (f.space && f.is_space) {
    row.kind = room_kind::space;
    row.owner = f.space->owner;
    row.agent = f.space->agent;
    row.intent = f.space->intent;
  } else if (f.chat && !f.is_space) {
    row.kind = room_kind::chat;
    row.owner = f.chat->owner;
    row.chat = f.chat->chat;
    row.platform = f.chat->platform;
    row.agent = f.chat->agent;
    row.epoch = f.chat->epoch;
    row.state = f.chat->state == "archived" ? room_state::archived : room_state::active;
    row.intent = f.chat->intent;
    row.space = canonical_parent(f).value_or(room_id());
  } else {
    return std::nullopt;
  }
  if (const auto me = f.members.find(bot);
      me != f.members.end() && (me->second.membership == "leave" || me->second.membership == "ban"))
    row.state = room_state::left;
  return row;
}

} // namespace pb::matrix
