#include "config/registry.hpp"

#include "config/workspaces.hpp"

#include <algorithm>
#include <numeric>

namespace pb::config {

namespace {

class registry_reader {
public:
  registry_reader(registry_outcome& out, const environment& env, const disk& files)
      : out_(out), env_(env), files_(files) {}

  void read_main(const source& file) {
    const auto c = context_for(file.file);
    const auto tree = document::parse(file.text, file.file);
    if (!tree) {
      out_.problems.push_back(tree.error());
      out_.complete = false;
      return;
    }
    const auto& root = tree->root();
    if (root.what == node::kind::list)
      read_agents(c, root);
    else if (root.what == node::kind::mapping)
      read_root(c, root);
    else
      // An empty file is more often a broken write than a wish to take every agent away.
      bad_.error(c.at(root),
                 root.what == node::kind::null ? "the registry is empty"
                                               : "expected a mapping, found a single value",
                 "write agents: and the agents below it, or agents: [] for none");
    settle();
  }

  void read_beside(const source& file) {
    auto c = context_for(file.file);
    const auto name = file.file.substr(file.file.rfind('/') + 1);
    const auto id = agent_name(name.substr(0, name.rfind(".yaml")));
    const auto tree = document::parse(file.text, file.file);
    if (!tree) {
      out_.problems.push_back(tree.error());
      out_.complete = false;
    } else if (!id) {
      bad_.error(c.at(tree->root()), "the file's name is not an agent's id",
                 "name it after its agent, like agent-1.yaml");
    } else if (tree->root().what != node::kind::mapping) {
      wrong_kind(c, tree->root(), id->value, "a mapping", "the agent's keys at the left margin");
    } else {
      read_agent(c, *id, tree->root(), tree->root(), true);
    }
    settle();
  }

  /// What can only be said when everything is read.
  void finish() {
    resolve();
    check_workspaces();
    settle();
  }

private:
  struct agent_place {
    place at;
    mentioned seen;
  };

  context context_for(const std::string& file) {
    context c{file, env_, files_, bad_, out_.referenced};
    c.strict = false;
    return c;
  }

  void read_root(const context& c, const node& root) {
    const std::vector<std::string_view> known{"agents", "defaults", "default_agent", "user_agents",
                                              "users"};
    const auto entries = entries_of(c, root);
    const auto find = [&](std::string_view key) -> const node* {
      for (const auto& e : entries)
        if (e.key == key)
          return e.value;
      return nullptr;
    };
    for (const auto& e : entries)
      if (std::find(known.begin(), known.end(), e.key) == known.end())
        unknown_key(c, e, {}, known);
    // Before the agents, wherever it stands in the file.
    if (const auto* defaults = find("defaults"))
      read_defaults(c, *defaults);
    if (const auto* agents = find("agents"))
      read_agents(c, *agents);
    else
      bad_.error(c.at(root), "agents is missing",
                 "write agents: and the agents below it, or agents: [] for none");
    if (const auto* one = find("default_agent"); one != nullptr && one->what != node::kind::null) {
      if (one->what == node::kind::scalar)
        references_.push_back({"default_agent", one->text, c.at(*one), {}});
      else
        wrong_kind(c, *one, "default_agent", "a single value", "the id of an agent");
    }
    for (const auto* key : {"user_agents", "users"})
      if (const auto* users = find(key))
        read_users(c, *users, key);
  }

  void read_defaults(const context& outer, const node& n) {
    auto c = outer;
    c.prefix = "defaults.";
    if (n.what == node::kind::null)
      return;
    if (n.what != node::kind::mapping)
      return wrong_kind(outer, n, "defaults", "a mapping", "keys of an agent below it");
    static const std::set<std::string> own{"id", "base_url"};
    for (const auto& [key, value] : n.pairs)
      if (key->what == node::kind::scalar && own.contains(key->text))
        bad_.warning(c.at(*key), "defaults." + key->text + " has no effect: each agent has its own",
                     "write it below the agent");
    read_mapping(c, n, agent_keys(), defaults_, defaults_seen_, {}, own);
  }

