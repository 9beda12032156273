// Any bytes as a request to the console and its API, or to the address for agents alone, with and
// without the tokens: exactly one answer, JSON where that is promised, nothing that could split a
// header, and no way in without the right token.

#include "bridges/admin/admin.hpp"
#include "cli/events_route.hpp"
#include "tests/fuzz/request_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace pb;

const std::string token = "the-token-of-the-console";
const std::string agents_token = "the-own-token-of-agent-a1";
int inside = 0;    ///< how often a route below /api/v1/ ran
int delivered = 0; ///< how often an event was taken

http_handler site(bool for_agents) {
  admin_ports p;
  p.only_routes = for_agents;
  p.token = token;
  p.console_json = R"({"homeserver":"http://127.0.0.1:8008","bot":"@b:l","accounts":[]})";
  p.ready = [](const auto& done) { done({}); };
  p.status = [](const auto& done) { ++inside, done("{}"); };
  p.metrics = [] { return std::string("x_total 1\n"); };
  const auto echo = [](const api_request& r, const api_done& done) {
    ++inside;
    const nlohmann::json all{{"params", r.params}, {"query", r.query}, {"body", r.body}};
    done(200, all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  };
  p.routes["agents/{id}/drain"] = {{"GET", "POST"}, echo};
  cli::events_desk desk;
  desk.access = [](const agent_id& id) -> std::optional<cli::events_access> {
    if (id == agent_id{"a1"})
      return cli::events_access{true, secret{agents_token}};
    return id == agent_id{"a2"} ? std::optional{cli::events_access{true, {}}} : std::nullopt;
  };
  desk.admin_token = token;
  desk.deliver = [](const agent_id& who, const posted_push& event, const auto& answer) {
    if (who != agent_id{"a1"} || !push_faults(event.what).empty())
      std::abort();
    ++delivered, answer({});
  };
  p.routes["agents/{id}/events"] = cli::events_route(std::move(desk));
  p.routes["agents/reload"] = {{"POST"}, echo};
  return make_admin(std::move(p));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto console = site(false);
  static const auto door_for_agents = site(true);
  if (size == 0)
    return 0;
  auto request = fuzz::request_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  const bool shown = (data[0] & 1U) != 0;
  if (shown)
    request.headers.push_back({"Authorization", "Bearer " + token});
  if ((data[0] & 4U) != 0)
    request.headers.push_back({"Authorization", "Bearer " + agents_token});
  if ((data[0] & 2U) != 0)
    request.headers.push_back({"Host", "127.0.0.1:8080"});
  const auto first = find_header(request.headers, "Authorization");
  const bool may = first != nullptr && first->find(token) != std::string::npos;
  const bool agent = first != nullptr && first->find(agents_token) != std::string::npos;
  const bool for_agents = (data[0] & 8U) != 0;
  const bool api = request.path.starts_with("/api/v1/");
  inside = delivered = 0;
  const auto reply = std::make_shared<fuzz::kept_reply>();
  (for_agents ? door_for_agents : console)(std::move(request), reply);
  if (reply->answers != 1 || reply->last.status < 200 || reply->last.status > 599)
    std::abort();
  if (((!may || for_agents) && inside != 0) || (!agent && delivered != 0))
    std::abort();
  for (const auto& h : reply->last.headers)
    if ((h.name + h.value).find_first_of("\r\n") != std::string::npos)
      std::abort();
  if (api && !reply->last.body.empty() && !nlohmann::json::accept(reply->last.body))
    std::abort();
  return 0;
}
