// What goes on beside the answer: questions to a person, and what the agent says outside turns.

#include "actors/agent/connection.hpp"
#include "bridges/agent/push.hpp"

namespace pb {

using namespace std::chrono_literals;

/// False: the sink is not to hear of it.
bool agent_connection_state::is_new_question(turn& t, const agent_says::confirm& question) {
  if (t.questions.contains(question.id)) {
    questions_ignored_.inc();
    return false;
  }
  if (t.open_questions >= open_question_cap || t.questions.size() >= question_cap) {
    // Nobody could tell them apart any more: never silence, so the answer is no.
    questions_ignored_.inc();
    if (told_.emplace("questions").second)
      deps_.around.log->warning("agent_confirmations_cap", t.what.turn.tr,
                                "an agent asks too much in one turn: the rest is answered with no",
                                {{"agent", spec_.id}, {"open", t.open_questions}});
    if (const auto s = seats_.find(t.seat); s != seats_.end())
      feed(t.seat, s->second.session->decide(question.id, false));
    return false;
  }
  t.questions.emplace(question.id, turn::question::open);
  if (t.open_questions++ == 0)
    t.still_since = self_->clock().now();
  return true;
}

/// The agent hears of the decision. What is not open here is nobody's business: the turn is over,
/// or it was answered before.
void agent_connection_state::decide(const answer_confirm& m) {
  const auto i = turns_.find(m.turn);
  if (i == turns_.end() || !seats_.contains(i->second.seat))
    return;
  auto& t = i->second;
  const auto question = t.questions.find(m.confirmation);
  if (question == t.questions.end() || question->second != turn::question::open)
    return;
  if (--t.open_questions == 0) {
    // The clocks go on from where they stood.
    const auto stood = self_->clock().now() - *std::exchange(t.still_since, std::nullopt);
    t.began += stood;
    t.last_event += stood;
  }
  question->second = turn::question::deciding;
  const auto at = t.seat;
  feed(at, seats_.at(at).session->decide(m.confirmation, m.yes));
}

/// False: this agent has no such connection, or it is about to close.
bool agent_connection_state::on_push(seat_id id, seat& s, agent_says::push what) {
  const auto k = kept_.find(s.chat);
  const bool kept = k != kept_.end() && k->second == id;
  if (spec_.connection != connection_mode::chat || (s.turn.empty() && !kept))
    return false;
  s.idle_since = self_->clock().now();
  if (!push_faults(what).empty())
    return drop_push("malformed"), true;
  if (!push_sink_)
    return drop_push("nobody takes it yet"), true;
  if (s.pushes >= push_cap)
    return drop_push("too many are not answered yet"), true;
  ++s.pushes;
  const auto answered = [this, id] {
    if (const auto i = seats_.find(id); i != seats_.end())
      --i->second.pushes;
  };
  self_->request(push_sink_, 60s, agent_pushed{spec_.id, s.chat, std::move(what)})
      .then(
          [this, answered](done) {
            answered();
            pushes_total_.inc();
          },
          [this, answered](caf::error& e) {
            answered();
            drop_push(to_fault(e).cause);
          });
  return true;
}

/// The agent may say it again: pushes count once per event_id.
void agent_connection_state::drop_push(const std::string& why) {
  pushes_dropped_.inc();
  if (told_.size() < 64 && told_.emplace("push " + why).second)
    deps_.around.log->warning("agent_push_dropped", {}, "an event outside a turn is not delivered",
                              {{"agent", spec_.id}, {"why", why}});
}

} // namespace pb
