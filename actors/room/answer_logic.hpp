#pragma once
// Folds what an agent says in a turn into what the room shows of it. Pure.

#include "messages/values/agent_event.hpp"
#include "messages/values/room.hpp"
#include "messages/values/settings.hpp"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace pb {

class answer_fold {
public:
  /// Bytes of text that one answer may have; more ends the turn as too_large.
  static constexpr std::size_t cap = std::size_t{1} << 20;
  /// Tools that are shown; older ones make place.
  static constexpr std::size_t tool_cap = 4;
  /// Questions and files that one batch may bring.
  static constexpr std::size_t wish_cap = 64;

  /// False: the answer is larger than the cap; what fits is kept.
  bool add(const agent_event& event);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& error_code() const { return error_code_; }
  [[nodiscard]] const room_usage& usage() const { return usage_; }
  /// Grows whenever view() changes.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// What a draft shows: the text so far and, if wanted, short lines about tools at its end.
  [[nodiscard]] std::string view(language lang, bool tools) const;

  /// What came since the last call.
  std::vector<agent_says::confirm> take_confirmations() {
    return std::exchange(confirmations_, {});
  }
  std::vector<std::string> take_files() { return std::exchange(files_, {}); }

private:
  struct tool {
    std::string id, name;
    enum class state { runs, done, failed } now = state::runs;
  };
  tool* running_tool(const std::string& id, const std::string& name);
  void begin_tool(const agent_says::tool_call& call);

  std::string text_, error_code_, status_;
  std::deque<tool> tools_;
  std::vector<agent_says::confirm> confirmations_;
  std::vector<std::string> files_;
  room_usage usage_;
  std::uint64_t version_ = 0;
};

/// Why a turn ended, for the person; for an answer: that it was empty.
std::string closing_words(language lang, turn_ending ending, const std::string& agent,
                          const std::string& detail);

} // namespace pb
