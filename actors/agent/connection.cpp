#include "actors/agent/connection.hpp"

#include <algorithm>

namespace pb {

using namespace std::chrono_literals;

agent_connection_actor::behavior_type
agent_connection(agent_connection_actor::stateful_pointer<agent_connection_state> self,
                 agent_spec spec, connection_deps deps) {
  return self->state.start(std::move(spec), std::move(deps));
}

agent_connection_actor::behavior_type agent_connection_state::start(agent_spec spec,
                                                                    connection_deps deps) {
  spec_ = std::move(spec);
  deps_ = std::move(deps);
  codec_ = make_agent_ws_codec(spec_);
  engine_ = engine_for(deps_.around, "agent " + spec_.id.value);
  auto& numbers = *deps_.around.numbers;
  const metric_labels who{{"agent", spec_.id.value}};
  turns_total_ =
      numbers.counter_of("patchbay_agent_turns_total", "Turns that an agent was given", who);
  failed_total_ = numbers.counter_of("patchbay_agent_turns_failed_total",
                                     "Turns that ended without an answer", who);
  unknown_total_ = numbers.counter_of("patchbay_agent_unknown_events_total",
                                      "Events of unknown types, ignored", who);
  after_end_total_ = numbers.counter_of("patchbay_agent_events_after_end_total",
                                        "Events that belong to no turn, ignored", who);
  questions_ignored_ =
      numbers.counter_of("patchbay_agent_confirmations_ignored_total",
                         "Confirmations of an id that the turn had, or beyond its cap", who);
  pushes_total_ = numbers.counter_of("patchbay_agent_pushes_total",
                                     "Events outside turns that a room has taken", who);
  pushes_dropped_ = numbers.counter_of("patchbay_agent_pushes_dropped_total",
                                       "Events outside turns that no room has taken", who);
  running_now_ = numbers.gauge_of("patchbay_agent_turns_running", "Turns under way", who);
  waiting_now_ =
      numbers.gauge_of("patchbay_agent_turns_waiting", "Turns that wait for a place", who);
  self_->set_exit_handler([this](caf::exit_msg& m) {
    for (auto& [epoch, s] : sockets_)
      s.wire->close();
    self_->quit(std::move(m.reason));
  });
  return {[this](run_turn& m) { admit(std::move(m)); },
          [this](const cancel_turn& m) { cancel(m.turn); },
          [this](const agent_ack& m) {
            if (const auto i = turns_.find(m.turn); i != turns_.end()) {
              i->second.acked_seq = std::max(i->second.acked_seq, m.seq);
              deliver(i->second);
            }
          },
          [this](const answer_confirm& m) { decide(m); },
          [this](const attach_pushes& m) { push_sink_ = m.sink; },
          [this](const link_opened& m) { on_open(m.epoch); },
          [this](const link_said& m) { on_text(m); },
          [this](const link_ended& m) { on_closed(m); },
          [this](tick t) { clock_.ring(t); },
          [this](drain) -> caf::result<done> {
            start_drain();
            if (turns_.empty() && queue_.empty())
              return done{};
            drained_.push_back(self_->make_response_promise<done>());
            return drained_.back();
          },
          [this](get_status) {
            return status_report{name, status()};
          }};
}

void agent_connection_state::admit(run_turn what) {
  // The same turn again: its room was born anew and nobody listens to the old one any more.
  if (const auto i = turns_.find(what.turn.id); i != turns_.end()) {
    if (i->second.epoch != 0)
      let_go(i->second.epoch, false);
    turns_.erase(i);
  }
  if (is_told_already(what))
    return;
  if (draining_) {
    self_->send(what.sink,
                turn_over{what.turn.id, turn_ending::busy, "the agent is being drained", false});
    return;
  }
  if (queue_.size() >= queue_cap) {
    self_->send(what.sink,
                turn_over{what.turn.id, turn_ending::busy, "queue of the agent is full", false});
    return;
  }
  queue_.push_back(std::move(what));
  pump();
}

/// The same message under another name: its room was born anew before the old turn's mark was on
/// the disk. What has not left is forgotten; what has must not be said to the agent once more.
bool agent_connection_state::is_told_already(const run_turn& what) {
  std::erase_if(queue_, [&](const run_turn& old) { return old.inbox_seq == what.inbox_seq; });
  const auto old = std::find_if(turns_.begin(), turns_.end(), [&](const auto& t) {
    return t.second.what.inbox_seq == what.inbox_seq;
  });
  if (old == turns_.end())
    return false;
  if (old->second.handed || old->second.marking) {
    self_->send(what.sink, turn_over{what.turn.id, turn_ending::interrupted,
                                     "its room was started anew while it ran", true});
    cancel(turn_id{old->first});
    return true;
  }
  if (old->second.epoch != 0)
    let_go(old->second.epoch, false);
  turns_.erase(old);
  return false;
}

void agent_connection_state::pump() {
  while (!queue_.empty() && turns_.size() < spec_.limits.concurrent_turns) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    begin(std::move(next));
  }
  running_now_.set(static_cast<double>(turns_.size()));
  waiting_now_.set(static_cast<double>(queue_.size()));
}

