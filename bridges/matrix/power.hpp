#pragma once
// Power levels as far as we judge by them (client-server API, "Permissions"; room version 12).

#include "messages/values/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

struct power_facts {
  std::string version{"1"};
  std::vector<user_id> creators; ///< the creator, and from version 12 on additional ones
  std::string levels;            ///< content of m.room.power_levels; empty: there is none
  [[nodiscard]] bool creators_rule() const; ///< version 12 and later: above every level
};

/// additional_creators of m.room.create's content, 64 at most.
std::vector<user_id> additional_creators(std::string_view create_content);

/// May this user send a state event of that type? A level may be a number or, in old rooms, a
/// string with one; anything else counts as the default.
bool may_send_state(const power_facts& room, const user_id& user, std::string_view type);

} // namespace pb::matrix
