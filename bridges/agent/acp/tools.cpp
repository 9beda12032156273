#include "bridges/agent/acp/tools.hpp"

#include "bridges/agent/acp/content.hpp"
#include "bridges/agent/acp/safe_text.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace pb::acp {
namespace {

using agent_json::value;

agent_wants::say say(agent_event event) { return {{std::move(event), {}}}; }

bool makes_files(const std::string& kind) {
  return kind != "read" && kind != "search" && kind != "think" && kind != "fetch";
}

} // namespace

void tool_table::clear() {
  tools_.clear();
  files_.clear();
}

tool& tool_table::learn(const value& call) {
  const auto id = call["toolCallId"].text();
  auto known =
      std::find_if(tools_.rbegin(), tools_.rend(), [&](const tool& t) { return t.id == id; });
  if (known == tools_.rend()) {
    if (tools_.size() >= cap)
      tools_.pop_front();
    tools_.push_back({id, {}, {}, {}, {}});
    known = tools_.rbegin();
  }
  auto& t = *known;
  if (auto title = call["title"].text(); !title.empty())
    t.title = cut(title, title_cap);
  if (auto kind = call["kind"].string())
    t.kind = cut(*kind, 32);
  if (call["rawInput"])
    t.input = cut(call["rawInput"].json(), input_cap);
  if (const auto locations = call["locations"]; locations.is_array()) {
    t.paths.clear();
    for (const auto& location : locations.items())
      if (auto path = location["path"].text(); !path.empty() && t.paths.size() < paths_cap)
        t.paths.push_back(cut(path, title_cap));
  }
  return t;
}

agent_steps tool_table::update(const value& update, std::string_view folder) {
  agent_steps out;
  if (update["toolCallId"].text().empty())
    return {say(agent_says::malformed{"a tool call without toolCallId"})};
  auto& t = learn(update);
  const bool has_input = static_cast<bool>(update["rawInput"]);
  if (!t.told || (has_input && !t.input_told)) {
    out.push_back(
        say(agent_says::tool_call{t.id, t.told ? std::string() : t.title,
                                  has_input ? update["rawInput"].json() : std::string()}));
    t.told = true;
    t.input_told = t.input_told || has_input;
  }
  const auto status = update["status"].text();
  const bool failed = status == "failed";
  if ((failed || status == "completed") && !t.over) {
    t.over = true;
    out.push_back(say(agent_says::tool_result{t.id, t.title, update["rawOutput"].json(), failed}));
  }
  if (t.over && !failed && makes_files(t.kind))
    take_files(t, update["content"], folder, out);
  return out;
}

void tool_table::take_files(const tool& call, const value& content, std::string_view folder,
                            agent_steps& into) {
  for (const auto& item : content.items()) {
    if (item["type"].text() != "content")
      continue; // a diff or a terminal
    auto what = read_block(item["content"], folder);
    auto* link = std::get_if<agent_says::send_file>(&what);
    auto* bytes = std::get_if<agent_wants::put_file>(&what);
    if (!link && !bytes)
      continue;
    const auto mark = std::hash<std::string>{}(link ? link->path : bytes->bytes) ^
                      std::hash<std::string>{}(call.id);
    if (files_.size() >= cap || !files_.insert(mark).second)
      continue;
    if (link)
      into.push_back(say(std::move(*link)));
    else
      into.emplace_back(std::move(*bytes));
  }
}

} // namespace pb::acp
