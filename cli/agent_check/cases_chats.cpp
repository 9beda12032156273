// Stopping, coming back, and two chats at a time.

#include "cli/agent_check/cases.hpp"

#include <utility>

namespace pb::agent_check {

namespace {

/// Waits until the agent has the message, and has begun to answer, or for a moment if it thinks
/// first. False: the turn is over already.
bool under_way(stage& s, conversation& talk) {
  s.on.until([&] { return !talk.turn().running() || talk.handed_over(); }, s.asked.turn);
  s.on.until([&] { return !talk.turn().running() || talk.turn().events > 0; },
             std::min(s.asked.turn, milliseconds(2000)));
  return talk.turn().running();
}

finding over_too_soon(const turn_record& t) {
  if (t.is == turn_record::state::given_up)
    return failed("the connection ended while the agent answered" +
                  (t.why.empty() ? std::string() : ": " + t.why));
  return skipped("the answer was complete before it could be stopped: give a text that takes "
                 "longer, --task TEXT");
}

finding cancel(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(), s.asked.task);
  if (!under_way(s, talk))
    return over_too_soon(talk.turn());
  const auto asked_at = s.on.now();
  talk.cancel();
  const auto grace = s.with.protocol.cancel_grace;
  if (!s.on.until([&] { return !talk.turn().running(); }, grace)) {
    const auto events = talk.turn().events;
    talk.hang_up();
    return failed(
        "no END within " + std::to_string(grace.count()) + " ms after the cancel" +
        (events > 0 ? ", " + std::to_string(events) + " events came in the turn" : std::string()));
  }
  const auto took = s.on.now() - asked_at;
  const bool given_up = talk.turn().is == turn_record::state::given_up;
  if (given_up && talk.turn().ending != turn_ending::interrupted &&
      talk.turn().ending != turn_ending::cancelled)
    return failed(s.finish(talk, true));
  if (auto fault = given_up ? std::string() : s.finish(talk, true); !fault.empty())
    return failed(std::move(fault));
  if (auto fault = s.simple_turn(s.chat, "Are you still there?"); !fault.empty())
    return failed("the next question in this chat: " + fault);
  finding out;
  out.notes.push_back("ended " + std::to_string(took.count()) + " ms after the cancel" +
                      (given_up && talk.turn().ending == turn_ending::interrupted
                           ? ", by closing the connection"
                           : ""));
  return out;
}

finding reconnect(stage& s) {
  {
    conversation talk(s.on, s.with, s.chat);
    talk.ask(s.next_id(), s.asked.task);
    const bool running = under_way(s, talk);
    if (!running && talk.turn().is == turn_record::state::given_up)
      return over_too_soon(talk.turn());
    talk.hang_up(); // in the middle of the answer, or after a quick one
  }
  if (auto fault = s.simple_turn(s.chat, "We were cut off. Say hello."); !fault.empty())
    return failed("the next question in this chat, on a new connection: " + fault);
  return {};
}

finding two_chats(stage& s) {
  conversation first(s.on, s.with, s.chat), second(s.on, s.with, s.chat + 1);
  const auto a = s.marker("a"), b = s.marker("b");
  first.watch_for(b);
  second.watch_for(a);
  static constexpr std::string_view please = "Repeat this word and say nothing else: ";
  first.ask(s.next_id(), std::string(please) + a);
  second.ask(s.next_id(), std::string(please) + b);
  s.on.until([&] { return !first.turn().running() && !second.turn().running(); }, s.asked.turn);
  if (auto fault = s.finish(first); !fault.empty())
    return failed("chat " + std::to_string(first.chat()) + ": " + fault);
  if (auto fault = s.finish(second); !fault.empty())
    return failed("chat " + std::to_string(second.chat()) + ": " + fault);
  const auto holds = [](const turn_record& t, const std::string& word) {
    return t.watched || t.text.find(word) != std::string::npos;
  };
  for (const auto& [talk, other, word] :
       {std::tuple{&first, &second, &b}, std::tuple{&second, &first, &a}})
    if (holds(talk->turn(), *word))
      return failed("what was said in chat " + std::to_string(other->chat()) +
                    " came back in chat " + std::to_string(talk->chat()));
  finding out;
  if (first.turn().text.find(a) == std::string::npos ||
      second.turn().text.find(b) == std::string::npos)
    out.notes.emplace_back("the answers do not repeat our words: it shows only that none was in "
                           "the wrong chat");
  return out;
}

} // namespace

const std::vector<check_case> cancel_cases{
    {"cancel", "a turn is stopped in the middle, then the same chat asks again",
     "CANCEL ends the running turn: END within one second, or the connection is closed. The chat "
     "goes on.",
     "docs/agents.md#a-turn", cancel},
    {"reconnect", "the connection is cut in the middle of a turn, then the same chat asks again",
     "A connection may end at any time: its turn is over, and the next one comes on a new one.",
     "docs/agents.md#address-and-connections", reconnect},
};

const std::vector<check_case> chat_cases{
    {"two_chats", "two chats ask at the same time",
     "Chats share nothing: every answer goes to the connection that asked.",
     "docs/agents.md#what-an-agent-bears", two_chats},
};

} // namespace pb::agent_check
