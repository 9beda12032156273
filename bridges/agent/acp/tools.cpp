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

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// What is the same at both ends is left out but for two lines of it: one change, which is what
/// agents ask about. Whole texts are compared, only the beginning is shown.
std::string change_of(std::string_view before, std::string_view after) {
  constexpr std::size_t around = 2;
  const auto was = lines_of(before), is = lines_of(after);
  const auto shorter = std::min(was.size(), is.size());
  std::size_t head = 0, tail = 0;
  while (head < shorter && was[head] == is[head])
    ++head;
  while (tail < shorter - head && was[was.size() - 1 - tail] == is[is.size() - 1 - tail])
    ++tail;
  std::string out;
  const auto add = [&](char mark, const std::vector<std::string_view>& all, std::size_t from,
                       std::size_t to) {
    for (auto i = from; i < to && out.size() < tool_table::input_cap; ++i)
      out.append(1, mark).append(all[i]).append("\n");
  };
  add(' ', is, head - std::min(head, around), head);
  add('-', was, head, was.size() - tail);
  add('+', is, head, is.size() - tail);
  add(' ', is, is.size() - tail, is.size() - tail + std::min(tail, around));
  return out;
}

void learn_content(tool& t, const value& content) {
  std::string words, diff;
  for (const auto& item : content.items()) {
    const auto type = item["type"].text();
    if (type == "diff" && diff.size() < tool_table::input_cap)
      diff += "@@ " + one_line(item["path"].text(), 200) + "\n" +
              change_of(item["oldText"].text(), item["newText"].text());
    else if (type == "content" && item["content"]["type"].text() == "text" &&
             words.size() < tool_table::input_cap)
      words += (words.empty() ? "" : "\n") + item["content"]["text"].text();
  }
  t.words = cut(words, tool_table::input_cap);
  t.diff = cut(diff, tool_table::input_cap);
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
    tools_.push_back({id, {}, {}, {}, {}, {}, {}});
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
  if (const auto content = call["content"]; content.is_array())
    learn_content(t, content);
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
