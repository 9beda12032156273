#pragma once
// Which outbox row goes next. Pure. Within a room: the order of the rows, one at a time. Between
// rooms: by the class of what is at the head, and within a class in turn.

#include "messages/values/outbox.hpp"

#include <array>
#include <deque>
#include <optional>
#include <unordered_map>

namespace pb {

class send_queue {
public:
  void push(outbox_row row) {
    auto& r = rooms_[row.room];
    r.rows.push_back(std::move(row));
    ++size_;
    if (r.rows.size() == 1)
      line_up(r);
  }

  /// The next row to send; its room waits until done() or retry().
  std::optional<outbox_row> pop() {
    for (auto& line : lines_) {
      if (line.empty())
        continue;
      auto id = std::move(line.front());
      line.pop_front();
      auto& r = rooms_[id];
      r.busy = true;
      r.lined_up = false;
      return r.rows.front();
    }
    return std::nullopt;
  }

  /// The head row of the room is settled.
  void done(const room_id& room) {
    auto& r = rooms_[room];
    r.rows.pop_front();
    --size_;
    r.busy = false;
    if (r.rows.empty())
      rooms_.erase(room);
    else
      line_up(r);
  }

  /// The head row of the room is to be sent again.
  void retry(const room_id& room) {
    auto& r = rooms_[room];
    r.busy = false;
    line_up(r);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool idle() const {
    for (const auto& line : lines_)
      if (!line.empty())
        return false;
    return true;
  }

private:
  struct room_rows {
    std::deque<outbox_row> rows;
    bool busy = false, lined_up = false;
  };
  void line_up(room_rows& r) {
    if (r.busy || r.lined_up)
      return;
    r.lined_up = true;
    lines_[static_cast<std::size_t>(r.rows.front().priority)].push_back(r.rows.front().room);
  }

  std::unordered_map<room_id, room_rows> rooms_;
  std::array<std::deque<room_id>, 3> lines_;
  std::size_t size_ = 0;
};

} // namespace pb
