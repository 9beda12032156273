#include "actors/room/room.hpp"

#include "actors/phrases.hpp"

namespace pb {

namespace {
constexpr std::size_t page = 64; ///< inbox rows read at once
} // namespace

room_actor::behavior_type room(room_actor::stateful_pointer<room_core> self, room_id id,
                               std::shared_ptr<const room_deps> deps,
                               room_directory_actor directory) {
  return self->state.start(std::move(id), std::move(deps), std::move(directory));
}

room_actor::behavior_type room_core::start(room_id id, std::shared_ptr<const room_deps> deps,
                                           room_directory_actor directory) {
  id_ = std::move(id);
  deps_ = std::move(deps);
  directory_ = caf::actor_cast<caf::weak_actor_ptr>(directory);
  engine_ = chance_for(deps_->around, "room " + id_.value + std::to_string(self_->id()));
  last_active_ = self_->clock().now();
  self_->set_down_handler([this](caf::down_msg& m) {
    if (m.source == watched_)
      lost_connection();
  });
  open();
  return {[this](const agent_batch& m) { on_batch(m); },
          [this](const turn_over& m) { on_over(m); },
          [this](const turn_slow& m) { on_slow(m); },
          [this](const room_events& m) { take(m.rows); },
          [this](catch_up) {
            more_on_disk_ = true;
            load_more();
          },
          [this](const row_delivered& m) { delivered(m.outcome); },
          [this](const room_changed&) { open(); },
          [this](const may_rest& m) { go_if_quiet(m); },
          [this](const room_push& m) { return push(m); },
          [this](const restore_chat& m) { restore(m); },
          [this](const move_room& m) { return move(m); },
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
  if (known_ && !writes_.empty()) { // what is on the disk is older than what we have decided
    reopen_ = true;
    return;
  }
  // await, not then: no event is looked at before the room knows itself.
  self_->request(deps_->store, in_house, store_open_room{id_, page})
      .await([this](room_snapshot& snapshot) { opened(snapshot); },
             [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::opened(room_snapshot& snapshot) {
  if (!snapshot.room) {
    if (!known_)
      ask_for_record(std::move(snapshot.pending));
    return;
  }
  const bool first = !known_;
  const bool was_in = known_ && row_.state != room_state::left;
  known_ = true;
  held_.clear();
  know(snapshot);
  if (!first) {
    if (was_in && row_.state == room_state::left)
      put_out();
    return;
  }
  questions_ = std::move(snapshot.confirmations);
  for (const auto& c : questions_)
    if (c.state == confirmation_state::open && !c.prompt_event.empty() && c.shown_at == 0)
      ask_when_shown(c.id, c.prompt_event);
  arm_expiry();
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
      queue_.push_back(waiting_of(r).value_or(waiting{r, {}}));
      queue_.back().under_way = true;
    } else {
      handle(r, origin::birth);
    }
  }
  resume(open_turns);
}

void room_core::know(const room_snapshot& snapshot) {
  row_ = *snapshot.room;
  person_lang_ = snapshot.owner_lang.value_or(deps_->rules.lang);
  view_ = {row_.kind,
           row_.owner,
           row_.choices.lang.value_or(person_lang_),
           row_.state == room_state::archived,
           row_.chat,
           row_.choices.allowed,
           row_.question ? row_.question->asked : user_id{}};
}

/// That it was sent may have been told before we were born, and written later.
void room_core::watch_marker() {
  clock_.after(std::chrono::seconds(5), [this] {
    if (marker_waits_ && marker_.empty())
      check_marker();
  });
}

void room_core::check_marker() {
  self_->request(deps_->store, in_house, store_open_room{id_, 0})
      .then(
          [this](const room_snapshot& now) {
            if (!marker_.empty())
              return; // a clear of ours since then: its own marker decides
            if (marker_waits_ && now.marker_waits)
              return watch_marker();
            marker_sent();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// We are not in the room any more: nobody can be told anything here.
void room_core::put_out() {
  settlement s;
  for (const auto& w : queue_)
    settle_all(w, inbox_outcome::cancelled, s);
  queue_.clear();
  close_questions(s, confirmation_state::dropped, [](const auto&) { return true; });
  if (!s.inbox.empty() || !s.confirmations.empty())
    commit(std::move(s), {});
  cancel_running();
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
    return self_->request(deps_->store, in_house, store_open_room{id_, page})
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
    self_->send(deps_->sender, mark_read{id_, rows.back().event.id});
  if (auto to = caf::actor_cast<caf::actor>(directory_.lock()); to && !rows.empty())
    caf::anon_send(to, room_handled{id_, rows.size()});
  pump();
}

void room_core::handle(const inbox_row& row, origin from) {
  auto ask = classify(row.event, view_, deps_->rules);
  const bool behind = more_on_disk_ && from == origin::live;
  // What is behind on the disk keeps its place; commands do not wait in the queue.
  if (behind) {
    if (std::holds_alternative<asks::turn>(ask)) {
      if (live_waiting_ >= deps_->rules.queue_limit) {
        ahead_.insert(row.seq);
        reply(row, say(lang(), phrase::queue_full, {std::to_string(deps_->rules.queue_limit)}),
              inbox_outcome::told);
      } else {
        ++live_waiting_;
      }
      return;
    }
    if (!std::holds_alternative<asks::command>(ask) && !std::holds_alternative<asks::reaction>(ask))
      return;
    ahead_.insert(row.seq);
  } else {
    last_seq_ = std::max(last_seq_, row.seq);
    if (ahead_.erase(row.seq) > 0)
      return;
  }
  if (row_.state == room_state::left)
    return settle_ignored(row, inbox_outcome::ignored);
  owed_.insert(row.seq);
  act(row, ask, from);
}

/// False: who writes is not listened to, or was told so just now.
bool room_core::guarded(const inbox_row& row) {
  switch (guard_.wrote(row.event.sender, now())) {
  case loop_guard::verdict::listen:
    return true;
  case loop_guard::verdict::tell:
    reply(row, say(lang(), phrase::loop_guard, {row.event.sender.value}), inbox_outcome::told);
    return false;
  case loop_guard::verdict::ignore:
    break;
  }
  settle_ignored(row, inbox_outcome::ignored);
  return false;
}

void room_core::act(const inbox_row& row, verdict& ask, origin from) {
  const bool asks_something = !std::holds_alternative<asks::nothing>(ask);
  if (asks_something && row_.encrypted) // the one notice is all that is ever said there
    return tell_encrypted(row);
  if (asks_something && from == origin::live && !is_master(row.event.sender, view_, deps_->rules) &&
      !guarded(row))
    return;
  std::visit(
      [&](auto& x) {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, asks::nothing>)
          settle_ignored(row, inbox_outcome::ignored);
        else if constexpr (std::is_same_v<T, asks::turn>)
          enqueue(*waiting_of(row), from);
        else if constexpr (std::is_same_v<T, asks::command>)
          run_command(row, x, from);
        else if constexpr (std::is_same_v<T, asks::number>)
          load_number(row, x.n, from);
        else if constexpr (std::is_same_v<T, asks::reaction>)
          answer(row, {x.yes, {}, x.target, true});
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

/// What the sender says about rows of ours that we wait for.
void room_core::delivered(const send_outcome& outcome) {
  if (marker_waits_ && marker_.empty()) {
    check_marker(); // one from before our birth: the disk knows
  } else if (marker_waits_ && outcome.id == marker_) {
    marker_sent();
  }
  if (stale_drafts_.erase(outcome.id) > 0) {
    if (outcome.state != outbox_state::sent)
      return;
    outbox_row back; // the answer is a message of its own by now
    back.id = outbox_id{random_id(engine_)};
    back.room = id_;
    back.kind = outbox_kind::redact;
    back.priority = send_class::progress;
    back.state_key = outcome.event.value;
    back.txn = "pb-" + back.id.value;
    return self_->send(deps_->sender, send_progress{std::move(back)});
  }
  if (question(outcome.id))
    return prompt_sent(outcome);
  if (!turn_ || turn_->shown.in_flight != outcome.id)
    return;
  auto& p = turn_->shown;
  p.in_flight = {};
  if (outcome.id == p.draft) {
    if (outcome.state == outbox_state::sent)
      p.draft_event = outcome.event;
    else
      p.draft = {}; // the next view is a draft again, or the final a message of its own
  }
  if (turn_->over)
    return conclude();
  arm_stream();
}

void room_core::load_more() {
  if (loading_ || !more_on_disk_ || !known_ || queue_.size() >= deps_->rules.queue_limit + page)
    return;
  loading_ = true;
  self_->request(deps_->store, in_house, store_pending{id_, last_seq_, page})
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

/// The directory decides when, we whether: a message that it sends meanwhile keeps us, too.
void room_core::go_if_quiet(const may_rest& wish) {
  const bool quiet = self_->clock().now() - last_active_ >= wish.quiet_for;
  if (quiet && !turn_ && !starting_ && queue_.empty() && writes_.empty() && owed_.empty() &&
      !loading_ && !more_on_disk_ && !marker_waits_ && held_.empty() && !guard_.deaf(now()) &&
      open_questions() == 0) // they expire
    if (auto to = caf::actor_cast<caf::actor>(directory_.lock()))
      caf::anon_send(to, room_idle{id_, self_->id()});
}

std::string room_core::status() const {
  return "{\"room\":" + json_quote(id_.value) + ",\"chat\":" + json_quote(row_.chat) +
         ",\"owner\":" + json_quote(row_.owner.value) +
         ",\"agent\":" + json_quote(row_.agent.value) +
         ",\"platform_chat_id\":" + std::to_string(row_.platform.value) +
         ",\"known\":" + (known_ ? "true" : "false") +
         ",\"waiting\":" + std::to_string(queue_.size()) +
         ",\"questions\":" + std::to_string(open_questions()) +
         ",\"turn\":" + (turn_ ? json_quote(turn_->request.id.value) : "null") + "}";
}

} // namespace pb
