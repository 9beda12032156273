// What only agent-ws has: frames of our own making, kept connections, pings.

#include "cli/agent_check/cases.hpp"
#include "cli/agent_check/raw_line.hpp"

#include <utility>

namespace pb::agent_check {

namespace {

constexpr std::string_view still_there = "Are you still there?";

std::string next_works(stage& s) {
  const auto fault = s.simple_turn(s.chat, std::string(still_there));
  return fault.empty() ? fault : "the next question, on a new connection: " + fault;
}

/// A turn with frames before it, or with a frame that is another than the router's.
finding odd_turn(stage& s, std::vector<std::string> before,
                 std::function<std::string(std::string)> rewritten = {}) {
  conversation talk(s.on, s.with, s.chat);
  talk.say_first(std::move(before));
  talk.rewrite(std::move(rewritten));
  talk.ask(s.next_id(), std::string(still_there));
  auto fault = s.finish(talk);
  return fault.empty() ? finding{} : failed(std::move(fault));
}

finding unknown_type(stage& s) {
  return odd_turn(s,
                  {R"({"type":"PATCHBAY_CHECK_FROM_THE_FUTURE","text":"ignore me","n":[1,{}]})"});
}

finding unknown_fields(stage& s) {
  return odd_turn(s, {}, [](std::string frame) {
    if (!frame.empty() && frame.back() == '}')
      frame.replace(frame.size() - 1, 1,
                    R"(,"patchbay_check":{"a":[1,null,"text"]},"priority":null})");
    return frame;
  });
}

finding missing_fields(stage& s) {
  return odd_turn(s, {}, [](const std::string&) {
    return std::string(
        R"({"type":"USER_MESSAGE","text":"Only a text, as the registry may have it."})");
  });
}

finding broken_frames(stage& s) {
  auto to = first_link(s.with, s.chat);
  if (!to)
    return skipped("there is no connection to break a rule on");
  {
    raw_line line(s.on, std::move(*to), s.chat);
    s.on.until([&] { return line.opened() || line.closed(); }, s.asked.connect + milliseconds(500));
    for (const auto* junk : {R"({"type":"USER_MESS)", "[]", "null", "", R"({"text":"no type"})",
                             R"({"type":7})", R"({"type":"CANCEL"})"})
      line.say(junk);
    // It may answer with ERROR, close, or say nothing.
    s.on.until([&] { return line.closed().has_value(); }, milliseconds(300));
  }
  if (auto fault = next_works(s); !fault.empty())
    return failed(std::move(fault));
  return {};
}

finding late_cancel(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(), std::string(still_there));
  s.on.until([&] { return !talk.turn().running() || !talk.turn().questions.empty(); },
             s.asked.turn);
  std::vector<std::string> notes;
  if (talk.turn().is == turn_record::state::ended && talk.say(R"({"type":"CANCEL"})")) {
    s.on.until([&] { return talk.turn().stray > 0; }, milliseconds(300));
    if (talk.turn().stray > 0)
      notes.emplace_back("it answers a CANCEL that comes too late; that is ignored");
    talk.settle();
  } else if (auto fault = s.finish(talk); !fault.empty()) {
    return failed(std::move(fault));
  }
  if (auto fault = next_works(s); !fault.empty())
    return failed(std::move(fault));
  return {verdict::ok, {}, std::move(notes)};
}

finding kept_connection(stage& s) {
  counterpart kept{s.with.protocol, s.with.agent, s.with.connect};
  kept.agent.connection = connection_mode::chat;
  conversation talk(s.on, kept, s.chat);
  talk.ask(s.next_id(), "Say hello.");
  if (auto fault = s.finish(talk); !fault.empty())
    return failed(std::move(fault));
  if (!talk.kept())
    return skipped("the agent does not echo message_id, or closes after END: every turn gets a "
                   "connection of its own");
  talk.ask(s.next_id(), "Say hello again.");
  if (auto fault = s.finish(talk); !fault.empty())
    return failed("the second question on the same connection: " + fault);
  return {};
}

finding pings(stage& s) {
  auto to = first_link(s.with, s.chat);
  if (!to)
    return skipped("there is no connection to ping on");
  constexpr milliseconds often{700};
  to->ping_after = often; // dead after three times
  raw_line line(s.on, std::move(*to), s.chat);
  s.on.until([&] { return line.opened() || line.closed(); }, s.asked.connect + milliseconds(500));
  s.on.until([&] { return line.closed().has_value(); }, 4 * often);
  if (!line.closed())
    return {};
  if (line.closed()->reason == link_closed::how::closed)
    return {verdict::ok, {}, {"it closes a connection on which nothing is said"}};
  return failed(words(*line.closed()));
}

} // namespace

const std::vector<check_case> agent_ws_cases{
    {"kept_connection", "two turns on one connection, as with connection: chat",
     "An agent that echoes message_id may be asked again on the same connection.",
     "docs/agents.md#address-and-connections", kept_connection},
    {"pings", "a connection on which nothing is said for a while",
     "WebSocket pings are answered; three in silence, and the agent counts as gone.",
     "docs/agents.md#address-and-connections", pings},
    {"missing_fields", "a question that has only a text",
     "user_id, chat_id and message_id come only if the registry's send has them.",
     "docs/agents.md#from-the-router", missing_fields},
    {"unknown_fields", "a question with fields that nobody knows",
     "Unknown fields are ignored: the router may be newer than the agent.",
     "docs/agents.md#what-an-agent-bears", unknown_fields},
    {"late_cancel", "CANCEL just after END",
     "A CANCEL may cross END on its way: while no turn runs it means nothing.",
     "docs/agents.md#what-an-agent-bears", late_cancel},
    {"unknown_type", "a frame of a type that nobody knows, before a question",
     "Unknown types are ignored: the router may be newer than the agent.",
     "docs/agents.md#what-an-agent-bears", unknown_type},
    {"broken_json", "frames that are no JSON, or not of the protocol",
     "What cannot be understood may cost its connection, never the agent.",
     "docs/agents.md#what-an-agent-bears", broken_frames},
};

} // namespace pb::agent_check
