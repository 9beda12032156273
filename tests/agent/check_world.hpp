#pragma once
// `patchbay agent check` against a scripted agent, in virtual time.

#include "cli/agent_check/run.hpp"
#include "tests/support/scripted_agent.hpp"
#include "tests/support/virtual_timers.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pb::agent_check {

using namespace std::chrono_literals;

/// What a good agent does: an answer in pieces that repeats the text; counting takes its time;
/// "permission" is asked for before anything is done; a CONFIRM that comes first is understood.
inline scripted::script good_agent() {
  return [](const scripted::heard& opening) -> std::vector<scripted::step> {
    if (opening.type == "CONFIRM")
      return {scripted::tell_decision(), scripted::end()};
    const auto text = opening.frame.value("text", std::string());
    if (text.starts_with("Count")) {
      std::vector<scripted::step> steps;
      for (int i = 1; i <= 400; ++i)
        steps.insert(steps.end(),
                     {scripted::chunk(std::to_string(i) + " "), scripted::wait(100ms)});
      steps.push_back(scripted::end());
      return steps;
    }
    if (text.starts_with("permission"))
      return {scripted::confirm("q1", "May I?"), scripted::await_confirm("q1"),
              scripted::tell_decision(), scripted::end(3, 4)};
    return {scripted::chunk("You said: "), scripted::wait(20ms), scripted::chunk(text),
            scripted::end(3, 4)};
  };
}

struct check_world {
  virtual_timers clock;
  scripted::agent peer{clock, good_agent()};
  scripted::fake_dialer net{clock, peer};
  options asked;

  check_world() {
    peer.echo_message_id(true);
    asked.agent.id = agent_id{"agent"};
    asked.agent.base_url = "http://agent:7000";
    asked.chat = 100;
    asked.nonce = "0f";
  }

  [[nodiscard]] environment around() {
    return {net, [this] { return clock.now(); },
            [this](mailbox&, milliseconds most) {
              const auto due = clock.next_due();
              clock.advance(due && *due - clock.now() < most
                                ? std::max(*due - clock.now(), milliseconds(0))
                                : most);
            }};
  }
  report check() { return run(around(), asked); }
};

inline std::vector<std::string> names(const report& all, verdict v) {
  std::vector<std::string> out;
  for (const auto& r : all.results)
    if (r.found.is == v)
      out.emplace_back(r.what.name);
  return out;
}

inline const case_result& result_of(const report& all, std::string_view name) {
  for (const auto& r : all.results)
    if (r.what.name == name)
      return r;
  throw std::runtime_error("no case " + std::string(name));
}

} // namespace pb::agent_check
