#include "cli/commands.hpp"

#include "cli/data_dir.hpp"
#include "cli/running_router.hpp"

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
class report_printer {
public:
  explicit report_printer(bool as_json) : json_(as_json) {}
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

/// By the router that runs; nothing: it was said why not.
std::optional<std::string> reconcile_there(running_router& router, bool dry_run) {
  const std::string target = "/api/v1/reconcile";
  auto got = router.ask("POST", target + (dry_run ? "?dry_run=true" : ""));
  while (got && got->status == 202) {
    std::this_thread::sleep_for(300ms);
    got = router.ask("GET", target);
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
  complain("the running router does not reconcile: " + running_router::reason(got));
  return std::nullopt;
}

} // namespace

int reconcile(const reconcile_options& options) {
  config::loaded conf;
  if (!load_configuration(options.config, conf))
    return configuration;
  report_printer show{options.json};
  if (data_dir::holder(conf.process.data_dir)) {
    running_router router{conf.process};
    if (!router.known()) {
      complain(running_router::unknown);
      return unavailable;
    }
    const auto plan = reconcile_there(router, true);
    if (!plan)
      return unavailable;
    show(*plan);
    if (!options.dry_run) {
      const auto outcome = reconcile_there(router, false);
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
