#include "cli/running_router.hpp"

#include "cli/commands.hpp"
#include "cli/data_dir.hpp"
#include "config/process.hpp"

#include <cctype>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace pb::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::string first_line(const std::string& file) {
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  return line;
}

} // namespace

running_router::running_router(const settings& process) {
  const auto address = first_line(process.data_dir + "/admin.address");
  request_.origin = "http://" + address;
  const auto token = process.admin.token ? process.admin.token->show()
                                         : first_line(process.data_dir + "/admin.token");
  request_.headers = {{"Authorization", "Bearer " + token}};
  request_.timeout = 30s;
  known_ = !address.empty() && !token.empty();
}

std::optional<running_router> running_router::find(const config::command_line& given, int& code) {
  std::vector<config::problem> problems;
  const auto env = config::read_environment(given.env_file, environ, problems);
  std::optional<config::source> file;
  if (given.config_file) {
    const auto text = config::real_disk().read(*given.config_file, config::document::max_bytes);
    if (!text) {
      complain(*given.config_file + " cannot be read: " + text.error() +
               "; write the path of a readable file after --config");
      code = configuration;
      return std::nullopt;
    }
    file = config::source{*given.config_file, *text};
  }
  const auto process = config::parse_process(file, env, given.values, config::real_disk());
  problems.insert(problems.end(), process.problems.begin(), process.problems.end());
  const auto& dir = process.value.data_dir;
  if (!data_dir::holder(dir)) {
    bool faults = false;
    for (const auto& p : problems)
      if (!p.warning) {
        std::cerr << to_string(p) << '\n';
        faults = true;
      }
    complain("no router runs on " + dir +
             "; start it with `patchbay run`, or name its file with "
             "--config");
    code = faults && !process.complete ? configuration : unavailable;
    return std::nullopt;
  }
  // The running one has it from a variable that this shell has not; a file of that name in data_dir
  // is of an earlier time then.
  for (const auto& p : problems)
    if (!p.warning && p.what.starts_with("admin.token")) {
      std::cerr << to_string(p) << '\n';
      complain("a router runs on " + dir +
               ", but its admin.token is not known here; set PATCHBAY_ADMIN_TOKEN to it");
      code = configuration;
      return std::nullopt;
    }
  running_router out{process.value};
  if (out.known())
    return out;
  complain(unknown);
  code = unavailable;
  return std::nullopt;
}

std::optional<http_response>
running_router::ask(const std::string& method, const std::string& target, const std::string& body) {
  auto r = request_;
  r.method = method;
  r.target = target;
  if (!body.empty()) {
    r.body = body;
    r.headers.push_back({"Content-Type", "application/json"});
  }
  auto got = http_->ask(std::move(r));
  return got ? std::optional<http_response>{std::move(*got)} : std::nullopt;
}

std::string running_router::reason(const std::optional<http_response>& got) {
  if (!got)
    return "no answer from its admin API; see its log";
  const auto body = json::parse(got->body, nullptr, false);
  const auto text = [&](const char* key) {
    const auto i = body.find(key);
    return i != body.end() && i->is_string() ? i->get<std::string>() : std::string{};
  };
  if (!body.is_object() || text("message").empty())
    return "HTTP " + std::to_string(got->status);
  const auto hint = text("hint");
  return text("message") + (hint.empty() ? "" : " " + hint);
}

std::string path_part(const std::string& text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[u >> 4U]);
      out.push_back(digits[u & 15U]);
    }
  }
  return out;
}

} // namespace pb::cli
