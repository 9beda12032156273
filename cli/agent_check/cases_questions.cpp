// The agent asks for permission. Only with --ask, a text that makes it ask.

#include "cli/agent_check/cases.hpp"

#include <set>
#include <utility>

namespace pb::agent_check {

namespace {

/// Asks and waits for the question. Not ok: the case ends so.
finding provoke(stage& s, conversation& talk) {
  if (s.asked.ask.empty())
    return skipped("give a text that makes the agent ask for permission: --ask TEXT");
  talk.ask(s.next_id(), s.asked.ask);
  s.on.until([&] { return !talk.turn().running() || !talk.turn().questions.empty(); },
             s.asked.turn);
  if (!talk.turn().questions.empty())
    return {};
  if (auto fault = s.finish(talk); !fault.empty())
    return failed(std::move(fault));
  return failed("the turn ended without a question although --ask was given");
}

std::string repeated_id(const turn_record& t) {
  std::set<std::string> seen;
  for (const auto& q : t.questions)
    if (!seen.insert(q.id).second)
      return q.id;
  return {};
}

finding decided(stage& s, bool yes) {
  conversation talk(s.on, s.with, s.chat);
  if (auto first = provoke(s, talk); first.is != verdict::ok)
    return first;
  finding out;
  out.notes.push_back("it asked: " + beginning(talk.turn().questions.front().prompt, 100));
  talk.decide(talk.turn().questions.front().id, yes);
  s.on.until([&] { return !talk.turn().running() || talk.turn().questions.size() > 1; },
             s.asked.turn);
  if (talk.turn().running() && talk.turn().questions.size() == 1)
    return failed("no END after the answer to the question");
  if (const auto id = repeated_id(talk.turn()); !id.empty())
    return failed("confirmation_id \"" + beginning(id, 100) + "\" was used twice in one turn");
  if (auto fault = s.finish(talk, !yes, 1); !fault.empty())
    return failed(std::move(fault));
  return out;
}

finding question_yes(stage& s) { return decided(s, true); }
finding question_no(stage& s) { return decided(s, false); }

finding question_cancel(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  if (auto first = provoke(s, talk); first.is != verdict::ok)
    return first;
  talk.cancel();
  const auto grace = s.with.protocol.cancel_grace;
  if (!s.on.until([&] { return !talk.turn().running(); }, grace))
    return failed("no END within " + std::to_string(grace.count()) +
                  " ms after the cancel, with a question open");
  if (talk.turn().is == turn_record::state::given_up)
    return {};
  auto fault = s.finish(talk, true);
  return fault.empty() ? finding{} : failed(std::move(fault));
}

finding late_answer(stage& s) {
  if (s.with.protocol.questions_die)
    return skipped("in this protocol a question ends with its connection");
  std::string id;
  {
    conversation talk(s.on, s.with, s.chat);
    if (auto first = provoke(s, talk); first.is != verdict::ok)
      return first;
    id = talk.turn().questions.front().id;
    talk.hang_up();
  }
  conversation later(s.on, s.with, s.chat);
  later.answer(s.next_id(), id, false);
  if (auto fault = s.finish(later, true); !fault.empty())
    return failed("the answer on a new connection: " + fault);
  finding out;
  if (later.turn().is == turn_record::state::failed)
    out.notes.emplace_back("it does not know the question any more, and says so");
  return out;
}

} // namespace

const std::vector<check_case> question_cases{
    {"question_yes", "a question is answered with yes",
     "After CONFIRM the agent goes on with the same turn, to END.", "docs/agents.md#confirmations",
     question_yes},
    {"question_no", "a question is answered with no",
     "Every decision but yes is a no; the turn ends nevertheless.", "docs/agents.md#confirmations",
     question_no},
    {"question_cancel", "a turn is stopped while its question is open",
     "CANCEL ends the turn together with its questions.", "docs/agents.md#confirmations",
     question_cancel},
    {"late_answer", "a question is answered on a new connection, after its own was cut",
     "The answer to an old question is a turn of its own; an agent that does not know it any more "
     "says so with ERROR.",
     "docs/agents.md#confirmations", late_answer},
};

} // namespace pb::agent_check
