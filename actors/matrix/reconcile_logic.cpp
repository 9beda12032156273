#include "actors/matrix/reconcile_logic.hpp"

#include "bridges/matrix/compose.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace pb {

using matrix::room_facts;

namespace {

bool unmarked(const room_facts& f) { return !f.chat && !f.space && !f.odd_marker; }

std::string quoted(const std::string& s) { return "\"" + s + "\""; }

/// One plan in the making: Spaces first, because chats belong to them.
class planner {
public:
  explicit planner(const reconcile_input& in) : in_(in) {
    for (const auto& r : in.rooms)
      known_[r.id] = &r;
    for (const auto& u : in.users)
      people_[u.id] = u;
    for (const auto& f : in.seen)
      seen_[f.room] = &f;
    for (const auto& r : in.rooms)
      if (r.platform.value > 0) {
        platforms_.try_emplace(r.platform, r.id);
        plan_.highest = std::max(plan_.highest, r.platform);
      }
  }

  reconcile_plan make() {
    plan_.joined_rooms = in_.seen.size() + in_.unreadable.size();
    for (const auto& room : in_.unreadable)
      plan_.skipped.push_back({room, "its state cannot be read"});
    spaces();
    marked_chats();
    legacy_chats();
    lobbies();
    gone();
    links();
    numbers();
    people();
    return std::move(plan_);
  }

private:
  using change = reconcile_plan::room_change;

  [[nodiscard]] const room_row* known(const room_id& room) const {
    const auto i = known_.find(room);
    return i == known_.end() ? nullptr : i->second;
  }
  void act(const room_id& room, std::string what) {
    plan_.actions.push_back({room, std::move(what)});
  }

  /// True: the room has a successor, which counts instead of it.
  bool replaced(const room_facts& f) {
    if (!f.upgraded || !f.replacement)
      return false;
    const auto* row = known(f.room);
    if (row && row->state == room_state::left)
      return true; // followed already
    const auto next = seen_.find(*f.replacement);
    const bool marked = next != seen_.end() && (next->second->chat || next->second->space);
    if (!row && marked)
      return true;
    plan_.upgraded.push_back(f.room);
    act(f.room, "follow it to the room that replaces it, " + f.replacement->value);
    return false;
  }

  void encryption(const room_facts& f) {
    const auto* row = known(f.room);
    if (f.encrypted && !(row && row->encrypted))
      plan_.encrypted.push_back(f.room);
  }

  // -- Spaces --
  void spaces() {
    std::map<user_id, std::vector<const room_facts*>> of;
    std::vector<const room_facts*> without;
    for (const auto& f : in_.seen) {
      if (!f.is_space || replaced(f))
        continue;
      if (f.space)
        of[f.space->owner].push_back(&f);
      else if (f.odd_marker)
        plan_.skipped.push_back({f.room, "its marker was not written by me"});
      else if (f.bot_created)
        without.push_back(&f);
      else
        plan_.skipped.push_back({f.room, "a Space that I did not make"});
    }
    for (auto& [owner, list] : of)
      choose(owner, list);
    for (const auto* f : without)
      take_over_space(*f);
  }

  void choose(const user_id& owner, const std::vector<const room_facts*>& list) {
    const auto person = people_.find(owner);
    const auto better = [&](const room_facts* a, const room_facts* b) {
      const auto ours = [&](const room_facts* f) {
        return person != people_.end() && person->second.space == f->room;
      };
      if (ours(a) != ours(b))
        return ours(a);
      if (a->children.size() != b->children.size())
        return a->children.size() > b->children.size();
      return a->room < b->room;
    };
    const auto* best = *std::min_element(list.begin(), list.end(), better);
    for (const auto* f : list)
      if (f != best)
        plan_.conflicts.push_back(
            {f->room, "a second Space of " + owner.value + "; " + best->room.value + " counts"});
    own_space(owner, *best, best->space->agent, best->space->lang, false);
  }

