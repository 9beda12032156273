#include "bridges/matrix/homeserver/model.hpp"

#include <algorithm>

namespace pb::hs {
namespace {

const json no_content = json::object();

const event* latest(const std::vector<event_ptr>& history, position pos) {
  const auto i = std::upper_bound(history.begin(), history.end(), pos,
                                  [](position p, const event_ptr& e) { return p < e->pos; });
  return i == history.begin() ? nullptr : std::prev(i)->get();
}

} // namespace

const event* room::current(const std::string& type, const std::string& k) const {
  const auto i = state.find({type, k});
  return i == state.end() ? nullptr : i->second.back().get();
}

const event* room::at(const key& k, position pos) const {
  const auto i = state.find(k);
  return i == state.end() ? nullptr : latest(i->second, pos);
}

const json& room::content(const std::string& type, const std::string& k) const {
  const auto* e = current(type, k);
  return e == nullptr || !e->content.is_object() ? no_content : e->content;
}

std::string room::membership(const std::string& user) const {
  return text_or_empty(content("m.room.member", user), "membership");
}

std::string room::membership_at(const std::string& user, position pos) const {
  const auto* e = at({"m.room.member", user}, pos);
  return e == nullptr ? std::string() : text_or_empty(e->content, "membership");
}

std::size_t room::after(position pos) const {
  const auto i = std::upper_bound(timeline.begin(), timeline.end(), pos,
                                  [](position p, const event_ptr& e) { return p < e->pos; });
  return static_cast<std::size_t>(i - timeline.begin());
}

bool room::visible(const event& e, const std::string& user) const {
  if (e.type == "m.room.member" && e.state_key == user)
    return true;
  const auto* rule = at({"m.room.history_visibility", ""}, e.pos);
  const auto text =
      rule == nullptr ? std::string() : text_or_empty(rule->content, "history_visibility");
  const auto then = membership_at(user, e.pos);
  if (text == "world_readable" || then == "join")
    return true;
  if (text == "joined")
    return false;
  if (text == "invited")
    return then == "invite";
  // shared, which is the default: everything before a join is open to who joined later.
  const auto own = state.find({"m.room.member", user});
  return own != state.end() && std::ranges::any_of(own->second, [&](const event_ptr& m) {
           return m->pos > e.pos && text_or_empty(m->content, "membership") == "join";
         });
}

std::string device_key(const std::string& user, const std::string& device) {
  return user + ' ' + device;
}

json wire_form(const event& e, const viewer& v, bool in_sync) {
  json out{{"type", e.type},
           {"sender", e.sender},
           {"content", e.content},
           {"origin_server_ts", e.ts},
           {"event_id", e.id}};
  auto& extra = out["unsigned"] = e.extra;
  extra["age"] = std::max<unix_ms>(0, v.now - e.ts);
  if (!e.txn.empty() && e.txn_device == v.device)
    extra["transaction_id"] = e.txn;
  if (e.state_key)
    out["state_key"] = *e.state_key;
  if (!e.redacts.empty())
    out["redacts"] = e.redacts;
  if (!in_sync) {
    // Older clients read these at the top; Synapse gives them outside of sync.
    out["room_id"] = e.room;
    out["user_id"] = e.sender;
    out["age"] = extra["age"];
    for (const auto* key : {"replaces_state", "prev_content"})
      if (const auto* value = member(e.extra, key))
        out[key] = *value;
  }
  if (e.overlay.is_object())
    for (const auto& [key, value] : e.overlay.items())
      out[key] = value;
  return out;
}

json stripped_form(const event& e) {
  return {{"type", e.type},
          {"state_key", e.state_key.value_or("")},
          {"content", e.content},
          {"sender", e.sender}};
}

json redacted_content(const std::string& type, const json& content) {
  static const std::map<std::string, std::vector<const char*>> kept{
      {"m.room.member", {"membership", "join_authorised_via_users_server"}},
      {"m.room.create", {"creator"}},
      {"m.room.join_rules", {"join_rule", "allow"}},
      {"m.room.power_levels",
       {"ban", "events", "events_default", "kick", "redact", "state_default", "users",
        "users_default"}},
      {"m.room.history_visibility", {"history_visibility"}}};
  json out = json::object();
  if (const auto i = kept.find(type); i != kept.end())
    for (const auto* key : i->second)
      if (const auto* value = member(content, key))
        out[key] = *value;
  return out;
}

} // namespace pb::hs
