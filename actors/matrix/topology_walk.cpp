// Every room that we are in is looked at. With a database that knows its rooms this runs beside the
// work; with a new, lost or partial one no message is acted on before it has ended.

#include "actors/matrix/topology.hpp"
#include "bridges/matrix/api.hpp"

namespace pb {

using namespace std::chrono_literals;

namespace {
constexpr unsigned most_tries = 5; ///< of one room; the walk does not hang on it
}

void topology_state::begin_walk(walk_ptr w) {
  if (walk_)
    return walks_.push_back(std::move(w));
  walk_ = std::move(w);
  // The database first: a room that is made meanwhile is then new to the list, never missing in it.
  self_->request(deps_.store, 60s, store_rooms{})
      .then(
          [this](room_list& all) {
            walk_->in.rooms = std::move(all.rooms);
            self_->request(deps_.store, 60s, store_users{})
                .then(
                    [this](user_list& people) {
                      walk_->in.users = std::move(people.users);
                      list_rooms(walk_, 0);
                    },
                    [this](caf::error& e) { self_->quit(std::move(e)); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::list_rooms(const walk_ptr& w, unsigned tries) {
  http_->send(matrix::ask::joined_rooms(deps_.session), [this, w, tries](http_result& r) {
    auto got = matrix::read::joined_rooms(r, deps_.around.wall());
    if (!got)
      return again(got.error(), tries, [this, w, tries] { list_rooms(w, tries + 1); });
    w->in.bot = deps_.session.user;
    w->in.server = server();
    w->in.lang = deps_.lang;
    w->todo.assign(got->begin(), got->end());
    std::sort(w->todo.begin(), w->todo.end());
    look_on(w);
  });
}

void topology_state::look_on(const walk_ptr& w) {
  while (w->in_flight < at_once && !w->todo.empty()) {
    const auto room = std::move(w->todo.front());
    w->todo.pop_front();
    ++w->in_flight;
    look_at(w, room, 0);
  }
  if (w->in_flight > 0)
    return;
  std::sort(w->in.seen.begin(), w->in.seen.end(),
            [](const auto& a, const auto& b) { return a.room < b.room; });
  find_agents(w, owners_without_marker(w->in.seen, w->in.bot));
}

void topology_state::look_at(const walk_ptr& w, const room_id& room, unsigned tries) {
  http_->send(matrix::ask::get_state(deps_.session, room), [this, w, room, tries](http_result& r) {
    const auto got = matrix::read::state(r, room, deps_.around.wall());
    if (!got && !got.error().final() && tries < most_tries)
      return again(got.error(), tries, [this, w, room, tries] { look_at(w, room, tries + 1); });
    if (got)
      w->in.seen.push_back(matrix::gather_facts(room, deps_.session.user, got->events));
    else
      w->in.unreadable.push_back(room);
    --w->in_flight;
    look_on(w);
  });
}

void topology_state::find_agents(const walk_ptr& w, std::vector<user_id> owners) {
  if (owners.empty())
    return walked(w);
  const auto who = owners.back();
  owners.pop_back();
  self_->request(deps_.agents, 30s, agent_for_user{who})
      .then(
          [this, w, who, owners](const agent_choice& choice) {
            if (choice.agent)
              w->in.agents.emplace(who, *choice.agent);
            find_agents(w, owners);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::walked(const walk_ptr& w) {
  auto plan = make_plan(w->in);
  for (const auto& a : plan.actions)
    deps_.around.log->info("reconcile_plan", {}, a.what, {{"room", a.room}});
  for (const auto& c : plan.conflicts)
    deps_.around.log->warning("reconcile_conflict", {}, c.what, {{"room", c.room}});
  for (const auto& s : plan.skipped)
    deps_.around.log->info("reconcile_skipped", {}, s.what, {{"room", s.room}});
  if (w->dry)
    return walk_over(w, to_json(plan, true));
  apply(w, std::move(plan));
}

/// The database knows its rooms: messages may be acted on.
void topology_state::open_gate() {
  open_ = true;
  for (auto& promise : waiting_)
    promise.deliver(done{});
  waiting_.clear();
  std::vector<step> first; // of everybody who waits; a job may end at once and begin the next
  for (const auto& [who, jobs] : jobs_)
    first.push_back(jobs.front());
  for (const auto& job : first)
    job();
}

void topology_state::walk_over(const walk_ptr& w, const std::string& json) {
  last_walk_ = deps_.around.wall();
  last_report_ = json;
  for (auto& promise : w->asked)
    promise.deliver(reconcile_report{json});
  if (w->gate)
    open_gate();
  walk_.reset();
  if (walks_.empty()) {
    // What a walk read of every room is free by now, and would stay ours for good.
    if (deps_.around.tidy)
      clock_.after(1s, deps_.around.tidy);
    return;
  }
  auto next = std::move(walks_.front());
  walks_.pop_front();
  begin_walk(std::move(next));
}

} // namespace pb
