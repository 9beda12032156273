#pragma once
// What a room's state says about it, and the rows that can be rebuilt from that.

#include "bridges/matrix/content.hpp"
#include "bridges/matrix/power.hpp"
#include "messages/values/event.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/room.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pb::matrix {

/// A link between a Space and a room, from either side, whose `via` is not empty.
struct space_edge {
  user_id sender;
  std::vector<std::string> via;
  bool canonical = false, suggested = false;
};

struct room_member {
  std::string membership;
  user_id sender; ///< who caused it
};

struct room_facts {
  room_id room;
  user_id creator;
  bool bot_created = false;
  bool is_space = false;
  std::string version;
  std::optional<room_id> predecessor;
  std::optional<chat_marker> chat;   ///< only if the bot itself wrote it last
  std::optional<space_marker> space; ///< the same
  bool odd_marker = false;           ///< there is a marker that does not count
  std::map<user_id, room_member> members;
  bool encrypted = false; ///< once on, encryption stays
  bool upgraded = false;  ///< there is a tombstone
  std::optional<room_id> replacement;
  user_id upgraded_by;
  std::string name;
  power_facts power;
  std::map<room_id, space_edge> parents, children;

  [[nodiscard]] bool is(const user_id& user, std::string_view membership) const;
};

/// Takes one event into account; what is no state event, or is no interesting one, changes nothing.
void apply(room_facts& facts, const matrix_event& event, const user_id& bot);

/// All of a room's state: /state, or a sync's `state` and then the state events of its timeline.
room_facts gather_facts(const room_id& room, const user_id& bot,
                        const std::vector<matrix_event>& state);

/// The parent that counts, among canonical ones: what the room's creator wrote before what others
/// wrote, then the lowest id (specification, "m.space.parent").
std::optional<room_id> canonical_parent(const room_facts& facts);

/// The one other person who is or was invited into the room; nothing if there are none or several.
std::optional<user_id> sole_other_member(const room_facts& facts, const user_id& bot);

/// The row of a room with a marker: a chat, or a Space. Nothing without a marker, or when the two
/// contradict each other (a chat's marker in a Space and the reverse).
std::optional<room_row> restore_room(const room_facts& facts, const user_id& bot);

} // namespace pb::matrix