void agent_connection_state::begin(run_turn what) {
  const auto id = what.turn.id;
  const auto chat = what.turn.chat;
  turn t;
  t.what = std::move(what);
  t.began = t.last_event = self_->clock().now();
  turns_total_.inc();
  auto& mine = turns_.insert_or_assign(id, std::move(t)).first->second;
  if (const auto k = kept_.find(chat); k != kept_.end()) {
    mine.epoch = k->second;
    sockets_[k->second].turn = id;
    kept_.erase(k);
    mark_and_write(id);
  } else {
    dial(id);
  }
  arm_sweep();
}

void agent_connection_state::cancel(const turn_id& id) {
  for (auto i = queue_.begin(); i != queue_.end(); ++i)
    if (i->turn.id == id) {
      self_->send(i->sink, turn_over{id, turn_ending::cancelled, {}, false});
      queue_.erase(i);
      return;
    }
  const auto i = turns_.find(id);
  if (i == turns_.end() || std::exchange(i->second.cancelling, true))
    return;
  if (!i->second.handed && !i->second.marking)
    return end(id, turn_ending::cancelled, {});
  if (i->second.handed && spec_.features.contains(agent_feature::cancel))
    sockets_[i->second.epoch].wire->send(codec_->cancel());
  // Without END within a second we close; an agent that cannot be cancelled is closed at once.
  const auto grace = spec_.features.contains(agent_feature::cancel) ? 1000ms : 0ms;
  clock_.after(grace, [this, id] {
    if (turns_.contains(id))
      end(id, turn_ending::cancelled, {});
  });
}

/// Pieces of one text or of one call's arguments become one while the sink is busy.
void agent_connection_state::fold(turn& t, agent_event event, std::size_t bytes) {
  using namespace agent_says;
  t.folded_bytes += bytes;
  auto* last = t.folded.empty() ? nullptr : &t.folded.back();
  if (const auto* more = std::get_if<text_chunk>(&event))
    if (auto* text = last ? std::get_if<text_chunk>(last) : nullptr) {
      text->text += more->text;
      return;
    }
  if (const auto* more = std::get_if<tool_call>(&event))
    if (auto* call = last ? std::get_if<tool_call>(last) : nullptr;
        call && call->id == more->id &&
        (more->name.empty() || (!more->id.empty() && more->name == call->name))) {
      call->args += more->args;
      return;
    }
  t.folded_bytes += sizeof(agent_event); // many empty events are not free
  t.folded.push_back(std::move(event));
}

void agent_connection_state::deliver(turn& t) {
  if (t.folded.empty() || t.sent_seq != t.acked_seq)
    return;
  self_->send(t.what.sink, agent_batch{t.what.turn.id, ++t.sent_seq, std::exchange(t.folded, {})});
  t.folded_bytes = 0;
}

