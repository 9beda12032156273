// What answers where the registry says that agents are.

#include "bridges/matrix/answer.hpp"
#include "cli/doctor.hpp"
#include "config/disk.hpp"
#include "messages/values/agent_url.hpp"

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <unistd.h>

namespace pb::cli::doctor {
namespace {

using namespace std::chrono_literals;

/// Whoever serves WebSockets answers HTTP at the same place.
std::optional<http_request> knock(const agent_spec& spec, const std::string& url) {
  const auto where = matrix::split_url(as_http(url));
  if (!where)
    return std::nullopt;
  http_request r;
  r.origin = where->origin;
  r.target = where->prefix.empty() ? "/" : where->prefix;
  r.timeout = std::min<std::chrono::milliseconds>(spec.limits.connect, 10s);
  r.response_limit = 1 << 20;
  return r;
}

finding judge(const std::string& what, const http_request& asked, const http_result& got) {
  finding f{what, verdict::ok, "GET " + asked.origin + asked.target, {}};
  if (got && got->status >= 500 && got->status != 501) {
    f.is = verdict::warning;
    f.found += " answers " + std::to_string(got->status);
    f.next = "look at the agent: whatever stands there has trouble";
    return f;
  }
  if (got) {
    f.found +=
        " answers (HTTP " + std::to_string(got->status) + "): it is there; no turn was tried";
    return f;
  }
  const auto& why = got.error();
  f.found += ": " + std::string{pb::to_string(why.error)} + " (" + why.cause + ")";
  switch (why.error) {
  case http_error::closed:
  case http_error::malformed:
  case http_error::too_large:
    f.is = verdict::warning;
    f.next = "something listens there; make sure that it is the agent";
    break;
  case http_error::tls:
    f.is = verdict::failed;
    f.next = "make the agent's certificate valid for this name, or use http inside your network";
    break;
  case http_error::resolve:
    f.is = verdict::failed;
    f.next = "correct base_url, or the name service";
    break;
  default:
    f.is = verdict::failed;
    f.next = "start the agent, or correct base_url";
  }
  return f;
}

/// Whether the program of a child is there, looked for as its start will (bridges/net/spawn); it is
/// not started.
finding look_for_program(const std::string& what, const agent_spec& spec) {
  const auto& program = spec.process.command.front();
  const auto there = [](const std::string& file) { return ::access(file.c_str(), X_OK) == 0; };
  if (program.find('/') != std::string::npos) {
    // A relative one begins in the folder that the child works in.
    const auto file = config::below(spec.cwd.empty() ? spec.workspace : spec.cwd, program);
    if (there(file))
      return {what, verdict::ok, file + " can be started; it was not", {}};
    if (file.find("{user}") != std::string::npos)
      return {what, verdict::warning,
              file + " is another one for each person; it was not looked at",
              "write the whole path of a program that is the same for all"};
    return {what, verdict::failed, file + " cannot be started",
            "correct process.command, or install the program"};
  }
  const char* ours = std::getenv("PATH");
  std::string path = ours ? ours : "/usr/local/bin:/usr/bin:/bin";
  for (const auto& [name, value] : spec.process.env)
    if (name == "PATH")
      path = value;
  std::istringstream folders{path};
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const auto file = config::below(folder, program); file.starts_with('/') && there(file))
      return {what, verdict::ok, file + " can be started; it was not", {}};
  return {what, verdict::failed, program + " is in no folder of its PATH",
          "correct process.command, or install the program"};
}

} // namespace

void look_at_agents(blocking_http& http, const registry& agents, findings& into) {
  std::vector<std::string> whose;
  std::vector<http_request> asked;
  for (const auto& [id, spec] : agents.agents) {
    if (!spec.enabled)
      continue;
    const auto what = "agent " + id.value;
    if (!spec.process.command.empty()) {
      into.push_back(look_for_program(what, spec));
      continue;
    }
    const auto urls = spec.base_urls.empty() ? std::vector{spec.base_url} : spec.base_urls;
    for (const auto& url : urls)
      if (auto r = knock(spec, url)) {
        whose.push_back(what);
        asked.push_back(std::move(*r));
      } else {
        into.push_back({what, verdict::failed, url + " is no address", "correct base_url"});
      }
  }
  const auto got = http.ask_all(asked);
  for (std::size_t i = 0; i < got.size(); ++i)
    into.push_back(judge(whose[i], asked[i], got[i]));
}

} // namespace pb::cli::doctor
