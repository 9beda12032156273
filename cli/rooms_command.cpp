// `patchbay rooms`: chats of the router that runs, and which agent each is with.

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace pb::cli {
namespace {

using nlohmann::json;

int list(running_router& router, const rooms_options& o) {
  std::string query;
  for (const auto& [key, value] : {std::pair{"agent", o.agent}, std::pair{"owner", o.owner}})
    if (!value.empty())
      query += (query.empty() ? "?" : "&") + std::string{key} + "=" + path_part(value);
  std::optional<http_response> got;
  const auto all = all_pages(router, "/api/v1/rooms" + query, got);
  if (!all) {
    complain("the rooms cannot be listed: " + running_router::reason(got));
    return got ? failed : unavailable;
  }
  if (o.json) {
    std::cout << dump_of(*all) << '\n';
    return ok;
  }
  std::vector<std::vector<std::string>> rows{
      {"ROOM", "OWNER", "CHAT", "AGENT", "STATE", "CONTEXT", "TITLE"}};
  for (const auto& r : (*all)["items"])
    rows.push_back({text_in(r, "room"), text_in(r, "owner"), text_in(r, "chat"),
                    text_in(r, "agent"), text_in(r, "state"), text_in(r, "platform_chat_id"),
                    text_in(r, "title")});
  print_table(std::move(rows));
  return ok;
}

bool has(const json& all, const char* key, const std::string& value, json* found = nullptr) {
  for (const auto& one : all["items"])
    if (text_in(one, key) == value) {
      if (found != nullptr)
        *found = one;
      return true;
    }
  return false;
}

/// Says what a move would do.
int try_move(running_router& router, const rooms_options& o) {
  std::optional<http_response> got;
  const auto rooms = all_pages(router, "/api/v1/rooms", got);
  const auto agents = rooms ? all_pages(router, "/api/v1/agents", got) : std::nullopt;
  if (!agents) {
    complain("the running router does not say: " + running_router::reason(got));
    return got ? failed : unavailable;
  }
  json room;
  if (!has(*rooms, "room", o.room, &room)) {
    complain("there is no chat in a room " + o.room + "; `patchbay rooms list` shows them");
    return failed;
  }
  if (!has(*agents, "id", o.agent)) {
    complain("the registry has no agent " + o.agent + "; `patchbay agents list` shows them");
    return failed;
  }
  const auto from = text_in(room, "agent");
  if (o.json)
    std::cout << dump_of({{"room", o.room},
                          {"agent", o.agent},
                          {"from", from},
                          {"moved", from != o.agent},
                          {"dry_run", true}})
              << '\n';
  else if (from == o.agent)
    std::cout << o.room << ": nothing changes, it is with " << from << " already.\n";
  else
    std::cout << o.room << " would go from " << from << " to " << o.agent
              << ", with a fresh context; what runs there would be stopped.\n";
  return ok;
}

} // namespace

int rooms(const rooms_options& options) {
  int code = ok;
  auto router = running_router::find(options.config, code);
  if (!router)
    return code;
  if (!options.move)
    return list(*router, options);
  if (options.dry_run)
    return try_move(*router, options);
  const auto got = router->ask("POST", "/api/v1/rooms/" + path_part(options.room) + "/move",
                               dump_of({{"agent", options.agent}}));
  if (!got) {
    complain("the running router does not answer: " + running_router::reason(got));
    return unavailable;
  }
  const auto answer = json::parse(got->body, nullptr, false);
  if (options.json)
    std::cout << got->body << '\n';
  if (got->status != 200 || !answer.is_object()) {
    complain("the running router refuses this: " + running_router::reason(got));
    return failed;
  }
  if (options.json)
    return ok;
  if (answer.value("moved", false))
    std::cout << options.room << " is with " << options.agent << " now, as context "
              << text_in(answer, "platform_chat_id") << ".\n";
  else
    std::cout << options.room << ": nothing changes, it is with " << options.agent << " already.\n";
  return ok;
}

} // namespace pb::cli
