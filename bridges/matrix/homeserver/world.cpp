#include "bridges/matrix/homeserver/world.hpp"

#include "bridges/matrix/homeserver/push_rules.hpp"
#include "bridges/matrix/homeserver/relations.hpp"

#include <algorithm>

namespace pb::hs {
namespace {

constexpr unix_ms txn_memory_ms = 24LL * 3600 * 1000;
constexpr std::size_t txn_cap = 500'000;

/// What the server tells about an older value of the same key.
json replaced(const event& before) {
  return {{"replaces_state", before.id},
          {"prev_content", before.content},
          {"prev_sender", before.sender}};
}

void count_unread(unread_counts& to, const room& r, const event& e, const account& who) {
  const auto said = e.sender == who.id ? told::nothing : push(r, e, who);
  to.notify += said == told::nothing ? 0 : 1;
  to.highlight += said == told::highlight ? 1 : 0;
}

/// (event, key) of a reaction, both empty for everything else.
std::pair<std::string, std::string> annotation_of(const event& e) {
  const auto* relation = member(e.content, "m.relates_to");
  if (relation == nullptr || text_or_empty(*relation, "rel_type") != "m.annotation")
    return {};
  return {text_or_empty(*relation, "event_id"), text_or_empty(*relation, "key")};
}

} // namespace

world::world(std::string name, std::function<unix_ms()> clock, std::uint64_t seed,
             world_limits bounds, std::unique_ptr<journal> keep)
    : server_name(std::move(name)), limits(bounds), now_(std::move(clock)), keep_(std::move(keep)) {
  if (keep_) {
    replaying_ = true;
    keep_->replay([this](std::string_view line) { replay(line); });
    replaying_ = false;
  }
  // A second start under the same seed must not draw the ids of the first one again.
  std::seed_seq mix{seed & 0xffffffffU, seed >> 32U,
                    static_cast<std::uint64_t>(replayed_.lines) & 0xffffffffU};
  random_.seed(mix);
}

std::string world::draw(std::size_t length, std::string_view alphabet) {
  std::string out(length, ' ');
  for (auto& c : out)
    c = alphabet[random_() % alphabet.size()];
  return out;
}

std::string world::random_name(std::size_t length) {
  return draw(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
}

std::string world::random_letters(std::size_t length) {
  return draw(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/// The next place in the stream; in a replay the place that the record names.
position world::next(position given) {
  if (replaying_ && given > 0)
    head_ = std::max(head_, given);
  else
    ++head_;
  return head_;
}

void world::log(const std::function<json()>& record) {
  if (!keep_ || replaying_)
    return;
  if (broken_ || !keep_->append(record().dump(-1, ' ', false, json::error_handler_t::replace))) {
    broken_ = true;
    refuse(500, "M_UNKNOWN", "The development homeserver cannot write its journal.");
  }
}

void world::touch(account& who, const std::string& room, position pos) {
  if (auto& last = who.touched[room]; last != pos) {
    who.recent.erase(last);
    last = pos;
  }
  who.recent[pos] = room;
  if (on_change)
    on_change(who);
}

room* world::find_room(const std::string& id) {
  const auto i = rooms_.find(id);
  return i == rooms_.end() ? nullptr : i->second.get();
}

room& world::make_room() {
  auto made = std::make_unique<room>();
  made->id = '!' + random_letters(18) + ':' + server_name;
  auto& r = *made;
  rooms_[r.id] = std::move(made);
  return r;
}

event_ptr world::append(event e, const std::string& txn_key) {
  if (by_id_.size() >= limits.events)
    refuse(403, "M_RESOURCE_LIMIT_EXCEEDED", "This development homeserver is full.");
  auto& slot = rooms_[e.room];
  if (!slot) {
    slot = std::make_unique<room>();
    slot->id = e.room;
  }
  auto& r = *slot;
  e.pos = next(replay_pos_);
  if (e.id.empty()) {
    e.id = '$' + random_name(43);
    e.ts = now();
    // Edits are ordered by their time. We answer faster than its millisecond, and then the ids
    // would decide, which are random.
    if (const auto to = relation_of(e); to.kind == "m.replace")
      if (const auto i = r.related.find(to.target); i != r.related.end())
        e.ts = std::max(e.ts, i->second.back()->ts + 1);
  }
  auto p = std::make_shared<event>(std::move(e));
  log([&] {
    json record{{"k", "event"},    {"pos", p->pos},       {"id", p->id}, {"room", p->room},
                {"type", p->type}, {"sender", p->sender}, {"ts", p->ts}, {"content", p->content}};
    if (p->state_key)
      record["state_key"] = *p->state_key;
    if (!p->redacts.empty())
      record["redacts"] = p->redacts;
    if (!p->txn.empty())
      record.update({{"txn", p->txn}, {"txn_device", p->txn_device}, {"txn_key", txn_key}});
    if (p->overlay.is_object() && !p->overlay.empty())
      record["overlay"] = p->overlay;
    return record;
  });
  by_id_[p->id] = p;
  if (!txn_key.empty())
    remember(txn_key, p->id);
  r.timeline.push_back(p);
  if (p->state_key) {
    auto& history = r.state[{p->type, *p->state_key}];
    if (!history.empty())
      p->extra.update(replaced(*history.back()));
    history.push_back(p);
  }
  const bool membership = p->type == "m.room.member" && p->state_key;
  if (membership) {
    if (text_or_empty(p->content, "membership") == "join")
      r.joined.insert(*p->state_key);
    else
      r.joined.erase(*p->state_key);
  }
  if (auto [target, key] = annotation_of(*p); !key.empty())
    r.annotations.emplace(p->sender, target, key);
  else if (const auto to = relation_of(*p); !to.kind.empty())
    r.related[to.target].push_back(p);
  if (!p->redacts.empty())
    apply_redaction(r, *p);
  for (const auto& user : r.joined)
    if (auto* a = find(user)) {
      count_unread(r.unread[user], r, *p, *a);
      touch(*a, r.id, p->pos);
    }
  if (membership && !r.joined.contains(*p->state_key))
    if (auto* a = find(*p->state_key)) {
      r.unread.erase(*p->state_key);
      r.typing.erase(*p->state_key);
      a->forgotten.erase(r.id);
      touch(*a, r.id, p->pos);
    }
  return p;
}

void world::apply_redaction(room& r, const event& e) {
  const auto target = find_event(e.redacts);
  if (!target || target->room != r.id || target->redacted)
    return;
  if (auto [event_id, key] = annotation_of(*target); !key.empty())
    r.annotations.erase({target->sender, event_id, key});
  target->redacted = true;
  target->content = redacted_content(target->type, target->content);
  target->extra.erase("prev_content");
  target->extra["redacted_by"] = e.id;
  target->extra["redacted_because"] = wire_form(e, viewer{e.ts, {}}, true);
}

event_ptr world::find_event(const std::string& id) const {
  const auto i = by_id_.find(id);
  return i == by_id_.end() ? nullptr : i->second;
}

std::string world::known_txn(const std::string& txn_key) {
  while (!txn_order_.empty() &&
         (txn_order_.front().second + txn_memory_ms < now() || txn_order_.size() > txn_cap)) {
    txns_.erase(txn_order_.front().first);
    txn_order_.pop_front();
  }
  const auto i = txns_.find(txn_key);
  return i == txns_.end() ? std::string() : i->second.first;
}

void world::remember(const std::string& txn_key, const std::string& result) {
  const auto at = stamp();
  if (txns_.try_emplace(txn_key, result, at).second)
    txn_order_.emplace_back(txn_key, at);
}

void world::remember_txn(const std::string& txn_key, const std::string& result) {
  log([&] { return json{{"k", "txn"}, {"key", txn_key}, {"result", result}, {"ts", now()}}; });
  remember(txn_key, result);
}

const alias_entry* world::find_alias(const std::string& alias) const {
  const auto i = aliases_.find(alias);
  return i == aliases_.end() ? nullptr : &i->second;
}

std::vector<std::string> world::aliases_of(const std::string& room) const {
  std::vector<std::string> out;
  for (const auto& [alias, entry] : aliases_)
    if (entry.room == room)
      out.push_back(alias);
  return out;
}

void world::set_alias(const std::string& alias, const std::string& room,
                      const std::string& creator) {
  log([&] { return json{{"k", "alias"}, {"alias", alias}, {"room", room}, {"creator", creator}}; });
  aliases_[alias] = {room, creator};
}

void world::drop_alias(const std::string& alias) {
  log([&] { return json{{"k", "drop_alias"}, {"alias", alias}}; });
  aliases_.erase(alias);
}

void world::forget(account& who, const std::string& room) {
  log([&] { return json{{"k", "forget"}, {"user", who.id}, {"room", room}}; });
  who.forgotten.insert(room);
}

void world::set_receipt(room& r, const std::string& type, account& who, const std::string& thread,
                        const std::string& event_id) {
  const auto target = find_event(event_id);
  if (!target)
    return;
  const std::tuple key{type, who.id, thread};
  // Receipts only move forward.
  if (const auto last = r.receipts.find(key); last != r.receipts.end())
    if (const auto before = find_event(last->second.event); before && before->pos >= target->pos)
      return;
  const auto pos = next(replay_pos_);
  const auto ts = stamp();
  log([&] {
    return json{{"k", "receipt"}, {"pos", pos},     {"ts", ts},         {"room", r.id},
                {"type", type},   {"user", who.id}, {"thread", thread}, {"event", event_id}};
  });
  r.receipts[key] = {event_id, ts, pos};
  unread_counts unread;
  for (auto i = r.after(target->pos); i < r.timeline.size(); ++i)
    count_unread(unread, r, *r.timeline[i], who);
  r.unread[who.id] = unread;
  for (const auto& user : r.joined)
    if (auto* a = find(user); a != nullptr && (type != "m.read.private" || a == &who))
      touch(*a, r.id, pos);
}

void world::set_typing(room& r, const std::string& user, std::optional<std::uint64_t> token) {
  const bool was = r.typing.contains(user);
  if (token)
    r.typing[user] = *token;
  else
    r.typing.erase(user);
  if (was == token.has_value())
    return;
  typing_changes_.erase(r.typing_pos);
  r.typing_pos = ++typing_head_;
  typing_changes_[r.typing_pos] = &r;
  for (const auto& member_id : r.joined)
    if (auto* a = find(member_id); a != nullptr && on_change)
      on_change(*a);
}

std::vector<room*> world::typing_since(position pos) const {
  std::vector<room*> out;
  for (auto i = typing_changes_.upper_bound(pos); i != typing_changes_.end(); ++i)
    out.push_back(i->second);
  return out;
}

std::string world::add_media(const account& who, std::string type, std::string name,
                             const std::string& bytes) {
  if (bytes.size() > limits.upload_bytes)
    refuse(413, "M_TOO_LARGE", "Upload request body is too large");
  if (media_total_ + bytes.size() > limits.media_bytes)
    refuse(403, "M_RESOURCE_LIMIT_EXCEEDED", "This development homeserver keeps no more media.");
  const auto id = random_letters(24);
  const media entry{std::move(type), std::move(name), bytes.size(), who.id};
  if (keep_ && !keep_->put_blob(id, bytes))
    refuse(500, "M_UNKNOWN", "The upload cannot be stored.");
  log([&] {
    return json{{"k", "media"},       {"id", id},           {"type", entry.type},
                {"name", entry.name}, {"size", entry.size}, {"user", entry.uploader}};
  });
  media_total_ += entry.size;
  media_[id] = entry;
  if (!keep_)
    media_bytes_[id] = bytes;
  return "mxc://" + server_name + '/' + id;
}

const media* world::find_media(const std::string& id) const {
  const auto i = media_.find(id);
  return i == media_.end() ? nullptr : &i->second;
}

std::optional<std::string> world::media_bytes(const std::string& id) const {
  if (keep_)
    return keep_->blob(id);
  const auto i = media_bytes_.find(id);
  return i == media_bytes_.end() ? std::nullopt : std::optional(i->second);
}

} // namespace pb::hs
