#include "config/people.hpp"

#include <algorithm>

namespace pb::config {

namespace {

/// "@*:example.org" or "*:example.org": everybody of this server. Empty: no pattern.
std::string server_of(const std::string& key) {
  for (const std::string_view front : {"@*:", "*:"})
    if (key.starts_with(front))
      return key.substr(front.size());
  return {};
}

bool is_server(const std::string& text) {
  return matrix_user("@a:" + text) && text.find_first_of("*@/") == std::string::npos;
}

} // namespace

void people_reader::read_default(const context& c, const node& n) {
  if (n.what == node::kind::null)
    return;
  if (n.what == node::kind::scalar)
    references_.push_back({"default_agent", n.text, c.at(n), {}});
  else
    wrong_kind(c, n, "default_agent", "a single value", "the id of an agent");
}

void people_reader::read_users(const context& c, const node& n, const std::string& name) {
  if (n.what == node::kind::null)
    return;
  if (n.what != node::kind::mapping)
    return wrong_kind(c, n, name, "a mapping", "\"@alice:example.org\": agent-1 below it");
  for (const auto& e : entries_of(c, n)) {
    who whose{{}, server_of(e.key)};
    if (e.key.find('*') != std::string::npos) {
      if (!is_server(whose.server)) {
        c.out.error(c.at(*e.at), name + ": " + quoted(e.key) + " is no pattern",
                    "write \"@*:example.org\" for everybody of a server");
        continue;
      }
    } else if (const auto user = matrix_user(e.key)) {
      whose.user = *user;
    } else {
      c.out.error(c.at(*e.at), name + ": " + user.error().what,
                  "write it in quotes like \"@alice:example.org\"");
      continue;
    }
    if (!seen_.insert(whose).second) {
      c.out.error(c.at(*e.at), name + ": " + quoted(e.key) + " stands here a second time",
                  whose.user ? "put all of this person's agents into one list"
                             : "put all of this server's agents into one list");
      continue;
    }
    read_agents_of(c, whose, *e.value, name + "." + e.key);
  }
}

void people_reader::read_agents_of(const context& c, const who& whose, const node& n,
                                   const std::string& name) {
  if (n.what == node::kind::scalar) {
    references_.push_back({name, n.text, c.at(n), whose});
    return;
  }
  if (n.what != node::kind::list || n.items.empty())
    return wrong_kind(c, n, name, "an agent's id or a list of ids",
                      "agent-1 or [agent-1, agent-2]");
  for (const auto* item : n.items)
    if (item->what == node::kind::scalar)
      references_.push_back({name, item->text, c.at(*item), whose});
    else
      wrong_kind(c, *item, name, "a single value", "the id of an agent");
}

void people_reader::resolve(registry& into, const std::map<agent_id, std::string>& removed,
                            bool complete, reporter& out) const {
  std::vector<std::string> known;
  for (const auto& [id, spec] : into.agents)
    known.push_back(id.value);
  // Also one whose agents are all gone is listed: the default is for those who are not.
  for (const auto& whose : seen_)
    whose.user ? void(into.users[*whose.user]) : void(into.servers[whose.server]);
  for (const auto& r : references_) {
    const agent_id id{r.agent};
    if (into.agents.contains(id)) {
      if (!r.whose.user && r.whose.server.empty()) {
        into.default_agent = id;
        continue;
      }
      auto& agents = r.whose.user ? into.users[*r.whose.user] : into.servers[r.whose.server];
      if (std::find(agents.begin(), agents.end(), id) == agents.end())
        agents.push_back(id);
    } else if (const auto by = removed.find(id); by != removed.end()) {
      out.warning(r.at, r.name + ": the agent " + quoted(r.agent) + " was removed",
                  "remove its name here, or " + quoted(by->second));
    } else if (complete) {
      out.error(r.at, r.name + ": no agent is named " + quoted(r.agent),
                out.full()      ? ""
                : known.empty() ? "define it below agents"
                                : did_you_mean(r.agent, known));
    }
  }
}

} // namespace pb::config
