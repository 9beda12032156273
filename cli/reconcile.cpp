#include "cli/commands.hpp"

#include "cli/blocking_http.hpp"
#include "cli/data_dir.hpp"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace pb::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::string text(const json& object, const char* key) {
  const auto i = object.find(key);
  return i != object.end() && i->is_string() ? i->get<std::string>() : std::string{};
}

void print_list(const json& report, const char* list, const char* word, const char* title) {
  const auto items = report.find(list);
  if (items == report.end() || !items->is_array() || items->empty())
    return;
  std::cout << title << '\n';
  for (const auto& item : *items)
    std::cout << "  " << text(item, "room") << "  " << text(item, word) << '\n';
}

void print_plan(const json& report) {
  print_list(report, "actions", "what", "To do:");
  if (report.value("actions", json::array()).empty())
    std::cout << "Nothing to do: the database agrees with the homeserver.\n";
  print_list(report, "skipped_rooms", "why", "Skipped:");
  print_list(report, "conflicts", "why", "Conflicts, untouched:");
}

void print_outcome(const json& report) {
  std::cout << "Done. Joined rooms " << report.value("joined_rooms", 0) << ", restored people "
            << report.value("restored_user_meta", 0) << ", restored rooms "
            << report.value("restored_room_meta", 0) << ", restored chats "
            << report.value("restored_chat_rows", 0) << ", repaired chats "
            << report.value("repaired_chat_rows", 0) << ".\n";
}

/// Shows each report as it comes: the plan, then, unless that is all, the outcome.
class printer {
public:
  explicit printer(bool as_json) : json_(as_json) {}
  void operator()(const std::string& body) {
    const auto report = json::parse(body, nullptr, false);
    if (!report.is_object())
      return;
    const bool plan = report.value("dry_run", false);
    last_ = body;
    if (json_)
      return;
    plan ? print_plan(report) : print_outcome(report);
  }
  void end() {
    if (json_ && !last_.empty())
      std::cout << last_ << '\n';
  }

private:
  bool json_;
  std::string last_;
};

std::string first_line(const std::string& file) {
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  return line;
}

/// The router that holds the data directory does the work; we ask and show.
class running_router {
public:
  running_router(const config::loaded& conf, const std::string& dir) {
    const auto address = first_line(dir + "/admin.address");
    request_.origin = "http://" + address;
    const auto token = conf.process.admin.token ? conf.process.admin.token->show()
                                                : first_line(dir + "/admin.token");
    request_.headers = {{"Authorization", "Bearer " + token}};
    request_.timeout = 30s;
    known_ = !address.empty() && !token.empty();
  }

  /// The report; nothing: it was said why not.
  std::optional<std::string> reconcile(bool dry_run) {
    if (!known_) {
      complain("a router runs on this data directory, but does not say where its admin API is; "
               "restart it, then try again");
      return std::nullopt;
    }
    auto got = ask("POST", dry_run ? "?dry_run=true" : "");
    while (got && got->status == 202) {
      std::this_thread::sleep_for(300ms);
      got = ask("GET", "");
      const auto state = got ? json::parse(got->body, nullptr, false) : json{};
      if (got && got->status == 200 && state.is_object()) {
        if (state.value("running", false))
          got->status = 202;
        else
          got->body = state.value("report", json{}).dump();
      }
    }
    if (got && got->status == 200)
      return got->body;
    const auto body = got ? json::parse(got->body, nullptr, false) : json{};
    complain("the running router does not reconcile: " +
             (body.is_object() ? text(body, "message") + "; " + text(body, "hint")
              : got            ? "HTTP " + std::to_string(got->status)
                               : std::string{"no answer from its admin API; see its log"}));
    return std::nullopt;
  }

private:
  std::optional<http_response> ask(const std::string& method, const std::string& query) {
    auto r = request_;
    r.method = method;
    r.target = "/api/v1/reconcile" + query;
    auto got = http_.ask(std::move(r));
    return got ? std::optional<http_response>{std::move(*got)} : std::nullopt;
  }
  http_request request_;
  bool known_ = false;
  blocking_http http_;
};

} // namespace

int reconcile(const reconcile_options& options) {
  config::loaded conf;
  if (!load_configuration(options.config, conf))
    return configuration;
  printer show{options.json};
  if (data_dir::holder(conf.process.data_dir)) {
    running_router router{conf, conf.process.data_dir};
    const auto plan = router.reconcile(true);
    if (!plan)
      return unavailable;
    show(*plan);
    if (!options.dry_run) {
      const auto outcome = router.reconcile(false);
      if (!outcome)
        return unavailable;
      show(*outcome);
    }
    show.end();
    return ok;
  }
  const auto code = run_reconcile_only(std::move(conf), options.dry_run,
                                       [&show](const std::string& report) { show(report); });
  show.end();
  return code;
}

} // namespace pb::cli