  void read_agents(const context& c, const node& n) {
    if (n.what == node::kind::mapping) {
      for (const auto& e : entries_of(c, n)) {
        auto id = agent_name(e.key);
        if (!id)
          bad_.error(c.at(*e.at), "agents: " + id.error().what,
                     "write letters, digits, '.', '_' and '-', first a letter or a digit");
        else if (e.value->what != node::kind::mapping)
          wrong_kind(c, *e.value, "agents." + e.key, "a mapping",
                     "base_url: and other keys below it");
        else
          read_agent(c, *id, *e.at, *e.value, false);
      }
      return;
    }
    if (n.what != node::kind::list)
      return wrong_kind(c, n, "agents", "a list or a mapping",
                        "the agents below it, or agents: [] for none");
    for (const auto* item : n.items)
      read_listed(c, *item);
  }

  void read_listed(const context& c, const node& item) {
    if (item.what != node::kind::mapping)
      return wrong_kind(c, item, "agents", "a mapping", "- id: agent-1 and other keys below it");
    for (const auto& [key, value] : item.pairs) {
      if (key->what != node::kind::scalar || key->text != "id")
        continue;
      if (value->what != node::kind::scalar)
        return wrong_kind(c, *value, "agents.id", "a single value", "the agent's id");
      if (const auto id = agent_name(value->text))
        return read_agent(c, *id, *value, item, false);
      else
        bad_.error(c.at(*value), "agents: " + id.error().what,
                   "write letters, digits, '.', '_' and '-', first a letter or a digit");
      return;
    }
    bad_.error(c.at(item), "an agent without an id", "write id: agent-1 as its first key");
  }

  void read_agent(const context& outer, const agent_id& id, const node& at, const node& n,
                  bool over) {
    const auto before = places_.find(id);
    if (before != places_.end() && !over) {
      bad_.error(outer.at(at), "the agent " + quoted(id.value) + " is defined a second time",
                 "give it another id; the first is in line " +
                     std::to_string(before->second.at.line));
      return;
    }
    auto c = outer;
    c.prefix = "agents." + id.value + ".";
    agent_spec spec = before == places_.end() ? defaults_ : out_.value.agents[id];
    auto seen = before == places_.end() ? defaults_seen_ : before->second.seen;
    spec.id = id;
    read_mapping(c, n, agent_keys(), spec, seen);
    if (spec.id != id) {
      bad_.error(seen["id"],
                 c.prefix + "id is " + quoted(spec.id.value) + ", its name here " + id.value,
                 "write the same, or leave id out");
      spec.id = id;
    }
    if (!seen.contains("base_url"))
      bad_.error(c.at(at), c.prefix + "base_url is missing",
                 "write base_url: http://127.0.0.1:7000, the agent's address");
    if (seen.contains("auth") && !seen.contains("auth.secret"))
      bad_.error(seen["auth"], c.prefix + "auth.secret is missing",
                 "write secret: {env: NAME} below auth");
    if (spec.label.empty())
      spec.label = id.value;
    out_.value.agents[id] = std::move(spec);
    places_[id] = {outer.at(at), std::move(seen)};
  }

  void read_users(const context& c, const node& n, const std::string& name) {
    if (n.what == node::kind::null)
      return;
    if (n.what != node::kind::mapping)
      return wrong_kind(c, n, name, "a mapping", "\"@alice:example.org\": agent-1 below it");
    for (const auto& e : entries_of(c, n)) {
      const auto user = matrix_user(e.key);
      if (!user) {
        bad_.error(c.at(*e.at), name + ": " + user.error().what,
                   "write it in quotes like \"@alice:example.org\"");
        continue;
      }
      if (!out_.value.users.try_emplace(*user).second) {
        bad_.error(c.at(*e.at), name + ": " + quoted(e.key) + " stands here a second time",
                   "put all of this person's agents into one list");
        continue;
      }
      read_agents_of(c, *user, *e.value, name + "." + e.key);
    }
  }

