#include "actors/agent/connection.hpp"

#include <algorithm>

namespace pb {

using namespace std::chrono_literals;

namespace {

/// Of all endpoints; a child process has one without a name.
std::vector<std::string> addresses(const agent_spec& spec) {
  return spec.base_urls.empty() ? std::vector{spec.base_url} : spec.base_urls;
}

} // namespace

agent_connection_actor::behavior_type
agent_connection(agent_connection_actor::stateful_pointer<agent_connection_state> self,
                 agent_spec spec, connection_deps deps) {
  return self->state.start(std::move(spec), std::move(deps));
}

agent_connection_actor::behavior_type agent_connection_state::start(agent_spec spec,
                                                                    connection_deps deps) {
  spec_ = std::move(spec);
  deps_ = std::move(deps);
  protocol_ = find_protocol(spec_.protocol);
  endpoints_.replace(addresses(spec_));
  engine_ = chance_for(deps_.around, "agent " + spec_.id.value);
  auto& numbers = *deps_.around.numbers;
  const metric_labels who{{"agent", spec_.id.value}};
  turns_total_ =
      numbers.counter_of("patchbay_agent_turns_total", "Turns that an agent was given", who);
  failed_total_ = numbers.counter_of("patchbay_agent_turns_failed_total",
                                     "Turns that the agent failed; a stop is none", who);
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
  out_now_ = numbers.gauge_of("patchbay_agent_endpoints_out",
                              "Endpoints that failed again and again and are left alone", who);
  self_->set_exit_handler([this](caf::exit_msg& m) {
    for (auto& [epoch, w] : wires_)
      if (w.line)
        w.line->close();
    self_->quit(std::move(m.reason));
  });
  return {[this](run_turn& m) { admit(std::move(m)); },
          [this](const cancel_turn& m) { cancel(m.turn); },
          [this](const agent_ack& m) { on_ack(m); },
          [this](const answer_confirm& m) { decide(m); },
          [this](const attach_pushes& m) { push_sink_ = m.sink; },
          [this](apply_spec& m) { change(std::move(m.spec)); },
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
    if (i->second.seat != 0)
      drop_seat(i->second.seat);
    turns_.erase(i);
  }
  if (is_told_already(what))
    return;
  if (draining_) {
    self_->send(what.sink,
                turn_over{what.turn.id, turn_ending::busy, "the agent is being drained", false});
    return;
  }
  if (queue_.size() >= spec_.limits.queue) {
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
  if (old->second.seat != 0)
    drop_seat(old->second.seat);
  turns_.erase(old);
  return false;
}

/// A turn that ends while it begins comes here again: the loop that is under way goes on for it.
void agent_connection_state::pump() {
  if (std::exchange(pumping_, true))
    return;
  while (!queue_.empty() && turns_.size() < spec_.limits.concurrent_turns) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    begin(std::move(next));
  }
  pumping_ = false;
  running_now_.set(static_cast<double>(turns_.size()));
  waiting_now_.set(static_cast<double>(queue_.size()));
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
  const auto s = seats_.find(i->second.seat);
  if (s == seats_.end())
    return end(id, turn_ending::cancelled, {});
  const auto grace = s->second.protocol->cancel_grace;
  if (i->second.handed)
    feed(s->first, s->second.session->cancel());
  // An agent that does not end the turn in time has it ended for it.
  if (turns_.contains(id))
    clock_.after(grace, [this, id] {
      if (turns_.contains(id))
        end(id, turn_ending::cancelled, {});
    });
}

/// Pieces of one text or of one call's arguments become one while the sink is busy.
void agent_connection_state::fold(turn& t, agent_event event) {
  using namespace agent_says;
  if (unpaid_) // the room pays for what it is given
    t.folded_bytes[unpaid_->first] += std::exchange(unpaid_, std::nullopt)->second;
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
  t.folded.push_back(std::move(event));
}

void agent_connection_state::deliver(turn& t) {
  if (t.folded.empty() || t.sent_seq != t.acked_seq)
    return;
  self_->send(t.what.sink, agent_batch{t.what.turn.id, ++t.sent_seq, std::exchange(t.folded, {})});
  t.sent_bytes = std::exchange(t.folded_bytes, {});
}

void agent_connection_state::on_ack(const agent_ack& m) {
  const auto i = turns_.find(m.turn);
  if (i == turns_.end())
    return;
  auto& t = i->second;
  t.acked_seq = std::max(t.acked_seq, m.seq);
  if (t.acked_seq == t.sent_seq) {
    t.last_event = time_of(t); // from now on it is the agent's silence again
    pay(t.sent_bytes);
  }
  deliver(t);
}

void agent_connection_state::end(turn_id id, turn_ending ending, std::string detail) {
  const auto i = turns_.find(id);
  if (i == turns_.end())
    return;
  auto t = std::move(i->second);
  turns_.erase(i);
  if (t.cancelling) // also when the agent ends in good order
    ending = turn_ending::cancelled;
  // Begun again after a restart: the agent may have had it before, whatever became of this try.
  const bool handed = t.handed || t.marking || t.what.attempts > 0;
  if (handed && ending == turn_ending::unreachable)
    ending = turn_ending::interrupted;
  if (!t.folded.empty())
    self_->send(t.what.sink, agent_batch{id, ++t.sent_seq, std::move(t.folded)});
  pay(t.sent_bytes);
  pay(t.folded_bytes);
  turn_over over{id, ending, detail.substr(0, 200), handed};
  for (const auto& [name_of_it, fate] : t.questions)
    if (fate == turn::question::handed)
      over.decided.push_back(name_of_it);
  if (const auto s = seats_.find(t.seat); s != seats_.end())
    over.questions_die = s->second.protocol->questions_die;
  self_->send(t.what.sink, std::move(over));
  if (ending == turn_ending::answered) {
    ++answered_;
    in_trouble_ = false; // last_trouble_ stays, for who wants to know what it was
  } else if (agents_fault(ending)) {
    ++failed_;
    failed_total_.inc();
    in_trouble_ = true;
    last_trouble_ = detail.empty() ? std::string{word_of(ending)} : detail.substr(0, 200);
  }
  if (t.seat != 0)
    let_go(t.seat);
  pump();
  rest();
}

/// Nothing new is taken, and sessions that only wait for something new go.
void agent_connection_state::start_drain() {
  draining_ = true;
  for (const auto& [chat, id] : std::exchange(kept_, {}))
    drop_seat(id);
}

void agent_connection_state::rest() {
  if (!draining_ || !turns_.empty() || !queue_.empty())
    return;
  for (auto& promise : drained_)
    promise.deliver(done{});
  drained_.clear();
}

/// What runs goes on as it began; sessions between turns belong to the agent as it was.
void agent_connection_state::change(agent_spec spec) {
  spec_ = std::move(spec);
  ++edition_;
  protocol_ = find_protocol(spec_.protocol);
  endpoints_.replace(addresses(spec_));
  for (const auto& [chat, id] : std::exchange(kept_, {}))
    drop_seat(id);
  pump();
}

} // namespace pb
