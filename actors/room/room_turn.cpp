// The turn: one at a time, in the order of the messages.

#include "actors/crash_point.hpp"
#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "bridges/matrix/text.hpp"

namespace pb {

void room_core::enqueue(const inbox_row& row, std::string text, origin from) {
  if (!row.backlog) {
    const auto live = static_cast<std::size_t>(std::count_if(
        queue_.begin(), queue_.end(), [](const waiting& w) { return !w.row.backlog; }));
    // When we are born, the one that ran without a mark on the disk waits again.
    if (live >= deps_.rules.queue_limit + (from == origin::birth ? 1 : 0))
      return reply(row, say(lang(), phrase::queue_full, {std::to_string(deps_.rules.queue_limit)}),
                   inbox_outcome::told);
  }
  queue_.push_back({row, std::move(text), {}, {}});
}

void room_core::pump() {
  if (turn_ || starting_ || draining_ || marker_waits_ || !known_ || after_turn_)
    return rest();
  if (queue_.empty()) {
    load_more();
    return rest();
  }
  starting_ = true;
  if (agent_.connection) // known since the last turn; DOWN forgets it
    return begin(agent_);
  self_->request(deps_.agents, std::chrono::seconds(30), find_agent{row_.agent})
      .then([this](found_agent& agent) { begin(agent); },
            [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::begin(found_agent& agent) {
  starting_ = false;
  if (queue_.empty() || after_turn_) { // taken back meanwhile
    if (auto next = std::exchange(after_turn_, {}))
      next();
    return pump();
  }
  auto what = std::move(queue_.front());
  queue_.pop_front();
  running r{std::move(what),     {},    0,    agent.label, agent.connection,
            answer_fold{lang()}, false, false};
  auto& q = r.request;
  const auto resumed = r.what.resumed;
  q.tr = r.what.row.tr;
  q.id = resumed ? resumed->id : turn_id{"t" + random_id(engine_)};
  q.room = id_;
  q.agent = row_.agent;
  q.chat = row_.platform;
  q.asker = r.what.row.event.sender;
  q.text = r.what.text;
  r.attempts = resumed ? resumed->attempts : 0;
  turn_.emplace(std::move(r));
  turn_began_ = self_->clock().now();
  if (resumed && (!agent.connection || !agent.idempotent || resumed->attempts >= 3)) {
    // The agent may have done its work already: asking again could do it twice.
    if (agent.connection) // whatever still runs there speaks to a room that died
      self_->send(agent.connection, cancel_turn{turn_->request.id});
    turn_->label.clear();
    return finish(turn_ending::interrupted, "router restarted", true);
  }
  if (!agent.connection) {
    if (turn_->label.empty())
      turn_->label = row_.agent.value;
    return finish(turn_ending::disabled, {}, false);
  }
  const auto address = agent.connection.address();
  if (watched_ != address) {
    if (watched_)
      self_->demonitor(watched_);
    watched_ = address;
    self_->monitor(agent.connection);
    agent_ = agent;
  }
  crash_here(crash_point::turn_begun);
  self_->send(agent.connection,
              run_turn{turn_->request, turn_->what.row.seq, turn_->attempts,
                       caf::actor_cast<turn_sink>(caf::strong_actor_ptr(self_->ctrl()))});
  arm_typing();
}

void room_core::on_batch(const agent_batch& batch) {
  if (!turn_ || turn_->request.id != batch.turn)
    return;
  bool fits = true;
  for (const auto& e : batch.events)
    fits = turn_->fold.add(e) && fits;
  for (auto& question : turn_->fold.take_confirmations())
    self_->send(turn_->connection, answer_confirm{batch.turn, std::move(question), false});
  if (!fits && !turn_->stopping) {
    turn_->stopping = true;
    self_->send(turn_->connection, cancel_turn{batch.turn});
    return finish(turn_ending::too_large, {}, true);
  }
  self_->send(turn_->connection, agent_ack{batch.turn, batch.seq});
}

void room_core::on_over(const turn_over& over) {
  crash_here(crash_point::agent_ended);
  if (turn_ && turn_->request.id == over.turn)
    finish(over.ending, over.detail, over.handed);
}

void room_core::on_slow(const turn_slow& slow) {
  if (!turn_ || turn_->request.id != slow.turn || std::exchange(turn_->slow_told, true))
    return;
  settlement s;
  s.outbox.push_back(message(say(lang(), phrase::agent_slow, {turn_->label}),
                             matrix::delivery::notice, turn_->what.row.event.id, turn_->request.id,
                             turn_->request.asker));
  s.outbox.back().tr = turn_->request.tr;
  commit(std::move(s), {});
}

void room_core::lost_connection() {
  watched_ = {};
  agent_ = {};
  if (turn_)
    finish(turn_ending::interrupted, "agent connection actor ended", true);
}

void room_core::finish(turn_ending ending, const std::string& detail, bool handed) {
  auto r = std::move(*turn_);
  turn_.reset();
  typing(false);
  // An agent that was told to stop may still end in good order: the person stopped it all the same.
  if (r.stopping && ending == turn_ending::answered)
    ending = turn_ending::cancelled;
  const auto& source = r.what.row;
  settlement s;
  // An inbox row keeps its first outcome: that of a message that is sent again stays "told".
  const bool good = ending == turn_ending::answered;
  s.inbox.push_back({source.seq, ending == turn_ending::cancelled ? inbox_outcome::cancelled
                                 : good                           ? inbox_outcome::answered
                                                                  : inbox_outcome::told});
  for (const auto seq : r.what.also)
    s.inbox.push_back({seq, s.inbox.front().outcome});
  if (handed || r.attempts > 0) {
    turn_row t;
    t.id = r.request.id;
    t.room = id_;
    t.agent = r.request.agent;
    t.chat = r.request.chat;
    t.inbox_seq = source.seq;
    t.attempts = std::max(r.attempts, 1);
    t.at = deps_.around.wall();
    t.state = good                                 ? turn_state::answered
              : ending == turn_ending::cancelled   ? turn_state::cancelled
              : ending == turn_ending::interrupted ? turn_state::interrupted
                                                   : turn_state::failed;
    s.turn = t;
  }
  const auto& code = r.fold.error_code();
  auto text = ending == turn_ending::interrupted && r.label.empty()
                  ? say(lang(), phrase::router_interrupted)
                  : closing_text(lang(), ending, r.fold.text(), r.label,
                                 ending == turn_ending::agent_error ? code : detail);
  // What was stopped before its first word leaves no message: the answer to `!stop` is enough.
  const bool out = row_.state == room_state::left;
  const bool silent = out || (ending == turn_ending::cancelled && r.fold.text().empty());
  if (!silent) {
    auto parts = matrix::split_text(text);
    constexpr std::size_t most = 8;
    if (parts.size() > most) {
      parts.resize(most);
      parts.back() = say(lang(), phrase::answer_cut);
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
      s.outbox.push_back(message(parts[i], matrix::delivery::final_answer, source.event.id,
                                 r.request.id, r.request.asker, static_cast<int>(i)));
  }
  for (const auto& note : r.fold.notes())
    if (!out)
      s.outbox.push_back(
          message(note, matrix::delivery::notice, source.event.id, r.request.id, r.request.asker));
  for (auto& row : s.outbox)
    row.tr = r.request.tr;
  if (!good)
    deps_.around.log->warning("turn_failed", r.request.tr, "a turn ended without an answer",
                              {{"room", id_},
                               {"agent", r.request.agent},
                               {"turn", r.request.id},
                               {"ending", static_cast<int>(ending)},
                               {"detail", detail.substr(0, 200)}});
  starting_ = true; // the next turn begins when this one is on disk
  commit(std::move(s), [this] {
    crash_here(crash_point::after_settle_commit);
    starting_ = false;
    last_active_ = self_->clock().now();
    if (auto next = std::exchange(after_turn_, {}))
      next();
    pump();
  });
}

void room_core::arm_typing() {
  if (std::exchange(typing_armed_, true))
    return;
  clock_.after(deps_.timing.typing_after, [this] {
    typing_armed_ = false;
    if (!turn_)
      return;
    if (self_->clock().now() - turn_began_ >= deps_.timing.typing_after)
      typing(true);
    else
      arm_typing();
  });
}

void room_core::typing(bool on) {
  if (on) {
    typing_on_ = true;
    self_->send(deps_.sender, set_typing{id_, true});
    clock_.after(deps_.timing.typing_again, [this, id = turn_->request.id] {
      if (turn_ && turn_->request.id == id)
        typing(true);
    });
  } else if (std::exchange(typing_on_, false)) {
    self_->send(deps_.sender, set_typing{id_, false});
  }
}

} // namespace pb
