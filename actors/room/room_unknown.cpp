// A room that we have no record of: the homeserver is asked, and what was written there is held.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"

namespace pb {

namespace {
constexpr std::size_t held_cap = 4'096; ///< texts; their rows are on disk
}

/// A row may be missing because the database is younger than the room: ask the homeserver once.
void room_core::ask_for_record(std::vector<inbox_row> pending) {
  self_->request(deps_->topology, std::chrono::minutes(2), restore_unknown{id_, {}})
      .await(
          [this, pending = std::move(pending)](const restore_answer& answer) {
            if (answer.found)
              return open();
            looking_ = true; // it was asked just now
            for (const auto& r : pending)
              handle_unknown(r);
            looking_ = false;
            tell_unknown(answer.why);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// A text in a room without a record is held, on the disk, until the homeserver was asked for the
/// room: at most once a minute, so that nobody makes a flood of it.
void room_core::handle_unknown(const inbox_row& row) {
  last_seq_ = std::max(last_seq_, row.seq);
  if (row.event.type != "m.room.message" || held_.size() >= held_cap)
    return settle_ignored(row, inbox_outcome::ignored);
  held_.push_back(row.seq);
  held_last_ = row;
  look_for_record();
}

void room_core::look_for_record() {
  if (std::exchange(looking_, true))
    return;
  const auto now = self_->clock().now();
  const auto next = unknown_told_ ? *unknown_told_ + std::chrono::minutes(1) : now;
  clock_.after(std::chrono::ceil<std::chrono::milliseconds>(std::max(next, now) - now), [this] {
    if (known_) {
      looking_ = false;
      return;
    }
    self_->request(deps_->topology, caf::infinite, restore_unknown{id_, held_last_.tr})
        .then(
            [this](const restore_answer& answer) {
              looking_ = false;
              if (known_)
                return;
              if (answer.found)
                return open(); // what is held is read from the disk
              tell_unknown(answer.why);
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

/// One reply, to the newest of them, speaks for all.
void room_core::tell_unknown(const std::string& why) {
  deps_->around.log->warning("room_unknown", held_last_.tr, "no record of this room: " + why,
                             {{"room", id_}});
  unknown_told_ = self_->clock().now();
  if (held_.empty())
    return;
  settlement s;
  for (const auto seq : std::exchange(held_, {}))
    s.inbox.push_back({seq, inbox_outcome::told});
  s.outbox.push_back(reply_row(held_last_, say(lang(), phrase::unknown_room, {why})));
  commit(std::move(s), {});
}

} // namespace pb
