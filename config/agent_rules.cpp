#include "config/agent_rules.hpp"

#include <algorithm>

namespace pb::config {

namespace {

void check_address(const context& c, const agent_spec& spec, const agent_mentions& said) {
  const bool address = said.all.contains("base_url") || said.all.contains("base_urls");
  const auto process = said.all.find("process");
  if (address && process != said.all.end())
    return c.out.error(process->second,
                       c.prefix + "process and base_url: an agent has an address or is a process",
                       "remove one of the two");
  if (address)
    return;
  if (process == said.all.end())
    return c.out.error(said.at, c.prefix + "base_url is missing",
                       spec.protocol == "acp"
                           ? "write base_url: and the agent's address, or process: {command: "
                             "[program]} for a child process"
                           : "write base_url: http://127.0.0.1:7000, the agent's address");
  if (spec.process.command.empty()) // not there, or []
    c.out.error(process->second, c.prefix + "process.command is missing",
                "write command: [program, argument] below process");
  if (spec.workspace.empty())
    c.out.error(process->second, c.prefix + "process without workspace_path",
                "write workspace_path: and the folder that the child works in");
}

/// A section that means nothing to this agent's protocol; below defaults it is no fault.
void belongs_to(const context& c, const agent_spec& spec, const agent_mentions& said,
                const std::string& key, const std::string& protocol) {
  const auto found = said.all.find(key);
  if (found != said.all.end() && spec.protocol != protocol)
    c.out.error(found->second, c.prefix + key + " has no meaning for protocol " + spec.protocol,
                "write protocol: " + protocol + ", or remove " + key);
}

} // namespace

const place* agent_mentions::find(const std::string& key) const {
  if (const auto i = all.find(key); i != all.end())
    return &i->second;
  const auto i = defaults.find(key);
  return i == defaults.end() ? nullptr : &i->second;
}

void settle_endpoints(const context& c, agent_spec& spec, const mentioned& own) {
  const bool one = own.contains("base_url"), many = own.contains("base_urls");
  auto& all = spec.base_urls;
  if (!many) {
    if (one)
      all.clear();
    return;
  }
  if (all.empty()) {
    c.out.error(own.at("base_urls"), c.prefix + "base_urls names no endpoint",
                "write a list: [http://127.0.0.1:7000, http://127.0.0.1:7001]");
    return;
  }
  if (!one)
    spec.base_url = all.front();
  std::erase(all, spec.base_url);
  all.insert(all.begin(), spec.base_url);
}

void apply_rules(const context& c, agent_spec& spec, const agent_mentions& said) {
  check_address(c, spec, said);
  if (const auto* auth = said.find("auth"); auth != nullptr && said.find("auth.secret") == nullptr)
    c.out.error(*auth, c.prefix + "auth.secret is missing", "write secret: {env: NAME} below auth");
  if (spec.protocol.empty()) // it was refused: what depends on it is not known
    return;
  const auto* path = said.find("path");
  if (path == nullptr)
    spec.path = spec.protocol == "agent-ws" ? agent_spec{}.path : "";
  if (spec.protocol == "agent-ws" && path != nullptr &&
      spec.path.find("{chat_id}") == std::string::npos)
    c.out.error(*path,
                c.prefix + "path: " + quoted(spec.path) +
                    " has no {chat_id}: every chat would be the same one",
                "write a path with {chat_id} in it, like /v1/agent_ws/{chat_id}/");
  belongs_to(c, spec, said, "process", "acp");
  belongs_to(c, spec, said, "cwd", "acp");
  belongs_to(c, spec, said, "model", "openai");
  if (spec.protocol == "openai" && spec.model.name.empty() && said.find("model.name") == nullptr) {
    const auto* model = said.find("model");
    c.out.error(model != nullptr ? *model : said.at, c.prefix + "model.name is missing",
                "write model: {name: …}, the model's name at its server");
  }
}

} // namespace pb::config
