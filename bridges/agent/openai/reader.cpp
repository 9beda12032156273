#include "bridges/agent/json.hpp"
#include "bridges/agent/openai/dialect.hpp"
#include "bridges/agent/refusal.hpp"

#include <algorithm>
#include <cmath>

namespace pb::openai {
namespace {

using agent_json::value;

/// Beyond this a text makes the parser's buffers large enough to be given back.
constexpr std::size_t unusual = std::size_t{256} << 10;

std::optional<std::int64_t> count(const value& v) {
  constexpr double most = 1e15; // more than any sum of turns can reach, exact in a double
  const auto number = v.number();
  if (!number)
    return std::nullopt;
  return static_cast<std::int64_t>(std::min(std::max(*number, 0.0), most));
}

/// The text of a content that is a string, or a list of parts; `kind` of a part is its type.
std::string content_text(const value& content) {
  if (const auto text = content.string())
    return *text;
  std::string out;
  for (const auto& part : content.items())
    if (const auto kind = part["type"].text(); kind == "text" || kind == "output_text")
      out += part["text"].text();
  return out;
}

/// {message, type, code}, a string, or the fields beside the kind.
agent_says::error failure(const value& error) {
  agent_says::error out;
  for (const auto& name : {error["code"], error["type"]})
    if (out.code.empty() && name)
      out.code = agent_json::loggable(name.string() ? name.text() : name.json());
  if (out.code.empty() || out.code == "error")
    out.code = "error of the server";
  const auto text = error.string() ? error.text() : error["message"].text();
  out.details = server_sentence(text);
  out.retryable = out.code.find("rate_limit") != std::string::npos ||
                  out.code.find("overloaded") != std::string::npos ||
                  out.code.find("server_error") != std::string::npos || out.code == "429" ||
                  out.code == "503";
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// -- chat completions
// --------------------------------------------------------------------------------

void read_message(const value& message, news& out) {
  out.text = content_text(message["content"]);
  out.refused = message["refusal"].text();
  out.thinks = !message["reasoning_content"].text().empty() || !message["reasoning"].text().empty();
  if (!message["tool_calls"].items().empty() || message["function_call"].is_object())
    out.unknown.emplace_back("tool_calls");
}

void read_chat(const value& all, news& out) {
  const auto usage = all["usage"];
  out.used = {count(usage["prompt_tokens"]), count(usage["completion_tokens"])};
  bool known = usage || all["choices"].is_array();
  for (const auto& choice : all["choices"].items()) {
    if (choice["index"].integer().value_or(0) != 0)
      continue;
    const auto delta = choice["delta"];
    const bool whole = !delta && choice["message"].is_object();
    read_message(whole ? choice["message"] : delta, out);
    out.finish = choice["finish_reason"].text();
    if (whole && out.finish.empty())
      out.finish = "stop";
    out.over = whole;
  }
  if (!known)
    out.unknown.push_back(
        agent_json::loggable(all["object"] ? all["object"].text() : all["type"].text()));
}

// -- Responses
// ---------------------------------------------------------------------------------------

/// The whole answer, as it stands in response.completed or in an answer without a stream.
void read_response(const value& response, news& out) {
  const auto usage = response["usage"];
  out.used = {count(usage["input_tokens"]), count(usage["output_tokens"])};
  for (const auto& item : response["output"].items()) {
    const auto kind = item["type"].text();
    if (kind == "message") {
      const auto text = content_text(item["content"]);
      if (!text.empty())
        out.whole += (out.whole.empty() ? "" : "\n\n") + text;
      for (const auto& part : item["content"].items())
        if (part["type"].text() == "refusal")
          out.refused += part["refusal"].text();
    } else if (kind != "reasoning") {
      out.unknown.push_back(agent_json::loggable(kind));
    }
  }
  const auto status = response["status"].text();
  out.over = true;
  if (status == "failed" || response["error"].is_object()) {
    out.error = failure(response["error"]);
  } else if (status == "incomplete") {
    const auto reason = response["incomplete_details"]["reason"].text();
    out.finish = reason == "max_output_tokens" ? "length" : reason.empty() ? "length" : reason;
  } else if (status == "cancelled") {
    out.error = agent_says::error{"cancelled by the server", {}, true};
  } else {
    out.finish = "stop";
  }
}

/// Events that only frame what other events tell.
bool frames_only(std::string_view kind) {
  static constexpr std::string_view names[] = {"response.created",
                                               "response.in_progress",
                                               "response.queued",
                                               "response.output_item.done",
                                               "response.content_part.done",
                                               "response.content_part.added",
                                               "response.output_text.done",
                                               "response.output_text.annotation.added",
                                               "response.refusal.done",
                                               "keepalive",
                                               "response.keepalive"};
  return std::find(std::begin(names), std::end(names), kind) != std::end(names);
}

void read_responses(const value& all, std::int64_t& part, news& out) {
  const auto kind = all["type"].text();
  if (kind.empty() && all["object"].text() == "response")
    return read_response(all, out);
  if (kind == "response.output_text.delta") {
    const auto now = all["output_index"].integer().value_or(0);
    out.new_part = part >= 0 && now != part;
    part = now;
    out.text = all["delta"].text();
  } else if (kind == "response.refusal.delta") {
    out.refused = all["delta"].text();
  } else if (kind == "response.completed" || kind == "response.incomplete" ||
             kind == "response.failed") {
    read_response(all["response"], out);
    if (kind == "response.failed" && !out.error)
      out.error = failure(all["response"]["error"]);
  } else if (kind == "error") {
    out.error = failure(all["error"] ? all["error"] : all);
  } else if (kind.starts_with("response.reasoning")) {
    out.thinks = true;
  } else if (kind == "response.output_item.added") {
    const auto item = all["item"]["type"].text();
    out.thinks = item == "reasoning";
    if (item != "message" && item != "reasoning")
      out.unknown.push_back(agent_json::loggable(item));
  } else if (!frames_only(kind)) {
    out.unknown.push_back(agent_json::loggable(kind));
  }
}

} // namespace

news reader::read(std::string_view text) {
  news out;
  if (trimmed(text) == "[DONE]") {
    out.over = true;
    return out;
  }
  const auto document = agent_json::parse(text, depth_limit);
  if (!document.wrong.empty()) {
    out.malformed = document.wrong;
  } else {
    const value all{document.root};
    if (const auto error = all["error"]; error && all["object"].text() != "response")
      out.error = failure(error);
    else if (all["object"].text() == "error")
      out.error = failure(all);
    else if (speaks_ == agent_model::api::chat)
      read_chat(all, out);
    else
      read_responses(all, part_, out);
  }
  if (text.size() > unusual)
    agent_json::release_large();
  return out;
}

} // namespace pb::openai
