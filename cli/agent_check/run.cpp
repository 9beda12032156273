#include "cli/agent_check/run.hpp"

#include "cli/agent_check/raw_line.hpp"

#include <algorithm>
#include <utility>

namespace pb::agent_check {

namespace {

/// A chat number for each of the two that a case may use.
constexpr std::int64_t chats_per_case = 2;

class runner {
public:
  runner(const environment& around, const options& asked,
         const std::function<void(const case_result&)>& told)
      : on_(around), asked_(asked),
        told_(told), with_{*find_protocol(asked.agent.protocol), asked.agent, asked.connect},
        stage_{on_, with_, asked_, {}, asked.chat} {}

  report run() {
    const auto began = on_.now();
    out_.agent = asked_.agent.base_url;
    out_.protocol = asked_.agent.protocol;
    if (out_.agent.empty())
      for (const auto& word : asked_.agent.process.command)
        out_.agent += (out_.agent.empty() ? "" : " ") + word;
    for (const auto& c : cases_for(out_.protocol)) {
      stage_.chat = std::exchange(next_chat_, next_chat_ + chats_per_case);
      if (wanted(c) && !try_case(c))
        break;
    }
    out_.took = on_.now() - began;
    return std::move(out_);
  }

private:
  [[nodiscard]] bool wanted(const check_case& c) const {
    // Whether it is there at all is always asked first.
    return asked_.only.empty() || c.name == "handshake" ||
           std::find(asked_.only.begin(), asked_.only.end(), c.name) != asked_.only.end();
  }

  /// False: there is nobody to try the rest on.
  bool try_case(const check_case& c) {
    case_result r{c, {}, {}, {}, 0};
    const auto began = on_.now();
    on_.log().begin(began);
    stage_.name = c.name;
    const bool sums_up = c.name == "sent_files" || c.name == "frames";
    r.found = hopeless_.empty() || sums_up ? c.run(stage_) : skipped(hopeless_);
    r.took = on_.now() - began;
    if (r.found.is == verdict::failed) {
      r.lines = on_.log().lines();
      r.left_out = on_.log().left_out();
      after_failure(c, r);
    }
    if (told_)
      told_(r);
    out_.results.push_back(std::move(r));
    return out_.reachable;
  }

  void after_failure(const check_case& c, case_result& r) {
    if (c.name == "handshake") {
      out_.reachable = false;
      return;
    }
    if (!is_there()) {
      r.found.notes.emplace_back("after this the agent could not be reached any more");
      hopeless_ = "the agent could not be reached any more after " + std::string(c.name);
    } else if (c.name == "turn" && r.took >= asked_.turn) {
      hopeless_ = "the agent does not end a simple turn";
    }
  }

  [[nodiscard]] bool is_there() {
    auto to = first_link(with_, stage_.chat);
    if (!to)
      return true;
    raw_line line(on_, std::move(*to), stage_.chat);
    on_.until([&] { return line.opened() || line.closed(); }, asked_.connect + milliseconds(500));
    return line.opened();
  }

  bench on_;
  const options& asked_;
  const std::function<void(const case_result&)>& told_;
  counterpart with_;
  stage stage_;
  std::int64_t next_chat_ = asked_.chat;
  std::string hopeless_; ///< why the rest is not tried
  report out_;
};

} // namespace

std::size_t report::count(verdict v) const {
  return static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [v](const case_result& r) { return r.found.is == v; }));
}

report run(const environment& around, const options& asked,
           const std::function<void(const case_result&)>& told) {
  return runner(around, asked, told).run();
}

std::vector<std::string_view> checked_protocols() {
  std::vector<std::string_view> all;
  for (const auto* name : {"agent-ws", "acp", "a2a"})
    if (find_protocol(name) != nullptr)
      all.emplace_back(name);
  return all;
}

std::vector<check_case> cases_for(std::string_view protocol) {
  std::vector<check_case> all;
  const auto add = [&](const std::vector<check_case>& theme) {
    all.insert(all.end(), theme.begin(), theme.end());
  };
  add(opening_cases);
  add(turn_cases);
  add(question_cases);
  add(cancel_cases);
  add(chat_cases);
  // What an agent may die of comes last.
  if (protocol == "agent-ws")
    add(agent_ws_cases);
  else if (protocol == "acp")
    add(acp_cases);
  else if (protocol == "a2a")
    add(a2a_cases);
  add(closing_cases);
  return all;
}

} // namespace pb::agent_check
