#include "actors/agent/directory.hpp"

#include <algorithm>
#include <set>

namespace pb {
namespace {

using self_ptr = agent_directory_actor::stateful_pointer<agent_directory_state>;

void start(self_ptr self, agent_directory_state::entry& e) {
  e.actor = self->spawn(agent_connection, e.spec, self->state.deps);
  self->monitor(e.actor);
  if (self->state.pushes)
    self->send(e.actor, attach_pushes{self->state.pushes});
}

/// Also of an agent that is there and not enabled: its rooms say by its name why it is silent.
found_agent look_up(const agent_directory_state& st, const agent_id& id) {
  const auto spec = st.in_force.agents.find(id);
  if (spec == st.in_force.agents.end())
    return {{}, id.value, false, false, {}, {}};
  const auto& s = spec->second;
  const auto* protocol = find_protocol(s.protocol);
  const auto running = st.agents.find(id);
  return {running == st.agents.end() ? agent_connection_actor{} : running->second.actor,
          s.label.empty() ? id.value : s.label,
          s.idempotent || (protocol && protocol->resumes),
          s.enabled,
          s.workspace,
          s.features};
}

/// The person's own first, in the registry's order; for operators everybody else behind them.
agent_options options_of(const registry& in_force, const agents_of_user& m) {
  agent_options out;
  std::set<agent_id> listed;
  const auto add = [&](const agent_id& id) {
    const auto spec = in_force.agents.find(id);
    if (spec == in_force.agents.end() || !listed.insert(id).second)
      return;
    const auto& s = spec->second;
    out.agents.push_back({id, s.label.empty() ? id.value : s.label, s.enabled});
  };
  const auto own = in_force.agents_of(m.user);
  std::for_each(own.begin(), own.end(), add);
  if (m.all)
    for (const auto& [id, spec] : in_force.agents)
      add(id);
  return out;
}

/// Answers when every connection has ended what runs.
caf::result<done> drain_all(self_ptr self) {
  auto promise = self->make_response_promise<done>();
  auto left = std::make_shared<std::size_t>(1);
  auto one = [promise, left]() mutable {
    if (--*left == 0)
      promise.deliver(done{});
  };
  for (auto& [id, e] : self->state.agents)
    if (e.actor) {
      ++*left;
      self->request(e.actor, std::chrono::seconds(3600), drain{})
          .then([one](done) mutable { one(); }, [one](caf::error&) mutable { one(); });
    }
  one();
  return promise;
}

void on_down(self_ptr self, const caf::down_msg& m) {
  auto& st = self->state;
  for (auto& [id, e] : st.agents) {
    if (!e.actor || e.actor.address() != m.source)
      continue;
    e.actor = nullptr;
    if (st.stopping || !m.reason || m.reason == caf::exit_reason::user_shutdown)
      return;
    st.deps.around.log->error("agent_connection_died", {},
                              "an agent's connection actor died and is started again: " +
                                  to_fault(m.reason).cause,
                              {{"agent", id}});
    // Its rooms were told by DOWN; the next turn finds the new one.
    st.clock.after(
        backoff(st.engine, e.deaths++, std::chrono::milliseconds(100), std::chrono::seconds(30)),
        [self, who = id] {
          auto& again = self->state.agents[who];
          if (!again.actor)
            start(self, again);
        });
    return;
  }
}

} // namespace

agent_directory_actor::behavior_type agent_directory(self_ptr self, registry in_force,
                                                     connection_deps deps) {
  auto& st = self->state;
  st.deps = std::move(deps);
  st.in_force = std::move(in_force);
  st.engine = engine_for(st.deps.around, "agent_directory");
  self->set_down_handler([self](caf::down_msg& m) { on_down(self, m); });
  self->set_exit_handler([self](caf::exit_msg& m) {
    self->state.stopping = true;
    for (auto& [id, e] : self->state.agents)
      if (e.actor)
        self->send_exit(e.actor, caf::exit_reason::user_shutdown);
    self->quit(std::move(m.reason));
  });
  for (const auto& [id, spec] : st.in_force.agents) {
    if (!spec.enabled)
      continue;
    auto& e = st.agents[id];
    e.spec = spec;
    start(self, e);
  }
  return {[self](const find_agent& m) { return look_up(self->state, m.agent); },
          [self](const agent_for_user& m) {
            return agent_choice{self->state.in_force.agent_for(m.user)};
          },
          [self](const agents_of_user& m) { return options_of(self->state.in_force, m); },
          [self](const attach_pushes& m) {
            self->state.pushes = m.sink;
            for (auto& [id, e] : self->state.agents)
              if (e.actor)
                self->send(e.actor, m);
          },
          [self](tick t) { self->state.clock.ring(t); },
          [self](drain) { return drain_all(self); },
          [self](get_status) -> caf::result<status_report> {
            // A list of all agents: asked one by one, those that do not answer are left out.
            auto& agents = self->state.agents;
            auto promise = self->make_response_promise<status_report>();
            auto parts = std::make_shared<std::map<std::string, std::string>>();
            auto left = std::make_shared<std::size_t>(1);
            auto one = [promise, parts, left]() mutable {
              if (--*left > 0)
                return;
              std::string list;
              for (const auto& [id, json] : *parts)
                list += (list.empty() ? "" : ",") + json;
              promise.deliver(
                  status_report{agent_directory_state::name, "{\"agents\":[" + list + "]}"});
            };
            for (auto& [id, e] : agents) {
              if (!e.actor)
                continue;
              ++*left;
              self->request(e.actor, std::chrono::seconds(2), get_status{})
                  .then(
                      [one, parts, who = id.value](status_report& r) mutable {
                        (*parts)[who] = std::move(r.json);
                        one();
                      },
                      [one](caf::error&) mutable { one(); });
            }
            one();
            return promise;
          }};
}

} // namespace pb