  void take_over_space(const room_facts& f) {
    const auto owner = matrix::sole_other_member(f, in_.bot);
    if (!owner) {
      plan_.conflicts.push_back({f.room, "a Space of mine without a marker, and not with exactly "
                                         "one other member"});
      return;
    }
    if (spaces_.contains(*owner)) {
      plan_.conflicts.push_back({f.room, "a Space without a marker, but " + owner->value +
                                             " has one: " + spaces_.at(*owner).value});
      return;
    }
    auto lang = in_.lang;
    for (const auto& [child, edge] : f.children)
      if (const auto i = seen_.find(child);
          i != seen_.end() && i->second->name.rfind("Чат ", 0) == 0)
        lang = language::ru;
    const auto agent = in_.agents.find(*owner);
    own_space(*owner, f, agent == in_.agents.end() ? agent_id{} : agent->second, lang, true);
  }

  void own_space(const user_id& owner, const room_facts& f, const agent_id& agent, language lang,
                 bool mark) {
    spaces_[owner] = f.room;
    const auto* row = known(f.room);
    if (!row || row->state != room_state::active || row->kind != room_kind::space) {
      change c;
      if (row)
        c.before = *row;
      c.row.id = f.room;
      c.row.kind = room_kind::space;
      c.row.owner = owner;
      c.row.agent = agent;
      c.row.title = f.name;
      if (f.space)
        c.row.intent = f.space->intent;
      plan_.rooms.push_back(std::move(c));
      ++plan_.restored_room_meta;
      act(f.room, "restore the Space of " + owner.value);
    }
    if (mark) {
      plan_.writes.push_back({f.room, std::string{matrix::space_marker_type}, "",
                              matrix::compose_space_marker({owner, agent, lang, {}})});
      act(f.room, "write the marker of " + owner.value + "'s Space");
    }
    auto [person, fresh] = people_.try_emplace(owner);
    auto& u = person->second;
    if (fresh) {
      u.id = owner;
      u.agent = agent;
      u.lang = lang;
    }
    if (fresh || u.space != f.room) {
      u.space = f.room;
      changed_people_.insert(owner);
      ++plan_.restored_user_meta;
      act(f.room, "remember it as the Space of " + owner.value);
    }
  }

