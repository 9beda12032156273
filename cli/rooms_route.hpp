#pragma once
// GET /api/v1/rooms: chat rooms by id, ?limit=1…1000 (200), ?cursor=, ?agent=, ?owner=.
// POST /api/v1/rooms/{room}/move {"agent": id}: binds the room to that agent with a fresh context;
// 200 {room, agent, moved, platform_chat_id}, moved false when it was so already; 404 no such chat
// or agent, 409 the room was left, 503 later. Knows no actors.

#include "bridges/admin/admin.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pb::cli {

struct rooms_desk {
  struct question {
    room_id after;
    std::size_t limit = 0;
    agent_id agent; ///< empty: of all
    user_id owner;  ///< empty: of all
  };
  std::function<void(question,
                     std::function<void(bool good, std::vector<std::string> items, room_id next)>)>
      list;
  std::function<void(
      room_id, agent_id,
      std::function<void(const std::optional<fault>&, bool moved, platform_chat_id)>)>
      move;
};

/// Into `routes`, under their paths.
void add_rooms_routes(std::map<std::string, api_route>& routes, const rooms_desk& desk);

} // namespace pb::cli
