// What the agent says: its card, and how the task goes on.

#include "bridges/agent/a2a/conversation.hpp"

#include <algorithm>
#include <utility>

namespace pb::a2a {

using namespace agent_wants;

namespace {

constexpr std::size_t longest_message_id = 64;

/// Fit for a name of ours for a question: short, and without the colon that parts it.
bool is_plain(const std::string& id) {
  return !id.empty() && id.size() <= longest_message_id &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

/// The agent's last message that a snapshot holds.
agent_json::value last_of(const agent_json::value& history) {
  agent_json::value last;
  for (const auto& message : history.items())
    if (const auto role = message["role"].text(); role == "agent" || role == "ROLE_AGENT")
      last = message;
  return last;
}

} // namespace

agent_steps conversation::said(wire_id wire, std::string_view text) {
  agent_steps out;
  if (turn_.empty() || wire == 0 || (wire != wire_ && wire != cancel_wire_)) {
    out.emplace_back(stray{});
    return out;
  }
  if (wire == cancel_wire_) {
    out.emplace_back(give_up{turn_ending::cancelled, {}});
    return out;
  }
  if (job_ == job::card) {
    on_card(text, out);
    return out;
  }
  if (const auto m = json_rpc::read(text); !m.wrong.empty()) {
    tell(agent_says::malformed{m.wrong}, out);
  } else if (!m.is_answer()) {
    tell(agent_says::unknown{"a2a request of the agent"}, out);
  } else if (m.error) {
    out.emplace_back(close{std::exchange(wire_, 0)});
    on_fault(std::exchange(job_, job::none), *m.error, out);
  } else {
    on_result(m.result, out);
  }
  agent_json::release_large();
  return out;
}

void conversation::on_card(std::string_view text, agent_steps& out) {
  out.emplace_back(close{std::exchange(wire_, 0)});
  auto found = read_card(text, start_.base_url);
  agent_json::release_large();
  if (!found) {
    out.emplace_back(give_up{turn_ending::rejected, "200: " + found.error()});
    return;
  }
  fresh_card_ = true;
  memory_.base = start_.base_url;
  memory_.at = std::move(*found);
  remember(out);
  go(after_card_, out);
}

/// False: it is of another task, or breaks the protocol.
bool conversation::take_ids(const update& u, agent_steps& out) {
  if (u.task.size() > longest_task || u.context.size() > longest_context) {
    tell(agent_says::malformed{"an id is too long"}, out);
    return false;
  }
  const bool new_task = u.what == update::kind::task && job_ == job::send && !heard_;
  if (!task_.empty() && !u.task.empty() && u.task != task_ && !new_task) {
    out.emplace_back(stray{});
    return false;
  }
  if (!u.task.empty() && u.what != update::kind::message) {
    if (!task_.empty() && task_ != u.task)
      answer_.another_task();
    task_ = u.task;
  }
  const auto before = memory_;
  if (!u.context.empty())
    memory_.context = u.context;
  if (!task_.empty() && (memory_.turn != turn_.value || memory_.task != task_)) {
    memory_.turn = turn_.value;
    memory_.task = task_;
    memory_.decisions = 0;
    memory_.shown = {};
  }
  if (memory_ != before)
    remember(out);
  return true;
}

void conversation::on_result(const agent_json::value& result, agent_steps& out) {
  const auto u = read_update(result);
  if (u.what == update::kind::unknown)
    return tell(agent_says::unknown{"a2a result"}, out);
  if (!take_ids(u, out))
    return;
  heard_ = true;
  failures_ = 0;
  message_.files.clear(); // the agent has them
  switch (u.what) {
  case update::kind::message:
    answer_.message(u.body, out);
    return finish(u, out);
  case update::kind::artifact:
    answer_.artifact(u.body["artifact"], u.append(), out);
    break;
  case update::kind::task:
    for (const auto& one : u.body["artifacts"].items())
      answer_.artifact(one, false, out);
    on_state(u, out);
    break;
  case update::kind::status:
    on_state(u, out);
    break;
  case update::kind::unknown:
    break;
  }
  if (answer_.too_large())
    out.emplace_back(give_up{turn_ending::too_large, "more than a turn may hold"});
  if (answer_.take_news() && pause_.count() != 0)
    pause_ = std::chrono::seconds(1);
}

void conversation::on_state(const update& u, agent_steps& out) {
  const auto before = std::exchange(state_, u.state);
  if (u.state != task_state::input_required) {
    prompt_.clear();
    moved_ = true;
  }
  switch (u.state) {
  case task_state::unknown:
    state_ = before;
    return tell(agent_says::unknown{"a2a task state"}, out);
  case task_state::working:
    return answer_.progress(u.words, out);
  case task_state::input_required:
    return on_question(u.words, out);
  case task_state::auth_required:
    // It may hold the address where a person signs in.
    if (before != task_state::auth_required && u.words)
      answer_.message(u.words, out);
    return;
  default:
    return finish(u, out);
  }
}

/// A message is the whole answer; a task has come to its end.
void conversation::finish(const update& u, agent_steps& out) {
  if (u.what != update::kind::message && u.state != task_state::completed) {
    if (u.words)
      answer_.message(u.words, out);
    if (u.state == task_state::canceled && cancelling_) {
      out.emplace_back(give_up{turn_ending::cancelled, {}});
      return;
    }
    const std::string name(name_of(u.state));
    return tell(agent_says::error{name, "the agent ended the task as " + name, false}, out);
  }
  if (u.what == update::kind::message)
    answer_.close({}, out);
  else
    answer_.close(u.words ? u.words : last_of(u.body["history"]), out);
  if (answer_.too_large())
    out.emplace_back(give_up{turn_ending::too_large, "more than a turn may hold"});
  else
    tell(agent_says::end{}, out);
}

/// A question that was decided about already is not put once more: the agent may not have come to
/// the decision yet. If the link ends and it still asks, it is.
void conversation::on_question(const agent_json::value& words, agent_steps& out) {
  auto prompt = answer::words(words);
  if (prompt.empty())
    prompt = "The agent needs an answer to go on: yes or no?";
  auto id = words["messageId"].text();
  if (!is_plain(id))
    id = "q" + std::to_string(memory_.decisions);
  if (!question_.empty() && prompt == prompt_)
    return; // the same that is open
  const bool again = !moved_ && (prompt == last_prompt_ || asked_.contains(id));
  prompt_ = std::move(prompt);
  prompt_id_ = std::move(id);
  if (job_ != job::send || !again)
    ask(out);
}

void conversation::ask(agent_steps& out) {
  if (asked_.contains(prompt_id_))
    prompt_id_ += "-" + std::to_string(memory_.decisions);
  asked_.insert(prompt_id_);
  question_ = task_ + ":" + prompt_id_;
  last_prompt_ = prompt_;
  memory_.shown = answer_.marks(); // the answer may be a turn of its own
  remember(out);
  tell(agent_says::confirm{question_, prompt_, {}}, out);
}

} // namespace pb::a2a
