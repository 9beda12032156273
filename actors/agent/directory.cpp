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

/// Nothing new, and it ends when the last turn has ended, however long that takes.
void let_finish(self_ptr self, const agent_connection_actor& actor) {
  const auto gone = [self, actor] {
    std::erase_if(self->state.leaving, [&](const auto& l) { return l.second == actor; });
    self->send_exit(actor, caf::exit_reason::user_shutdown);
  };
  self->request(actor, std::chrono::seconds(3600), drain{})
      .then([gone](done) { gone(); },
            [self, actor, gone](caf::error& e) {
              if (e == caf::sec::request_timeout)
                return let_finish(self, actor);
              gone();
            });
}

void retire(self_ptr self, agent_directory_state::entry& e) {
  if (!e.actor)
    return;
  self->state.leaving.emplace_back(e.spec.id, e.actor);
  let_finish(self, std::exchange(e.actor, nullptr));
}

/// One agent as it is to be from now on. What runs goes on as it began.
void become(self_ptr self, agent_directory_state::entry& e, const agent_spec& spec) {
  const bool other = e.spec != spec;
  e.spec = spec;
  if (!spec.enabled)
    return retire(self, e);
  if (e.actor && other)
    self->send(e.actor, apply_spec{spec});
  else if (!e.actor && !e.awaited)
    start(self, e);
}

registry_applied apply(self_ptr self, const registry& now) {
  auto& st = self->state;
  registry_applied out;
  for (auto i = st.agents.begin(); i != st.agents.end();) {
    if (now.agents.contains(i->first)) {
      ++i;
      continue;
    }
    out.removed.push_back(i->first);
    retire(self, i->second);
    i = st.agents.erase(i);
  }
  for (const auto& [id, spec] : now.agents) {
    const auto [i, fresh] = st.agents.try_emplace(id);
    if (fresh)
      out.added.push_back(id);
    else if (i->second.spec != spec)
      out.changed.push_back(id);
    become(self, i->second, spec);
  }
  st.in_force = now;
  return out;
}

/// Also of an agent that is there and takes no turn: its rooms say by its name why it is silent.
found_agent look_up(const agent_directory_state& st, const find_agent& m) {
  found_agent out;
  out.label = m.agent.value;
  if (!m.owner.empty()) {
    const auto theirs = st.in_force.agents_of(m.owner);
    out.theirs = std::find(theirs.begin(), theirs.end(), m.agent) != theirs.end();
    out.listed = st.in_force.lists(m.owner);
  }
  const auto i = st.agents.find(m.agent);
  if (i == st.agents.end())
    return out;
  const auto& s = i->second.spec;
  const auto* protocol = find_protocol(s.protocol);
  out.known = true;
  if (!i->second.draining)
    out.connection = i->second.actor;
  if (!s.label.empty())
    out.label = s.label;
  out.idempotent = s.idempotent || (protocol && protocol->resumes);
  out.enabled = s.enabled;
  out.workspace = s.workspace;
  out.features = s.features;
  return out;
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
  const auto wait_for = [&](const agent_connection_actor& actor) {
    ++*left;
    self->request(actor, std::chrono::seconds(3600), drain{})
        .then([one](done) mutable { one(); }, [one](caf::error&) mutable { one(); });
  };
  for (auto& [id, e] : self->state.agents)
    if (e.actor)
      wait_for(e.actor);
  for (auto& [id, actor] : self->state.leaving)
    wait_for(actor);
  one();
  return promise;
}

void start_again(self_ptr self, const agent_id& id) {
  const auto i = self->state.agents.find(id);
  if (i == self->state.agents.end())
    return; // it is gone since then
  i->second.awaited = false;
  if (!i->second.actor && i->second.spec.enabled)
    start(self, i->second);
}

void on_down(self_ptr self, const caf::down_msg& m) {
  auto& st = self->state;
  std::erase_if(st.leaving, [&](const auto& l) { return l.second.address() == m.source; });
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
    e.awaited = true;
    st.clock.after(
        backoff(st.engine, e.deaths++, std::chrono::milliseconds(100), std::chrono::seconds(30)),
        [self, who = id] { start_again(self, who); });
    return;
  }
}

