#include "bridges/matrix/homeserver/sync_room.hpp"

#include "bridges/matrix/homeserver/relations.hpp"

#include <algorithm>
#include <array>
#include <deque>

namespace pb::hs {
namespace {

constexpr std::size_t default_limit = 10, max_limit = 100;

struct slice {
  std::deque<const event*> events;
  bool limited = false;
  position start = 0; ///< the place just before the first event
};

/// The latest visible events in (lower, upper]. A filter makes the server read further back, but
/// not for ever: five times twice the limit, as Synapse does; reaching `lower` clears `limited`.
slice load(const room& r, const std::string& user, position lower, position upper,
           const event_filter& filter) {
  slice out;
  const auto limit = std::min(filter.limit.value_or(default_limit), max_limit);
  auto allowance = 5 * std::max<std::size_t>(2 * limit, 10);
  const auto low = r.after(lower);
  auto i = r.after(upper);
  for (; i > low; --i) {
    const auto& e = *r.timeline[i - 1];
    if (filter.passes(e) && r.visible(e, user)) {
      if (out.events.size() == limit) {
        out.limited = true;
        break;
      }
      out.events.push_front(&e);
    } else if (allowance-- == 0) {
      out.limited = true;
      break;
    }
  }
  if (!out.events.empty())
    out.start = out.events.front()->pos - 1;
  else
    out.start = out.limited ? r.timeline[i - 1]->pos : upper;
  return out;
}

/// State at the start of the timeline: all of it, or what changed after `since`.
json state_part(const world& w, const room& r, const sync_question& q, device& d, const slice& s,
                bool full, position since) {
  json out = json::array();
  const auto view = viewer{w.now(), device_key(q.who->id, q.device)};
  const auto& filter = q.filter.state;
  std::set<std::string> wanted_members;
  if (filter.lazy_load_members) {
    for (const auto* e : s.events) {
      wanted_members.insert(e->sender);
      if (e->type == "m.room.member" && e->state_key)
        wanted_members.insert(*e->state_key);
    }
    if (full)
      wanted_members.insert(q.who->id);
    if (full && !q.since)
      std::erase_if(d.lazy_sent, [&](const auto& sent) { return sent.first == r.id; });
  }
  const auto put = [&](const event* e) {
    if (e != nullptr && filter.passes(*e))
      out.push_back(wire_form(*e, view, true));
  };
  if (full || s.limited)
    for (const auto& [key, history] : r.state) {
      const auto* e = r.at(key, s.start);
      if (e == nullptr || (!full && e->pos <= since))
        continue;
      if (filter.lazy_load_members && key.first == "m.room.member") {
        // Of the members, those who changed inside a gap must be told, redundant or not.
        if (full || wanted_members.contains(key.second))
          continue;
        d.lazy_sent.insert({r.id, key.second});
      }
      put(e);
    }
  for (const auto& user : wanted_members) {
    const auto* e = r.at({"m.room.member", user}, s.start);
    if (d.lazy_sent.insert({r.id, user}).second || (s.limited && e != nullptr && e->pos > since))
      put(e);
  }
  constexpr std::size_t lazy_cap = 50'000;
  if (d.lazy_sent.size() > lazy_cap)
    d.lazy_sent.clear();
  return out;
}

json timeline_part(const world& w, const room& r, const sync_question& q, const slice& s) {
  const auto view = viewer{w.now(), device_key(q.who->id, q.device)};
  json events = json::array();
  for (const auto* e : s.events)
    events.push_back(bundled_form(r, *e, view, true));
  return {
      {"events", std::move(events)}, {"prev_batch", page_token(s.start)}, {"limited", s.limited}};
}

json ephemeral_part(const room& r, const sync_question& q, bool all) {
  json out = json::array();
  const auto& filter = q.filter.ephemeral;
  const bool typing_changed = all ? !r.typing.empty() : r.typing_pos > q.since->typing;
  if (typing_changed && filter.passes("m.typing", "")) {
    json users = json::array();
    for (const auto& [user, token] : r.typing)
      users.push_back(user);
    out.push_back({{"type", "m.typing"}, {"content", {{"user_ids", std::move(users)}}}});
  }
  json receipts = json::object();
  for (const auto& [key, receipt] : r.receipts) {
    const auto& [type, user, thread] = key;
    if ((type == "m.read.private" && user != q.who->id) || (!all && receipt.pos <= q.since->stream))
      continue;
    auto& entry = receipts[receipt.event][type][user];
    entry["ts"] = receipt.ts;
    if (!thread.empty())
      entry["thread_id"] = thread;
  }
  if (!receipts.empty() && filter.passes("m.receipt", ""))
    out.push_back({{"type", "m.receipt"}, {"content", std::move(receipts)}});
  return out;
}

json data_part(const room& r, const sync_question& q, bool all) {
  json out = json::array();
  for (auto i = q.who->room_data.lower_bound({r.id, ""});
       i != q.who->room_data.end() && i->first.first == r.id; ++i)
    if ((all || i->second.pos > q.since->stream) &&
        q.filter.room_data.passes(i->first.second, q.who->id))
      out.push_back({{"type", i->first.second}, {"content", i->second.content}});
  return out;
}

/// Only with lazy loading, where clients cannot count themselves.
json summary_part(const room& r, const std::string& self) {
  json heroes = json::array();
  std::int64_t invited = 0;
  for (auto i = r.state.lower_bound({"m.room.member", ""});
       i != r.state.end() && i->first.first == "m.room.member"; ++i) {
    const auto membership = text_or_empty(i->second.back()->content, "membership");
    invited += membership == "invite" ? 1 : 0;
    if (i->first.second != self && heroes.size() < 5 &&
        (membership == "join" || membership == "invite"))
      heroes.push_back(i->first.second);
  }
  return {{"m.heroes", std::move(heroes)},
          {"m.joined_member_count", r.joined.size()},
          {"m.invited_member_count", invited}};
}

bool members_changed(const slice& s) {
  return std::ranges::any_of(s.events, [](const event* e) { return e->type == "m.room.member"; });
}

/// The account's own latest membership event that is not a join, since a place in the stream.
bool left_since(const room& r, const std::string& user, position since) {
  const auto own = r.state.find({"m.room.member", user});
  return own != r.state.end() && std::ranges::any_of(own->second, [&](const event_ptr& e) {
           return e->pos > since && text_or_empty(e->content, "membership") != "join";
         });
}

} // namespace

json tell_joined(world& w, const room& r, const sync_question& q, device& d,
                 std::set<std::string>& met) {
  const auto& user = q.who->id;
  const auto since = q.since ? q.since->stream : 0;
  const bool newly_joined =
      q.since && (r.membership_at(user, since) != "join" || left_since(r, user, since));
  const bool all = !q.since || newly_joined;
  auto s = load(r, user, all ? 0 : since, w.head(), q.filter.timeline);
  s.limited = s.limited || newly_joined;
  auto state = state_part(w, r, q, d, s, all || q.full_state, since);
  auto ephemeral = ephemeral_part(r, q, all || q.full_state);
  auto data = data_part(r, q, all || q.full_state);
  if (newly_joined)
    met.insert(r.joined.begin(), r.joined.end());
  else if (q.since)
    for (const auto* e : s.events)
      if (e->type == "m.room.member" && e->state_key && r.joined.contains(*e->state_key) &&
          r.membership_at(*e->state_key, e->pos - 1) != "join")
        met.insert(*e->state_key);
  if (!all && !q.full_state && s.events.empty() && !s.limited && state.empty() &&
      ephemeral.empty() && data.empty())
    return nullptr;
  const auto found = r.unread.find(user);
  const auto unread = found == r.unread.end() ? unread_counts{} : found->second;
  json summary = json::object();
  if (q.filter.state.lazy_load_members && (all || q.full_state || members_changed(s)))
    summary = summary_part(r, user);
  return {{"timeline", timeline_part(w, r, q, s)},
          {"state", {{"events", std::move(state)}}},
          {"account_data", {{"events", std::move(data)}}},
          {"ephemeral", {{"events", std::move(ephemeral)}}},
          {"unread_notifications",
           {{"notification_count", unread.notify}, {"highlight_count", unread.highlight}}},
          {"summary", std::move(summary)}};
}

json tell_invite(world& w, const room& r, const sync_question& q) {
  const auto* own = r.current("m.room.member", q.who->id);
  if (q.since && !q.full_state && own->pos <= q.since->stream)
    return nullptr;
  json events = json::array();
  for (const auto* type : {"m.room.name", "m.room.join_rules", "m.room.avatar", "m.room.topic",
                           "m.room.canonical_alias", "m.room.encryption"})
    if (const auto* e = r.at({type, ""}, own->pos))
      events.push_back(stripped_form(*e));
  if (const auto* e = r.at({"m.room.member", own->sender}, own->pos - 1))
    events.push_back(stripped_form(*e));
  if (const auto* e = r.at({"m.room.create", ""}, own->pos))
    events.push_back(stripped_form(*e));
  // Synapse gives the invitation itself whole, without the room.
  auto invitation = wire_form(*own, viewer{w.now(), {}}, true);
  invitation["unsigned"] = {{"age", invitation["unsigned"]["age"]}};
  events.push_back(std::move(invitation));
  return {{"invite_state", {{"events", std::move(events)}}}};
}

json tell_left(world& w, const room& r, const sync_question& q, device& d) {
  const auto* own = r.current("m.room.member", q.who->id);
  if (own == nullptr || q.who->forgotten.contains(r.id))
    return nullptr;
  if (!q.since ? !q.filter.include_leave : own->pos <= q.since->stream)
    return nullptr;
  const auto since = q.since ? q.since->stream : 0;
  const auto was_in = r.membership_at(q.who->id, since) == "join";
  const auto s = load(r, q.who->id, since, own->pos, q.filter.timeline);
  json state = json::array();
  if (was_in || s.events.size() > 1)
    state = state_part(w, r, q, d, s, !was_in, since);
  return {{"timeline", timeline_part(w, r, q, s)},
          {"state", {{"events", std::move(state)}}},
          {"account_data", {{"events", data_part(r, q, !was_in)}}}};
}

} // namespace pb::hs
