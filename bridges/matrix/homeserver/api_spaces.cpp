// The tree of a Space (client-server API, GET /v1/rooms/{roomId}/hierarchy).

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>
#include <charconv>

namespace pb::hs::api {
namespace {

bool accessible(server& s, const room& r, const std::string& user) {
  const auto membership = r.membership(user);
  if (membership == "join" || membership == "invite")
    return true;
  const auto rule = text_or_empty(r.content("m.room.join_rules"), "join_rule");
  return rule == "public" || rule == "knock" ||
         text_or_empty(r.content("m.room.history_visibility"), "history_visibility") ==
             "world_readable" ||
         ((rule == "restricted" || rule == "knock_restricted") && membership != "ban" &&
          restricted_join_allowed(r, user, s.lookup()));
}

std::string order_of(const event& e) {
  const auto order = text_or_empty(e.content, "order");
  const bool valid = order.size() <= 50 && std::ranges::all_of(order, [](unsigned char c) {
                       return c >= 0x20 && c <= 0x7e;
                     });
  return valid ? order : std::string();
}

/// With an order first; then by time; then by room id.
std::vector<const event*> children_of(const room& r, bool suggested_only) {
  std::vector<const event*> out;
  for (auto i = r.state.lower_bound({"m.space.child", ""});
       i != r.state.end() && i->first.first == "m.space.child"; ++i) {
    const auto* e = i->second.back().get();
    const auto* via = member(e->content, "via");
    const auto* suggested = member(e->content, "suggested");
    if (via == nullptr || !via->is_array() || via->empty() || !is_room_id(*e->state_key) ||
        (suggested_only && (suggested == nullptr || *suggested != json(true))))
      continue;
    out.push_back(e);
  }
  std::ranges::sort(out, [](const event* a, const event* b) {
    const auto x = order_of(*a), y = order_of(*b);
    return std::tuple(x.empty(), x, a->ts, *a->state_key) <
           std::tuple(y.empty(), y, b->ts, *b->state_key);
  });
  return out;
}

json entry_of(const room& r, const std::vector<const event*>& children) {
  const auto rule = text_or_empty(r.content("m.room.join_rules"), "join_rule");
  json out{{"room_id", r.id},
           {"num_joined_members", r.joined.size()},
           {"join_rule", rule.empty() ? "invite" : rule},
           {"world_readable", text_or_empty(r.content("m.room.history_visibility"),
                                            "history_visibility") == "world_readable"},
           {"guest_can_join",
            text_or_empty(r.content("m.room.guest_access"), "guest_access") == "can_join"},
           {"children_state", json::array()}};
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty())
      out[key] = value;
  };
  put("name", text_or_empty(r.content("m.room.name"), "name"));
  put("topic", text_or_empty(r.content("m.room.topic"), "topic"));
  put("avatar_url", text_or_empty(r.content("m.room.avatar"), "url"));
  put("canonical_alias", text_or_empty(r.content("m.room.canonical_alias"), "alias"));
  put("room_type", text_or_empty(r.content("m.room.create"), "type"));
  for (const auto* e : children) {
    auto child = stripped_form(*e);
    child["room_id"] = r.id;
    child["origin_server_ts"] = e->ts;
    out["children_state"].push_back(std::move(child));
  }
  return out;
}

} // namespace

answer hierarchy(server& s, call& c) {
  const auto& root = s.any_room(c.param("room"));
  if (!accessible(s, root, c.who->id))
    forbid("User " + c.who->id + " not in room " + root.id + ", and room previews are disabled");
  const bool suggested_only = c.ask_bool("suggested_only");
  const auto limit =
      static_cast<std::size_t>(std::clamp<std::int64_t>(c.ask_int("limit").value_or(50), 1, 50));
  const auto max_depth = c.ask_int("max_depth").value_or(100);
  std::size_t skip = 0;
  if (const auto from = c.ask("from")) {
    const auto end = from->data() + from->size();
    const auto [stop, error] =
        std::from_chars(from->data() + (from->starts_with('h') ? 1 : 0), end, skip);
    if (error != std::errc() || stop != end || !from->starts_with('h'))
      refuse(400, "M_INVALID_PARAM", "Unknown pagination token");
  }
  json rooms = json::array();
  std::vector<std::pair<const room*, std::int64_t>> open{{&root, 0}};
  std::set<std::string> seen;
  std::size_t index = 0;
  std::optional<std::string> next;
  while (!open.empty()) {
    const auto [r, depth] = open.back();
    open.pop_back();
    if (!accessible(s, *r, c.who->id) || !seen.insert(r->id).second)
      continue;
    const bool is_space = text_or_empty(r->content("m.room.create"), "type") == "m.space";
    const auto children =
        is_space || r == &root ? children_of(*r, suggested_only) : std::vector<const event*>{};
    if (depth < max_depth)
      for (auto i = children.rbegin(); i != children.rend(); ++i)
        if (const auto* child = s.w.find_room(*(*i)->state_key))
          open.emplace_back(child, depth + 1);
    if (index++ < skip)
      continue;
    if (rooms.size() == limit) {
      next = "h" + std::to_string(index - 1);
      break;
    }
    rooms.push_back(entry_of(*r, children));
  }
  json out{{"rooms", std::move(rooms)}};
  if (next)
    out["next_batch"] = *next;
  return json_answer(out);
}

} // namespace pb::hs::api
