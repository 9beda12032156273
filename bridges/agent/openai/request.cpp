#include "bridges/agent/openai/dialect.hpp"

#include <nlohmann/json.hpp>

namespace pb::openai {
namespace {

using nlohmann::json;

json chat_content(const question& asked) {
  if (asked.images.empty())
    return asked.text;
  auto parts = json::array();
  if (!asked.text.empty())
    parts.push_back({{"type", "text"}, {"text", asked.text}});
  for (const auto& url : asked.images)
    parts.push_back({{"type", "image_url"}, {"image_url", {{"url", url}}}});
  return parts;
}

json responses_content(const question& asked) {
  if (asked.images.empty())
    return asked.text;
  auto parts = json::array();
  if (!asked.text.empty())
    parts.push_back({{"type", "input_text"}, {"text", asked.text}});
  for (const auto& url : asked.images)
    parts.push_back({{"type", "input_image"}, {"image_url", url}});
  return parts;
}

void add_before(const std::vector<history_entry>& before, json& into) {
  for (const auto& e : before)
    into.push_back({{"role", e.role}, {"content", e.text}});
}

} // namespace

std::string_view target(agent_model::api speaks) {
  return speaks == agent_model::api::chat ? "chat/completions" : "responses";
}

json request(const agent_model& model, const std::vector<history_entry>& before,
             const question& asked) {
  json body{{"model", model.name}, {"stream", true}};
  auto said = json::array();
  if (model.speaks == agent_model::api::chat) {
    if (!model.instructions.empty())
      said.push_back({{"role", "system"}, {"content", model.instructions}});
    add_before(before, said);
    said.push_back({{"role", "user"}, {"content", chat_content(asked)}});
    body["messages"] = std::move(said);
    body["stream_options"] = {{"include_usage", true}};
    if (model.max_tokens > 0)
      body["max_tokens"] = model.max_tokens;
    return body;
  }
  if (!model.instructions.empty())
    body["instructions"] = model.instructions;
  add_before(before, said);
  said.push_back({{"role", "user"}, {"content", responses_content(asked)}});
  body["input"] = std::move(said);
  body["store"] = false; // the context is kept by us
  if (model.max_tokens > 0)
    body["max_output_tokens"] = model.max_tokens;
  return body;
}

} // namespace pb::openai
