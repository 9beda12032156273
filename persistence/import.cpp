#include "persistence/import.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

namespace pb {
namespace {

std::int64_t number_of(const std::string& chat) {
  std::int64_t n = 0;
  if (chat.size() > 1)
    std::from_chars(chat.data() + 1, chat.data() + chat.size(), n);
  return n;
}

struct planner {
  import_plan plan;
  std::map<room_id, room_row> here;
  std::map<std::int64_t, room_id> platforms;
  std::map<user_id, std::set<std::int64_t>> numbers; ///< of each person's chats
  std::map<user_id, std::int64_t> next;              ///< highest found plus one

  void conflict(const room_id& room, const std::string& what) {
    plan.conflicts.push_back(room.value + ": " + what);
  }
  void number_taken(const user_id& owner, std::int64_t n) {
    numbers[owner].insert(n);
    auto& then = next[owner];
    then = std::max({then, n + 1, std::int64_t{1}});
  }
  void known_here(const room_row& r) {
    here.emplace(r.id, r);
    if (r.platform.value > 0)
      platforms.emplace(r.platform.value, r.id);
    if (r.kind == room_kind::chat && !r.chat.empty())
      number_taken(r.owner, number_of(r.chat));
  }
  /// What is here already, and whether the source agrees.
  bool there(const surface_room& r) {
    const auto i = here.find(r.room);
    if (i == here.end())
      return false;
    const auto& row = i->second;
    if (row.owner != r.owner)
      conflict(r.room, "belongs to " + row.owner.value + " here, there to " + r.owner.value);
    else if (r.platform.value > 0 && row.platform != r.platform)
      conflict(r.room, "has platform_chat_id " + std::to_string(row.platform.value) +
                           " here, there " + std::to_string(r.platform.value));
    else if (!r.agent.empty() && row.agent != r.agent)
      conflict(r.room, "is bound to " + row.agent.value + " here, there to " + r.agent.value);
    else
      ++plan.same;
    return true;
  }
  void add(const surface_room& r, std::int64_t platform, std::int64_t number) {
    room_row row;
    row.id = r.room;
    row.owner = r.owner;
    row.chat = "C" + std::to_string(number);
    row.platform.value = platform;
    row.agent = r.agent;
    row.state = r.archived ? room_state::archived : room_state::active;
    row.space = r.space;
    row.title = r.title;
    known_here(row);
    plan.rooms.push_back(std::move(row));
  }
  void add_space(const room_id& space, const user_id& owner) {
    if (space.empty() || here.count(space) != 0)
      return;
    room_row row;
    row.id = space;
    row.kind = room_kind::space;
    row.owner = owner;
    known_here(row);
    plan.rooms.push_back(std::move(row));
  }
};

void plan_rooms(planner& p, const surfaces& from) {
  std::vector<const surface_room*> fresh;
  for (const auto& r : from.rooms)
    if (!p.there(r))
      fresh.push_back(&r);
  // First those that say who they are; the others take what is free afterwards.
  const auto place = [&](const surface_room& r) {
    const auto clash = p.platforms.find(r.platform.value);
    if (r.platform.value > 0 && clash != p.platforms.end())
      return p.conflict(r.room, "platform_chat_id " + std::to_string(r.platform.value) +
                                    " belongs to " + clash->second.value + " already");
    auto number = number_of(r.chat);
    if (number > 0 && p.numbers[r.owner].count(number) != 0)
      return p.conflict(r.room, r.owner.value + " has another chat " + r.chat + " already");
    if (number == 0)
      number = std::max<std::int64_t>(1, p.next[r.owner]);
    if (r.platform.value == 0 && p.plan.last.value >= (std::int64_t{1} << 53) - 1)
      return p.conflict(r.room, "no platform_chat_id is left");
    p.add(r, r.platform.value > 0 ? r.platform.value : ++p.plan.last.value, number);
  };
  for (const bool named : {true, false})
    for (const auto* r : fresh)
      if ((r->platform.value > 0 && !r->chat.empty()) == named)
        place(*r);
}

void plan_people(planner& p, const surfaces& from, const std::vector<user_row>& known) {
  std::map<user_id, user_row> wanted;
  for (const auto& u : from.people)
    wanted[u.id] = u;
  for (const auto& r : from.rooms) { // a person may be known by the rooms alone
    auto& u = wanted[r.owner];
    u.id = r.owner;
    if (u.space.empty())
      u.space = r.space;
  }
  for (auto& [id, u] : wanted) {
    u.next_chat = std::max({u.next_chat, p.next[id], std::int64_t{1}});
    const auto old = std::find_if(known.begin(), known.end(),
                                  [&id = id](const user_row& k) { return k.id == id; });
    if (old == known.end()) {
      p.add_space(u.space, id);
      p.plan.people.push_back(u);
      continue;
    }
    if (!u.space.empty() && old->space != u.space)
      p.plan.conflicts.push_back(id.value + ": has the Space " + old->space.value +
                                 " here, there " + u.space.value);
    else if (old->next_chat >= u.next_chat)
      ++p.plan.same;
    if (old->next_chat < u.next_chat)
      p.plan.raised.push_back(u);
  }
}

void plan_saved(planner& p, const surfaces& from, const std::vector<saved_context>& known) {
  using key = std::tuple<std::string, std::string, std::string>;
  const auto key_of = [](const saved_context& s) {
    return key{s.owner.value, s.agent.value, s.name};
  };
  std::map<key, saved_context> here;
  for (const auto& s : known)
    here.emplace(key_of(s), s);
  for (const auto& s : from.saved) {
    const auto [i, fresh] = here.emplace(key_of(s), s);
    if (fresh)
      p.plan.saved.push_back(s);
    else if (i->second.path == s.path)
      ++p.plan.same;
    else
      p.plan.conflicts.push_back(s.owner.value + ": the saved context " + s.name + " of " +
                                 s.agent.value + " has another path here");
  }
}

} // namespace

result<import_plan> plan_import(const surfaces& from, store& into) {
  auto rooms = into.rooms();
  auto people = into.users();
  auto saved = into.saved_contexts();
  auto last = into.last_platform_chat_id();
  if (!rooms || !people || !saved || !last)
    return tl::unexpected<fault>(!rooms    ? rooms.error()
                                 : !people ? people.error()
                                 : !saved  ? saved.error()
                                           : last.error());
  planner p;
  for (const auto& r : *rooms)
    p.known_here(r);
  p.plan.last = std::max(*last, from.last);
  plan_rooms(p, from);
  plan_people(p, from, *people);
  plan_saved(p, from, *saved);
  p.plan.sequence_moves = p.plan.last > *last;
  return std::move(p.plan);
}

result<void> apply_import(const import_plan& plan, store& into) {
  if (auto ok = into.begin(); !ok)
    return ok;
  auto all = [&]() -> result<void> {
    admission batch;
    batch.restored = plan.rooms;
    batch.restored_users = plan.people;
    batch.restored_users.insert(batch.restored_users.end(), plan.raised.begin(), plan.raised.end());
    if (auto ok = into.admit(batch); !ok)
      return tl::unexpected<fault>(ok.error());
    if (plan.last.value > 0)
      if (auto ok = into.raise_platform_chat_id(plan.last); !ok)
        return ok;
    settlement notes;
    notes.saved = plan.saved;
    if (auto ok = into.settle(notes); !ok)
      return tl::unexpected<fault>(ok.error());
    return {};
  }();
  if (all)
    return into.commit();
  into.rollback();
  return all;
}

} // namespace pb
