#pragma once
// Takes over what the earlier bot kept: first a plan, then the plan as one transaction.

#include "persistence/store.hpp"
#include "persistence/surfaces.hpp"

namespace pb {

struct import_plan {
  std::vector<room_row> rooms;      ///< new here: chats, and the Spaces of their people
  std::vector<user_row> people;     ///< new here
  std::vector<user_row> raised;     ///< known, but their next chat has a higher number
  std::vector<saved_context> saved; ///< new here
  platform_chat_id last;            ///< where the sequence stands afterwards
  bool sequence_moves = false;
  std::size_t same = 0;               ///< rooms, people and contexts that are there already
  std::vector<std::string> conflicts; ///< for a person; what is here stays as it is

  [[nodiscard]] bool empty() const {
    return rooms.empty() && people.empty() && raised.empty() && saved.empty() && !sequence_moves;
  }
};

/// Compares; changes nothing. A second plan after apply_import() is empty.
result<import_plan> plan_import(const surfaces& from, store& into);
/// All of it or nothing.
result<void> apply_import(const import_plan& plan, store& into);

} // namespace pb
