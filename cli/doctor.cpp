#include "cli/doctor.hpp"

#include "cli/commands.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

namespace pb::cli {

namespace doctor {

std::string_view to_string(verdict v) {
  return v == verdict::ok ? "ok" : v == verdict::warning ? "warning" : "failed";
}

namespace {

/// One line, whatever a server put into it.
std::string on_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f')
      c = ' ';
  return text;
}

void print(const findings& all) {
  for (const auto& f : all) {
    auto line = std::string{to_string(f.is)};
    line.resize(9, ' ');
    line += f.what + ": " + f.found;
    if (!f.next.empty())
      line += "; " + f.next;
    std::cout << on_one_line(std::move(line)) << '\n';
  }
}

void print_json(const findings& all, bool well) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& f : all)
    list.push_back({{"what", f.what},
                    {"verdict", to_string(f.is)},
                    {"found", on_one_line(f.found)},
                    {"next", f.next.empty() ? nlohmann::ordered_json(nullptr)
                                            : nlohmann::ordered_json(on_one_line(f.next))}});
  std::cout << nlohmann::ordered_json{{"ok", well}, {"findings", std::move(list)}}.dump(
                   -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
            << '\n';
}

} // namespace
} // namespace doctor

int examine(const config::command_line& given, bool json) {
  config::loaded conf;
  if (!load_configuration(given, conf))
    return configuration;
  doctor::findings all;
  std::optional<account_row> account;
  const auto& s = conf.process;
  doctor::look_at_disk(s, all, account);
  {
    blocking_http http;
    if (s.homeserver.embedded)
      all.push_back({"homeserver",
                     doctor::verdict::ok,
                     "embedded: it runs inside `patchbay run`, there is nothing outside to try",
                     {}});
    else
      doctor::look_at_homeserver(http, s, account, all);
    doctor::look_at_agents(http, conf.agents, all);
  }
  if (conf.agents.agents.empty() && !s.homeserver.embedded)
    all.push_back({"agents", doctor::verdict::warning, "the registry names none",
                   "add one to the registry: without it every message is answered with a refusal"});
  doctor::look_at_workspaces(conf.agents, all);
  const bool well = std::none_of(all.begin(), all.end(), [](const doctor::finding& f) {
    return f.is == doctor::verdict::failed;
  });
  if (json)
    doctor::print_json(all, well);
  else
    doctor::print(all);
  return well ? ok : failed;
}

} // namespace pb::cli
