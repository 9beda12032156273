// Sessions: a turn takes a seat, and what its session wants is done in order.

#include "actors/agent/connection.hpp"
#include "actors/crash_point.hpp"

#include <algorithm>

namespace pb {

using namespace std::chrono_literals;

agent_connection_state::turn* agent_connection_state::turn_of(const seat& s) {
  const auto i = s.turn.empty() ? turns_.end() : turns_.find(s.turn);
  return i == turns_.end() ? nullptr : &i->second;
}

void agent_connection_state::begin(run_turn what) {
  const auto id = what.turn.id;
  const auto chat = what.turn.chat;
  turn t;
  t.what = std::move(what);
  t.began = t.last_event = self_->clock().now();
  turns_total_.inc();
  auto& mine = turns_.insert_or_assign(id, std::move(t)).first->second;
  arm_sweep();
  const auto k = kept_.find(chat);
  if (k == kept_.end())
    return take_seat(id);
  if (const auto old = k->second; !seats_.at(old).session->keep()) { // by what it heard since
    drop_seat(old);
    return take_seat(id);
  }
  mine.seat = k->second;
  kept_.erase(k);
  auto& s = seats_.at(mine.seat);
  s.turn = id;
  s.counted = true;
  endpoints_.took(s.endpoint);
  hand_turn(mine.seat);
}

/// A new session on the endpoint that is the best one now.
void agent_connection_state::take_seat(const turn_id& id) {
  auto& t = turns_.at(id);
  const auto now = self_->clock().now();
  if (!protocol_)
    return end(id, turn_ending::unreachable, "no such protocol: " + spec_.protocol);
  const auto endpoint = endpoints_.pick(t.what.turn.chat, now);
  if (!endpoint)
    return wait_out(id);
  ++t.dials;
  t.last_event = now;
  t.seat = ++last_seat_;
  auto& s = seats_[t.seat];
  s.session = protocol_->make({spec_, t.what.turn.chat, *endpoint});
  s.protocol = protocol_;
  s.chat = t.what.turn.chat;
  s.turn = id;
  s.endpoint = *endpoint;
  s.counted = true;
  s.edition = edition_;
  if (!protocol_->remembers)
    return hand_turn(t.seat);
  s.busy = true;
  self_->request(deps_.store, in_house, store_recall{spec_.id, s.chat})
      .then(
          [this, at = t.seat](recalled_memory& m) {
            const auto i = seats_.find(at);
            if (i == seats_.end())
              return;
            i->second.busy = false;
            i->second.memory = std::move(m.memory);
            hand_turn(at);
          },
          [this, id](caf::error& e) { end(id, turn_ending::storage, to_fault(e).cause); });
}

/// No endpoint is in service. A short pause is waited for, so that who writes just when the agent
/// is back is not sent away; a long one is told at once.
void agent_connection_state::wait_out(const turn_id& id) {
  auto& t = turns_.at(id);
  const auto pause = endpoints_.pause(self_->clock().now());
  if (pause > short_pause || ++t.pauses > most_pauses)
    return end(id, turn_ending::unreachable,
               "failed again and again, not tried for another " + std::to_string(pause.count()) +
                   " ms");
  clock_.after(std::max<std::chrono::milliseconds>(pause, 100ms), [this, id] {
    if (const auto again = turns_.find(id); again != turns_.end() && again->second.seat == 0)
      take_seat(id);
  });
}

void agent_connection_state::hand_turn(seat_id id) {
  auto& s = seats_.at(id);
  const auto* t = turn_of(s);
  if (!t)
    return;
  session_turn begun{t->what.turn, t->what.attempts > 0, s.memory, {}};
  if (s.protocol->carries_files)
    begun.files = files_of(t->what.turn);
  feed(id, s.session->begin(begun));
}

void agent_connection_state::feed(seat_id id, agent_steps steps) {
  const auto i = seats_.find(id);
  if (i == seats_.end())
    return;
  for (auto& step : steps)
    i->second.todo.push_back(std::move(step));
  run(id);
}

/// A step may end the turn, and the seat with it.
void agent_connection_state::run(seat_id id) {
  auto i = seats_.find(id);
  if (i == seats_.end() || i->second.running)
    return;
  i->second.running = true;
  while ((i = seats_.find(id)) != seats_.end() && !i->second.busy && !i->second.todo.empty()) {
    auto step = std::move(i->second.todo.front());
    i->second.todo.pop_front();
    perform(id, std::move(step));
  }
  if (i == seats_.end())
    return;
  i->second.running = false;
  if (i->second.busy)
    return;
  pay(i->second.owed);
  look_stranded(id);
}

void agent_connection_state::perform(seat_id id, agent_step step) {
  using namespace agent_wants;
  if (auto* o = std::get_if<open>(&step))
    return open_wire(id, std::move(*o));
  if (auto* w = std::get_if<agent_wants::write>(&step))
    return write(id, std::move(*w));
  auto& s = seats_.at(id);
  if (const auto* c = std::get_if<agent_wants::close>(&step)) {
    if (const auto w = s.wires.find(c->wire); w != s.wires.end()) {
      const auto epoch = w->second;
      s.wires.erase(w);
      close_wire(epoch);
    }
    return;
  }
  if (auto* said = std::get_if<agent_wants::say>(&step))
    return say(id, std::move(said->frame));
  if (std::holds_alternative<stray>(step)) {
    ++after_end_;
    return after_end_total_.inc();
  }
  if (const auto* file = std::get_if<agent_wants::put_file>(&step))
    return put_file(id, *file);
  if (auto* m = std::get_if<agent_wants::remember>(&step))
    return remember(id, std::move(m->memory));
  if (const auto* w = std::get_if<wait>(&step))
    return set_alarm(id, w->time);
  if (const auto* g = std::get_if<give_up>(&step); g && turn_of(s)) {
    if (g->ending == turn_ending::interrupted || g->ending == turn_ending::unreachable)
      endpoints_.broke(s.endpoint);
    end(turn_id{s.turn}, g->ending, g->detail);
  }
}

void agent_connection_state::say(seat_id id, agent_frame frame) {
  using namespace agent_says;
  auto& s = seats_.at(id);
  if (const auto* u = std::get_if<unknown>(&frame.event)) {
    unknown_total_.inc();
    if (unknown_.size() < 64 || unknown_.contains(u->type))
      if (++unknown_[u->type] == 1)
        deps_.around.log->info("agent_unknown_event", {}, "an event of an unknown type is ignored",
                               {{"agent", spec_.id}, {"type", u->type.substr(0, 64)}});
    return;
  }
  if (const auto* c = std::get_if<custom_update>(&frame.event); c && c->name == "context_lost")
    deps_.around.log->info("agent_context_lost", {},
                           "the agent begins a chat anew, without what was said before",
                           {{"agent", spec_.id},
                            {"platform_chat_id", s.chat.value},
                            {"detail", c->payload.substr(0, 400)}});
  if (auto* news = std::get_if<push>(&frame.event); news && on_push(id, s, std::move(*news)))
    return;
  auto* t = turn_of(s);
  if (!t || std::holds_alternative<push>(frame.event)) {
    ++after_end_;
    return after_end_total_.inc(); // belongs to no turn
  }
  const turn_id whose{s.turn};
  if (!std::exchange(t->any_event, true))
    endpoints_.spoke(s.endpoint);
  t->last_event = time_of(*t);
  if (std::holds_alternative<goodbye>(frame.event))
    return;
  if (const auto* bad = std::get_if<malformed>(&frame.event))
    return end(whose, turn_ending::malformed, bad->cause);
  if (std::holds_alternative<agent_says::end>(frame.event)) {
    fold(*t, std::move(frame.event)); // it may tell what the answer cost
    return end(whose, turn_ending::answered, {});
  }
  if (const auto* e = std::get_if<error>(&frame.event)) {
    auto detail = e->details.empty() ? e->code : e->code + ": " + e->details; // for the log
    fold(*t, std::move(frame.event));
    return end(whose, turn_ending::agent_error, std::move(detail));
  }
  if (const auto* question = std::get_if<confirm>(&frame.event)) {
    if (question->id.size() > question_name_cap)
      return end(whose, turn_ending::malformed, "a confirmation's id is too long");
    if (!is_new_question(*t, *question))
      return;
  }
  crash_here(crash_point::agent_spoke);
  fold(*t, std::move(frame.event));
  deliver(*t);
}

/// What hands the turn over waits for its mark.
void agent_connection_state::write(seat_id id, agent_wants::write what) {
  auto& s = seats_.at(id);
  auto* t = turn_of(s);
  if (t && what.hands_over && !t->handed)
    return mark(id, std::move(what));
  const turn_id whose{s.turn};
  if (put(s, what) || !t || t->cancelling)
    return;
  // It has ended, or takes no more: its end, which comes in any case, says what becomes of the
  // turn.
  if (const auto at = s.wires.find(what.wire); at != s.wires.end())
    if (const auto& line = wires_.at(at->second).line)
      return line->close();
  end(whose, turn_ending::interrupted, "closed before the message left");
}

bool agent_connection_state::put(seat& s, const agent_wants::write& what) {
  const auto name_of_it = s.wires.find(what.wire);
  const auto w = name_of_it == s.wires.end() ? wires_.end() : wires_.find(name_of_it->second);
  if (w == wires_.end() || !w->second.line || !w->second.line->send(what.text))
    return false;
  if (auto* t = turn_of(s))
    for (auto& [question, fate] : t->questions)
      if (fate == turn::question::deciding)
        fate = turn::question::handed;
  return true;
}

void agent_connection_state::mark(seat_id id, agent_wants::write what) {
  auto& s = seats_.at(id);
  auto& t = *turn_of(s);
  s.busy = t.marking = true;
  const auto& q = t.what.turn;
  turn_row row;
  row.id = q.id;
  row.room = q.room;
  row.agent = q.agent;
  row.chat = q.chat;
  row.inbox_seq = t.what.inbox_seq;
  row.attempts = t.what.attempts + 1;
  row.at = deps_.around.wall();
  self_->request(deps_.store, in_house, store_dispatch{std::move(row)})
      .then(
          [this, id, whose = q.id, what = std::move(what)](done) {
            crash_here(crash_point::after_dispatch_commit);
            const auto i = turns_.find(whose);
            if (i == turns_.end())
              return;
            i->second.marking = false;
            i->second.handed = true; // a mark on the disk counts, whatever the link does now
            i->second.last_event = self_->clock().now();
            if (i->second.cancelling)
              return end(whose, turn_ending::cancelled, {});
            const auto at = seats_.find(id);
            if (at == seats_.end() || !put(at->second, what))
              return end(whose, turn_ending::interrupted, "closed before the message left");
            crash_here(crash_point::frame_written);
            at->second.session->handed();
            at->second.busy = false;
            run(id);
          },
          [this, whose = q.id](caf::error& e) {
            if (const auto i = turns_.find(whose); i != turns_.end())
              i->second.marking = false;
            end(whose, turn_ending::storage, to_fault(e).cause);
          });
}

void agent_connection_state::remember(seat_id id, std::string memory) {
  auto& s = seats_.at(id);
  s.memory = memory;
  s.busy = true;
  self_->request(deps_.store, in_house, store_remember{spec_.id, s.chat, std::move(memory)})
      .then(
          [this, id](done) {
            if (const auto i = seats_.find(id); i != seats_.end()) {
              i->second.busy = false;
              run(id);
            }
          },
          [this, id](caf::error& e) {
            const auto i = seats_.find(id);
            if (i == seats_.end())
              return;
            i->second.busy = false;
            if (turn_of(i->second))
              end(turn_id{i->second.turn}, turn_ending::storage, to_fault(e).cause);
            else
              drop_seat(id);
          });
}

void agent_connection_state::set_alarm(seat_id id, std::chrono::milliseconds time) {
  auto& s = seats_.at(id);
  s.alarm_set = time > 0ms;
  s.alarm_at = self_->clock().now() + time;
  if (s.alarm_set && (!s.timer_at || s.alarm_at < *s.timer_at))
    arm_alarm(id);
}

/// A timer cannot be taken back: one that rings too early looks again later, instead of one more
/// for every step that moves the alarm.
void agent_connection_state::arm_alarm(seat_id id) {
  auto& s = seats_.at(id);
  s.timer_at = s.alarm_at;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(s.alarm_at - self_->clock().now());
  clock_.after(left, [this, id, mine = ++s.alarm] {
    const auto i = seats_.find(id);
    if (i == seats_.end() || i->second.alarm != mine)
      return;
    i->second.timer_at.reset();
    if (!i->second.alarm_set)
      return;
    if (self_->clock().now() < i->second.alarm_at)
      return arm_alarm(id);
    i->second.alarm_set = false;
    feed(id, i->second.session->alarm());
  });
}

/// A turn whose session waits for nothing at all would last until the turn's limit.
void agent_connection_state::look_stranded(seat_id id) {
  const auto& s = seats_.at(id);
  const auto* t = turn_of(s);
  if (!t || !s.wires.empty() || s.alarm_set || s.busy || !s.todo.empty())
    return;
  if (!t->handed)
    return lost_before(turn_id{s.turn}, {link_closed::how::closed, 0, "closed by the agent"});
  if (t->open_questions == 0)
    end(turn_id{s.turn}, turn_ending::interrupted, "nothing is left to wait for");
}

/// The turn is over: its session is kept for its chat if it can tell turns apart, else closed.
void agent_connection_state::let_go(seat_id id) {
  const auto i = seats_.find(id);
  if (i == seats_.end())
    return;
  auto& s = i->second;
  for (const auto& step : s.session->turn_ended())
    if (const auto* last = std::get_if<agent_wants::write>(&step))
      put(s, *last);
  s.turn = turn_id{};
  const bool wanted = s.protocol->always_kept || spec_.connection == connection_mode::chat;
  if (wanted && !s.busy && s.edition == edition_ && !draining_ && !kept_.contains(s.chat) &&
      s.session->keep()) {
    endpoints_.ended(s.endpoint);
    s.counted = false;
    return keep(id, s);
  }
  drop_seat(id);
}

/// At the cap the session that has been idle for longest makes room.
void agent_connection_state::keep(seat_id id, seat& s) {
  s.idle_since = self_->clock().now();
  s.todo.clear();
  if (kept_.size() >= kept_cap) {
    const auto oldest = std::min_element(kept_.begin(), kept_.end(), [this](auto& a, auto& b) {
      return seats_.at(a.second).idle_since < seats_.at(b.second).idle_since;
    });
    drop_seat(oldest->second);
  }
  kept_[s.chat] = id;
  arm_sweep();
}

void agent_connection_state::drop_seat(seat_id id) {
  const auto i = seats_.find(id);
  if (i == seats_.end())
    return;
  if (const auto k = kept_.find(i->second.chat); k != kept_.end() && k->second == id)
    kept_.erase(k);
  if (i->second.counted)
    endpoints_.ended(i->second.endpoint, i->second.reached);
  pay(i->second.owed);
  const auto wires = std::move(i->second.wires);
  seats_.erase(i);
  for (const auto& [name_of_it, epoch] : wires)
    close_wire(epoch);
}

} // namespace pb
