// The socket's side of an agent connection: dialling, the dispatched mark, frames, closing.

#include "actors/agent/connection.hpp"
#include "actors/crash_point.hpp"
#include "messages/values/agent_url.hpp"

#include <algorithm>

namespace pb {

using namespace std::chrono_literals;

namespace {

/// Turns completions into messages. Weak: a socket never keeps an actor, or the shutdown, alive.
/// The epoch lets the actor ignore what an old socket still says.
class link_messages final : public link_listener {
public:
  link_messages(const caf::strong_actor_ptr& owner, std::uint64_t epoch)
      : owner_(caf::actor_cast<caf::weak_actor_ptr>(owner)), epoch_(epoch) {}
  void on_open() override { post(link_opened{epoch_}); }
  void on_text(std::string text) override { post(link_said{epoch_, std::move(text)}); }
  void on_closed(link_closed why) override { post(link_ended{epoch_, std::move(why)}); }

private:
  template <class T>
  void post(T message) {
    if (auto strong = owner_.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(message));
  }
  caf::weak_actor_ptr owner_;
  std::uint64_t epoch_;
};

constexpr unsigned most_dials = 3; ///< of one turn, before anything was handed over

/// A turn begins with a question, or with the answer to one of the agent's whose own turn is over.
std::string first_frame(const agent_codec& codec, const turn_request& turn) {
  return turn.answer ? codec.confirm(turn.answer->confirmation, turn.answer->yes)
                     : codec.user_message(turn);
}

} // namespace

void agent_connection_state::dial(const turn_id& id) {
  auto& t = turns_.at(id);
  ++t.dials;
  t.epoch = ++last_epoch_;
  link_request to;
  to.url = agent_url(spec_, t.what.turn.chat);
  to.connect_timeout = spec_.limits.connect;
  to.frame_limit = spec_.limits.frame;
  to.unread_limit = 2 * spec_.limits.frame;
  if (spec_.auth) {
    const auto& a = *spec_.auth;
    to.headers.push_back(
        {a.header, (a.header == "Authorization" ? "Bearer " : "") + a.value.show()});
  }
  auto& s = sockets_[t.epoch];
  s.chat = t.what.turn.chat;
  s.turn = id;
  s.wire = deps_.dial->dial(std::move(to), std::make_shared<link_messages>(
                                               caf::strong_actor_ptr(self_->ctrl()), t.epoch));
}

void agent_connection_state::on_open(std::uint64_t epoch) {
  const auto i = sockets_.find(epoch);
  if (i == sockets_.end())
    return;
  i->second.open = true;
  if (i->second.turn.empty())
    i->second.wire->close(); // its turn ended while we dialled
  else
    mark_and_write(i->second.turn);
}

void agent_connection_state::mark_and_write(const turn_id& id) {
  auto& t = turns_.at(id);
  t.marking = true;
  const auto& q = t.what.turn;
  turn_row row;
  row.id = id;
  row.room = q.room;
  row.agent = q.agent;
  row.chat = q.chat;
  row.inbox_seq = t.what.inbox_seq;
  row.attempts = t.what.attempts + 1;
  row.at = deps_.around.wall();
  const auto epoch = t.epoch;
  self_->request(deps_.store, store_patience, store_dispatch{std::move(row)})
      .then(
          [this, id, epoch](done) {
            crash_here(crash_point::after_dispatch_commit);
            const auto i = turns_.find(id);
            if (i == turns_.end())
              return;
            i->second.marking = false;
            i->second.handed = true; // a mark on the disk counts, whatever the socket does now
            i->second.last_event = self_->clock().now();
            const auto s = sockets_.find(epoch);
            const auto& asked = i->second.what.turn;
            if (i->second.cancelling)
              return end(id, turn_ending::cancelled, {});
            if (s == sockets_.end() || !s->second.wire->send(first_frame(*codec_, asked)))
              end(id, turn_ending::interrupted, "closed before the message left");
            crash_here(crash_point::frame_written);
          },
          [this, id](caf::error& e) {
            if (const auto i = turns_.find(id); i != turns_.end())
              i->second.marking = false;
            end(id, turn_ending::storage, to_fault(e).cause);
          });
}

void agent_connection_state::on_text(const link_said& m) {
  const auto i = sockets_.find(m.epoch);
  if (i == sockets_.end())
    return;
  i->second.wire->consumed(m.text.size());
  on_event(m.epoch, codec_->decode(m.text), m.text.size());
}

void agent_connection_state::on_event(std::uint64_t epoch, agent_frame frame, std::size_t bytes) {
  auto& s = sockets_[epoch];
  using namespace agent_says;
  if (const auto* u = std::get_if<unknown>(&frame.event)) {
    unknown_total_.inc();
    if (unknown_.size() < 64 || unknown_.contains(u->type))
      if (++unknown_[u->type] == 1)
        deps_.around.log->info("agent_unknown_event", {}, "an event of an unknown type is ignored",
                               {{"agent", spec_.id}, {"type", u->type.substr(0, 64)}});
    return;
  }
  if (auto* news = std::get_if<push>(&frame.event); news && on_push(epoch, s, std::move(*news)))
    return;
  if (!frame.message_id.empty())
    s.echoes = true;
  const auto i = s.turn.empty() ? turns_.end() : turns_.find(s.turn);
  if (i == turns_.end() || !i->second.handed || std::holds_alternative<push>(frame.event) ||
      is_foreign(s, i->second, frame)) {
    ++after_end_;
    after_end_total_.inc(); // a second END first of all: belongs to no turn
    return;
  }
  auto& t = i->second;
  const auto id = i->first;
  t.any_event = true;
  t.last_event = time_of(t);
  if (std::holds_alternative<goodbye>(frame.event)) {
    s.going_away = true;
    return;
  }
  if (const auto* bad = std::get_if<malformed>(&frame.event))
    return end(id, turn_ending::malformed, bad->cause);
  if (std::holds_alternative<agent_says::end>(frame.event)) {
    fold(t, std::move(frame.event), bytes); // it may tell what the answer cost
    return end(id, turn_ending::answered, {}, true);
  }
  if (const auto* e = std::get_if<agent_says::error>(&frame.event)) {
    const auto code = e->code;
    fold(t, std::move(frame.event), bytes);
    return end(id, turn_ending::agent_error, code, true);
  }
  if (const auto* question = std::get_if<agent_says::confirm>(&frame.event)) {
    if (question->id.size() > question_name_cap)
      return end(id, turn_ending::malformed, "AGENT_EVENT_CONFIRM: confirmation_id is too long");
    if (!is_new_question(t, *question))
      return;
  }
  if (t.folded_bytes + bytes > fold_cap)
    return end(id, turn_ending::too_large, "the room does not keep up with the agent");
  crash_here(crash_point::agent_spoke);
  fold(t, std::move(frame.event), bytes);
  deliver(t);
}

/// Of another turn on the same socket. The answer to a confirmation has no message_id that the
/// agent could echo: it may name the turn in which it asked, or the last one that it heard of; only
/// an ending of that one, before any other word, is taken for the late end of it.
bool agent_connection_state::is_foreign(const socket& s, const turn& t,
                                        const agent_frame& frame) const {
  if (frame.message_id.empty() || frame.message_id == t.what.turn.id.value)
    return false;
  if (!t.what.turn.answer)
    return true;
  return !t.any_event && frame.message_id == s.last_turn.value &&
         (std::holds_alternative<agent_says::end>(frame.event) ||
          std::holds_alternative<agent_says::error>(frame.event));
}

void agent_connection_state::on_closed(const link_ended& m) {
  const auto i = sockets_.find(m.epoch);
  if (i == sockets_.end())
    return;
  auto s = std::move(i->second);
  sockets_.erase(i);
  if (const auto k = kept_.find(s.chat); k != kept_.end() && k->second == m.epoch)
    kept_.erase(k);
  if (s.turn.empty())
    return;
  const auto t = turns_.find(s.turn);
  if (t == turns_.end() || t->second.epoch != m.epoch)
    return;
  t->second.epoch = 0;
  const auto id = s.turn;
  if (t->second.marking)
    return; // the mark's answer finds the socket gone
  if (t->second.handed) {
    const auto ending = m.why.reason == link_closed::how::protocol ? turn_ending::malformed
                                                                   : turn_ending::interrupted;
    return end(id, ending, m.why.cause);
  }
  if (m.why.reason == link_closed::how::rejected)
    return end(id, turn_ending::rejected, std::to_string(m.why.code));
  if (t->second.dials < most_dials && m.why.reason != link_closed::how::timed_out) {
    // Nothing was handed over: a moment later the agent may be back.
    clock_.after(backoff(engine_, t->second.dials - 1, 250ms, 1000ms), [this, id] {
      if (const auto again = turns_.find(id); again != turns_.end() && again->second.epoch == 0)
        dial(id);
    });
    return;
  }
  deps_.around.log->warning("agent_unreachable", t->second.what.turn.tr,
                            "the agent cannot be reached: " + m.why.cause, {{"agent", spec_.id}});
  end(id, turn_ending::unreachable, m.why.cause);
}

/// The socket has no turn any more: kept for its chat if the agent can tell turns apart, else
/// closed.
void agent_connection_state::let_go(std::uint64_t epoch, bool clean) {
  const auto i = sockets_.find(epoch);
  if (i == sockets_.end())
    return;
  auto& s = i->second;
  s.last_turn = std::exchange(s.turn, turn_id{});
  if (clean && s.open && s.echoes && !s.going_away && !draining_ &&
      spec_.connection == connection_mode::chat && !kept_.contains(s.chat))
    return keep(epoch, s);
  if (const auto k = kept_.find(s.chat); k != kept_.end() && k->second == epoch)
    kept_.erase(k);
  s.wire->close();
}

/// At the cap the socket that has been idle for longest makes room.
void agent_connection_state::keep(std::uint64_t epoch, socket& s) {
  s.idle_since = self_->clock().now();
  if (kept_.size() >= kept_cap) {
    const auto oldest = std::min_element(kept_.begin(), kept_.end(), [this](auto& a, auto& b) {
      return sockets_.at(a.second).idle_since < sockets_.at(b.second).idle_since;
    });
    sockets_.at(oldest->second).wire->close();
    kept_.erase(oldest);
  }
  kept_[s.chat] = epoch;
  arm_sweep();
}

} // namespace pb
