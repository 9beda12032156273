#pragma once
// The admin API and the console's page, as one handler for an HTTP server.

#include "bridges/http_server.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb {

struct readiness {
  bool ready = false;
  std::string since;                            ///< when it became so, RFC 3339 UTC; empty: unknown
  std::optional<std::int64_t> last_sync_age_ms; ///< of the last good sync; nothing: none yet
  bool database_writable = false;
  std::string detail; ///< why not, in words
};

/// A request below /api/v1/ that passed the checks of host, origin and method.
struct api_request {
  std::string method;
  std::map<std::string, std::string> params; ///< from {name} in the route, decoded
  std::map<std::string, std::string> query;  ///< decoded; of a repeated name the first counts
  std::string body;
  std::string bearer; ///< what the client showed; only for routes that check it themselves
};

/// `json` is the body as it is; called once, from any thread.
using api_done = std::function<void(int status, std::string json)>;

struct api_route {
  std::vector<std::string> methods{"GET"};
  std::function<void(api_request, api_done)> run; ///< on the I/O thread: must return at once
  bool own_token = false; ///< true: `run` checks api_request::bearer instead of the admin token
};

/// What the routes need from the router. Each function may be called from the I/O thread and
/// answers later, from any thread; one that is empty or does not answer becomes an error in plain
/// words.
struct admin_ports {
  std::function<void(std::function<void(readiness)>)> ready;
  /// {"actors": [{name, state?, …}], "agents": [{id, label, state, turns, …}], "rooms": n, …}. The
  /// page's lights: green for ready, ok, up, idle, busy, running, connected, closed; red for down,
  /// failed, unreachable, broken, open, stopped; amber for every other state; none counts as green.
  std::function<void(std::function<void(std::string json)>)> status;
  std::function<std::string()> metrics; ///< Prometheus text, at once
  std::string token;                    ///< bearer token; empty: nobody gets in
  /// {"homeserver": url or null, "bot": user id, "accounts": [{user_id, password}]}
  std::string console_json = R"({"homeserver":null,"bot":null,"accounts":[]})";
  std::string listen = "127.0.0.1";        ///< the address that the server listens on, without port
  std::vector<std::string> hosts;          ///< further names by which the console may be opened
  std::map<std::string, api_route> routes; ///< path below /api/v1/ → route: "agents/{id}/events"
  /// True: nothing but /healthz and routes with a token of their own, under any name of ours (who
  /// has no token gets nothing, whatever the name).
  bool only_routes = false;
  timers* clock = nullptr; ///< outlives the handler; without one nothing here times out
  std::chrono::milliseconds patience{5'000};
};

/// The handler keeps its own copy of `ports`.
http_handler make_admin(admin_ports ports);

/// {code, message, hint}
std::string api_error(std::string_view code, std::string_view message, std::string_view hint);

/// {"items": […], "next": cursor or null}; `items` are JSON texts. An empty cursor: the last page.
std::string api_page(const std::vector<std::string>& items, std::string_view next);

} // namespace pb
