#include "bridges/agent/ag_ui/record.hpp"

#include "bridges/agent/ag_ui/fields.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace pb::ag_ui {
namespace {

using nlohmann::json;

json parsed(const std::string& more) {
  auto out = json::parse(more, nullptr, false);
  return out.is_object() ? out : json::object();
}

json calls_of(const json& more) {
  const auto found = more.find("toolCalls");
  return found != more.end() && found->is_array() ? *found : json::array();
}

} // namespace

void record::text(const std::string& message, std::string_view delta) {
  if (words_ >= kept_words)
    return;
  auto id = cut_text(message, kept_id);
  auto* last =
      messages_.empty() || messages_.back().role != "assistant" ? nullptr : &messages_.back();
  auto piece = cut_text(std::string(delta), kept_words - words_);
  words_ += std::max<std::size_t>(piece.size(), 1);
  if (last != nullptr && (last->id == id || messages_.size() >= kept_messages))
    last->text += piece;
  else if (messages_.size() < kept_messages + kept_calls)
    messages_.push_back({"assistant", std::move(id), std::move(piece), {}, {}});
}

const record::tool_call* record::find(const std::string& id) const {
  for (auto m = messages_.rbegin(); m != messages_.rend(); ++m)
    for (const auto& call : m->calls)
      if (call.id == id)
        return &call;
  return nullptr;
}

record::tool_call* record::look(const std::string& id) {
  return const_cast<tool_call*>(std::as_const(*this).find(id)); // NOLINT: it is ours
}

void record::call(const std::string& id, const std::string& name) {
  if (calls_ >= kept_calls || id.empty() || id.size() > kept_id || name.size() > kept_id ||
      find(id) != nullptr)
    return;
  ++calls_;
  if (messages_.empty() || messages_.back().role != "assistant")
    messages_.push_back({"assistant", "calls-" + id, {}, {}, {}});
  messages_.back().calls.push_back({id, name, {}});
}

void record::args(const std::string& id, std::string_view delta) {
  if (auto* call = look(id); call && call->args.size() <= kept_args)
    call->args += delta.substr(0, kept_args + 1);
}

/// The call may be of an earlier run: settled() tells whether there is one.
void record::result(const std::string& message, const std::string& call, std::string content) {
  if (call.empty() || call.size() > kept_id || messages_.size() >= kept_messages + 2 * kept_calls)
    return;
  const auto same = [&](const entry& m) { return m.answers == call; };
  if (std::none_of(messages_.begin(), messages_.end(), same))
    messages_.push_back(
        {"tool", cut_text(message, kept_id), cut_text(std::move(content), kept_result), {}, call});
}

std::vector<history_entry> record::entries(const std::string& turn) const {
  std::vector<history_entry> out;
  for (const auto& m : messages_) {
    json more{{"id", m.id}};
    if (!m.answers.empty())
      more["toolCallId"] = m.answers;
    for (const auto& call : m.calls)
      more["toolCalls"].push_back(
          {{"id", call.id},
           {"type", "function"},
           {"function",
            {{"name", call.name},
             {"arguments",
              call.args.empty() || call.args.size() > kept_args ? "{}" : call.args}}}});
    out.push_back({turn, m.role, m.text, json_text(more)});
  }
  return out;
}

std::vector<history_entry> settled(std::vector<history_entry> exchange) {
  std::set<std::string> answered, asked;
  for (const auto& e : exchange)
    if (e.role == "tool")
      answered.insert(string_of(parsed(e.more), "toolCallId"));
  std::vector<history_entry> out;
  for (auto& e : exchange) {
    if (e.role == "tool" && !asked.contains(string_of(parsed(e.more), "toolCallId")))
      continue;
    if (e.role == "assistant" && !e.more.empty()) {
      auto more = parsed(e.more);
      auto kept = json::array();
      for (auto& call : calls_of(more))
        if (const auto id = string_of(call, "id"); answered.contains(id)) {
          asked.insert(id);
          kept.push_back(std::move(call));
        }
      more.erase("toolCalls");
      if (!kept.empty())
        more["toolCalls"] = std::move(kept);
      else if (e.text.empty())
        continue;
      e.more = json_text(more);
    }
    out.push_back(std::move(e));
  }
  return out;
}

json as_message(const history_entry& entry, std::size_t number) {
  const auto more = parsed(entry.more);
  auto id = string_of(more, "id");
  if (id.empty())
    id = entry.role == "user" ? entry.turn : entry.turn + "-m" + std::to_string(number);
  json out{{"id", std::move(id)}, {"role", entry.role}};
  auto calls = calls_of(more);
  if (!entry.text.empty() || calls.empty())
    out["content"] = entry.text;
  if (!calls.empty())
    out["toolCalls"] = std::move(calls);
  if (auto call = string_of(more, "toolCallId"); !call.empty())
    out["toolCallId"] = std::move(call);
  return out;
}

} // namespace pb::ag_ui