void agent_connection_state::end(turn_id id, turn_ending ending, std::string detail, bool clean) {
  const auto i = turns_.find(id);
  if (i == turns_.end())
    return;
  auto t = std::move(i->second);
  turns_.erase(i);
  if (t.cancelling && ending != turn_ending::answered)
    ending = turn_ending::cancelled;
  if (!t.folded.empty())
    self_->send(t.what.sink, agent_batch{id, ++t.sent_seq, std::move(t.folded)});
  turn_over over{id, ending, detail.substr(0, 200), t.handed || t.marking};
  for (const auto& [name_of_it, fate] : t.questions)
    if (fate == turn::question::handed)
      over.decided.push_back(name_of_it);
  self_->send(t.what.sink, std::move(over));
  if (ending == turn_ending::answered) {
    ++answered_;
  } else {
    ++failed_;
    failed_total_.inc();
    last_trouble_ = detail.empty() ? "turn ended with " + std::to_string(static_cast<int>(ending))
                                   : detail.substr(0, 200);
  }
  if (t.epoch != 0)
    let_go(t.epoch, clean);
  pump();
  rest();
}

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
  std::vector<std::pair<turn_id, const char*>> over;
  for (auto& [id, t] : turns_) {
    const auto silence = time_of(t) - t.last_event;
    const bool mute = t.handed && !t.any_event && silence >= l.first_event;
    if (time_of(t) - t.began >= l.turn)
      over.emplace_back(id, "turn limit passed");
    else if (t.handed && silence >= l.event_idle)
      over.emplace_back(id, "event_idle passed");
    else if (mute && t.what.turn.answer) // does not know what was answered
      over.emplace_back(id, "first_event passed");
    else if (mute && !std::exchange(t.slow_told, true))
      self_->send(t.what.sink, turn_slow{id});
  }
  for (const auto& [id, why] : over)
    end(id, why[0] == 't' ? turn_ending::too_long : turn_ending::idle, why);
  std::vector<std::uint64_t> idle;
  for (const auto& [chat, epoch] : kept_)
    if (now - sockets_[epoch].idle_since >= l.connection_idle)
      idle.push_back(epoch);
  for (const auto epoch : idle)
    let_go(epoch, false);
}

/// Nothing new is taken, and sockets that only wait for something new go.
void agent_connection_state::start_drain() {
  draining_ = true;
  for (const auto& [chat, epoch] : std::exchange(kept_, {}))
    sockets_[epoch].wire->close();
}

void agent_connection_state::rest() {
  if (!draining_ || !turns_.empty() || !queue_.empty())
    return;
  for (auto& promise : drained_)
    promise.deliver(done{});
  drained_.clear();
}

std::string agent_connection_state::status() const {
  std::size_t open = 0, asking = 0;
  for (const auto& [epoch, s] : sockets_)
    open += s.open ? 1 : 0;
  for (const auto& [id, t] : turns_)
    asking += t.open_questions;
  return "{\"id\":" + json_quote(spec_.id.value) + ",\"label\":" + json_quote(spec_.label) +
         ",\"protocol\":" + json_quote(spec_.protocol) +
         ",\"enabled\":" + (spec_.enabled ? "true" : "false") +
         ",\"turns\":" + std::to_string(turns_.size()) +
         ",\"waiting\":" + std::to_string(queue_.size()) + ",\"sockets\":" + std::to_string(open) +
         ",\"confirmations\":" + std::to_string(asking) +
         ",\"answered\":" + std::to_string(answered_) + ",\"failed\":" + std::to_string(failed_) +
         ",\"state\":" + json_quote(last_trouble_.empty() ? "ok" : "trouble") +
         ",\"last_trouble\":" + json_quote(last_trouble_) + "}";
}

} // namespace pb
