// Refusals, links that end, and how a task is found again.

#include "bridges/agent/a2a/conversation.hpp"

#include <algorithm>
#include <utility>

namespace pb::a2a {

using namespace agent_wants;
using namespace std::chrono_literals;

namespace {

constexpr auto first_pause = 1000ms;
constexpr auto longest_pause = 10'000ms;
constexpr auto longest_wish = 60'000ms; ///< of an agent that says when to come again

void give(turn_ending ending, std::string detail, agent_steps& out) {
  out.emplace_back(give_up{ending, std::move(detail)});
}

} // namespace

agent_steps conversation::closed(wire_id wire, const link_closed& why) {
  agent_steps out;
  if (turn_.empty() || wire == 0)
    return out;
  if (wire == cancel_wire_) { // nobody will tell whether it was cancelled
    give(turn_ending::cancelled, {}, out);
    return out;
  }
  if (wire != wire_)
    return out;
  wire_ = 0;
  const auto what = std::exchange(job_, job::none);
  if (why.reason == link_closed::how::protocol)
    give(turn_ending::malformed, why.cause, out);
  else if (what == job::card)
    on_card_end(why, out);
  else if (cancelling_) // the other link has the last word
    return out;
  else if (why.reason == link_closed::how::rejected)
    on_rejected(what, why, out);
  else
    on_end(what, out);
  return out;
}

void conversation::on_card_end(const link_closed& why, agent_steps& out) {
  if (after_card_ != job::send) { // the agent has the message
    ++failures_;
    return recover(after_card_, out);
  }
  if (why.reason == link_closed::how::rejected) {
    const bool missing = why.code == 404 || why.code == 405 || why.code == 410;
    if (missing && !older_card_)
      return open_card(true, out);
    return give(turn_ending::rejected,
                std::to_string(why.code) + (missing ? ", it has no agent card" : ""), out);
  }
  if (why.reason == link_closed::how::closed)
    return give(turn_ending::rejected, std::to_string(why.code) + ", its agent card is empty", out);
  give(turn_ending::unreachable, why.cause, out);
}

/// Between a card that is remembered and one that was just read lies the difference whether another
/// look at it can help. The agent has refused, so nothing is done twice.
void conversation::read_card_again(agent_steps& out) {
  memory_.at.reset();
  remember(out);
  go(job::send, out);
}

void conversation::forget_card(agent_steps& out) {
  if (!memory_.at)
    return;
  memory_.at.reset();
  remember(out);
}

conversation::job conversation::watch() const {
  const bool streams = !memory_.at || memory_.at->streaming;
  return streams && !no_subscribe_ ? job::subscribe : job::look;
}

void conversation::on_fault(job what, const json_rpc::fault& fault, agent_steps& out) {
  if (cancelling_)
    return;
  if (what == job::send)
    return on_send_fault(fault, out);
  if (fault.code == task_not_found)
    return give(turn_ending::interrupted, "the agent does not know the task any more", out);
  if (what == job::subscribe) { // the task is over, or the agent cannot do that
    no_subscribe_ = true;
    return go(job::look, out);
  }
  if (fault.code == method_not_found || fault.code == version_not_supported)
    forget_card(out);
  ++failures_;
  recover(job::look, out);
}

void conversation::on_send_fault(const json_rpc::fault& fault, agent_steps& out) {
  if (heard_) // in the middle of the answer
    return tell(to_error(fault), out);
  const bool elsewhere = fault.code == method_not_found || fault.code == version_not_supported;
  if (elsewhere && !fresh_card_)
    return read_card_again(out);
  const bool over = fault.code == unsupported_operation || fault.code == invalid_params;
  if (over && !message_.task.empty() && !renewed_) { // the task has ended meanwhile: a new one
    renewed_ = true;
    message_.task.clear();
    message_.context = memory_.context;
    task_.clear();
    answer_.another_task();
    return go(job::send, out);
  }
  if (fault.code == unsupported_operation && memory_.at->streaming && !unstreamed_) {
    unstreamed_ = true; // its card promises too much
    memory_.at->streaming = false;
    remember(out);
    return go(job::send, out);
  }
  if (elsewhere)
    forget_card(out);
  tell(to_error(fault), out);
}

void conversation::on_rejected(job what, const link_closed& why, agent_steps& out) {
  if (why.code == 401 || why.code == 403)
    return give(turn_ending::rejected, std::to_string(why.code), out);
  if (why.retry_after > 0ms)
    pause_ = std::max(pause_, std::min<std::chrono::milliseconds>(why.retry_after, longest_wish));
  if (why.code != 429 && why.code != 503)
    if (const auto m = json_rpc::read(why.body); m.wrong.empty() && m.error)
      return on_fault(what, *m.error, out);
  const bool missing = why.code == 404 || why.code == 405 || why.code == 410;
  if (what == job::send) {
    if (missing && !fresh_card_)
      return read_card_again(out);
    if (missing)
      forget_card(out);
    return tell(to_error(why), out);
  }
  const bool later = why.code == 408 || why.code == 429 || (why.code >= 500 && why.code != 501);
  if (what == job::subscribe && !later) {
    no_subscribe_ = true;
    return go(job::look, out);
  }
  if (missing)
    forget_card(out);
  ++failures_;
  recover(watch(), out);
}

/// The link has ended as links do, in order or not: what counts is how the task stood.
void conversation::on_end(job what, agent_steps& out) {
  if (!question_.empty())
    return;
  if (state_ == task_state::input_required)
    return ask(out);
  if (state_ == task_state::auth_required)
    return tell(agent_says::error{std::string(name_of(state_)),
                                  "the agent wants credentials that nobody can give here", false},
                out);
  if (!heard_)
    ++failures_;
  if (what == job::send && !wrote_)
    return recover(job::send, out);
  if (task_.empty())
    return give(turn_ending::interrupted, "the answer ended before a task was named", out);
  recover(watch(), out);
}

/// The first time at once, then at a slowing pace.
void conversation::recover(job how, agent_steps& out) {
  if (failures_ > most_failures)
    return give(turn_ending::interrupted, "the agent does not tell how the task stands", out);
  if (pause_ == 0ms) {
    pause_ = first_pause;
    return go(how, out);
  }
  next_ = how;
  out.emplace_back(wait{pause_});
  pause_ = std::min<std::chrono::milliseconds>(std::max(pause_ * 2, first_pause), longest_pause);
}

} // namespace pb::a2a
