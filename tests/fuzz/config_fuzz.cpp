// Whatever the three kinds of files hold: no crash, no endless loop, and no secret in a message.
// The first byte chooses the file, the rest is its text.

#include "config/environment.hpp"
#include "config/load.hpp"
#include "config/process.hpp"
#include "messages/values/agent_url.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace pb;
using namespace pb::config;

constexpr std::string_view canary = "c4n4ry-of-the-environment";

class one_secret final : public disk {
public:
  tl::expected<std::string, std::string> read(const std::string& path, std::size_t) const override {
    if (path.find("secret") == std::string::npos)
      return tl::unexpected<std::string>("No such file or directory");
    return std::string{canary} + "\n";
  }
  bool exists(const std::string&) const override { return false; }
  tl::expected<std::vector<std::string>, std::string>
  yaml_files(const std::string&) const override {
    return std::vector<std::string>{};
  }
};

void check(const std::vector<problem>& problems) {
  for (const auto& p : problems) {
    const auto line = to_string(p);
    if (line.find(canary) != std::string::npos || line.find('\n') != std::string::npos ||
        p.line < 0 || p.column < 0)
      std::abort();
  }
  if (problems.size() > 10 * reporter::cap)
    std::abort();
}

bool is_spoken_to(const agent_spec& spec) {
  return spec.base_url.empty() ? !spec.process.command.empty()
                               : agent_url(spec, {7}).starts_with("ws");
}

void check_agents(const registry_outcome& o) {
  check(o.problems);
  for (const auto& [id, spec] : o.value.agents)
    if (o.ok() && (id.empty() || spec.id != id || !is_spoken_to(spec)))
      std::abort();
  const auto check_list = [&](const std::vector<agent_id>& agents) {
    for (const auto& id : agents)
      if (!o.value.agents.contains(id))
        std::abort();
  };
  for (const auto& [user, agents] : o.value.users)
    check_list(agents);
  for (const auto& [server, agents] : o.value.servers)
    check_list(agents);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
  // The fuzzer finds the canary in this program and writes it into its inputs: no news then.
  if (text.find(canary.substr(0, 6)) != std::string::npos)
    return 0;
  const one_secret files;
  environment env;
  env.values = {{"SECRET", std::string{canary}}, {"T", "t"}};
  switch (data[0] % 4) {
  case 0:
    check(parse_process(source{"etc/p.yaml", text}, env, {}, files).problems);
    break;
  case 1:
    check_agents(parse_registry({"etc/a.yaml", text}, {}, env, files));
    break;
  case 2:
    check_agents(parse_registry({"etc/a.yaml", "agents: {one: {base_url: 'http://h'}}\n"},
                                {{"etc/agents.d/one.yaml", text}, {"etc/agents.d/two.yaml", text}},
                                env, files));
    break;
  default: {
    std::vector<problem> problems;
    const auto own = parse_env_file(text, ".env", problems);
    check(problems);
    check(load({}, own, files).problems);
  }
  }
  return 0;
}
