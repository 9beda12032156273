#pragma once
// What the homeserver's rooms say, against what the database says, as a plan (contract, section 5).
// Pure: nothing is asked and nothing is written here. It never creates a room and invites nobody.

#include "bridges/matrix/facts.hpp"
#include "messages/values/room.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pb {

struct reconcile_input {
  user_id bot;
  std::string server;          ///< ours, for links
  std::vector<room_row> rooms; ///< as the database has them
  std::vector<user_row> users;
  std::vector<matrix::room_facts> seen; ///< every room that we are in and could read
  std::vector<room_id> unreadable;      ///< rooms that we are in, whose state could not be read
  std::map<user_id, agent_id> agents;   ///< the default agent of people with unmarked rooms
  language lang = language::en;
};

/// People in whose unmarked rooms an agent has to be found before the plan is made.
std::vector<user_id> owners_without_marker(const std::vector<matrix::room_facts>& seen,
                                           const user_id& bot);

struct reconcile_plan {
  struct remark {
    room_id room;
    std::string what;
  };
  struct room_change {
    room_row row;
    std::optional<room_row> before; ///< nothing: the database does not know it
    bool draw = false;              ///< a platform_chat_id is drawn for it, in this order
    bool mark = false;              ///< its marker is written
  };
  struct state_write {
    room_id room;
    std::string type, key, body;
  };

  std::size_t joined_rooms = 0, restored_user_meta = 0, restored_room_meta = 0,
              restored_chat_rows = 0, repaired_chat_rows = 0;
  std::vector<user_row> users; ///< insert or update
  std::vector<room_change> rooms;
  std::vector<state_write> writes;
  std::vector<room_id> encrypted; ///< of which the database does not know it
  std::vector<room_id> upgraded;  ///< to be followed to their replacement
  std::vector<remark> actions;    ///< everything that will be done, in words
  std::vector<remark> skipped, conflicts;
  platform_chat_id highest; ///< that was seen anywhere: none up to it may be drawn

  [[nodiscard]] bool nothing_to_do() const {
    return users.empty() && rooms.empty() && writes.empty() && encrypted.empty() &&
           upgraded.empty();
  }
};

reconcile_plan make_plan(const reconcile_input& in);

/// Plan and outcome as one JSON object: `dry_run`, the five counts, `actions`, `skipped_rooms`,
/// `conflicts`.
std::string to_json(const reconcile_plan& plan, bool dry_run);

matrix::chat_marker marker_of(const room_row& row);

} // namespace pb
