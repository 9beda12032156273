#include "actors/room/room.hpp"

#include "actors/phrases.hpp"

namespace pb {

namespace {
constexpr std::size_t page = 64; ///< inbox rows read at once
constexpr std::size_t held_cap =
    4'096; ///< texts in a room without a record; their rows are on disk
} // namespace

room_actor::behavior_type room(room_actor::stateful_pointer<room_core> self, room_id id,
                               room_deps deps, room_directory_actor directory) {
  return self->state.start(std::move(id), std::move(deps), std::move(directory));
}

room_actor::behavior_type room_core::start(room_id id, room_deps deps,
                                           room_directory_actor directory) {
  id_ = std::move(id);
  deps_ = std::move(deps);
  directory_ = caf::actor_cast<caf::weak_actor_ptr>(directory);
  engine_ = engine_for(deps_.around, "room " + id_.value + std::to_string(self_->id()));
  last_active_ = self_->clock().now();
  self_->set_down_handler([this](caf::down_msg& m) {
    if (m.source == watched_)
      lost_connection();
  });
  open();
  arm_idle();
  return {[this](const agent_batch& m) { on_batch(m); },
          [this](const turn_over& m) { on_over(m); },
          [this](const turn_slow& m) { on_slow(m); },
          [this](const room_events& m) { take(m.rows); },
          [this](catch_up) {
            more_on_disk_ = true;
            load_more();
          },
          [this](const row_delivered& m) {
            if (!marker_waits_ || (!marker_.empty() && m.outcome.id != marker_))
              return;
            marker_waits_ = false;
            pump();
          },
          [this](const room_changed&) { open(); },
          [](const room_push&) -> caf::result<done> {
            return to_error({fault_code::not_found, "pushes are not there yet", {}});
          },
          [](const restore_chat&) {},
          [this](tick t) { clock_.ring(t); },
          [this](drain) -> caf::result<done> {
            draining_ = true;
            if (!turn_ && !starting_ && writes_.empty())
              return done{};
            auto promise = self_->make_response_promise<done>();
            drained_.push_back(promise);
            return promise;
          },
          [this](get_status) {
            return status_report{name, status()};
          }};
}

void room_core::open() {
  // await, not then: no event is looked at before the room knows itself.
  self_->request(deps_.store, deps_.timing.store_timeout, store_open_room{id_, page})
      .await([this](room_snapshot& snapshot) { opened(snapshot); },
             [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::opened(room_snapshot& snapshot) {
  if (!snapshot.room) {
    if (known_)
      return;
    // A row may be missing because the database is younger than the room: ask the homeserver once.
    self_->request(deps_.topology, std::chrono::minutes(2), restore_unknown{id_, {}})
        .await(
            [this, pending = std::move(snapshot.pending)](const restore_answer& answer) {
              if (answer.found)
                return open();
              looking_ = true; // it was asked just now
              for (const auto& r : pending)
                handle_unknown(r);
              looking_ = false;
              tell_unknown(answer.why);
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
    return;
  }
  const bool first = !known_;
  const bool was_in = known_ && row_.state != room_state::left;
  known_ = true;
  held_.clear();
  row_ = *snapshot.room;
  view_ = {row_.kind, row_.owner, lang()};
  if (!first) {
    agent_ = {}; // another one may be bound to it now
    if (was_in && row_.state == room_state::left)
      put_out();
    return;
  }
  marker_waits_ = snapshot.marker_waits;
  if (marker_waits_)
    watch_marker();
  more_on_disk_ = snapshot.more;
  // What we have decided already may still be on its way to the disk.
  std::erase_if(snapshot.pending, [&](const inbox_row& r) {
    return std::any_of(writes_.begin(), writes_.end(), [&](const auto& write) {
      const auto& settled = write.first.inbox;
      return std::any_of(settled.begin(), settled.end(),
                         [&](const inbox_settled& s) { return s.seq == r.seq; });
    });
  });
  auto open_turns = std::move(snapshot.open_turns);
  close_retried(open_turns, snapshot.pending);
  for (const auto& r : snapshot.pending) {
    bool of_turn = false;
    for (const auto& t : open_turns)
      of_turn = of_turn || t.inbox_seq == r.seq;
    if (of_turn) { // a turn that was under way: resume() decides about it
      last_seq_ = std::max(last_seq_, r.seq);
      queue_.push_back({r, {}, {}, {}});
    } else {
      handle(r, origin::birth);
    }
  }
  resume(open_turns);
}

/// That it was sent may have been told before we were born, and written later.
void room_core::watch_marker() {
  clock_.after(std::chrono::seconds(5), [this] {
    if (!marker_waits_)
      return;
    self_->request(deps_.store, deps_.timing.store_timeout, store_open_room{id_, 0})
        .then(
            [this](const room_snapshot& now) {
              if (marker_waits_ && now.marker_waits)
                return watch_marker();
              marker_waits_ = false;
              pump();
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

/// We are not in the room any more: nobody can be told anything here.
void room_core::put_out() {
  settlement s;
  for (const auto& w : queue_) {
    s.inbox.push_back({w.row.seq, inbox_outcome::cancelled});
    for (const auto seq : w.also)
      s.inbox.push_back({seq, inbox_outcome::cancelled});
  }
  queue_.clear();
  if (!s.inbox.empty())
    commit(std::move(s), {});
  if (turn_ && !std::exchange(turn_->stopping, true))
    self_->send(turn_->connection, cancel_turn{turn_->request.id});
}

void room_core::resume(std::vector<turn_row> turns) {
  for (auto& t : turns) {
    const auto i = std::find_if(queue_.begin(), queue_.end(), [&](const waiting& w) {
      return w.row.seq == t.inbox_seq && !w.resumed;
    });
    if (i == queue_.end()) { // its message is settled: only the turn is to be closed
      settlement s;
      t.state = turn_state::interrupted;
      s.turn = t;
      commit(std::move(s), {});
      continue;
    }
    const auto asked = classify(i->row.event, view_, deps_.rules);
    const auto* ask = std::get_if<asks::turn>(&asked);
    if (i->text.empty()) // else it was edited before it was handed over: the edit is open, too
      i->text = ask ? ask->text : std::string{"?"};
    i->resumed = t;
  }
  pump();
}

void room_core::take(const std::vector<inbox_row>& rows) {
  last_active_ = self_->clock().now();
  if ((!known_ || row_.state == room_state::left) && !rows.empty() &&
      !std::exchange(looked_again_, true))
    // Events come only from rooms that we are in: somebody may have invited us back, or the room
    // was still being made when we looked.
    return self_->request(deps_.store, deps_.timing.store_timeout, store_open_room{id_, page})
        .await(
            [this, rows](room_snapshot& snapshot) {
              if (snapshot.room)
                opened(snapshot);
              take(rows);
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  looked_again_ = false;
  for (const auto& r : rows) {
    if (r.seq <= last_seq_)
      continue; // read from the disk already
    if (!known_)
      handle_unknown(r);
    else
      handle(r, origin::live);
  }
  if (!rows.empty() && known_ && row_.kind == room_kind::chat)
    self_->send(deps_.sender, mark_read{id_, rows.back().event.id});
  if (auto to = caf::actor_cast<caf::actor>(directory_.lock()); to && !rows.empty())
    caf::anon_send(to, room_handled{id_, rows.size()});
  pump();
}

void room_core::handle(const inbox_row& row, origin from) {
  auto ask = classify(row.event, view_, deps_.rules);
  const bool behind = more_on_disk_ && from == origin::live;
  // What is behind on the disk keeps its place; commands do not wait in the queue.
  if (behind) {
    if (std::holds_alternative<asks::turn>(ask)) {
      if (live_waiting_ >= deps_.rules.queue_limit) {
        ahead_.insert(row.seq);
        reply(row, say(lang(), phrase::queue_full, {std::to_string(deps_.rules.queue_limit)}),
              inbox_outcome::told);
      } else {
        ++live_waiting_;
      }
      return;
    }
    if (!std::holds_alternative<asks::command>(ask))
      return;
    ahead_.insert(row.seq);
  } else {
    last_seq_ = std::max(last_seq_, row.seq);
    if (ahead_.erase(row.seq) > 0)
      return;
  }
  if (row_.state == room_state::left)
    return settle_ignored(row, inbox_outcome::ignored);
  std::visit(
      [&](auto& x) {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, asks::nothing>)
          settle_ignored(row, inbox_outcome::ignored);
        else if constexpr (std::is_same_v<T, asks::turn>)
          enqueue(row, std::move(x.text), from);
        else if constexpr (std::is_same_v<T, asks::command>)
          run_command(row, x);
        else if constexpr (std::is_same_v<T, asks::refusal>)
          reply(row, x.sentence, inbox_outcome::told);
        else if constexpr (std::is_same_v<T, asks::edit>)
          edit(row, x);
        else if constexpr (std::is_same_v<T, asks::redaction>)
          redact(row, x);
        else
          tell_encrypted(row);
      },
      ask);
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
    self_->request(deps_.topology, caf::infinite, restore_unknown{id_, held_last_.tr})
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
  deps_.around.log->warning("room_unknown", held_last_.tr, "no record of this room: " + why,
                            {{"room", id_}});
  unknown_told_ = self_->clock().now();
  if (held_.empty())
    return;
  settlement s;
  for (const auto seq : std::exchange(held_, {}))
    s.inbox.push_back({seq, inbox_outcome::told});
  s.outbox.push_back(message(say(lang(), phrase::unknown_room, {why}), matrix::delivery::reply,
                             held_last_.event.id, {}, held_last_.event.sender));
  s.outbox.back().tr = held_last_.tr;
  commit(std::move(s), {});
}

void room_core::load_more() {
  if (loading_ || !more_on_disk_ || !known_ || queue_.size() >= deps_.rules.queue_limit + page)
    return;
  loading_ = true;
  self_->request(deps_.store, deps_.timing.store_timeout, store_pending{id_, last_seq_, page})
      .then(
          [this](pending_page& got) {
            loading_ = false;
            if (got.rows.size() < page) {
              more_on_disk_ = false;
              live_waiting_ = 0;
            }
            for (const auto& r : got.rows)
              handle(r, origin::page);
            pump();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::settle_ignored(const inbox_row& row, inbox_outcome outcome) {
  settlement s;
  s.inbox.push_back({row.seq, outcome});
  commit(std::move(s), {});
}

void room_core::rest() {
  if (turn_ || starting_ || !writes_.empty())
    return;
  for (auto& promise : drained_)
    promise.deliver(done{});
  drained_.clear();
}

void room_core::arm_idle() {
  clock_.after(deps_.timing.idle, [this] {
    const bool quiet = self_->clock().now() - last_active_ >= deps_.timing.idle;
    if (quiet && !turn_ && !starting_ && queue_.empty() && writes_.empty() && !marker_waits_ &&
        held_.empty())
      if (auto to = caf::actor_cast<caf::actor>(directory_.lock()))
        caf::anon_send(to, room_idle{id_, self_->id()}); // ask, do not die
    arm_idle();
  });
}

std::string room_core::status() const {
  return "{\"room\":" + json_quote(id_.value) + ",\"chat\":" + json_quote(row_.chat) +
         ",\"owner\":" + json_quote(row_.owner.value) +
         ",\"agent\":" + json_quote(row_.agent.value) +
         ",\"platform_chat_id\":" + std::to_string(row_.platform.value) +
         ",\"known\":" + (known_ ? "true" : "false") +
         ",\"waiting\":" + std::to_string(queue_.size()) +
         ",\"turn\":" + (turn_ ? json_quote(turn_->request.id.value) : "null") + "}";
}

} // namespace pb
