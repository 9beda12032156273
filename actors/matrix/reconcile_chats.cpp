// Chats by their markers, chats from before there were any, and entrances.

#include "actors/matrix/reconcile_planner.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using matrix::room_facts;

namespace {
std::string in_quotes(const std::string& s) { return "\"" + s + "\""; }
} // namespace

void reconcile_planner::marked_chats() {
  for (const auto& f : in_.seen) {
    if (f.is_space)
      continue;
    if (f.odd_marker) {
      plan_.skipped.push_back({f.room, "its marker was not written by me"});
      continue;
    }
    if (!f.chat || replaced(f))
      continue;
    plan_.highest = std::max(plan_.highest, f.chat->platform);
    encryption(f);
    const auto* row = known(f.room);
    if (row)
      compare(f, *row);
    else
      restore(f);
    number_taken(f.chat->owner, f.chat->chat, f.room);
  }
}

void reconcile_planner::restore(const room_facts& f) {
  const auto [at, free] = platforms_.try_emplace(f.chat->platform, f.room);
  if (!free && f.chat->platform.value > 0) {
    plan_.conflicts.push_back({f.room, "platform_chat_id " +
                                           std::to_string(f.chat->platform.value) + " belongs to " +
                                           at->second.value});
    return;
  }
  auto row = matrix::restore_room(f, in_.bot);
  if (!row)
    return;
  if (row->space.empty())
    if (const auto i = spaces_.find(row->owner); i != spaces_.end())
      row->space = i->second;
  ++plan_.restored_room_meta;
  ++plan_.restored_chat_rows;
  act(f.room, "restore chat " + f.chat->chat + " of " + f.chat->owner.value +
                  " (platform_chat_id " + std::to_string(f.chat->platform.value) + ", agent " +
                  f.chat->agent.value + ")");
  chats_.push_back(*row);
  plan_.rooms.push_back({std::move(*row), {}, false, false});
}

void reconcile_planner::compare(const room_facts& f, const room_row& row) {
  auto wanted = row;
  const auto& m = *f.chat;
  if (row.epoch > m.epoch) {
    plan_.rooms.push_back({row, row, false, true});
    act(f.room, "write its marker: the one on the homeserver is behind");
    chats_.push_back(row);
    return;
  }
  wanted.kind = room_kind::chat;
  wanted.owner = m.owner;
  wanted.chat = m.chat;
  wanted.platform = m.platform;
  wanted.agent = m.agent;
  wanted.epoch = m.epoch;
  wanted.intent = m.intent;
  wanted.state = m.state == "archived" ? room_state::archived : room_state::active;
  if (wanted.space.empty())
    if (const auto i = spaces_.find(wanted.owner); i != spaces_.end())
      wanted.space = i->second;
  if (!f.name.empty())
    wanted.title = f.name;
  const bool same = wanted.owner == row.owner && wanted.chat == row.chat &&
                    wanted.platform == row.platform && wanted.agent == row.agent &&
                    wanted.epoch == row.epoch && wanted.state == row.state &&
                    wanted.kind == row.kind && wanted.space == row.space;
  const auto taken = platforms_.find(wanted.platform);
  if (!same && taken != platforms_.end() && taken->second != f.room) {
    plan_.conflicts.push_back({f.room, "platform_chat_id " + std::to_string(wanted.platform.value) +
                                           " belongs to " + taken->second.value});
    return;
  }
  chats_.push_back(wanted);
  if (same && wanted.title == row.title)
    return;
  if (!same) {
    ++plan_.repaired_chat_rows;
    act(f.room, "repair the record of chat " + m.chat + " of " + m.owner.value);
  } else {
    act(f.room, "its name is " + in_quotes(f.name));
  }
  platforms_[wanted.platform] = f.room;
  plan_.rooms.push_back({std::move(wanted), row, false, false});
}

void reconcile_planner::number_taken(const user_id& owner, const std::string& chat,
                                     const room_id& room) {
  const auto [i, fresh] = numbers_[owner].try_emplace(chat, room);
  if (!fresh && i->second != room)
    plan_.conflicts.push_back({room, chat + " of " + owner.value + " is also " + i->second.value});
}