  void read_agents_of(const context& c, const user_id& user, const node& n,
                      const std::string& name) {
    if (n.what == node::kind::scalar)
      return references_.push_back({name, n.text, c.at(n), user});
    if (n.what != node::kind::list || n.items.empty())
      return wrong_kind(c, n, name, "an agent's id or a list of ids",
                        "agent-1 or [agent-1, agent-2]");
    for (const auto* item : n.items)
      if (item->what == node::kind::scalar)
        references_.push_back({name, item->text, c.at(*item), user});
      else
        wrong_kind(c, *item, name, "a single value", "the id of an agent");
  }

  void resolve() {
    std::vector<std::string> known;
    for (const auto& [id, at] : places_)
      known.push_back(id.value);
    for (const auto& r : references_) {
      const agent_id id{r.agent};
      if (places_.contains(id))
        set(r.user, id);
      else if (out_.complete) // otherwise a missing agent is no news
        bad_.error(r.at, r.name + ": no agent is named " + quoted(r.agent),
                   bad_.full()     ? ""
                   : known.empty() ? "define it below agents"
                                   : did_you_mean(r.agent, known));
    }
  }

  void set(const std::optional<user_id>& user, const agent_id& id) {
    if (!user) {
      out_.value.default_agent = id;
      return;
    }
    auto& agents = out_.value.users[*user];
    if (std::find(agents.begin(), agents.end(), id) == agents.end())
      agents.push_back(id);
  }

  void check_workspaces() {
    std::vector<agent_id> ids;
    std::vector<std::string> paths;
    for (const auto& [id, spec] : out_.value.agents)
      if (!spec.workspace.empty()) {
        ids.push_back(id);
        paths.push_back(spec.workspace);
      }
    // The later of two equal ones is told, as it was probably the one that was copied.
    std::vector<std::size_t> order(ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto line_of = [&](std::size_t i) { return places_[ids[i]].seen["workspace_path"].line; };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return line_of(a) < line_of(b); });
    std::vector<std::string> sorted;
    sorted.reserve(order.size());
    for (const auto i : order)
      sorted.push_back(paths[i]);
    for (const auto& [inner, outer] : overlapping(sorted)) {
      const auto& id = ids[order[inner]];
      const auto& other = ids[order[outer]];
      bad_.error(places_[id].seen["workspace_path"],
                 "agents." + id.value + ".workspace_path " + quoted(sorted[inner]) +
                     " is the workspace of " + other.value + " or lies within it (" +
                     quoted(sorted[outer]) + ")",
                 "give each agent a folder of its own");
    }
  }

  void settle() {
    auto found = bad_.take();
    out_.problems.insert(out_.problems.end(), found.begin(), found.end());
  }

  /// An agent's name, looked up when all agents are read.
  struct reference {
    std::string name, agent;
    place at;
    std::optional<user_id> user; ///< nobody: it is the default_agent
  };

  registry_outcome& out_;
  const environment& env_;
  const disk& files_;
  reporter bad_;
  agent_spec defaults_;
  mentioned defaults_seen_;
  std::map<agent_id, agent_place> places_;
  std::vector<reference> references_;
};

} // namespace

bool registry_outcome::ok() const {
  return std::all_of(problems.begin(), problems.end(), [](const problem& p) { return p.warning; });
}

registry_outcome parse_registry(const source& main, const std::vector<source>& beside,
                                const environment& env, const disk& files) {
  registry_outcome out;
  registry_reader reader{out, env, files};
  reader.read_main(main);
  for (const auto& file : beside)
    reader.read_beside(file);
  reader.finish();
  return out;
}

} // namespace pb::config
