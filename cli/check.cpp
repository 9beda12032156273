#include "cli/commands.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace pb::cli {

void complain(const std::string& sentence) { std::cerr << "patchbay: " << sentence << '\n'; }

bool load_configuration(const config::command_line& given, config::loaded& into) {
  std::vector<config::problem> early;
  const auto env = config::read_environment(given.env_file, environ, early);
  into = config::load(given, env);
  into.problems.insert(into.problems.begin(), early.begin(), early.end());
  for (const auto& p : into.problems)
    std::cerr << to_string(p) << '\n';
  if (!into.process.ineffective.empty()) {
    std::string names;
    for (const auto& n : into.process.ineffective)
      names += (names.empty() ? "" : ", ") + n;
    std::cerr << "patchbay: without effect in this program: " << names << '\n';
  }
  return into.ok();
}

int check(const config::command_line& given, bool json) {
  config::loaded all;
  if (!json) {
    if (!load_configuration(given, all))
      return configuration;
    std::cout << "ok: " << all.agents.agents.size() << " agents, " << all.agents.users.size()
              << " people listed\n";
    return ok;
  }
  std::vector<config::problem> early;
  const auto env = config::read_environment(given.env_file, environ, early);
  all = config::load(given, env);
  all.problems.insert(all.problems.begin(), early.begin(), early.end());
  auto list = nlohmann::json::array();
  for (const auto& p : all.problems)
    list.push_back({{"file", p.file},
                    {"line", p.line},
                    {"column", p.column},
                    {"what", p.what},
                    {"instead", p.instead},
                    {"warning", p.warning}});
  std::cout << nlohmann::json{{"ok", all.ok()},
                              {"agents", all.agents.agents.size()},
                              {"problems", std::move(list)}}
                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
            << '\n';
  return all.ok() ? ok : configuration;
}

} // namespace pb::cli
