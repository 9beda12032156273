#pragma once
// The cases of `patchbay agent check`: each provokes one thing and knows the rule that holds there.

#include "cli/agent_check/conversation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pb::agent_check {

/// What a person asked for on the command line.
struct options {
  agent_spec agent;      ///< address, protocol, header, command
  std::int64_t chat = 0; ///< the first of the numbers that the run uses
  milliseconds turn{30'000}, connect{10'000};
  std::vector<std::string> only; ///< names of cases; empty: all
  std::string workspace;         ///< our side of the shared folder; empty: there is none
  std::string ask;               ///< a text that makes the agent ask for permission
  std::string task = "Count slowly from 1 to 400, one number at a time."; ///< that takes a while
  std::string nonce; ///< makes ids and words unlike those of other runs
};

enum class verdict : std::uint8_t { ok, failed, skipped };
std::string_view to_string(verdict v);

struct finding {
  verdict is = verdict::ok;
  std::string why{};                ///< failed, skipped: a sentence without a full stop
  std::vector<std::string> notes{}; ///< that break no rule
};
finding failed(std::string why);
finding skipped(std::string why);

/// What a case has at hand.
struct stage {
  bench& on;
  counterpart& with;
  const options& asked;
  std::string name;                 ///< of the case
  std::int64_t chat = 0;            ///< this one and the next belong to the case
  int turns = 0;                    ///< begun, for ids
  std::vector<std::string> files{}; ///< that the agent sent in the whole run; 100 at most

  std::string next_id();
  /// A word that nobody else says.
  [[nodiscard]] std::string marker(std::string_view tail) const;
  /// Waits for the end of the turn, answers questions with no (the first `answered` have an answer
  /// already), and listens a little longer for what must not come. Empty: it ended as it should,
  /// with END (or, if `error_is_fine`, with ERROR).
  std::string finish(conversation& talk, bool error_is_fine = false, std::size_t answered = 0);
  /// Asks and finishes on a connection of its own.
  std::string simple_turn(std::int64_t in_chat, std::string text, bool error_is_fine = false);
};

struct check_case {
  std::string_view name;
  std::string_view what;  ///< what is tried
  std::string_view rule;  ///< what must hold
  std::string_view where; ///< where the rule stands: a page of docs/ with an anchor
  finding (*run)(stage&);
};

/// In the order in which they run.
std::vector<check_case> cases_for(std::string_view protocol);
/// Protocols that there are cases for.
std::vector<std::string_view> checked_protocols();

// The cases by theme.
extern const std::vector<check_case> opening_cases, turn_cases, question_cases, cancel_cases,
    chat_cases, agent_ws_cases, acp_cases, a2a_cases, closing_cases;

} // namespace pb::agent_check
