#include "bridges/matrix/homeserver/sync_answer.hpp"

#include "bridges/matrix/homeserver/push_rules.hpp"
#include "bridges/matrix/homeserver/sync_room.hpp"

#include <algorithm>
#include <charconv>

namespace pb::hs {
namespace {

constexpr std::size_t to_device_portion = 100;

json data_event(const std::string& type, const json& content) {
  return {{"type", type}, {"content", content}};
}

json global_data(world&, const sync_question& q) {
  json out = json::array();
  if (!q.since && q.filter.account_data.passes("m.push_rules", q.who->id))
    out.push_back(data_event("m.push_rules", default_push_rules(*q.who)));
  for (const auto& [type, data] : q.who->data)
    if ((!q.since || data.pos > q.since->stream) && q.filter.account_data.passes(type, q.who->id))
      out.push_back(data_event(type, data.content));
  return out;
}

/// Own devices and those of people in shared rooms whose keys changed, and people newly shared
/// with.
json changed_devices(world& w, const sync_question& q, std::set<std::string> met) {
  for (const auto& user : w.device_changes(q.since->stream))
    if (user == q.who->id || w.share_a_room(user, q.who->id))
      met.insert(user);
  json out = json::array();
  for (const auto& user : met)
    if (w.find(user) != nullptr)
      out.push_back(user);
  return out;
}

/// Rooms of this account that changed since, or all.
std::vector<room*> rooms_to_tell(world& w, const sync_question& q) {
  std::set<std::string> ids;
  const auto everything = !q.since || q.full_state;
  if (everything)
    for (const auto& [id, pos] : q.who->touched)
      ids.insert(id);
  else
    for (auto i = q.who->recent.upper_bound(q.since->stream); i != q.who->recent.end(); ++i)
      ids.insert(i->second);
  if (q.since)
    for (const auto* r : w.typing_since(q.since->typing))
      if (r->joined.contains(q.who->id))
        ids.insert(r->id);
  std::vector<room*> out;
  for (const auto& id : ids)
    if (auto* r = w.find_room(id); r != nullptr && q.filter.rooms.passes_room(id))
      out.push_back(r);
  return out;
}

void put_to_device(device& d, const sync_question& q, sync_token& next, json& body) {
  json events = json::array();
  const auto since = q.since ? q.since->to_device : 0;
  for (const auto& message : d.inbox) {
    if (message.pos <= since)
      continue;
    if (events.size() == to_device_portion) {
      // The rest comes with the next sync: the token must not acknowledge it.
      next.to_device = std::min(next.to_device, message.pos - 1);
      break;
    }
    events.push_back(message.wire);
  }
  if (!events.empty())
    body["to_device"]["events"] = std::move(events);
}

void put_key_counts(const device& d, json& body) {
  json counts{{"signed_curve25519", 0}};
  for (const auto& [name, key] : d.one_time) {
    auto& n = counts[name.substr(0, name.find(':'))];
    n = (n.is_number() ? n.get<int>() : 0) + 1;
  }
  json unused = json::array();
  for (const auto& [name, key] : d.fallback)
    if (!key.second)
      unused.push_back(name.substr(0, name.find(':')));
  body["device_one_time_keys_count"] = std::move(counts);
  body["org.matrix.msc2732.device_unused_fallback_key_types"] = unused;
  body["device_unused_fallback_key_types"] = std::move(unused);
}

} // namespace

std::string to_text(const sync_token& token) {
  return "s" + std::to_string(token.stream) + '_' + std::to_string(token.typing) + '_' +
         std::to_string(token.to_device);
}

std::string page_token(position pos) { return "s" + std::to_string(pos); }

std::optional<sync_token> read_token(std::string_view text) {
  if (!text.starts_with('s'))
    return std::nullopt;
  text.remove_prefix(1);
  std::vector<position> numbers;
  for (;;) {
    position value = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || value < 0 || numbers.size() == 3)
      return std::nullopt;
    numbers.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (text.empty())
      break;
    if (text[0] != '_')
      return std::nullopt;
    text.remove_prefix(1);
  }
  if (numbers.size() == 2)
    return std::nullopt;
  numbers.resize(3);
  return sync_token{numbers[0], numbers[1], numbers[2]};
}

sync_result answer_sync(world& w, const sync_question& asked) {
  auto q = asked;
  if (q.since && q.since->typing > w.typing_head())
    q.since->typing = 0; // from before a restart
  sync_token next{w.head(), w.typing_head(), w.to_device_head()};
  json body = json::object();
  auto& own_device = q.who->devices[q.device];
  if (q.since)
    w.drop_to_device(*q.who, q.device, q.since->to_device);
  std::set<std::string> met;
  json join = json::object(), invite = json::object(), leave = json::object();
  for (auto* r : rooms_to_tell(w, q)) {
    const auto membership = r->membership(q.who->id);
    if (membership == "join") {
      if (auto told = tell_joined(w, *r, q, own_device, met); !told.is_null())
        join[r->id] = std::move(told);
    } else if (membership == "invite") {
      if (auto told = tell_invite(w, *r, q); !told.is_null())
        invite[r->id] = std::move(told);
    } else if (auto told = tell_left(w, *r, q, own_device); !told.is_null()) {
      leave[r->id] = std::move(told);
    }
  }
  if (!join.empty())
    body["rooms"]["join"] = std::move(join);
  if (!invite.empty())
    body["rooms"]["invite"] = std::move(invite);
  if (!leave.empty())
    body["rooms"]["leave"] = std::move(leave);
  if (auto events = global_data(w, q); !events.empty())
    body["account_data"]["events"] = std::move(events);
  put_to_device(own_device, q, next, body);
  if (q.since)
    if (auto changed = changed_devices(w, q, std::move(met)); !changed.empty())
      body["device_lists"]["changed"] = std::move(changed);
  const bool empty = body.empty();
  put_key_counts(own_device, body);
  body["next_batch"] = to_text(next);
  return {std::move(body), empty};
}

} // namespace pb::hs
