#include "bridges/agent/acp/updates.hpp"

#include "bridges/agent/acp/content.hpp"
#include "bridges/agent/acp/safe_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pb::acp {
namespace {

agent_steps just(agent_event event) {
  agent_steps out;
  out.emplace_back(agent_wants::say{{std::move(event), {}}});
  return out;
}

} // namespace

void update_reader::begin(std::string folder) {
  folder_ = std::move(folder);
  tools_.clear();
  said_text_ = ends_line_ = new_paragraph_ = false;
  message_.clear();
}

agent_steps update_reader::read(const std::string& kind, const agent_json::value& update) {
  if (kind == "agent_message_chunk")
    return read_message(update);
  if (kind == "agent_thought_chunk") // a sign of life, not part of the answer
    return just(agent_says::custom_update{"thought", "null"});
  if (kind == "tool_call" || kind == "tool_call_update") {
    new_paragraph_ = said_text_;
    return tools_.update(update, folder_);
  }
  if (kind == "plan")
    return just(agent_says::custom_update{"plan", update["entries"].json()});
  if (kind == "usage_update")
    return just(agent_says::custom_update{"usage", update.json()});
  return just(agent_says::unknown{agent_json::loggable(kind)});
}

agent_steps update_reader::read_message(const agent_json::value& update) {
  auto content = read_block(update["content"], folder_);
  if (auto* strange = std::get_if<strange_block>(&content))
    return just(agent_says::unknown{std::move(strange->type)});
  if (auto* link = std::get_if<agent_says::send_file>(&content))
    return just(std::move(*link));
  if (auto* file = std::get_if<agent_wants::put_file>(&content)) {
    agent_steps out;
    out.emplace_back(std::move(*file));
    return out;
  }
  auto text = std::move(std::get<acp::said_text>(content).text);
  if (text.empty())
    return {};
  const auto message = cut(update["messageId"].text(), 256);
  if (said_text_ && !message.empty() && !message_.empty() && message != message_)
    new_paragraph_ = true;
  if (!message.empty())
    message_ = message;
  // Messages and what is said around a tool are things apart, though their texts simply follow
  // each other.
  if (std::exchange(new_paragraph_, false) && !ends_line_ && text.front() != '\n')
    text.insert(0, "\n\n");
  said_text_ = true;
  ends_line_ = text.back() == '\n';
  return just(agent_says::text_chunk{std::move(text)});
}

bool is_quiet(std::string_view kind) {
  static constexpr std::array<std::string_view, 5> all{
      "user_message_chunk", "available_commands_update", "current_mode_update",
      "config_option_update", "session_info_update"};
  return std::find(all.begin(), all.end(), kind) != all.end();
}

} // namespace pb::acp
