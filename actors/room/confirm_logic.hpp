#pragma once
// Which question an answer is for, and whether it counts (contract, section 6). Pure.

#include "messages/values/confirmation.hpp"
#include "messages/values/event.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace pb {

/// How far two clocks may be apart while the prompt's time by the homeserver's is not known yet.
constexpr unix_ms clock_slack = 2'000;

struct confirm_answer {
  bool yes = false;
  std::string named;  ///< `!yes 3`, or the agent's own id; empty: not named
  event_id target;    ///< of a reaction, or what the answer replies to; may be empty
  bool exact = false; ///< a reaction: only its target counts
};

enum class confirm_verdict {
  good,
  none_open, ///< and none is known that it could have meant
  which,     ///< several are open
  unknown,   ///< no question of that name
  closed,    ///< answered, expired, dropped: `which_one` says what became of it
  too_old,   ///< the answer was sent before its question was there
  not_yours,
};

struct confirm_choice {
  confirm_verdict verdict = confirm_verdict::none_open;
  const confirmation_row* which_one = nullptr;
};

/// `row` is the answer's event. `may`: the person is the owner or an operator.
inline confirm_choice choose_confirmation(const std::vector<confirmation_row>& all,
                                          const confirm_answer& answer, const inbox_row& row,
                                          bool may) {
  const auto is_open = [](const confirmation_row& c) {
    return c.state == confirmation_state::open;
  };
  const confirmation_row* found = nullptr;
  if (!answer.target.empty())
    for (const auto& c : all)
      if (c.prompt_event == answer.target)
        found = &c;
  if (answer.exact && !found)
    return {confirm_verdict::none_open, nullptr};
  const auto is_named = [&](const confirmation_row& c) {
    return answer.named.empty() || std::to_string(c.number) == answer.named ||
           c.name == answer.named;
  };
  if (found && !is_named(*found))
    return {confirm_verdict::which, nullptr}; // a reply to one question that names another
  if (!found && !answer.named.empty()) {
    // What people see is the number; the agent's own id counts only where no number is meant. Open
    // ones before those that are over.
    for (const bool by_number : {true, false}) {
      for (const auto& c : all)
        if ((by_number ? std::to_string(c.number) : c.name) == answer.named &&
            (!found || !is_open(*found)))
          found = &c;
      if (found)
        break;
    }
    if (!found)
      return {confirm_verdict::unknown, nullptr};
  }
  if (!found) {
    const auto open = std::count_if(all.begin(), all.end(), is_open);
    if (open > 1)
      return {confirm_verdict::which, nullptr};
    if (open == 1)
      found = &*std::find_if(all.begin(), all.end(), is_open);
    else if (!all.empty())
      return {confirm_verdict::closed, &all.back()};
    else
      return {confirm_verdict::none_open, nullptr};
  }
  if (!may && row.event.sender != found->asker)
    return {confirm_verdict::not_yours, found};
  if (!is_open(*found))
    return {confirm_verdict::closed, found};
  // Who reacts or replies to the prompt has seen it. Else the homeserver's clock decides, by which
  // both events were stamped; what is answered before we know that it was sent is older.
  const bool seen = !answer.target.empty() && found->prompt_event == answer.target;
  const auto since = found->shown_at > 0 ? found->shown_at : found->made_at - clock_slack;
  if (!seen && (found->prompt_event.empty() || row.event.sent_at < since))
    return {confirm_verdict::too_old, found};
  return {confirm_verdict::good, found};
}

} // namespace pb
