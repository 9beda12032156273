#include "bridges/agent/ag_ui/run.hpp"

#include "bridges/agent/ag_ui/state.hpp"
#include "bridges/agent/refusal.hpp"

#include <algorithm>
#include <utility>

namespace pb::ag_ui {
namespace {

using agent_json::value;

/// Beyond this a text makes the parser's buffers large enough to be given back.
constexpr std::size_t unusual = std::size_t{256} << 10;
constexpr std::size_t others_limit = 256;

std::string lacks(std::string_view type, std::string_view name) {
  std::string out = agent_json::loggable(type);
  out += ": ";
  out += name;
  return out += " is missing or not a string";
}

/// A message of the thread that is not the agent's: an echo of ours.
bool foreign(const value& role) {
  const auto name = role.text();
  return !name.empty() && name != "assistant";
}

/// The text of a content that is a string or a list of parts.
std::string content_text(const value& content) {
  if (const auto text = content.string())
    return *text;
  std::string out;
  for (const auto& part : content.items())
    if (part["type"].text() == "text")
      out += part["text"].text();
  return out;
}

/// Progress, as the room's log shows it.
bool is_progress(std::string_view type) {
  return type.starts_with("STEP_") || type.starts_with("ACTIVITY_") ||
         type.starts_with("SUBAGENT_");
}

} // namespace

happened run::read(std::string_view text) {
  happened out;
  const auto document = agent_json::parse(text, depth_limit);
  if (!document.wrong.empty()) {
    out.malformed = document.wrong;
  } else {
    const value all{document.root};
    if (const auto type = all["type"].string())
      event(*type, all, out);
    else
      out.malformed = "an event without a type";
  }
  if (text.size() > unusual)
    agent_json::release_large();
  return out;
}

void run::again() {
  message_.clear();
  call_.clear();
  others_.clear();
  summary_.clear();
  apart_ = spoke_;
}

void run::event(std::string_view type, const value& all, happened& out) {
  if (text_event(type, all, out) || tool_event(type, all, out) || state_event(type, all, out) ||
      ending_event(type, all, out) || type == "RUN_STARTED")
    return;
  if (type.starts_with("REASONING_") || type.starts_with("THINKING_")) {
    if (auto sign = thoughts_.sign())
      out.events.push_back(std::move(*sign));
  } else if (type == "CUSTOM") {
    out.events.emplace_back(agent_says::custom_update{all["name"].text(), all["value"].json()});
  } else if (is_progress(type)) {
    auto name = all["stepName"].text();
    for (const auto* other : {"activityType", "name"})
      if (name.empty())
        name = all[other].text();
    out.events.emplace_back(
        agent_says::custom_update{name.empty() ? std::string(type) : name, all.json()});
  } else {
    out.events.emplace_back(agent_says::unknown{agent_json::loggable(type)});
  }
}

void run::say(const std::string& message, std::string text, happened& out) {
  if (text.empty())
    return;
  record_.text(message, text);
  if (std::exchange(apart_, false))
    text.insert(0, "\n\n");
  spoke_ = true;
  out.events.emplace_back(agent_says::text_chunk{std::move(text)});
}

bool run::text_event(std::string_view type, const value& all, happened& out) {
  const bool begins = type == "TEXT_MESSAGE_START", chunk = type == "TEXT_MESSAGE_CHUNK",
             goes_on = type == "TEXT_MESSAGE_CONTENT", ends = type == "TEXT_MESSAGE_END";
  if (!begins && !chunk && !goes_on && !ends)
    return false;
  auto message = cut_text(all["messageId"].text(), kept_id);
  if (message.empty())
    message = message_;
  if (ends) {
    others_.erase(message);
    return true;
  }
  if (foreign(all["role"]) && others_.size() < others_limit)
    others_.insert(message);
  if (message != message_) {
    message_ = message;
    apart_ = spoke_;
  }
  const auto delta = all["delta"].string();
  if (goes_on && !delta)
    out.malformed = lacks(type, "delta");
  else if (delta && !others_.contains(message))
    say(message, *delta, out);
  return true;
}

bool run::tool_event(std::string_view type, const value& all, happened& out) {
  if (!type.starts_with("TOOL_CALL_"))
    return false;
  auto id = all["toolCallId"].text();
  if (id.empty() && type == "TOOL_CALL_CHUNK")
    id = call_;
  const auto name = all["toolCallName"].text();
  if (type == "TOOL_CALL_START" || type == "TOOL_CALL_CHUNK") {
    const bool first = id != call_;
    call_ = id;
    const auto delta = type == "TOOL_CALL_CHUNK" ? all["delta"].text() : std::string();
    if (first || !name.empty())
      record_.call(id, name);
    record_.args(id, delta);
    out.events.emplace_back(agent_says::tool_call{id, name, delta});
  } else if (type == "TOOL_CALL_ARGS") {
    const auto delta = all["delta"].text();
    record_.args(id, delta);
    out.events.emplace_back(agent_says::tool_call{id, {}, delta});
  } else if (type == "TOOL_CALL_RESULT") {
    const auto* call = record_.find(id);
    const auto content = all["content"];
    out.events.emplace_back(
        agent_says::tool_result{id, call ? call->name : std::string(), content.json(), false});
    record_.result(all["messageId"].text(), id,
                   content.string() ? content.text() : content_text(content));
  } else if (type != "TOOL_CALL_END") {
    return false;
  }
  return true;
}

bool run::state_event(std::string_view type, const value& all, happened& out) {
  if (type == "STATE_SNAPSHOT") {
    state_ = all["snapshot"] ? all["snapshot"].json() : std::string();
    if (state_.size() > state_limit) {
      state_.clear();
      out.events.emplace_back(agent_says::unknown{"STATE_SNAPSHOT/too_large"});
    }
  } else if (type == "STATE_DELTA") {
    auto next = patched(state_.empty() ? "{}" : state_, all["delta"].json());
    if (next)
      state_ = std::move(*next);
    else
      out.events.emplace_back(agent_says::unknown{"STATE_DELTA/does_not_fit"});
  } else if (type == "MESSAGES_SNAPSHOT") {
    summary_.clear();
    for (const auto& message : all["messages"].items()) {
      const auto role = message["role"].text();
      if (role == "user")
        summary_.clear(); // what the agent said before it is known
      else if (auto text = content_text(message["content"]); role == "assistant" && !text.empty())
        summary_ += (summary_.empty() ? "" : "\n\n") + text;
    }
  } else {
    return false;
  }
  return true;
}

bool run::ending_event(std::string_view type, const value& all, happened& out) {
  if (type != "RUN_ERROR" && type != "RUN_FINISHED")
    return false;
  static constexpr std::int64_t most = 1'000'000'000'000'000;
  const auto add = [](std::int64_t& sum, const value& count) {
    sum = std::min(most, sum + std::clamp<std::int64_t>(count.integer().value_or(0), 0, most));
  };
  for (const auto& used : all["usage"].items()) {
    add(out.used.input_tokens, used["inputTokens"]);
    add(out.used.output_tokens, used["outputTokens"]);
  }
  if (type == "RUN_FINISHED") {
    finish(all, out);
    return true;
  }
  out.how = happened::ending::failed;
  const auto code = all["code"].text();
  out.error = {code.empty() ? "the run failed" : agent_json::loggable(code),
               server_sentence(all["message"].text()), false};
  return true;
}

void run::finish(const value& all, happened& out) {
  const auto outcome = all["outcome"];
  const auto kind = outcome["type"].text();
  if (kind == "interrupt")
    return interrupts(outcome, out);
  if (kind == "cancelled") {
    out.how = happened::ending::cancelled;
    return;
  }
  if (!kind.empty() && kind != "success")
    out.events.emplace_back(agent_says::unknown{"outcome/" + agent_json::loggable(kind)});
  if (!spoke_)
    say("summary", summary_.empty() ? all["result"].text() : summary_, out);
  out.how = happened::ending::success;
}

namespace {

/// The first field of the wanted answer that is true or false.
std::string yes_field(const value& schema) {
  if (schema["type"].text() == "boolean")
    return {};
  for (const auto& [name, field] : schema["properties"].fields())
    if (field["type"].text() == "boolean" && !name.empty() && name.size() <= interrupt_id)
      return name;
  return "approved";
}

} // namespace

void run::interrupts(const value& outcome, happened& out) {
  for (const auto& asked : outcome["interrupts"].items()) {
    auto id = asked["id"].text();
    if (id.empty() || id.size() > interrupt_id) {
      out.malformed = "an interrupt without an id, or with one that is too long";
      return;
    }
    const bool twice = std::any_of(out.interrupts.begin(), out.interrupts.end(),
                                   [&](const interrupt& i) { return i.id == id; });
    if (!twice)
      out.interrupts.push_back({std::move(id), prompt(asked), yes_field(asked["responseSchema"])});
  }
  if (out.interrupts.empty() || out.interrupts.size() > interrupt_limit)
    out.malformed = "an interrupt outcome with no interrupts, or too many";
  else
    out.how = happened::ending::interrupted;
}

std::string run::prompt(const value& asked) const {
  auto words = asked["message"].text();
  const auto reason = asked["reason"].text();
  if (words.empty())
    words = reason.empty() ? "May the agent go on?" : reason;
  if (const auto* call = record_.find(asked["toolCallId"].text())) {
    words += "\n\n" + cut_text(call->name, 100);
    if (!call->args.empty())
      words += " " + cut_text(call->args, 1000);
  }
  return cut_text(std::move(words), prompt_limit);
}

} // namespace pb::ag_ui
