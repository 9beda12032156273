#include "config/load.hpp"

#include "config/process.hpp"
#include "config/suggest.hpp"

#include <algorithm>

namespace pb::config {

namespace {

void append(std::vector<problem>& all, std::vector<problem> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Reads the registry that was named, or the one beside the file, or makes one from the
/// environment.
registry_outcome agents_for(loaded& out, const process_outcome& process, const command_line& given,
                            const environment& env, const disk& d) {
  auto& path = out.process.registry;
  if (const auto named = process.seen.find("registry"); named != process.seen.end()) {
    // Empty: it was refused and reported.
    return path.empty() ? registry_outcome{} : read_registry(path, named->second, env, d);
  }
  if (given.config_file) {
    const auto beside = below(folder_of(*given.config_file), "matrix-agents.yaml");
    if (d.exists(beside)) {
      path = beside;
      return read_registry(beside, {beside, 0, 0}, env, d);
    }
  }
  auto single = registry_from(env);
  if (process.complete && single.value.agents.empty() && single.problems.empty() &&
      !out.process.homeserver.embedded)
    single.problems.push_back({given.config_file.value_or("environment"), 0, 0, "there is no agent",
                               "write registry: and the path of an agent registry, or set "
                               "AGENT_BASE_URL",
                               true});
  return single;
}

/// Variables of older deployments that are accepted and do nothing.
void note_ineffective(settings& s, const environment& env) {
  for (const auto& [name, value] : env.values)
    if (name == "MATRIX_STORE_PATH" || name == "MATRIX_PLATFORM_BACKEND" ||
        name.starts_with("SURFACES_"))
      s.ineffective.push_back(name);
  if (const auto* store = env.find("MATRIX_STORE_PATH"))
    s.legacy_store_path = below(env.folder("MATRIX_STORE_PATH"), *store);
  if (!s.registry.empty())
    for (const auto* name : {"AGENT_BASE_URL", "AGENT_WS_URL"})
      if (env.find(name) != nullptr)
        s.ineffective.emplace_back(name);
}

std::vector<problem> unknown_variables(const environment& env,
                                       const std::set<std::string>& referenced) {
  std::vector<std::string> known;
  for (const auto& key : process_keys())
    known.push_back(environment_name(key.path));
  std::vector<problem> out;
  for (const auto& [name, value] : env.values) {
    if (!name.starts_with("PATCHBAY_") || referenced.contains(name) ||
        name == "PATCHBAY_CRASH_AT" || // a test aid of `run`, no setting
        std::find(known.begin(), known.end(), name) != known.end())
      continue;
    if (out.size() >= reporter::cap)
      break;
    const auto at = env.where(name);
    const auto near = nearest(name, known);
    out.push_back({at.file, at.line, at.column,
                   at.line > 0 ? name + " is no variable of Patchbay" : "no variable of Patchbay",
                   near ? "did you mean " + *near + "?" : "look at the names in --help", true});
  }
  return out;
}

invite_policy default_invites(const loaded& l) {
  if (l.process.homeserver.embedded)
    return invite_policy::anyone;
  return l.agents.users.empty() && l.agents.servers.empty() ? invite_policy::server
                                                            : invite_policy::registered;
}

} // namespace

bool loaded::ok() const {
  return std::all_of(problems.begin(), problems.end(), [](const problem& p) { return p.warning; });
}

loaded load(const command_line& given, const environment& env, const disk& d) {
  loaded out;
  std::optional<source> file;
  if (given.config_file) {
    const auto text = d.read(*given.config_file, document::max_bytes);
    if (!text) {
      out.problems.push_back({*given.config_file, 0, 0, "cannot be read: " + text.error(),
                              "write the path of a readable file after --config", false});
      return out;
    }
    file = source{*given.config_file, *text};
  }
  auto process = parse_process(file, env, given.values, d);
  out.process = std::move(process.value);
  out.problems = std::move(process.problems);

  auto agents = agents_for(out, process, given, env, d);
  out.agents = std::move(agents.value);
  append(out.problems, std::move(agents.problems));

  if (!process.seen.contains("access.invites"))
    out.process.access.invites = default_invites(out);
  note_ineffective(out.process, env);
  auto referenced = std::move(process.referenced);
  referenced.merge(agents.referenced);
  // A file that could not be parsed may have named any of them.
  if (process.complete && agents.complete)
    append(out.problems, unknown_variables(env, referenced));
  return out;
}

} // namespace pb::config