  // -- chats with a marker --
  void marked_chats() {
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

  void restore(const room_facts& f) {
    const auto [at, free] = platforms_.try_emplace(f.chat->platform, f.room);
    if (!free && f.chat->platform.value > 0) {
      plan_.conflicts.push_back({f.room, "platform_chat_id " +
                                             std::to_string(f.chat->platform.value) +
                                             " belongs to " + at->second.value});
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

  void compare(const room_facts& f, const room_row& row) {
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
      plan_.conflicts.push_back({f.room, "platform_chat_id " +
                                             std::to_string(wanted.platform.value) +
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
      act(f.room, "its name is " + quoted(f.name));
    }
    platforms_[wanted.platform] = f.room;
    plan_.rooms.push_back({std::move(wanted), row, false, false});
  }

  void number_taken(const user_id& owner, const std::string& chat, const room_id& room) {
    const auto [i, fresh] = numbers_[owner].try_emplace(chat, room);
    if (!fresh && i->second != room)
      plan_.conflicts.push_back(
          {room, chat + " of " + owner.value + " is also " + i->second.value});
  }

  // -- chats from before there were markers --
  void legacy_chats() {
    std::vector<std::pair<const room_facts*, user_id>> mine;
    for (const auto& f : in_.seen) {
      if (f.is_space || !f.bot_created || !unmarked(f) || replaced(f))
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
        plan_.skipped.push_back(
            {f.room, "made by me, but in no Space of mine and without a marker"});
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

  void take_over_chat(const room_facts& f, const user_id& owner) {
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
    act(f.room, "take over " + quoted(f.name) + " as chat " + c.row.chat + " of " + owner.value +
                    " with a new platform_chat_id, and write its marker");
    drawn_.push_back(std::move(c));
  }

  // -- rooms that we were invited to --
  void lobbies() {
    for (const auto& f : in_.seen) {
      if (f.is_space || f.bot_created || !unmarked(f))
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

  // -- rooms that we are not in any more --
  void gone() {
    std::set<room_id> in{in_.unreadable.begin(), in_.unreadable.end()};
    for (const auto& r : in_.rooms) {
      if (seen_.contains(r.id) || in.contains(r.id) || r.state == room_state::left)
        continue;
      auto left = r;
      left.state = room_state::left;
      plan_.rooms.push_back({left, r, false, false});
      act(r.id, "I am not in it any more");
      if (r.kind != room_kind::space)
        continue;
      const auto person = people_.find(r.owner);
      if (person != people_.end() && person->second.space == r.id) {
        person->second.space = room_id{};
        changed_people_.insert(r.owner);
      }
    }
  }

  // -- what ties chats to Spaces --
  void links() {
    for (const auto& row : chats_) {
      if (row.state != room_state::active)
        continue;
      const auto s = spaces_.find(row.owner);
      if (s == spaces_.end() || !seen_.contains(s->second))
        continue;
      if (!seen_.at(s->second)->children.contains(row.id)) {
        plan_.writes.push_back(
            {s->second, "m.space.child", row.id.value, matrix::compose_space_child(in_.server)});
        act(row.id, "link it into the Space of " + row.owner.value);
      }
      const auto f = seen_.find(row.id);
      if (f != seen_.end() && !f->second->parents.contains(s->second)) {
        plan_.writes.push_back(
            {row.id, "m.space.parent", s->second.value, matrix::compose_space_parent(in_.server)});
        act(row.id, "name the Space of " + row.owner.value + " in it");
      }
    }
  }

  void numbers() {
    for (auto& [owner, taken] : numbers_) {
      std::int64_t next = 1;
      for (const auto& [chat, room] : taken)
        next = std::max(next, matrix::chat_number(chat).value_or(0) + 1);
      const auto [person, fresh] = people_.try_emplace(owner);
      auto& u = person->second;
      if (fresh) {
        u.id = owner;
        u.lang = in_.lang;
        ++plan_.restored_user_meta;
      }
      if (fresh || u.next_chat < next) {
        u.next_chat = std::max(u.next_chat, next);
        changed_people_.insert(owner);
        act(taken.begin()->second,
            "the next chat of " + owner.value + " is C" + std::to_string(u.next_chat));
      }
    }
  }

  void people() {
    for (const auto& who : changed_people_)
      plan_.users.push_back(people_.at(who));
  }

  const reconcile_input& in_;
  reconcile_plan plan_;
  std::map<room_id, const room_row*> known_;
  std::map<room_id, const room_facts*> seen_;
  std::map<user_id, user_row> people_;
  std::set<user_id> changed_people_;
  std::map<user_id, room_id> spaces_;                         ///< that count
  std::map<platform_chat_id, room_id> platforms_;             ///< whose id it is
  std::map<user_id, std::map<std::string, room_id>> numbers_; ///< "C7" → room
  std::vector<room_row> chats_;                               ///< as they will be
  std::vector<change> drawn_;
};

nlohmann::json list_of(const std::vector<reconcile_plan::remark>& remarks, const char* word) {
  auto list = nlohmann::json::array();
  for (const auto& r : remarks)
    list.push_back({{"room", r.room.value}, {word, r.what}});
  return list;
}

} // namespace

std::vector<user_id> owners_without_marker(const std::vector<room_facts>& seen,
                                           const user_id& bot) {
  std::set<user_id> owners;
  for (const auto& f : seen)
    if (f.bot_created && unmarked(f))
      if (auto owner = matrix::sole_other_member(f, bot))
        owners.insert(std::move(*owner));
  return {owners.begin(), owners.end()};
}

matrix::chat_marker marker_of(const room_row& row) {
  return {row.owner,
          row.chat,
          row.platform,
          row.agent,
          row.state == room_state::archived ? "archived" : "active",
          row.epoch,
          row.intent};
}

reconcile_plan make_plan(const reconcile_input& in) { return planner{in}.make(); }

std::string to_json(const reconcile_plan& plan, bool dry_run) {
  return nlohmann::ordered_json{{"dry_run", dry_run},
                                {"joined_rooms", plan.joined_rooms},
                                {"restored_user_meta", plan.restored_user_meta},
                                {"restored_room_meta", plan.restored_room_meta},
                                {"restored_chat_rows", plan.restored_chat_rows},
                                {"repaired_chat_rows", plan.repaired_chat_rows},
                                {"actions", list_of(plan.actions, "what")},
                                {"skipped_rooms", list_of(plan.skipped, "why")},
                                {"conflicts", list_of(plan.conflicts, "why")}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace pb
