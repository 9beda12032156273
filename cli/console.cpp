#include "cli/console.hpp"

#include "cli/agents_route.hpp"
#include "cli/events_route.hpp"
#include "cli/lists_route.hpp"
#include "cli/reconcile_route.hpp"
#include "cli/rooms_route.hpp"
#include "cli/wall_clock.hpp"
#include "messages/json_text.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

namespace pb::cli {
namespace {

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

using status_question = std::function<void(std::function<void(std::string)>)>;

std::string registry_trouble(const registry_view& v) {
  return "the registry on the disk has faults, the last good one is in force: " +
         (v.problems.empty() ? v.file : v.problems.front());
}

/// The page shows the files of the registry as one more part of the router.
status_question with_registry(status_question ask, std::shared_ptr<registry_keeper> registry) {
  return [ask = std::move(ask),
          registry = std::move(registry)](std::function<void(std::string)> answer) {
    ask([view = registry->view(), answer = std::move(answer)](std::string json) {
      static constexpr std::string_view before = "\"actors\":[";
      if (const auto at = json.find(before); at != std::string::npos) {
        const nlohmann::json part{
            {"name", "registry"},
            {"state", view->good ? "ok" : "last good"},
            {"status", {{"reloads", view->reloads}, {"problems", view->problems}}}};
        const auto text = json_text(part);
        const auto from = at + before.size();
        json.insert(from, json.compare(from, 1, "]") == 0 ? text : text + ",");
      }
      answer(std::move(json));
    });
  };
}

/// Sends to the supervisor, which is held weakly; false: it is gone.
template <class Message>
bool tell(const caf::weak_actor_ptr& weak, Message m) {
  auto strong = weak.lock();
  if (strong)
    caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(m));
  return strong != nullptr;
}

agents_desk agents_of(const console_wiring& w) {
  agents_desk desk;
  desk.view = [registry = w.registry] { return registry->view(); };
  desk.status = ask_status(w.supervisor);
  desk.change = [registry = w.registry](agent_change what,
                                        std::function<void(change_outcome)> done) {
    registry->change(std::move(what), std::move(done));
  };
  desk.drain = [weak = caf::actor_cast<caf::weak_actor_ptr>(w.supervisor)](
                   agent_id agent, bool on, std::function<void(const std::optional<fault>&)> done) {
    const auto shared = std::make_shared<std::function<void(const std::optional<fault>&)>>(done);
    if (!tell(weak, drain_now{{std::move(agent), on}, shared}))
      done(fault{fault_code::busy, "the router is stopping", {}});
  };
  return desk;
}

rooms_desk rooms_of(const console_wiring& w) {
  const auto weak = caf::actor_cast<caf::weak_actor_ptr>(w.supervisor);
  rooms_desk desk;
  desk.list = [weak](const rooms_desk::question& q,
                     std::function<void(bool, std::vector<std::string>, room_id)> done) {
    list_rooms m{q.after, q.limit, q.agent, q.owner, {}};
    m.answer = std::make_shared<std::function<void(bool, std::vector<std::string>, room_id)>>(done);
    if (!tell(weak, std::move(m)))
      done(false, {}, {});
  };
  desk.move =
      [weak](room_id room, agent_id agent,
             std::function<void(const std::optional<fault>&, bool, platform_chat_id)> done) {
        move_now m{{std::move(room), std::move(agent)}, {}};
        m.answer =
            std::make_shared<std::function<void(const std::optional<fault>&, const room_moved&)>>(
                [done](const std::optional<fault>& wrong, const room_moved& r) {
                  done(wrong, r.moved, r.chat);
                });
        if (!tell(weak, std::move(m)))
          done(fault{fault_code::busy, "the router is stopping", {}}, false, {});
      };
  return desk;
}

/// Counted by the I/O thread, which knows no metrics.
std::string link_metrics(const net_counters& n) {
  const std::string links = "patchbay_links_total", killed = "patchbay_children_killed_total";
  const auto line = [&](const char* carrier, std::uint64_t value) {
    return links + "{carrier=\"" + carrier + "\"} " + std::to_string(value) + "\n";
  };
  return "# HELP " + links + " Links to agents that were begun\n# TYPE " + links + " counter\n" +
         line("websocket", n.links_dialled) + line("http", n.http_links) +
         line("process", n.children_started) + "# HELP " + killed +
         " Child processes that did not end when told to\n# TYPE " + killed + " counter\n" +
         killed + " " + std::to_string(n.children_killed) + "\n";
}

/// From the events route to the supervisor.
api_route take_events(const console_wiring& w) {
  events_desk desk;
  desk.access = [registry = w.registry](const agent_id& id) -> std::optional<events_access> {
    const auto now = registry->view();
    const auto i = now->agents.agents.find(id);
    if (i == now->agents.agents.end())
      return std::nullopt;
    return events_access{i->second.enabled, i->second.events_token};
  };
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
  ports.ready = [health = w.health, registry = w.registry](std::function<void(readiness)> answer) {
    const auto now = health->read();
    readiness r;
    r.ready = now.ready;
    if (now.since > 0)
      r.since = rfc3339(now.since);
    if (now.last_good_sync > 0)
      r.last_sync_age_ms = wall_now() - now.last_good_sync;
    r.database_writable = now.database_writable;
    r.detail = now.why;
    if (const auto known = registry->view(); r.detail.empty() && !known->good)
      r.detail = registry_trouble(*known);
    answer(std::move(r));
  };
  ports.status = with_registry(ask_status(w.supervisor), w.registry);
  ports.metrics = [numbers = w.numbers, net = w.net] {
    return numbers->text() + (net ? link_metrics(*net) : "");
  };
  add_agents_routes(ports.routes, agents_of(w));
  add_rooms_routes(ports.routes, rooms_of(w));
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
