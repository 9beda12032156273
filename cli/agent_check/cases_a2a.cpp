// What only A2A has: its card, and errors as the specification numbers them.

#include "cli/agent_check/cases.hpp"
#include "cli/agent_check/raw_line.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace pb::agent_check {

namespace {

using nlohmann::json;

struct exchange {
  std::optional<std::string> body; ///< nothing: there was no answer
  std::string trouble;             ///< why
  bool refused = false;            ///< by another status than 2xx
};

exchange ask_once(stage& s, link_request to, std::string body) {
  raw_line line(s.on, std::move(to), s.chat);
  line.say(std::move(body));
  s.on.until([&] { return !line.heard().empty() || line.closed(); }, s.asked.turn);
  if (!line.heard().empty())
    return {line.heard().front(), {}, false};
  if (!line.closed())
    return {std::nullopt, "there was no answer", false};
  if (line.closed()->reason == link_closed::how::rejected)
    return {line.closed()->body, "status " + std::to_string(line.closed()->code), true};
  return {std::nullopt, words(*line.closed()), false};
}

/// The first of these fields that is missing, of those that the specification requires.
std::string missing(const json& card) {
  for (const auto* text : {"name", "description", "version"})
    if (!card.contains(text) || !card[text].is_string())
      return text;
  for (const auto* list : {"defaultInputModes", "defaultOutputModes", "skills"})
    if (!card.contains(list) || !card[list].is_array())
      return list;
  if (!card.contains("capabilities") || !card["capabilities"].is_object())
    return "capabilities";
  const bool newer = card.contains("supportedInterfaces") &&
                     card["supportedInterfaces"].is_array() && !card["supportedInterfaces"].empty();
  const bool older = card.contains("url") && card["url"].is_string();
  return newer || older ? "" : "supportedInterfaces (before 1.0: url)";
}

finding card(stage& s) {
  auto to = first_link(s.with, s.chat);
  if (!to)
    return skipped("there is nothing to ask");
  auto got = ask_once(s, *to, {});
  finding out;
  if (got.refused) { // where the card was before 0.3
    if (const auto at = to->url.rfind("agent-card.json"); at != std::string::npos) {
      to->url.replace(at, std::string::npos, "agent.json");
      got = ask_once(s, *to, {});
      out.notes.emplace_back("the card is at the old place, /.well-known/agent.json");
    }
  }
  if (!got.body || got.refused)
    return failed("the card cannot be read: " + got.trouble);
  const auto parsed = json::parse(*got.body, nullptr, false);
  if (!parsed.is_object())
    return failed("the card is no JSON object");
  if (const auto field = missing(parsed); !field.empty())
    return failed("the card has no " + field + ", or of another type");
  return out;
}

/// The code of the error, or what came in its place.
finding expect_error(const exchange& got, int code) {
  if (!got.body)
    return failed(got.trouble);
  const auto parsed = json::parse(*got.body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("error") || !parsed["error"].is_object())
    return failed("the answer is no JSON-RPC error" +
                  (got.trouble.empty() ? std::string() : " (" + got.trouble + ")"));
  const auto& error = parsed["error"];
  if (!error.contains("code") || !error["code"].is_number_integer() ||
      error["code"].get<std::int64_t>() != code)
    return failed(
        "the error is " +
        (error.contains("code") ? beginning(error["code"].dump(), 40) : "without a code") +
        " in place of " + std::to_string(code));
  return {};
}

/// Where the agent takes its messages: that of a turn. `after`: what is wrong instead.
std::optional<link_request> interface(stage& s, finding& after) {
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(), "Say hello.");
  if (auto fault = s.finish(talk); !fault.empty())
    after = failed(std::move(fault));
  else if (talk.posted())
    return talk.posted();
  else
    after = skipped("nothing was posted");
  return std::nullopt;
}

std::string request(std::string_view method, json params) {
  return json{{"jsonrpc", "2.0"},
              {"id", "patchbay-check"},
              {"method", method},
              {"params", std::move(params)}}
      .dump();
}

finding unknown_method_a2a(stage& s) {
  finding out;
  const auto to = interface(s, out);
  return to ? expect_error(ask_once(s, *to, request("PatchbayUnknown", json::object())), -32'601)
            : out;
}

finding unknown_task(stage& s) {
  finding out;
  const auto to = interface(s, out);
  if (!to)
    return out;
  const auto* version = find_header(to->headers, "A2A-Version");
  const bool older = version != nullptr && version->starts_with("0.");
  return expect_error(ask_once(s, *to,
                               request(older ? "tasks/get" : "GetTask",
                                       {{"id", "patchbay-check-" + s.asked.nonce}})),
                      -32'001);
}

finding broken_json_a2a(stage& s) {
  finding out;
  const auto to = interface(s, out);
  if (!to)
    return out;
  const auto got = ask_once(s, *to, R"({"jsonrpc":"2.0","id":1,"meth)");
  if (auto wrong = expect_error(got, -32'700); wrong.is == verdict::failed)
    out.notes.push_back("for broken JSON: " + wrong.why);
  if (auto fault = s.simple_turn(s.chat, "Are you still there?"); !fault.empty())
    return failed("the next question: " + fault);
  return out;
}

} // namespace

const std::vector<check_case> a2a_cases{
    {"card", "the agent's card",
     "The card is at /.well-known/agent-card.json and has what the specification requires.",
     "docs/agent-protocols.md#agents-that-speak-a2a", card},
    {"unknown_method", "a method that nobody knows",
     "A method that is not known is answered with error -32601.",
     "docs/agent-protocols.md#agents-that-speak-a2a", unknown_method_a2a},
    {"unknown_task", "a task that nobody knows",
     "A task that is not known is answered with error -32001.",
     "docs/agent-protocols.md#agents-that-speak-a2a", unknown_task},
    {"broken_json", "a request that is no JSON",
     "What cannot be understood is answered with an error, and never costs the agent.",
     "docs/agents.md#what-an-agent-bears", broken_json_a2a},
};

} // namespace pb::agent_check
