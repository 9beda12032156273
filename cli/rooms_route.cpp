#include "cli/rooms_route.hpp"

#include "cli/page_query.hpp"
#include "config/scalars.hpp"

#include <nlohmann/json.hpp>

namespace pb::cli {
namespace {

using nlohmann::json;

void list(const rooms_desk& desk, const api_request& r, const api_done& done) {
  const auto page = page_query::of(r, 200, 1'000);
  if (!page)
    return done(400, page_query::refused(1'000));
  const auto value = [&](const char* name) {
    const auto i = r.query.find(name);
    return i == r.query.end() ? std::string{} : i->second;
  };
  rooms_desk::question q;
  q.after = room_id{page->cursor};
  q.limit = page->limit;
  q.agent = agent_id{value("agent")};
  q.owner = user_id{value("owner")};
  desk.list(std::move(q),
            [done](bool good, const std::vector<std::string>& items, const room_id& next) {
              if (good)
                return done(200, api_page(items, next.value));
              done(503, api_error("unavailable", "the database does not answer", "see /readyz"));
            });
}

void refuse_move(const fault& f, const api_done& done) {
  switch (f.code) {
  case fault_code::not_found:
    return done(404, api_error("unknown_room", "There is no chat in a room of this id.",
                               "GET /api/v1/rooms lists them."));
  case fault_code::malformed:
    return done(404, api_error("unknown_agent", "The registry has no agent of this id.",
                               "GET /api/v1/agents lists them."));
  case fault_code::refused:
    return done(409, api_error("room_left", "The bot is not in this room any more.",
                               "A room that was left cannot be moved."));
  default:
    return done(503, api_error("busy", "The room cannot be moved now.",
                               "Send it again in a while: a second time changes nothing."));
  }
}

void move(const rooms_desk& desk, const api_request& r, const api_done& done) {
  const auto body = json::parse(r.body, nullptr, false);
  const auto named = body.is_object() ? body.find("agent") : body.end();
  const auto agent = body.is_object() && named != body.end() && named->is_string()
                         ? config::agent_name(named->get<std::string>())
                         : config::parsed<agent_id>{tl::unexpected(config::wrong{})};
  if (!agent)
    return done(400, api_error("bad_request", "agent is missing or no agent's id",
                               "The body is {\"agent\": ID}."));
  const room_id room{r.params.at("room")};
  desk.move(room, *agent,
            [done, room, agent = *agent](const std::optional<fault>& wrong, bool moved,
                                         platform_chat_id chat) {
              if (wrong)
                return refuse_move(*wrong, done);
              done(200, json{{"room", room.value},
                             {"agent", agent.value},
                             {"moved", moved},
                             {"platform_chat_id", chat.value}}
                            .dump(-1, ' ', false, json::error_handler_t::replace));
            });
}

} // namespace

void add_rooms_routes(std::map<std::string, api_route>& routes, const rooms_desk& desk) {
  routes["rooms"] = {
      {"GET"}, [desk](const auto& r, const auto& done) { list(desk, r, done); }, false};
  routes["rooms/{room}/move"] = {
      {"POST"}, [desk](const auto& r, const auto& done) { move(desk, r, done); }, false};
}

} // namespace pb::cli
