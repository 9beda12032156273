#include "cli/console.hpp"

#include "cli/events_route.hpp"
#include "cli/lists_route.hpp"
#include "cli/reconcile_route.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

namespace pb::cli {
namespace {

unix_ms wall_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Asks the supervisor; it is held weakly, so that the console never keeps the router alive.
std::function<void(std::function<void(std::string)>)> ask_status(const supervisor_actor& whom) {
  return
      [weak = caf::actor_cast<caf::weak_actor_ptr>(whom)](std::function<void(std::string)> answer) {
        auto strong = weak.lock();
        if (!strong)
          return answer(R"({"ready":false,"actors":[],"agents":[]})");
        caf::anon_send(
            caf::actor_cast<caf::actor>(strong),
            collect_status{std::make_shared<std::function<void(std::string)>>(std::move(answer))});
      };
}

/// From the events route to the supervisor.
api_route take_events(const console_wiring& w) {
  events_desk desk;
  desk.agents = events_access_of(w.agents);
  desk.admin_token = w.token;
  desk.deliver = [weak = caf::actor_cast<caf::weak_actor_ptr>(w.supervisor)](
                     agent_id agent, posted_push event,
                     std::function<void(const std::optional<fault>&)> answer) {
    auto strong = weak.lock();
    if (!strong)
      return answer(fault{fault_code::busy, "the router is stopping", {}});
    push_now m;
    m.what = {std::move(agent), event.chat, std::move(event.what)};
    m.answer =
        std::make_shared<std::function<void(const std::optional<fault>&)>>(std::move(answer));
    caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(m));
  };
  return events_route(std::move(desk));
}

} // namespace

std::string rfc3339(unix_ms t) {
  const std::time_t seconds = t / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(t % 1000));
  return text.data();
}

http_handler make_console(const console_wiring& w) {
  admin_ports ports;
  ports.token = w.token;
  ports.console_json = w.console_json;
  ports.listen = w.listen;
  ports.clock = w.clock;
  ports.ready = [health = w.health](std::function<void(readiness)> answer) {
    const auto now = health->read();
    readiness r;
    r.ready = now.ready;
    if (now.since > 0)
      r.since = rfc3339(now.since);
    if (now.last_good_sync > 0)
      r.last_sync_age_ms = wall_now() - now.last_good_sync;
    r.database_writable = now.database_writable;
    r.detail = now.why;
    answer(std::move(r));
  };
  ports.status = ask_status(w.supervisor);
  ports.metrics = [numbers = w.numbers] { return numbers->text(); };
  ports.routes["agents"] = {{"GET"},
                            [ask = ask_status(w.supervisor)](api_request, api_done answer) {
                              ask([answer](const std::string& json) {
                                const auto all = nlohmann::json::parse(json, nullptr, false);
                                std::vector<std::string> items;
                                if (all.is_object() && all.contains("agents"))
                                  for (const auto& a : all["agents"])
                                    items.push_back(a.dump());
                                answer(200, api_page(items, {}));
                              });
                            },
                            false};
  ports.routes["poison"] = poison_route(w.supervisor);
  ports.routes["outbox"] = outbox_route(w.supervisor);
  ports.routes["confirmations"] = confirmations_route(w.supervisor);
  ports.routes["agents/{id}/events"] = take_events(w);
  ports.routes["reconcile"] = reconcile_route(w.supervisor, w.clock);
  return make_admin(std::move(ports));
}

http_handler make_agents_api(const console_wiring& w) {
  admin_ports ports;
  ports.only_routes = true;
  ports.listen = w.listen;
  ports.clock = w.clock;
  ports.routes["agents/{id}/events"] = take_events(w);
  return make_admin(std::move(ports));
}

} // namespace pb::cli
