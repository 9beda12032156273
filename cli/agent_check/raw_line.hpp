#pragma once
// A connection to the agent without a session: what goes over it is the case's own.

#include "cli/agent_check/conversation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pb::agent_check {

/// What a session of this chat would open first; nothing: it opens none by itself.
std::optional<link_request> first_link(const counterpart& with, std::int64_t chat);

class raw_line final : public line_user {
public:
  raw_line(bench& on, link_request to, std::int64_t chat);
  ~raw_line() override;
  raw_line(const raw_line&) = delete;
  raw_line& operator=(const raw_line&) = delete;

  bool say(std::string frame) { return on_.send(line_, std::move(frame)); }
  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] const std::optional<link_closed>& closed() const { return closed_; }
  [[nodiscard]] const std::vector<std::string>& heard() const { return heard_; } ///< 100 at most

  void line_opened(line_id) override { opened_ = true; }
  void line_said(line_id, std::string text) override;
  void line_closed(line_id, const link_closed& why) override { closed_ = why; }

private:
  bench& on_;
  line_id line_;
  bool opened_ = false;
  std::optional<link_closed> closed_;
  std::vector<std::string> heard_;
};

} // namespace pb::agent_check
