#include "config/registry.hpp"

#include "config/agent_rules.hpp"
#include "config/people.hpp"
#include "config/workspaces.hpp"

#include <algorithm>
#include <numeric>

namespace pb::config {

namespace {

std::string base_name(const std::string& file) { return file.substr(file.rfind('/') + 1); }

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
    const auto tree = document::parse(file.text, file.file);
    if (!tree) {
      out_.problems.push_back(tree.error());
      out_.complete = false;
    } else if (const auto& root = tree->root(); root.what != node::kind::mapping) {
      wrong_kind(c, root, base_name(file.file), "a mapping", "the agent's keys at the left margin");
    } else if (const auto id = id_beside(c, file.file, root)) {
      bool removed = false;
      for (const auto& e : entries_of(c, root))
        if (e.key == "removed")
          removed = is_removed(c, e);
      if (removed)
        take_away(*id, file.file);
      else
        read_agent(c, *id, root, root, true);
    }
    settle();
  }

  /// What can only be said when everything is read.
  void finish() {
    for (auto& [id, said] : places_) {
      auto c = context_for(said.at.file);
      c.prefix = "agents." + id.value + ".";
      said.defaults = defaults_seen_;
      apply_rules(c, out_.value.agents[id], said);
    }
    // With a file that could not be parsed, a missing agent is no news.
    people_.resolve(out_.value, removed_, out_.complete, bad_);
    check_workspaces();
    settle();
  }

private:
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
    if (const auto* one = find("default_agent"))
      people_.read_default(c, *one);
    for (const auto* key : {"user_agents", "users"})
      if (const auto* users = find(key))
        people_.read_users(c, *users, key);
  }

  void read_defaults(const context& outer, const node& n) {
    auto c = outer;
    c.prefix = "defaults.";
    if (n.what == node::kind::null)
      return;
    if (n.what != node::kind::mapping)
      return wrong_kind(outer, n, "defaults", "a mapping", "keys of an agent below it");
    static const std::set<std::string> own{"id", "base_url", "base_urls"};
    for (const auto& [key, value] : n.pairs)
      if (key->what == node::kind::scalar && own.contains(key->text))
        bad_.warning(c.at(*key), "defaults." + key->text + " has no effect: each agent has its own",
                     "write it below the agent");
    read_mapping(c, n, agent_keys(), defaults_, defaults_seen_, {}, own);
    if (const auto i = defaults_seen_.find("process.command"); i != defaults_seen_.end()) {
      bad_.warning(i->second, "defaults.process.command has no effect: each agent has its own",
                   "write it below the agent");
      defaults_.process.command.clear();
    }
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
    const bool known = before != places_.end();
    if (known && !over) {
      bad_.error(outer.at(at), "the agent " + quoted(id.value) + " is defined a second time",
                 "give it another id; the first is in line " +
                     std::to_string(before->second.at.line));
      return;
    }
    auto c = outer;
    c.prefix = "agents." + id.value + ".";
    agent_spec spec = known ? out_.value.agents[id] : defaults_;
    spec.id = id;
    mentioned own;
    static const std::set<std::string> beside{"removed"}, main;
    read_mapping(c, n, agent_keys(), spec, own, {}, over ? beside : main);
    if (spec.id != id) {
      bad_.error(own["id"],
                 c.prefix + "id is " + quoted(spec.id.value) + ", its name here " + id.value,
                 "write the same, or leave id out");
      spec.id = id;
    }
    settle_endpoints(c, spec, own);
    if (spec.label.empty())
      spec.label = id.value;
    out_.value.agents[id] = std::move(spec);
    auto& said = places_[id];
    said.at = outer.at(at);
    out_.sources[id].push_back(c.file);
    for (auto& [key, where] : own)
      said.all[key] = std::move(where);
    removed_.erase(id);
  }

  /// Of a file in agents.d: its `id`, else its name.
  std::optional<agent_id> id_beside(const context& c, const std::string& file, const node& root) {
    for (const auto& [key, value] : root.pairs)
      if (key->what == node::kind::scalar && key->text == "id") {
        if (value->what == node::kind::scalar)
          if (const auto id = agent_name(value->text))
            return *id;
        bad_.error(c.at(*value), "the agent's id is none",
                   "write letters, digits, '.', '_' and '-', first a letter or a digit");
        return std::nullopt;
      }
    const auto name = base_name(file);
    if (const auto id = agent_name(name.substr(0, name.rfind(".yaml"))))
      return *id;
    bad_.error(c.at(root), "the file's name is not an agent's id",
               "name it after its agent, like agent-1.yaml");
    return std::nullopt;
  }

  bool is_removed(const context& c, const entry& e) {
    const auto yes = boolean(e.value->text);
    if (e.value->what != node::kind::scalar || !yes) {
      bad_.error(c.at(*e.value), "removed: neither true nor false", "write true or false");
      return false;
    }
    return *yes;
  }

  void take_away(const agent_id& id, const std::string& file) {
    out_.value.agents.erase(id);
    out_.sources.erase(id);
    places_.erase(id);
    removed_[id] = file;
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
    const auto line_of = [&](std::size_t i) { return workspace_place(ids[i]).line; };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return line_of(a) < line_of(b); });
    std::vector<std::string> sorted;
    sorted.reserve(order.size());
    for (const auto i : order)
      sorted.push_back(paths[i]);
    for (const auto& [inner, outer] : overlapping(sorted)) {
      const auto& id = ids[order[inner]];
      const auto& other = ids[order[outer]];
      bad_.error(workspace_place(id),
                 "agents." + id.value + ".workspace_path " + quoted(sorted[inner]) +
                     " is the workspace of " + other.value + " or lies within it (" +
                     quoted(sorted[outer]) + ")",
                 "give each agent a folder of its own");
    }
  }

  place workspace_place(const agent_id& id) const {
    const auto said = places_.find(id);
    const auto* at = said == places_.end() ? nullptr : said->second.find("workspace_path");
    return at == nullptr ? place{} : *at;
  }

  void settle() {
    auto found = bad_.take();
    out_.problems.insert(out_.problems.end(), found.begin(), found.end());
  }

  registry_outcome& out_;
  const environment& env_;
  const disk& files_;
  reporter bad_;
  agent_spec defaults_;
  mentioned defaults_seen_;
  std::map<agent_id, agent_mentions> places_;
  std::map<agent_id, std::string> removed_; ///< by which file
  people_reader people_;
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
