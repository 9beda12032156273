#include "config/registry.hpp"

#include "config/urls.hpp"

namespace pb::config {

registry_outcome read_registry(const std::string& path, const place& named_at,
                               const environment& env, const disk& files) {
  registry_outcome out;
  const auto text = files.read(path, document::max_bytes);
  if (!text) {
    out.problems.push_back({named_at.file, named_at.line, named_at.column,
                            "the registry " + quoted(path) + " cannot be read: " + text.error(),
                            "write the path of the registry, relative to the file that names it",
                            false});
    out.complete = false;
    return out;
  }
  const auto folder = below(folder_of(path), "agents.d");
  const auto names = files.yaml_files(folder);
  std::vector<source> beside;
  std::vector<problem> unread;
  if (!names)
    unread.push_back({folder, 0, 0, "cannot be read: " + names.error(),
                      "make the folder readable, or remove it", false});
  else
    for (const auto& name : *names) {
      const auto file = below(folder, name);
      auto one = files.read(file, document::max_bytes);
      if (one)
        beside.push_back({file, *std::move(one)});
      else
        unread.push_back({file, 0, 0, "cannot be read: " + one.error(),
                          "make the file readable, or remove it", false});
    }
  out = parse_registry({path, *text}, beside, env, files);
  out.complete = out.complete && unread.empty();
  out.problems.insert(out.problems.end(), unread.begin(), unread.end());
  return out;
}

registry_outcome registry_from(const environment& env) {
  registry_outcome out;
  std::string name = "AGENT_BASE_URL";
  const auto* given = env.find(name);
  std::string address = given != nullptr ? *given : "";
  if (given == nullptr) {
    name = "AGENT_WS_URL";
    if (given = env.find(name); given == nullptr)
      return out;
    address = base_of_ws_url(*given);
  }
  const auto url = agent_base_url(address);
  if (!url) {
    const auto at = env.where(name);
    out.problems.push_back(
        {at.file, at.line, at.column, (at.line > 0 ? name + ": " : "") + url.error().what,
         url.error().instead.empty() ? "write an address like http://127.0.0.1:7000"
                                     : url.error().instead,
         false});
    return out;
  }
  agent_spec spec;
  spec.id = agent_id{"default"};
  spec.label = spec.id.value;
  spec.base_url = *url;
  out.value.default_agent = spec.id;
  out.value.agents.emplace(spec.id, std::move(spec));
  return out;
}

} // namespace pb::config
