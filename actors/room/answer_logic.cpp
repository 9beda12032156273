#include "actors/room/answer_logic.hpp"

#include "actors/phrases.hpp"

#include <cctype>

namespace pb {
namespace {

std::string shortened(const std::string& text, std::size_t limit) {
  if (text.size() <= limit)
    return text;
  auto end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end; // not inside a character
  return text.substr(0, end) + "…";
}

/// A tool's name comes from outside: one line of letters, nothing that Markdown would read.
std::string tool_name(language lang, const std::string& name) {
  std::string out;
  for (const char c : shortened(name, 48))
    if (static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view{"_-.:/ "}.find(c) != std::string_view::npos)
      out.push_back(c);
  return out.empty() ? say(lang, phrase::tool_unnamed) : out;
}

} // namespace

answer_fold::tool* answer_fold::running_tool(const std::string& id, const std::string& name) {
  for (auto t = tools_.rbegin(); t != tools_.rend(); ++t)
    if (t->now == tool::state::runs &&
        (id.empty() ? name.empty() || t->name == name || t->name.empty() : t->id == id))
      return &*t;
  return nullptr;
}

void answer_fold::begin_tool(const agent_says::tool_call& call) {
  auto* known = running_tool(call.id, call.name);
  if (known && (known->name == call.name || call.name.empty()))
    return; // one more piece of its arguments
  if (known && known->name.empty()) {
    known->name = call.name;
  } else {
    if (tools_.size() >= tool_cap)
      tools_.pop_front();
    tools_.push_back({call.id, call.name});
  }
  ++version_;
}

bool answer_fold::add(const agent_event& event) {
  using namespace agent_says;
  if (const auto* chunk = std::get_if<text_chunk>(&event)) {
    ++version_;
    if (text_.size() + chunk->text.size() > cap) {
      text_ += shortened(chunk->text, cap - std::min(cap, text_.size()));
      return false;
    }
    text_ += chunk->text;
  } else if (const auto* call = std::get_if<tool_call>(&event)) {
    begin_tool(*call);
  } else if (const auto* result = std::get_if<tool_result>(&event)) {
    if (auto* t = running_tool(result->id, result->name)) {
      t->now = result->is_error ? tool::state::failed : tool::state::done;
      ++version_;
    }
  } else if (const auto* s = std::get_if<status>(&event)) {
    status_ = s->text;
    ++version_;
  } else if (const auto* question = std::get_if<confirm>(&event)) {
    if (confirmations_.size() < wish_cap)
      confirmations_.push_back(*question);
  } else if (const auto* file = std::get_if<send_file>(&event)) {
    if (files_.size() < wish_cap)
      files_.push_back(file->path);
  } else if (const auto* e = std::get_if<error>(&event)) {
    error_code_ = e->code;
  } else if (const auto* done = std::get_if<end>(&event)) {
    usage_.input_tokens += done->input_tokens;
    usage_.output_tokens += done->output_tokens;
  }
  return true;
}

std::string answer_fold::view(language lang, bool tools) const {
  std::string out = text_;
  if (!tools)
    return out;
  std::string lines;
  for (const auto& t : tools_) {
    const auto what = t.now == tool::state::runs   ? phrase::tool_runs
                      : t.now == tool::state::done ? phrase::tool_done
                                                   : phrase::tool_failed;
    lines += (lines.empty() ? "" : "\n") + say(lang, what, {tool_name(lang, t.name)});
  }
  if (lines.empty() && out.empty() && !status_.empty())
    lines = say(lang, phrase::tool_runs, {tool_name(lang, status_)});
  if (lines.empty())
    return out;
  out.resize(out.find_last_not_of(" \t\r\n") + 1); // npos + 1: nothing is left
  out += (out.empty() ? "" : "\n\n") + lines;
  return out;
}

std::string closing_words(language lang, turn_ending ending, const std::string& agent,
                          const std::string& detail) {
  switch (ending) {
  case turn_ending::answered:
    return say(lang, phrase::empty_answer, {agent});
  case turn_ending::agent_error:
    return say(lang, phrase::agent_error, {agent, shortened(detail, 64)});
  case turn_ending::unreachable:
    return say(lang, phrase::agent_unreachable, {agent});
  case turn_ending::rejected:
    return say(lang, phrase::agent_rejected, {agent, detail});
  case turn_ending::interrupted:
    return say(lang, phrase::interrupted, {agent});
  case turn_ending::idle:
    return say(lang, phrase::agent_idle, {agent});
  case turn_ending::too_long:
    return say(lang, phrase::agent_too_long, {agent});
  case turn_ending::too_large:
    return say(lang, phrase::answer_too_large, {agent});
  case turn_ending::malformed:
    return say(lang, phrase::agent_malformed, {agent});
  case turn_ending::disabled:
    return say(lang, phrase::agent_gone, {agent});
  case turn_ending::busy:
  case turn_ending::storage:
    return say(lang, phrase::agent_busy, {agent});
  case turn_ending::cancelled:
    return say(lang, phrase::stopped);
  }
  return {};
}

} // namespace pb
