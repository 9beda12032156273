#include "bridges/admin/admin.hpp"

#include "bridges/admin/answers.hpp"
#include "bridges/admin/assets.hpp"
#include "bridges/admin/guard.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace pb {
namespace {

using admin::answer;
using answer_ptr = std::shared_ptr<answer>;

/// Named by the contract, built by a later version: they answer in words, never with silence.
constexpr std::array<std::string_view, 9> promised{
    "agents", "rooms", "turns", "outbox", "confirmations", "events", "inject", "trace", "config"};

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos)
      return out;
    path.remove_prefix(slash + 1);
  }
}

/// True if `path` has the shape of `pattern`; {name} takes one segment that is not empty.
bool matches(std::string_view pattern, std::string_view path,
             std::map<std::string, std::string>& params) {
  const auto want = segments(pattern);
  const auto have = segments(path);
  if (want.size() != have.size())
    return false;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i].starts_with('{') && want[i].ends_with('}')) {
      if (have[i].empty())
        return false;
      params[std::string(want[i].substr(1, want[i].size() - 2))] = admin::decode(have[i], false);
    } else if (want[i] != have[i]) {
      return false;
    }
  }
  return true;
}

std::string readiness_json(const readiness& r) {
  nlohmann::ordered_json out{{"ready", r.ready}, {"since", nullptr}, {"last_sync_age_ms", nullptr}};
  if (!r.since.empty())
    out["since"] = r.since;
  if (r.last_sync_age_ms)
    out["last_sync_age_ms"] = *r.last_sync_age_ms;
  out["database_writable"] = r.database_writable;
  out["detail"] = r.detail;
  return json_text(out);
}

std::string join(const std::vector<std::string>& methods) {
  std::string out;
  for (const auto& m : methods)
    out += (out.empty() ? "" : ", ") + m;
  return out;
}

/// The page may talk to us and to the development homeserver, to nobody else.
std::string page_policy(const std::string& console_json) {
  std::string homeserver;
  const auto console = nlohmann::json::parse(console_json, nullptr, false);
  if (console.is_object() && console.contains("homeserver") && console["homeserver"].is_string())
    homeserver = admin::origin_of(console["homeserver"].get<std::string>());
  return "default-src 'self'; connect-src 'self'" + (homeserver.empty() ? "" : ' ' + homeserver) +
         "; img-src 'self' blob:; media-src blob:; object-src 'none'; base-uri 'none'; "
         "form-action 'self'; frame-ancestors 'none'";
}

class admin_site {
public:
  explicit admin_site(admin_ports ports)
      : ports_(std::move(ports)), policy_(page_policy(ports_.console_json)),
        loopback_only_(admin::loopback_name(ports_.listen)) {}

  void handle(server_request request, std::shared_ptr<http_reply> reply) {
    const auto to = std::make_shared<answer>(std::move(reply), policy_);
    try {
      route(std::move(request), to);
    } catch (const std::exception&) {
      to->error(500, "internal", "The console failed over this request.",
                "This is a bug of Patchbay. Please report it with the request that caused it.");
    }
  }

private:
  void route(server_request request, const answer_ptr& to) {
    const bool read = request.method == "GET" || request.method == "HEAD";
    const bool probe =
        request.path == "/healthz" ||
        (!ports_.only_routes && (request.path == "/readyz" || request.path == "/metrics"));
    if (!host_ok(request, probe))
      return to->error(403, "host_not_allowed",
                       "The console does not answer under this name (Host header).",
                       "Open it by the address that it listens on, or by localhost.");
    if (!read && !admin::origin_allowed(request.headers))
      return to->error(403, "origin_not_allowed", "This request comes from another site's page.",
                       "Send it from the console itself or without an Origin header.");
    constexpr std::string_view api = "/api/v1/";
    if (request.path.starts_with(api))
      return route_api(request, request.path.substr(api.size()), to);
    const auto* file = probe || ports_.only_routes ? nullptr : admin::find_asset(request.path);
    if (!probe && file == nullptr)
      return nothing_here(to);
    if (!read)
      return not_allowed({"GET", "HEAD"}, to);
    if (file != nullptr)
      return to->send(200, file->type, std::string(file->body));
    if (request.path == "/healthz")
      return to->json(200, R"({"alive":true})");
    if (request.path == "/readyz")
      return ready(to);
    if (!ports_.metrics)
      return missing("metrics", to);
    to->send(200, "text/plain; version=0.0.4; charset=utf-8", ports_.metrics());
  }

  [[nodiscard]] bool host_ok(const server_request& request, bool probe) const {
    if (ports_.only_routes)
      return true;
    // Probes of a container platform use names that we cannot know; on loopback nobody needs that.
    if (probe && !loopback_only_)
      return true;
    const auto* host = find_header(request.headers, "Host");
    return host != nullptr && admin::host_allowed(*host, ports_.listen, ports_.hosts);
  }

