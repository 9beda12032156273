#pragma once
// A whole run: the cases one after the other, and what is told of them.

#include "cli/agent_check/cases.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace pb::agent_check {

struct case_result {
  check_case what;
  finding found;
  milliseconds took{0};
  std::vector<transcript_line> lines; ///< of a case that failed
  std::size_t left_out = 0;           ///< lines between the first and the last ones
};

struct report {
  std::string agent, protocol;
  bool reachable = true; ///< false: the first connection did not open; `results` says why
  milliseconds took{0};
  std::vector<case_result> results;

  [[nodiscard]] std::size_t count(verdict v) const;
  [[nodiscard]] bool passed() const { return reachable && count(verdict::failed) == 0; }
};

/// `told` hears of each case as it ends. The protocol must be one of checked_protocols().
report run(const environment& around, const options& asked,
           const std::function<void(const case_result&)>& told = {});

/// One case as a person reads it: a line, and if it failed the rule and the frames.
void print(std::ostream& out, const case_result& r);
/// The verdict in one line.
void print_verdict(std::ostream& out, const report& all);
/// One JSON object, see docs/agents.md#patchbay-agent-check.
std::string to_json(const report& all);
/// What would be tried.
void print_cases(std::ostream& out, std::string_view protocol, bool json);

} // namespace pb::agent_check
