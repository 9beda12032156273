#include "cli/agent_check/raw_line.hpp"

#include <utility>

namespace pb::agent_check {

std::optional<link_request> first_link(const counterpart& with, std::int64_t chat) {
  const auto session = with.protocol.make({with.agent, {chat}, with.agent.base_url});
  session_turn turn;
  turn.what.id = turn_id{"check"};
  turn.what.chat = {chat};
  for (auto& step : session->begin(turn))
    if (auto* open = std::get_if<agent_wants::open>(&step)) {
      open->to.connect_timeout = with.connect;
      open->to.frame_limit = with.agent.limits.frame;
      return std::move(open->to);
    }
  return std::nullopt;
}

raw_line::raw_line(bench& on, link_request to, std::int64_t chat)
    : on_(on), line_(on.dial(std::move(to), chat, *this)) {}

raw_line::~raw_line() { on_.forget(*this); }

void raw_line::line_said(line_id, std::string text) {
  if (heard_.size() < 100)
    heard_.push_back(std::move(text));
}

} // namespace pb::agent_check
