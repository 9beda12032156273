#pragma once
// What goes next: outbox rows, and requests of others that share the account's budget. Pure. Within
// a room: the order of the rows, one at a time. Between rooms: by the most urgent row that waits in
// them (a final is not held up by what its room has to say before it), and within a class in turn.
// State gets one place in eight while finals wait; progress gets none.

#include "messages/values/outbox.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pb {

class send_queue {
public:
  using time = std::chrono::milliseconds; ///< on the owner's clock

  /// What may go: a row (its room then waits for done() or retry()), or somebody's request.
  struct item {
    std::optional<outbox_row> row;
    std::uint64_t request = 0; ///< as given to ask()
    double cost = 1;
    send_class priority = send_class::final_answer;
    time since{0}; ///< of push(), ask() or retry()
  };

  /// `untouched`: nobody has ever tried to send it. Returns what it overtakes: progress of the same
  /// turn that nobody has tried to send. A final is never overtaken.
  std::vector<outbox_row> push(outbox_row row, time now = {}, bool untouched = true) {
    auto& r = rooms_[row.room];
    auto dropped = row.turn.empty() ? std::vector<outbox_row>{} : drop(r, row.turn);
    if (row.priority == send_class::final_answer)
      ++finals_;
    ++r.of[index(row.priority)];
    const auto room = row.room;
    r.rows.push_back({std::move(row), now, untouched});
    ++size_;
    line_up(room, r, false);
    return dropped;
  }

  /// Takes away the progress of that turn that nobody has tried to send.
  std::vector<outbox_row> drop_progress(const room_id& room, const turn_id& turn) {
    const auto i = rooms_.find(room);
    if (i == rooms_.end())
      return {};
    auto dropped = drop(i->second, turn);
    if (i->second.rows.empty() && !i->second.busy) {
      if (i->second.line)
        std::erase(lines_[*i->second.line], room);
      rooms_.erase(i);
    }
    return dropped;
  }

  /// The head row of the room, whose attempt is under way, goes on with these bytes.
  void freeze(const room_id& room, std::string body) {
    auto& head = rooms_[room].rows.front().row;
    head.kind = outbox_kind::message;
    head.body = std::move(body);
  }

  /// A request of somebody else waits for its place.
  void ask(std::uint64_t request, double cost, send_class priority, time now) {
    asks_[index(priority)].push_back({std::nullopt, request, cost, priority, now});
    ++asked_;
  }

  /// Class and cost of the next item; nothing: none may go.
  [[nodiscard]] std::optional<std::pair<send_class, double>> peek(bool hold_progress) const {
    const auto c = choose(hold_progress);
    if (!c)
      return std::nullopt;
    return std::pair{static_cast<send_class>(*c), takes_request(*c) ? asks_[*c].front().cost : 1.0};
  }

  std::optional<item> pop(bool hold_progress = false) {
    const auto c = choose(hold_progress);
    if (!c)
      return std::nullopt;
    finals_in_a_row_ = *c == 0 && any(1) ? finals_in_a_row_ + 1 : 0;
    if (takes_request(*c)) {
      auto out = std::move(asks_[*c].front());
      asks_[*c].pop_front();
      --asked_;
      request_next_[*c] = false;
      return out;
    }
    request_next_[*c] = true;
    auto id = std::move(lines_[*c].front());
    lines_[*c].pop_front();
    auto& r = rooms_[id];
    r.busy = true;
    r.line.reset();
    auto& head = r.rows.front();
    head.untouched = false;
    return item{head.row, 0, 1, head.row.priority, head.since};
  }

  /// The head row of the room is settled.
  void done(const room_id& room) {
    auto& r = rooms_[room];
    if (r.rows.front().row.priority == send_class::final_answer)
      --finals_;
    --r.of[index(r.rows.front().row.priority)];
    r.rows.pop_front();
    --size_;
    r.busy = false;
    if (r.rows.empty())
      rooms_.erase(room);
    else
      line_up(room, r, false);
  }

  /// The head row of the room is to be sent again. `first`: before the other rooms of its class.
  void retry(const room_id& room, time now = {}, bool first = false) {
    auto& r = rooms_[room];
    r.busy = false;
    r.rows.front().since = now;
    line_up(room, r, first);
  }

  [[nodiscard]] std::size_t size() const { return size_; }     ///< rows
  [[nodiscard]] std::size_t asked() const { return asked_; }   ///< requests of others
  [[nodiscard]] std::size_t finals() const { return finals_; } ///< rows among them, in flight too
  [[nodiscard]] bool idle() const {
    for (const auto& line : lines_)
      if (!line.empty())
        return false;
    return asked_ == 0;
  }

private:
  static constexpr unsigned finals_for_one_state = 7;
  struct waiting_row {
    outbox_row row;
    time since{0};
    bool untouched = true;
  };
  struct room_rows {
    std::deque<waiting_row> rows;
    std::array<std::size_t, 3> of{}; ///< how many of each class
    bool busy = false;
    std::optional<std::size_t> line; ///< in which it stands
  };

  static std::size_t index(send_class c) { return static_cast<std::size_t>(c); }

  std::vector<outbox_row> drop(room_rows& r, const turn_id& turn) {
    std::vector<outbox_row> dropped;
    if (r.of[index(send_class::progress)] == 0)
      return dropped;
    for (auto i = r.rows.begin(); i != r.rows.end();) {
      const bool in_flight = r.busy && i == r.rows.begin();
      if (i->row.turn == turn && i->row.priority == send_class::progress && i->untouched &&
          !in_flight) {
        dropped.push_back(std::move(i->row));
        i = r.rows.erase(i);
        --r.of[index(send_class::progress)];
        --size_;
      } else {
        ++i;
      }
    }
    return dropped;
  }

  void line_up(const room_id& room, room_rows& r, bool first) {
    if (r.busy || r.rows.empty())
      return;
    const auto urgent = r.of[0] > 0 ? 0U : r.of[1] > 0 ? 1U : 2U;
    if (r.line) {
      if (*r.line <= urgent)
        return;
      std::erase(lines_[*r.line], room);
    }
    r.line = urgent;
    if (first)
      lines_[urgent].push_front(room);
    else
      lines_[urgent].push_back(room);
  }

  [[nodiscard]] bool any(std::size_t c) const { return !lines_[c].empty() || !asks_[c].empty(); }
  /// Requests and rooms of a class take turns.
  [[nodiscard]] bool takes_request(std::size_t c) const {
    return !asks_[c].empty() && (lines_[c].empty() || request_next_[c]);
  }
  [[nodiscard]] std::optional<std::size_t> choose(bool hold_progress) const {
    if (any(0) && !(any(1) && finals_in_a_row_ >= finals_for_one_state))
      return 0;
    if (any(1))
      return 1;
    if (!hold_progress && any(2))
      return 2;
    return std::nullopt;
  }

  std::unordered_map<room_id, room_rows> rooms_;
  std::array<std::deque<room_id>, 3> lines_;
  std::array<std::deque<item>, 3> asks_;
  std::array<bool, 3> request_next_{};
  unsigned finals_in_a_row_ = 0;
  std::size_t size_ = 0, asked_ = 0, finals_ = 0;
};

} // namespace pb
