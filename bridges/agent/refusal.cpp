#include "bridges/agent/refusal.hpp"

#include "bridges/agent/history.hpp"
#include "bridges/agent/json.hpp"

#include <simdjson.h>

namespace pb {
namespace {

using value = agent_json::value;

constexpr std::size_t depth_limit = 64;

/// FastAPI's validation errors: [{loc: [...], msg}].
std::string validation_sentence(const value& detail) {
  for (const auto& item : detail.items()) {
    std::string sentence;
    for (const auto& part : item["loc"].items())
      sentence += (sentence.empty() ? "" : ".") + part.text();
    if (const auto what = item["msg"].text(); !what.empty())
      return sentence.append(sentence.empty() ? "" : ": ") += what;
  }
  return {};
}

std::string_view meaning(int status, std::string_view type) {
  if (type == "insufficient_quota" || status == 402)
    return "the account's quota is used up";
  switch (status) {
  case 404:
    return type == "model_not_found" ? "no such model" : "no such address or model";
  case 405:
    return "the address does not take questions";
  case 408:
  case 504:
    return "it took too long";
  case 413:
    return "the request is too large";
  case 429:
    return "too many requests";
  case 503:
  case 529:
    return "it is overloaded";
  default:
    return status < 400 ? "it has moved" : status < 500 ? "not accepted" : "the server failed";
  }
}

/// Seconds, rounded up; minutes from two of them on.
std::string in_words(std::chrono::milliseconds time) {
  const auto seconds = (time.count() + 999) / 1000;
  return seconds < 120 ? std::to_string(seconds) + " s"
                       : std::to_string((seconds + 59) / 60) + " min";
}

} // namespace

std::string server_sentence(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size()))
    return {};
  std::string out;
  bool gap = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) {
      gap = !out.empty();
      continue;
    }
    if (out.empty() && c == '<')
      return {};
    if (gap)
      out += ' ';
    gap = false;
    out += c;
    if (out.size() > 2 * sentence_limit)
      break; // perhaps in the middle of a character, which is cut away below
  }
  return cut_text(std::move(out), sentence_limit);
}

std::string refusal_sentence(std::string_view body) {
  const auto document = agent_json::parse(body, depth_limit);
  if (!document.wrong.empty())
    return document.wrong == "not JSON" ? server_sentence(body) : std::string();
  const value all{document.root};
  for (const auto& said : {all["error"]["message"], all["error"], all["message"], all["detail"]})
    if (auto sentence = server_sentence(said.text()); !sentence.empty())
      return sentence;
  return server_sentence(validation_sentence(all["detail"]));
}

agent_says::error refusal(const link_closed& why) {
  std::string type;
  if (const auto document = agent_json::parse(why.body, depth_limit); document.wrong.empty()) {
    const auto error = value(document.root)["error"];
    type = error["code"].text();
    if (error["type"].text() == "insufficient_quota")
      type = "insufficient_quota";
  }
  agent_says::error out;
  const auto what = meaning(why.code, type);
  out.code = "HTTP " + std::to_string(why.code) + ": ";
  out.code += what;
  out.retryable = why.code == 408 || why.code == 429 || why.code >= 500;
  if (type == "insufficient_quota")
    out.retryable = false;
  if (out.retryable && why.retry_after.count() > 0)
    out.code += "; again in " + in_words(why.retry_after);
  out.details = refusal_sentence(why.body);
  return out;
}

} // namespace pb
