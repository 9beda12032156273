#pragma once
// The answer of /sync as values (client-server API, "Syncing"; only the parts that a bot acts on).

#include "bridges/matrix/events.hpp"
#include "messages/values/event.hpp"
#include "messages/values/fault.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

struct sync_response {
  /// Apply `state`, which is that before the timeline, then the state events of `timeline`.
  struct joined {
    room_id room;
    std::vector<matrix_event> state, timeline;
    bool limited = false;   ///< events are missing before the timeline
    std::string prev_batch; ///< where to look for them
  };
  struct invited {
    room_id room;
    std::vector<stripped_event> state;
  };
  struct left {
    room_id room;
    std::vector<matrix_event> state, timeline;
  };

  std::string next_batch;
  std::vector<joined> join;
  std::vector<invited> invite;
  std::vector<left> leave;
  poison_list poisoned; ///< what could not be understood, with its room
};

/// Reads a body. A wrong type, a flaw or bytes that are not UTF-8 lose the smallest thing around
/// them, which is then in `poisoned`; a `limited` that is no boolean counts as true. malformed: the
/// body's structure is not JSON, or it has no next_batch.
result<sync_response> parse_sync(std::string_view body);

/// Who invites `me` and whether to a direct chat; nothing if no member event says so.
std::optional<invite_row> invitation(const sync_response::invited& room, const user_id& me);

/// The last membership of `me` among these events.
std::optional<membership_row> own_membership(const std::vector<matrix_event>& events,
                                             const user_id& me);

} // namespace pb::matrix
