#include "actors/matrix/reconcile_planner.hpp"
#include "bridges/matrix/compose.hpp"

#include <nlohmann/json.hpp>

namespace pb {

using matrix::room_facts;

reconcile_plan reconcile_planner::make() {
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

const room_row* reconcile_planner::known(const room_id& room) const {
  const auto i = known_.find(room);
  return i == known_.end() ? nullptr : i->second;
}

void reconcile_planner::act(const room_id& room, std::string what) {
  plan_.actions.push_back({room, std::move(what)});
}

bool reconcile_planner::replaced(const room_facts& f) {
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

void reconcile_planner::encryption(const room_facts& f) {
  const auto* row = known(f.room);
  if (f.encrypted && !(row && row->encrypted))
    plan_.encrypted.push_back(f.room);
}

void reconcile_planner::gone() {
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

void reconcile_planner::links() {
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

void reconcile_planner::numbers() {
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

void reconcile_planner::people() {
  for (const auto& who : changed_people_)
    plan_.users.push_back(people_.at(who));
}

namespace {

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
    if (f.bot_created && is_unmarked(f))
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

reconcile_plan make_plan(const reconcile_input& in) { return reconcile_planner{in}.make(); }

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
