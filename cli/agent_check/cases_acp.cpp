// What only ACP has: its version, what is not in it, and sessions that go on.

#include "bridges/agent/json_rpc.hpp"
#include "cli/agent_check/cases.hpp"
#include "cli/agent_check/raw_line.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace pb::agent_check {

namespace {

using nlohmann::json;

struct rpc_answer {
  std::optional<std::int64_t> error, version;
};

/// The answer with this id (as JSON text) among what came.
std::optional<rpc_answer> answer_to(const std::vector<std::string>& heard, std::string_view id) {
  std::optional<rpc_answer> out;
  for (const auto& text : heard) {
    const auto m = json_rpc::read(text);
    if (m.wrong.empty() && m.is_answer() && m.id == id)
      out = rpc_answer{m.error ? std::optional(m.error->code) : std::nullopt,
                       m.result["protocolVersion"].integer()};
  }
  agent_json::release_large();
  return out;
}

finding version(stage& s) {
  constexpr std::int64_t far_future = 65'535;
  auto to = first_link(s.with, s.chat);
  if (!to)
    return skipped("there is no connection to ask on");
  raw_line line(s.on, std::move(*to), s.chat);
  line.say(json_rpc::request("1", "initialize",
                             {{"protocolVersion", far_future},
                              {"clientCapabilities", json::object()},
                              {"clientInfo", {{"name", "patchbay"}, {"version", "check"}}}}));
  std::optional<rpc_answer> got;
  s.on.until(
      [&] {
        got = answer_to(line.heard(), "1");
        return got || line.closed();
      },
      s.asked.turn);
  if (!got)
    return failed(line.closed() ? words(*line.closed())
                                : std::string("initialize was not answered"));
  if (got->error)
    return failed("initialize was refused with " + std::to_string(*got->error) +
                  " in place of a version that the agent speaks");
  if (!got->version)
    return failed("the answer to initialize has no protocolVersion that is a number");
  if (*got->version == far_future)
    return failed("it claims to speak version " + std::to_string(far_future));
  return {};
}

finding same_session(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  for (const auto* text : {"Say hello.", "Say hello again."}) {
    talk.ask(s.next_id(), text);
    if (auto fault = s.finish(talk); !fault.empty())
      return failed(std::move(fault));
    if (!talk.kept())
      return failed("the connection did not last until the next prompt");
  }
  return {};
}

finding unknown_method_acp(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(), "Say hello.");
  if (auto fault = s.finish(talk); !fault.empty())
    return failed(std::move(fault));
  if (!talk.say(json_rpc::request("\"patchbay-check\"", "patchbay/unknown", json::object())))
    return failed("the connection did not last until the next request");
  std::optional<rpc_answer> got;
  s.on.until(
      [&] { return (got = answer_to(talk.heard(), "\"patchbay-check\"")) || !talk.connected(); },
      std::min(s.asked.turn, milliseconds(5000)));
  if (!got)
    return failed("a request for a method that nobody knows was not answered");
  if (!got->error || *got->error != json_rpc::method_not_found)
    return failed("a method that nobody knows was answered with " +
                  (got->error ? "error " + std::to_string(*got->error) : std::string("a result")) +
                  " in place of error -32601");
  return {};
}

finding unknown_notification(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(), "Say hello.");
  if (auto fault = s.finish(talk); !fault.empty())
    return failed(std::move(fault));
  talk.say(json_rpc::notification("patchbay/unknown", {{"text", "ignore me"}}));
  talk.ask(s.next_id(), "Are you still there?");
  auto fault = s.finish(talk);
  return fault.empty() ? finding{} : failed(std::move(fault));
}

finding broken_json_acp(stage& s) {
  if (auto to = first_link(s.with, s.chat)) {
    raw_line line(s.on, std::move(*to), s.chat);
    for (const auto* junk : {R"({"jsonrpc":"2.0","id":1,"meth)", "[]", "null", "{}", R"({"id":7})"})
      line.say(junk);
    s.on.until([&] { return line.closed().has_value(); }, milliseconds(500));
  }
  const auto fault = s.simple_turn(s.chat, "Are you still there?");
  return fault.empty() ? finding{} : failed("the next question, on a new connection: " + fault);
}

} // namespace

const std::vector<check_case> acp_cases{
    {"version", "initialize with a version that nobody speaks",
     "An agent that does not speak the version it is asked for answers with one that it speaks.",
     "docs/agent-protocols.md#agents-that-speak-acp", version},
    {"same_session", "two prompts in one session",
     "A session takes one prompt after the other, on the same connection.",
     "docs/agent-protocols.md#agents-that-speak-acp", same_session},
    {"unknown_notif", "a notification that nobody knows, before a prompt",
     "Notifications that are not known are ignored.",
     "docs/agent-protocols.md#agents-that-speak-acp", unknown_notification},
    {"unknown_method", "a request for a method that nobody knows",
     "Every request is answered; a method that is not known with error -32601.",
     "docs/agent-protocols.md#agents-that-speak-acp", unknown_method_acp},
    {"broken_json", "frames that are no JSON, or no JSON-RPC",
     "What cannot be understood may cost its connection, never the agent.",
     "docs/agents.md#what-an-agent-bears", broken_json_acp},
};

} // namespace pb::agent_check
