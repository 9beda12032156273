// Spaces: which one of a person counts, and those from before there were markers.

#include "actors/matrix/reconcile_planner.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using matrix::room_facts;

void reconcile_planner::spaces() {
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

void reconcile_planner::choose(const user_id& owner, const std::vector<const room_facts*>& list) {
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

void reconcile_planner::take_over_space(const room_facts& f) {
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
    if (const auto i = seen_.find(child); i != seen_.end() && i->second->name.rfind("Чат ", 0) == 0)
      lang = language::ru;
  const auto agent = in_.agents.find(*owner);
  own_space(*owner, f, agent == in_.agents.end() ? agent_id{} : agent->second, lang, true);
}

void reconcile_planner::own_space(const user_id& owner, const room_facts& f, const agent_id& agent,
                                  language lang, bool mark) {
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

} // namespace pb