/// `"key":value` of a status with another value; both are words without a comma in them.
void put_field(std::string& json, const std::string& key, const std::string& value) {
  const auto start = ",\"" + key + "\":";
  const auto at = json.find(start);
  if (at == std::string::npos)
    return;
  const auto from = at + start.size();
  json.replace(from, json.find_first_of(",}", from) - from, value);
}

/// An agent that has no connection, or whose connection did not answer.
std::string status_without(const agent_id& id, const agent_directory_state::entry& e) {
  return "{\"id\":" + json_quote(id.value) + ",\"label\":" + json_quote(e.spec.label) +
         ",\"protocol\":" + json_quote(e.spec.protocol) +
         ",\"enabled\":" + (e.spec.enabled ? "true" : "false") +
         ",\"draining\":" + (e.draining ? "true" : "false") +
         ",\"turns\":0,\"waiting\":0,\"state\":" +
         json_quote(!e.spec.enabled ? "disabled"
                    : e.actor       ? "silent"
                                    : "starting") +
         ",\"last_trouble\":\"\"}";
}

/// A list of all agents, those that are gone and still finish something included.
caf::result<status_report> status(self_ptr self) {
  auto promise = self->make_response_promise<status_report>();
  auto parts = std::make_shared<std::map<std::string, std::string>>();
  auto left = std::make_shared<std::size_t>(1);
  auto one = [promise, parts, left]() mutable {
    if (--*left > 0)
      return;
    std::string list;
    for (const auto& [id, json] : *parts)
      list += (list.empty() ? "" : ",") + json;
    promise.deliver(status_report{agent_directory_state::name, "{\"agents\":[" + list + "]}"});
  };
  const auto ask = [&](const agent_connection_actor& actor, const std::string& key, bool drained,
                       bool left_registry = false) {
    ++*left;
    self->request(actor, std::chrono::seconds(2), get_status{})
        .then(
            [one, parts, key, drained, left_registry](status_report& r) mutable {
              if (drained) {
                put_field(r.json, "draining", "true");
                if (left_registry)
                  put_field(r.json, "enabled", "false");
                put_field(r.json, "state", "\"draining\"");
              }
              (*parts)[key] = std::move(r.json);
              one();
            },
            [one](caf::error&) mutable { one(); });
  };
  for (const auto& [id, e] : self->state.agents) {
    (*parts)[id.value] = status_without(id, e);
    if (e.actor)
      ask(e.actor, id.value, e.draining);
  }
  // A former self of an agent that is there again is not told of.
  for (const auto& [id, actor] : self->state.leaving)
    if (const auto i = self->state.agents.find(id);
        i == self->state.agents.end() || !i->second.actor)
      ask(actor, id.value, true, true);
  one();
  return promise;
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
    for (auto& [id, actor] : self->state.leaving)
      self->send_exit(actor, caf::exit_reason::user_shutdown);
    self->quit(std::move(m.reason));
  });
  apply(self, registry{st.in_force});
  return {[self](const find_agent& m) { return look_up(self->state, m); },
          [self](const agent_for_user& m) {
            const auto& now = self->state.in_force;
            return agent_choice{now.agent_for(m.user), now.lists(m.user)};
          },
          [self](const agents_of_user& m) { return options_of(self->state.in_force, m); },
          [self](const apply_registry& m) { return apply(self, m.agents); },
          [self](const drain_agent& m) -> caf::result<done> {
            const auto i = self->state.agents.find(m.agent);
            if (i == self->state.agents.end())
              return to_error({fault_code::not_found, "no such agent", {}});
            i->second.draining = m.on;
            return done{};
          },
          [self](const attach_pushes& m) {
            self->state.pushes = m.sink;
            for (auto& [id, e] : self->state.agents)
              if (e.actor)
                self->send(e.actor, m);
            for (auto& [id, actor] : self->state.leaving)
              self->send(actor, m);
          },
          [self](tick t) { self->state.clock.ring(t); },
          [self](drain) { return drain_all(self); },
          [self](get_status) { return status(self); }};
}

} // namespace pb
