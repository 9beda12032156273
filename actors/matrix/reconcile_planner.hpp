#pragma once
// The parts of make_plan, which share what was found so far. Pure.

#include "actors/matrix/reconcile_logic.hpp"

#include <algorithm>
#include <set>

namespace pb {

/// A room without any marker, ours or odd.
inline bool is_unmarked(const matrix::room_facts& f) {
  return !f.chat && !f.space && !f.odd_marker;
}

/// One plan in the making: Spaces first, because chats belong to them.
class reconcile_planner {
public:
  explicit reconcile_planner(const reconcile_input& in) : in_(in) {
    for (const auto& r : in.rooms)
      known_[r.id] = &r;
    for (const auto& u : in.users)
      people_[u.id] = u;
    for (const auto& f : in.seen)
      seen_[f.room] = &f;
    for (const auto& r : in.rooms)
      if (r.platform.value > 0) {
        platforms_.try_emplace(r.platform, r.id);
        plan_.highest = std::max(plan_.highest, r.platform);
      }
  }

  reconcile_plan make();

private:
  using change = reconcile_plan::room_change;

  [[nodiscard]] const room_row* known(const room_id& room) const;
  void act(const room_id& room, std::string what);
  /// True: the room has a successor, which counts instead of it.
  bool replaced(const matrix::room_facts& f);
  void encryption(const matrix::room_facts& f);

  // -- Spaces --
  void spaces();
  void choose(const user_id& owner, const std::vector<const matrix::room_facts*>& list);
  void take_over_space(const matrix::room_facts& f);
  void own_space(const user_id& owner, const matrix::room_facts& f, const agent_id& agent,
                 language lang, bool mark);

  // -- chats with a marker --
  void marked_chats();
  void restore(const matrix::room_facts& f);
  void compare(const matrix::room_facts& f, const room_row& row);
  void number_taken(const user_id& owner, const std::string& chat, const room_id& room);

  // -- chats from before there were markers --
  void legacy_chats();
  void take_over_chat(const matrix::room_facts& f, const user_id& owner);

  // -- rooms that we were invited to --
  void lobbies();

  // -- rooms that we are not in any more --
  void gone();

  // -- what ties chats to Spaces --
  void links();
  void numbers();
  void people();

  const reconcile_input& in_;
  reconcile_plan plan_;
  std::map<room_id, const room_row*> known_;
  std::map<room_id, const matrix::room_facts*> seen_;
  std::map<user_id, user_row> people_;
  std::set<user_id> changed_people_;
  std::map<user_id, room_id> spaces_;                         ///< that count
  std::map<platform_chat_id, room_id> platforms_;             ///< whose id it is
  std::map<user_id, std::map<std::string, room_id>> numbers_; ///< "C7" → room
  std::vector<room_row> chats_;                               ///< as they will be
  std::vector<change> drawn_;
};

} // namespace pb