  void route_api(server_request& request, const std::string& path, const answer_ptr& to) {
    std::map<std::string, std::string> params;
    const api_route* route = nullptr;
    // A literal route is better than one with a parameter: "agents/reload" before "agents/{id}".
    if (const auto exact = ports_.routes.find(path); exact != ports_.routes.end())
      route = &exact->second;
    for (auto i = ports_.routes.begin(); route == nullptr && i != ports_.routes.end(); ++i) {
      params.clear();
      if (matches(i->first, path, params))
        route = &i->second;
    }
    const auto shown = admin::bearer_of(request.headers);
    const bool own_token = route != nullptr && route->own_token;
    if (ports_.only_routes && !own_token)
      return nothing_here(to);
    if (!own_token && !admin::same_secret(shown, ports_.token))
      return to->error(401, "unauthorised",
                       shown.empty() ? "This needs the console's token."
                                     : "This is not the console's token.",
                       "Open the link that `patchbay run` prints, or send the header "
                       "Authorization: Bearer TOKEN.",
                       {{"WWW-Authenticate", "Bearer"}});
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    if (route != nullptr)
      return run(*route, method, request, std::move(params), own_token ? shown : std::string(), to);
    if (path == "status" || path == "console") {
      if (method != "GET")
        return not_allowed({"GET", "HEAD"}, to);
      return path == "console" ? to->json(200, ports_.console_json) : status(to);
    }
    const auto first = segments(path).front();
    if (std::find(promised.begin(), promised.end(), first) != promised.end())
      return missing(first, to);
    to->error(404, "not_found", "The API has nothing at this address.",
              "See section 8 of the contract for what there is.");
  }

  void run(const api_route& route, const std::string& method, server_request& request,
           std::map<std::string, std::string> params, std::string bearer, const answer_ptr& to) {
    const auto& allowed = route.methods;
    if (std::find(allowed.begin(), allowed.end(), method) == allowed.end()) {
      auto list = allowed;
      if (std::find(list.begin(), list.end(), "GET") != list.end())
        list.emplace_back("HEAD");
      return not_allowed(list, to);
    }
    if (!route.run)
      return missing(segments(request.path).back(), to);
    wait_for(to, 504);
    api_request asked{method, std::move(params), admin::decode_query(request.query),
                      std::move(request.body), std::move(bearer)};
    route.run(std::move(asked), [to](int code, std::string json) {
      http_headers more;
      if (code == 503) // whatever it is, it may be over soon
        more.push_back({"Retry-After", "5"});
      to->json(code, std::move(json), std::move(more));
    });
  }

  void ready(const answer_ptr& to) {
    if (!ports_.ready)
      return missing("readyz", to);
    readiness silent;
    silent.detail = "the router does not answer";
    to->expect_within(ports_.clock, ports_.patience, 503, readiness_json(silent));
    ports_.ready([to](const readiness& r) { to->json(r.ready ? 200 : 503, readiness_json(r)); });
  }

  void status(const answer_ptr& to) {
    if (!ports_.status)
      return missing("status", to);
    wait_for(to, 504);
    ports_.status([to](std::string json) { to->json(200, std::move(json)); });
  }

  void wait_for(const answer_ptr& to, int code) {
    to->expect_within(ports_.clock, ports_.patience, code,
                      api_error("no_answer", "The router did not answer in time.",
                                "It may be busy or stopping: try again, and look at /readyz."));
  }

  static void missing(std::string_view what, const answer_ptr& to) {
    to->error(501, "not_there_yet",
              "This version of Patchbay cannot do this yet: " + std::string(what) + '.',
              "It comes with a later version; `patchbay version` tells which one this is.");
  }

  void nothing_here(const answer_ptr& to) const {
    to->error(404, "not_found", "There is nothing at this address.",
              ports_.only_routes ? "Agents post their events to /api/v1/agents/{id}/events."
                                 : "The page is at /, the API below /api/v1/.");
  }

  static void not_allowed(const std::vector<std::string>& methods, const answer_ptr& to) {
    const auto list = join(methods);
    to->error(405, "method_not_allowed", "This address does not take that method.",
              "Use " + list + '.', {{"Allow", list}});
  }

  const admin_ports ports_;
  const std::string policy_;
  const bool loopback_only_;
};

} // namespace

http_handler make_admin(admin_ports ports) {
  auto site = std::make_shared<admin_site>(std::move(ports));
  return [site](server_request request, std::shared_ptr<http_reply> reply) {
    site->handle(std::move(request), std::move(reply));
  };
}

} // namespace pb
