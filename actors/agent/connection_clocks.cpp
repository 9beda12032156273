// The clocks of an agent's turns, and how the agent is seen from outside.

#include "actors/agent/connection.hpp"

#include <algorithm>

namespace pb {

using namespace std::chrono_literals;

void agent_connection_state::arm_sweep() {
  if (sweep_armed_ || (turns_.empty() && kept_.empty()))
    return;
  sweep_armed_ = true;
  const auto& l = spec_.limits;
  const auto shortest = std::min({l.first_event, l.event_idle, l.turn, l.connection_idle});
  clock_.after(std::clamp<std::chrono::milliseconds>(shortest / 8, 20ms, 1000ms), [this] {
    sweep_armed_ = false;
    sweep();
    arm_sweep();
  });
}

/// One look at all clocks: a timer for each turn would cost more than the turns.
void agent_connection_state::sweep() {
  const auto now = self_->clock().now();
  const auto& l = spec_.limits;
  struct late {
    turn_id turn;
    turn_ending ending;
    const char* why;
    bool mute; ///< the agent never said a word of it
  };
  std::vector<late> over;
  for (auto& [id, t] : turns_) {
    // A room that does not keep up holds back the agent: nobody can say that it was silent.
    const bool held_back = t.sent_seq != t.acked_seq;
    const auto silence = held_back ? time_point::duration{} : time_of(t) - t.last_event;
    const auto s = seats_.find(t.seat);
    const bool mute = t.handed && !t.any_event && silence >= l.first_event;
    if (time_of(t) - t.began >= l.turn)
      over.push_back({id, turn_ending::too_long, "turn limit passed", t.handed && !t.any_event});
    else if (t.handed && silence >= l.event_idle)
      over.push_back({id, turn_ending::idle, "event_idle passed", !t.any_event});
    else if (!t.handed && !t.marking && t.seat != 0 && silence >= l.first_event)
      over.push_back({id, turn_ending::unreachable, "no end of the handshake", true});
    else if (mute && t.what.turn.answer && s != seats_.end() && s->second.protocol->mute_if_lost)
      over.push_back({id, turn_ending::idle, "first_event passed", true});
    else if (mute && !std::exchange(t.slow_told, true))
      self_->send(t.what.sink, turn_slow{id});
  }
  for (const auto& one : over) {
    if (const auto t = turns_.find(one.turn); one.mute && t != turns_.end())
      if (const auto s = seats_.find(t->second.seat); s != seats_.end())
        endpoints_.failed(s->second.endpoint, now, engine_);
    end(one.turn, one.ending, one.why);
  }
  std::vector<seat_id> idle;
  for (const auto& [chat, id] : kept_)
    if (now - seats_.at(id).idle_since >= l.connection_idle)
      idle.push_back(id);
  for (const auto id : idle)
    drop_seat(id);
  out_now_.set(static_cast<double>(endpoints_.out_of_service(now)));
}

/// By the clock of the turn.
agent_connection_state::time_point agent_connection_state::time_of(const turn& t) const {
  return t.still_since.value_or(self_->clock().now());
}

std::string agent_connection_state::status() const {
  const auto now = self_->clock().now();
  const auto open =
      std::count_if(wires_.begin(), wires_.end(), [](const auto& w) { return w.second.open; });
  std::size_t asking = 0;
  for (const auto& [id, t] : turns_)
    asking += t.open_questions;
  const bool out = endpoints_.pause(now) > 0ms;
  const char* state = draining_     ? "draining"
                      : out         ? "out_of_service"
                      : in_trouble_ ? "trouble"
                                    : "ok";
  const auto since_word = [&]() -> std::string {
    if (!last_word_)
      return "null";
    return std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(now - *last_word_).count());
  };
  return "{\"id\":" + json_quote(spec_.id.value) + ",\"label\":" + json_quote(spec_.label) +
         ",\"protocol\":" + json_quote(spec_.protocol) +
         ",\"enabled\":" + (spec_.enabled ? "true" : "false") +
         ",\"draining\":" + (draining_ ? "true" : "false") +
         ",\"turns\":" + std::to_string(turns_.size()) +
         ",\"waiting\":" + std::to_string(queue_.size()) + ",\"sockets\":" + std::to_string(open) +
         ",\"confirmations\":" + std::to_string(asking) +
         ",\"answered\":" + std::to_string(answered_) + ",\"failed\":" + std::to_string(failed_) +
         ",\"state\":" + json_quote(state) + ",\"last_trouble\":" + json_quote(last_trouble_) +
         ",\"last_event_ms\":" + since_word() + ",\"endpoints\":" + endpoints_.json(now) + "}";
}

} // namespace pb
