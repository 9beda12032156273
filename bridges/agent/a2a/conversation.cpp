#include "bridges/agent/a2a/conversation.hpp"

#include "messages/values/agent_url.hpp"

#include <utility>

namespace pb::a2a {

using namespace agent_wants;

std::string task_of(std::string_view question) {
  const auto colon = question.rfind(':');
  return colon == std::string_view::npos ? std::string() : std::string(question.substr(0, colon));
}

agent_steps conversation::begin(const session_turn& turn) {
  agent_steps out;
  turn_ = turn.what.id;
  memory_ = read_memory(turn.memory);
  const auto& at = memory_.at;
  if (memory_.base != start_.base_url || (at && placed(at->url, start_.base_url) != at->url))
    memory_.at.reset(); // another endpoint's card
  if (turn.again && memory_.turn == turn_.value && !memory_.task.empty()) {
    task_ = memory_.task;
    go(watch(), out);
    return out;
  }
  if (turn.again && !start_.agent.idempotent) {
    out.emplace_back(give_up{turn_ending::interrupted, "nobody knows whether the agent has it"});
    return out;
  }
  message_.id = turn_.value;
  message_.context = memory_.context;
  if (const auto& answer = turn.what.answer) {
    message_.task = task_ = task_of(answer->confirmation);
    message_.text = answer->yes ? "yes" : "no";
    message_.decision = answer->yes;
    if (task_ == memory_.task)
      answer_.known(memory_.shown);
    else
      message_.context.clear(); // the task knows its own
    if (task_.empty()) {
      out.emplace_back(say{{to_error(json_rpc::fault{task_not_found, {}, {}}), {}}});
      return out;
    }
  } else {
    message_.text = turn.what.text;
    message_.files = turn.files;
  }
  go(job::send, out);
  return out;
}

/// A link for this; first the card, where we do not know it.
void conversation::go(job what, agent_steps& out) {
  next_ = job::none;
  if (!memory_.at) {
    after_card_ = what;
    return open_card(false, out);
  }
  job_ = what;
  wrote_ = heard_ = false;
  const bool streams = what == job::subscribe || (what == job::send && memory_.at->streaming);
  open(wire_, memory_.at->url, streams, out);
}

void conversation::open(wire_id& as, const std::string& url, bool streams, agent_steps& out) {
  agent_wants::open to{++last_wire_, {}};
  as = to.wire;
  to.to.url = url;
  to.to.by = carrier::http;
  to.to.headers = headers_of(memory_.at->speaks, streams);
  add_auth(start_.agent, to.to.headers);
  out.emplace_back(std::move(to));
}

void conversation::open_card(bool older, agent_steps& out) {
  agent_wants::open to{++last_wire_, {}};
  wire_ = to.wire;
  job_ = job::card;
  older_card_ = older;
  wrote_ = heard_ = false;
  to.to.url =
      as_http(start_.base_url, older ? "/.well-known/agent.json" : "/.well-known/agent-card.json");
  to.to.by = carrier::http;
  to.to.http.method = "GET";
  to.to.headers = {{"Accept", "application/json"}, {"A2A-Version", "1.0"}};
  add_auth(start_.agent, to.to.headers);
  out.emplace_back(std::move(to));
}

std::string conversation::body() const {
  switch (job_) {
  case job::send:
    return request_of(*memory_.at,
                      memory_.at->streaming ? request_kind::stream : request_kind::send, message_);
  case job::subscribe:
    return request_of(*memory_.at, request_kind::subscribe, task_);
  case job::look:
    return request_of(*memory_.at, request_kind::look, task_);
  default:
    return {};
  }
}

void conversation::remember(agent_steps& out) const {
  out.emplace_back(agent_wants::remember{to_text(memory_)});
}

agent_steps conversation::opened(wire_id wire) {
  if (turn_.empty() || wire == 0)
    return {};
  if (wire == cancel_wire_)
    return {write{wire, request_of(*memory_.at, request_kind::cancel, task_), true}};
  if (wire != wire_)
    return {};
  wrote_ = true;
  return {write{wire, body(), job_ != job::card}};
}

/// What was asked is settled; the talk about the task goes on with a message of its own.
agent_steps conversation::decide(std::string_view confirmation, bool yes) {
  agent_steps out;
  if (question_.empty() || confirmation != question_ || cancelling_)
    return out;
  question_.clear();
  if (wire_ != 0)
    out.emplace_back(close{std::exchange(wire_, 0)});
  ++memory_.decisions;
  remember(out);
  message_ = {};
  message_.id = turn_.value + "-" + std::to_string(memory_.decisions);
  message_.text = yes ? "yes" : "no";
  message_.decision = yes;
  message_.context = memory_.context;
  message_.task = task_;
  state_ = task_state::working;
  moved_ = false;
  go(job::send, out);
  return out;
}

/// The stream stays open for its last words; the answer to the cancelling, whatever it is, ends the
/// turn.
agent_steps conversation::cancel() {
  agent_steps out;
  if (std::exchange(cancelling_, true))
    return out;
  if (task_.empty() || !memory_.at)
    out.emplace_back(give_up{turn_ending::cancelled, {}});
  else
    open(cancel_wire_, memory_.at->url, false, out);
  return out;
}

agent_steps conversation::alarm() {
  agent_steps out;
  if (!turn_.empty() && wire_ == 0 && next_ != job::none && !cancelling_)
    go(next_, out);
  return out;
}

agent_steps conversation::turn_ended() {
  const auto last = last_wire_;
  *this = conversation(std::move(start_));
  last_wire_ = last;
  return {};
}

} // namespace pb::a2a
