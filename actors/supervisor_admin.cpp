// What operators change while the router runs: the registry, agents that are drained, rooms that
// are bound to another agent.

#include "actors/supervisor.hpp"

#include <algorithm>

namespace pb {

using namespace std::chrono_literals;

namespace {

/// A little longer than the admin API waits: who asked is gone by then, and may ask again.
constexpr auto patience = 10s;

std::string names(const std::vector<agent_id>& ids) {
  constexpr std::size_t shown = 10;
  std::string out;
  for (std::size_t i = 0; i < ids.size() && i < shown; ++i)
    out += (i == 0 ? "" : ",") + ids[i].value;
  return ids.size() <= shown ? out : out + ",… (" + std::to_string(ids.size()) + ")";
}

std::string json_of(const room_row& r) {
  const auto* state = r.state == room_state::active     ? "active"
                      : r.state == room_state::archived ? "archived"
                                                        : "left";
  return "{\"room\":" + json_quote(r.id.value) + ",\"chat\":" + json_quote(r.chat) +
         ",\"title\":" + json_quote(r.title) + ",\"owner\":" + json_quote(r.owner.value) +
         ",\"agent\":" + json_quote(r.agent.value) + ",\"state\":" + json_quote(state) +
         ",\"platform_chat_id\":" + std::to_string(r.platform.value) +
         ",\"epoch\":" + std::to_string(r.epoch) + "}";
}

} // namespace

void supervisor_state::apply(apply_now& m) {
  deps_.agents = std::move(m.agents); // for an agent directory that is started again
  const auto answered = [answer = m.answer] {
    if (answer)
      (*answer)();
  };
  if (stopping_ || !children_[agents_part].actor)
    return answered();
  self_->request(handle<agent_directory_actor>(agents_part), patience, apply_registry{deps_.agents})
      .then(
          [this, answered](const registry_applied& r) {
            deps_.around.log->info("registry_applied", {}, "another registry is in force",
                                   {{"agents", deps_.agents.agents.size()},
                                    {"added", names(r.added)},
                                    {"removed", names(r.removed)},
                                    {"changed", names(r.changed)}});
            answered();
          },
          [answered](caf::error&) { answered(); }); // the next one that is started has it
}

void supervisor_state::set_drain(const drain_now& m) {
  auto answer = m.answer;
  if (stopping_ || !children_[agents_part].actor)
    return (*answer)(fault{fault_code::busy, "the agents do not run", {}});
  self_->request(handle<agent_directory_actor>(agents_part), patience, m.what)
      .then([answer](done) { (*answer)(std::nullopt); },
            [answer](caf::error& e) { (*answer)(to_fault(e)); });
}

void supervisor_state::list(const list_rooms& m) {
  if (!children_[store_part].actor)
    return (*m.answer)(false, {}, {});
  // One more than asked for: it tells whether there is another page.
  self_
      ->request(handle<persistence_actor>(store_part), patience,
                store_chats{m.after, m.limit + 1, m.agent, m.owner})
      .then(
          [m](const room_list& found) {
            const auto shown = std::min(found.rooms.size(), m.limit);
            std::vector<std::string> items;
            items.reserve(shown);
            for (std::size_t i = 0; i < shown; ++i)
              items.push_back(json_of(found.rooms[i]));
            (*m.answer)(true, std::move(items),
                        found.rooms.size() > shown ? found.rooms[shown - 1].id : room_id{});
          },
          [m](caf::error&) { (*m.answer)(false, {}, {}); });
}

void supervisor_state::move(const move_now& m) {
  auto answer = m.answer;
  if (stopping_ || !children_[rooms_part].actor)
    return (*answer)(fault{fault_code::busy, "the rooms do not run", {}}, {});
  self_->request(handle<room_directory_actor>(rooms_part), 60s, m.what)
      .then([answer](const room_moved& r) { (*answer)(std::nullopt, r); },
            [answer](caf::error& e) { (*answer)(to_fault(e), {}); });
}

} // namespace pb
