// `patchbay agents`: the registry of the router that runs.

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "config/document.hpp"

#include <filesystem>

namespace pb::cli {
namespace {

using nlohmann::json;
using verb = agents_options::verb;

/// Texts stay texts: the router reads every value by its key.
json json_of(const config::node& n) {
  using kind = config::node::kind;
  switch (n.what) {
  case kind::null:
    return nullptr;
  case kind::scalar:
    return n.text;
  case kind::list: {
    auto out = json::array();
    for (const auto* item : n.items)
      out.push_back(json_of(*item));
    return out;
  }
  case kind::mapping: {
    auto out = json::object();
    for (const auto& [key, value] : n.pairs)
      out[key->text] = json_of(*value);
    return out;
  }
  }
  return nullptr;
}

/// As in any file of ours, a path in it is meant from where it lies.
void make_absolute(json& agent, const std::string& folder) {
  const auto from_there = [&](json& path) {
    if (path.is_string())
      path = std::filesystem::absolute(config::below(folder, path.get_ref<const std::string&>()))
                 .string();
  };
  const auto secret = [&](json& value) {
    if (value.is_object() && value.contains("file"))
      from_there(value["file"]);
  };
  const auto member = [](json& holder, const char* key) -> json* {
    const auto i = holder.is_object() ? holder.find(key) : holder.end();
    return holder.is_object() && i != holder.end() ? &*i : nullptr;
  };
  if (auto* path = member(agent, "workspace_path"))
    from_there(*path);
  if (auto* token = member(agent, "events_token"))
    secret(*token);
  if (auto* auth = member(agent, "auth"))
    if (auto* value = member(*auth, "secret"))
      secret(*value);
  if (auto* process = member(agent, "process"))
    if (auto* env = member(*process, "env"); env && env->is_object())
      for (auto& value : *env)
        secret(value);
}

/// The agent that is to be added; nothing: it was said why not.
std::optional<json> agent_from(const agents_options& o) {
  auto out = json::object();
  if (!o.file.empty()) {
    const auto text = config::real_disk().read(o.file, config::document::max_bytes);
    if (!text) {
      complain(o.file + " cannot be read: " + text.error());
      return std::nullopt;
    }
    const auto tree = config::document::parse(*text, o.file);
    if (!tree) {
      complain(to_string(tree.error()));
      return std::nullopt;
    }
    if (tree->root().what != config::node::kind::mapping) {
      complain(o.file + ": expected one agent's keys at the left margin, like base_url: "
                        "http://127.0.0.1:7000");
      return std::nullopt;
    }
    out = json_of(tree->root());
    make_absolute(out, config::folder_of(o.file));
  }
  const std::pair<const char*, const std::string&> given[] = {
      {"id", o.id}, {"label", o.label}, {"base_url", o.base_url}, {"protocol", o.protocol}};
  for (const auto& [key, value] : given)
    if (!value.empty())
      out[key] = value;
  if (!o.workspace.empty())
    out["workspace_path"] = std::filesystem::absolute(o.workspace).lexically_normal().string();
  if (!out.contains("id")) {
    complain("the agent has no id; write --id NAME, or id: in the file");
    return std::nullopt;
  }
  return out;
}

void print_list(const json& all) {
  std::vector<std::vector<std::string>> rows{
      {"ID", "LABEL", "PROTOCOL", "ADDRESS", "STATE", "TURNS", "WAITING"}};
  for (const auto& a : all["items"]) {
    auto address = text_in(a, "base_url");
    if (address.empty())
      address = text_in(a, "process");
    rows.push_back({text_in(a, "id"), text_in(a, "label"), text_in(a, "protocol"), address,
                    text_in(a, "state"), text_in(a, "turns"), text_in(a, "waiting")});
  }
  print_table(std::move(rows));
  const auto registry = all.value("registry", json::object());
  if (text_in(registry, "state") == "bad") {
    std::cout << "\nThe registry on the disk has faults; the last good one is in force:\n";
    for (const auto& line : registry.value("problems", json::array()))
      if (line.is_string())
        std::cout << "  " << line.get<std::string>() << '\n';
  }
}

int list(running_router& router, bool as_json) {
  std::optional<http_response> got;
  const auto all = all_pages(router, "/api/v1/agents", got);
  if (!all) {
    complain("the agents cannot be listed: " + running_router::reason(got));
    return got ? failed : unavailable;
  }
  if (as_json)
    std::cout << dump_of(*all) << '\n';
  else
    print_list(*all);
  return ok;
}

void print_faults(const json& answer) {
  for (const auto& f : answer.value("faults", json::array()))
    std::cerr << "  " << text_in(f, "what")
              << (text_in(f, "instead").empty() ? "" : "; " + text_in(f, "instead")) << '\n';
}

std::string done_words(const agents_options& o, const json& answer) {
  const auto id = text_in(answer, "id");
  const auto file = text_in(answer, "file");
  const bool changed = answer.value("changed", true);
  const std::string would = o.dry_run ? "would be " : "is ";
  const auto where = file.empty() || !changed ? "" : " (" + file + ")";
  if (o.what == verb::drain)
    return id + (o.dry_run ? " would take" : " takes") +
           " no new turns; what runs goes on. `patchbay agents enable " + id + "` ends it.";
  if (!changed && o.what == verb::enable && !o.dry_run)
    return id + ": nothing changes in the files, it is enabled already; a drain is over.";
  if (!changed)
    return id + ": nothing changes, it is so already.";
  switch (o.what) {
  case verb::add:
    return id + " " + would + (answer.value("added", false) ? "added" : "changed") + where + ".";
  case verb::remove:
    return id + " " + would + "removed" + where + "; what runs is finished first.";
  case verb::enable:
    return id + " " + would + "enabled" + where + ".";
  default:
    return id + " " + would + "disabled" + where + "; what runs is finished first.";
  }
}

} // namespace

int agents(const agents_options& options) {
  const auto agent = options.what == verb::add ? agent_from(options) : json::object();
  if (!agent)
    return usage;
  int code = ok;
  auto router = running_router::find(options.config, code);
  if (!router)
    return code;
  const std::string all = "/api/v1/agents", one = all + "/" + path_part(options.id);
  const std::string dry = options.dry_run ? "?dry_run=true" : "";
  std::optional<http_response> got;
  switch (options.what) {
  case verb::list:
    return list(*router, options.json);
  case verb::add:
    got = router->ask("POST", all + dry, dump_of(*agent));
    break;
  case verb::remove:
    got = router->ask("DELETE", one + dry);
    break;
  case verb::drain:
    got = router->ask("POST", one + "/drain" + dry);
    break;
  case verb::enable:
    got = router->ask("POST", one + "/enable" + dry);
    break;
  case verb::disable:
    got = router->ask("POST", one + "/disable" + dry);
    break;
  }
  if (!got) {
    complain("the running router does not answer: " + running_router::reason(got));
    return unavailable;
  }
  const auto answer = json::parse(got->body, nullptr, false);
  if (options.json)
    std::cout << got->body << '\n';
  if (got->status != 200 || !answer.is_object()) {
    complain("the running router refuses this: " + running_router::reason(got));
    if (answer.is_object() && answer.value("faults", json::array()).size() > 1)
      print_faults(answer);
    return failed;
  }
  for (const auto& w : answer.value("warnings", json::array()))
    std::cerr << "warning: " << text_in(w, "what") << "; " << text_in(w, "instead") << '\n';
  if (!options.json)
    std::cout << done_words(options, answer) << '\n';
  return ok;
}

} // namespace pb::cli
