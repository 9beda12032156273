// The run over real sockets.

#include "cli/agent_check/command.hpp"

#include "bridges/net/io.hpp"
#include "cli/agent_check/run.hpp"
#include "cli/commands.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>
#include <string_view>

namespace pb::agent_check {

namespace {

using namespace std::chrono_literals;

/// What a person is told about a wrong option; empty: nothing is wrong.
using complaint = std::string;

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto n : names)
    out.append(out.empty() ? "" : ", ").append(n);
  return out;
}

bool is_address(std::string_view url) {
  static constexpr std::array<std::string_view, 4> schemes{"http://", "https://", "ws://",
                                                           "wss://"};
  return std::any_of(schemes.begin(), schemes.end(),
                     [&](std::string_view s) { return url.starts_with(s); });
}

std::string fresh_nonce() {
  std::random_device chance;
  std::ostringstream hex;
  hex << std::hex << (chance() & 0xFFFFFFU);
  return hex.str();
}

/// An address with {chat_id} in it is base_url and path in one.
void set_address(const command_options& given, agent_spec& agent) {
  agent.base_url = given.url;
  if (!given.path.empty() || given.protocol != "agent-ws")
    agent.path = given.path;
  if (given.url.find("{chat_id}") == std::string::npos)
    return;
  const auto scheme = given.url.find("://") + 3;
  const auto path = given.url.find('/', scheme);
  if (path == std::string::npos)
    return;
  agent.base_url = given.url.substr(0, path);
  agent.path = given.url.substr(path);
}

complaint set_names(const command_options& given, options& into) {
  const auto cases = cases_for(given.protocol);
  for (const auto& name : given.only)
    if (std::none_of(cases.begin(), cases.end(), [&](const auto& c) { return c.name == name; }))
      return "there is no case \"" + name + "\"; `patchbay agent check --list` names them";
  into.only = given.only;
  return {};
}

complaint set_auth(const command_options& given, agent_spec& agent) {
  if (given.auth_env.empty())
    return {};
  const auto* value = std::getenv(given.auth_env.c_str());
  if (value == nullptr || *value == '\0')
    return "the environment has no " + given.auth_env + " (--auth-env); export it";
  agent.auth = agent_auth{given.auth_header, secret{value}};
  return {};
}

complaint no_such_run(const command_options& given) {
  const auto known = checked_protocols();
  return std::find(known.begin(), known.end(), given.protocol) != known.end()
             ? ""
             : "no conformance run for protocol \"" + given.protocol + "\"; there is one for " +
                   joined(known);
}

complaint understand(const command_options& given, options& into) {
  into.agent.id = agent_id{"agent-under-check"};
  into.agent.protocol = given.protocol;
  if (given.command.empty() && given.url.empty())
    return "say where the agent is: patchbay agent check URL";
  if (!given.command.empty() && !given.url.empty())
    return "either URL or --command";
  if (!given.command.empty() && given.protocol != "acp")
    return "--command is for protocol acp; give a URL";
  if (!given.url.empty() && !is_address(given.url))
    return "\"" + given.url + "\" is no address; it begins with http, https, ws or wss and ://";
  set_address(given, into.agent);
  std::istringstream words(given.command);
  for (std::string word; words >> word;)
    into.agent.process.command.push_back(word);
  if (auto wrong = set_auth(given, into.agent); !wrong.empty())
    return wrong;
  if (!given.workspace.empty()) {
    std::error_code trouble;
    into.workspace = std::filesystem::absolute(given.workspace, trouble).string();
    if (trouble || !std::filesystem::is_directory(into.workspace, trouble))
      return "--workspace " + given.workspace + " is no folder";
  }
  into.agent.workspace = into.workspace;
  into.agent.cwd = given.cwd;
  into.ask = given.ask;
  if (!given.task.empty())
    into.task = given.task;
  into.turn = std::chrono::seconds(given.timeout);
  into.connect = std::min<milliseconds>(into.turn, 10s);
  into.nonce = fresh_nonce();
  into.chat = given.chat != 0 ? given.chat
                              : std::chrono::duration_cast<std::chrono::seconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count();
  return set_names(given, into);
}

} // namespace

int check_agent(const command_options& given) {
  if (const auto wrong = no_such_run(given); !wrong.empty()) {
    cli::complain(wrong);
    return cli::usage;
  }
  if (given.list) {
    print_cases(std::cout, given.protocol, given.json);
    return cli::ok;
  }
  options asked;
  if (const auto wrong = understand(given, asked); !wrong.empty()) {
    cli::complain(wrong);
    return cli::usage;
  }
  io_runtime io;
  const auto net = make_dialer(io);
  const auto began = std::chrono::steady_clock::now();
  const environment around{*net,
                           [began] {
                             return std::chrono::duration_cast<milliseconds>(
                                 std::chrono::steady_clock::now() - began);
                           },
                           [](mailbox& box, milliseconds most) { box.wait(most); }};
  std::function<void(const case_result&)> told;
  if (!given.json) {
    std::cout << asked.agent.protocol << " at "
              << printable(asked.agent.base_url.empty() ? given.command : asked.agent.base_url)
              << ", chats from " << asked.chat << "\n\n";
    told = [](const case_result& r) {
      print(std::cout, r);
      std::cout.flush();
    };
  }
  const auto all = run(around, asked, told);
  io.stop(500ms);
  if (given.json) {
    std::cout << to_json(all) << '\n';
  } else {
    std::cout << '\n';
    print_verdict(std::cout, all);
  }
  if (!all.reachable) {
    cli::complain("the agent at " + all.agent + ": " + all.results.back().found.why +
                  "; start it, or correct the address");
    return cli::unavailable;
  }
  return all.passed() ? cli::ok : cli::failed;
}

} // namespace pb::agent_check