void reconcile_planner::legacy_chats() {
  std::vector<std::pair<const room_facts*, user_id>> mine;
  for (const auto& f : in_.seen) {
    if (f.is_space || !f.bot_created || !is_unmarked(f) || replaced(f))
      continue;
    if (const auto* row = known(f.room); row && row->kind == room_kind::chat) {
      auto wanted = *row; // ours, only its marker is missing
      if (wanted.state == room_state::left)
        wanted.state = room_state::active;
      plan_.rooms.push_back({wanted, *row, false, true});
      chats_.push_back(wanted);
      act(f.room, "write the marker of chat " + row->chat + " of " + row->owner.value);
      continue;
    }
    std::optional<user_id> owner;
    for (const auto& [person, space] : spaces_)
      if (const auto s = seen_.find(space);
          s != seen_.end() && s->second->children.contains(f.room))
        owner = person;
    if (!owner) {
      plan_.skipped.push_back({f.room, "made by me, but in no Space of mine and without a marker"});
    } else if (matrix::sole_other_member(f, in_.bot) != owner) {
      plan_.conflicts.push_back({f.room, "in the Space of " + owner->value +
                                             ", but not with exactly that one other member"});
    } else if (!in_.agents.contains(*owner)) {
      plan_.conflicts.push_back({f.room, "no agent is assigned to " + owner->value});
    } else {
      mine.emplace_back(&f, *owner);
    }
  }
  // Those whose name says their number come first: nobody else gets it.
  for (const bool named : {true, false})
    for (const auto& [f, owner] : mine)
      if (matrix::number_of_name(f->name).has_value() == named)
        take_over_chat(*f, owner);
  // Ids are drawn in the order of the rooms.
  std::sort(drawn_.begin(), drawn_.end(),
            [](const change& a, const change& b) { return a.row.id < b.row.id; });
  plan_.rooms.insert(plan_.rooms.end(), drawn_.begin(), drawn_.end());
}

void reconcile_planner::take_over_chat(const room_facts& f, const user_id& owner) {
  auto& taken = numbers_[owner];
  auto number = matrix::number_of_name(f.name);
  if (!number || taken.contains("C" + std::to_string(*number))) {
    std::int64_t next = 1;
    for (const auto& [chat, room] : taken)
      next = std::max(next, matrix::chat_number(chat).value_or(0) + 1);
    number = next;
  }
  change c;
  c.row.id = f.room;
  c.row.owner = owner;
  c.row.chat = "C" + std::to_string(*number);
  c.row.agent = in_.agents.at(owner);
  c.row.space = spaces_.at(owner);
  c.row.title = f.name;
  c.row.encrypted = f.encrypted;
  c.draw = c.mark = true;
  taken.emplace(c.row.chat, f.room);
  chats_.push_back(c.row);
  ++plan_.restored_room_meta;
  ++plan_.restored_chat_rows;
  act(f.room, "take over " + in_quotes(f.name) + " as chat " + c.row.chat + " of " + owner.value +
                  " with a new platform_chat_id, and write its marker");
  drawn_.push_back(std::move(c));
}

void reconcile_planner::lobbies() {
  for (const auto& f : in_.seen) {
    if (f.is_space || f.bot_created || !is_unmarked(f))
      continue;
    const auto* row = known(f.room);
    if (row && row->state != room_state::left)
      continue;
    const auto owner = matrix::sole_other_member(f, in_.bot);
    if (!row && (!owner || !people_.contains(*owner))) {
      plan_.skipped.push_back({f.room, "not made by me, and not with one person whom I know"});
      continue;
    }
    change c;
    if (row) {
      c.before = c.row = *row;
      c.row.state = room_state::active;
    } else {
      c.row.id = f.room;
      c.row.kind = room_kind::lobby;
      c.row.owner = *owner;
    }
    ++plan_.restored_room_meta;
    act(f.room, "remember it as the entrance of " + c.row.owner.value);
    plan_.rooms.push_back(std::move(c));
  }
}

} // namespace pb
