#include "bridges/agent/ag_ui/session.hpp"

#include "bridges/agent/ag_ui/thread.hpp"
#include "bridges/agent/base64.hpp"
#include "bridges/agent/refusal.hpp"
#include "messages/values/agent_url.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace pb {
namespace {

using namespace agent_wants;
using ag_ui::happened;
using nlohmann::json;

/// Pauses before an answer is tried again whose agent cannot be reached.
constexpr std::chrono::milliseconds pauses[] = {std::chrono::seconds(2), std::chrono::seconds(10)};

/// The kind of a file's content part; empty: it is named in the text alone.
std::string_view part_of(const session_file& file) {
  if (file.bytes.empty())
    return {};
  for (const std::string_view kind : {"image", "audio", "video"})
    if (file.media_type.starts_with(std::string(kind) + "/"))
      return kind;
  return file.media_type == "application/pdf" ? "document" : std::string_view();
}

class ag_ui_session final : public agent_session {
public:
  explicit ag_ui_session(session_start start)
      : spec_(std::move(start.agent)), base_url_(std::move(start.base_url)),
        thread_id_("C" + std::to_string(start.chat.value)), thread_(spec_, {}), run_({}) {}

  agent_steps begin(const session_turn& turn) override {
    turn_ = turn.what.id.value;
    running_ = true;
    if (turn.again && !spec_.idempotent)
      return over({give_up{turn_ending::interrupted, "the agent may have had the turn"}});
    thread_ = ag_ui::thread(spec_, turn.memory);
    run_ = ag_ui::run(thread_.state);
    if (turn.what.answer)
      return answer(*turn.what.answer);
    // Interrupts of a turn that is over end with the next message: the agent takes none beside
    // them.
    if (auto asking = thread_.asking(); !asking.empty())
      thread_.said.put(ag_ui::settled(std::move(asking)));
    thread_.said.erase(turn_);
    exchange_ = {{turn_, "user", turn.what.text}};
    user_content_ = content(turn);
    return {ask()};
  }

  agent_steps opened(wire_id wire) override {
    if (!running_ || wire != wire_)
      return {};
    return {write{wire, input(), true}};
  }

  agent_steps said(wire_id wire, std::string_view text) override {
    if (!running_ || waits_ || wire != wire_)
      return {stray{}};
    agent_steps steps;
    if (!std::exchange(heard_, true))
      answered(steps);
    auto told = run_.read(text);
    if (!told.malformed.empty())
      return over(std::move(steps), say{{agent_says::malformed{std::move(told.malformed)}, {}}});
    for (auto& event : told.events)
      steps.emplace_back(say{{std::move(event), {}}});
    used_.input_tokens += told.used.input_tokens;
    used_.output_tokens += told.used.output_tokens;
    return ended(told, std::move(steps));
  }

  agent_steps closed(wire_id wire, const link_closed& why) override {
    if (!running_ || waits_ || wire != wire_)
      return {};
    using how = link_closed::how;
    if (why.reason == how::rejected)
      return rejected(why);
    if (why.reason == how::protocol)
      return over({give_up{turn_ending::malformed, why.cause}});
    if (!heard_ && number_ > 1 && (why.reason == how::refused || why.reason == how::timed_out))
      return unreachable();
    return over({give_up{turn_ending::interrupted, why.cause}});
  }

  agent_steps decide(std::string_view confirmation, bool yes) override {
    auto* asked = thread_.find(confirmation);
    if (!running_ || !waits_ || asked == nullptr || asked->answer)
      return {};
    asked->answer = yes;
    agent_steps steps{remember{thread_.written()}};
    if (thread_.undecided() > 0)
      return steps;
    waits_ = heard_ = false;
    ++number_;
    run_.again();
    steps.emplace_back(ask());
    return steps;
  }

  /// The run ends with its stream. Questions that are open are cancelled with the next message.
  agent_steps cancel() override {
    if (!running_)
      return {};
    agent_steps steps;
    // What was decided is stopped, too: it must not go along with the next message.
    if (!thread_.open.empty()) {
      for (auto& i : thread_.open)
        i.answer.reset();
      steps.emplace_back(remember{thread_.written()});
    }
    if (!waits_)
      steps.emplace_back(close{wire_});
    steps.emplace_back(give_up{turn_ending::cancelled, {}});
    return over(std::move(steps));
  }

  agent_steps alarm() override { return running_ && paused_ ? agent_steps{ask()} : agent_steps{}; }

  agent_steps turn_ended() override {
    running_ = false;
    return {};
  }

private:
  /// The answer to a question whose own turn is over: the last one that is missing begins the run.
  agent_steps answer(const turn_answer& given) {
    auto* asked = thread_.find(given.confirmation);
    if (asked == nullptr)
      return over({say{{agent_says::error{"the question is gone", {}, false}, {}}}});
    asked->answer = given.yes;
    if (const auto left = thread_.undecided(); left > 0) {
      const auto others = left == 1 ? "the other question is" : "the other questions are";
      return over({remember{thread_.written()},
                   say{{agent_says::text_chunk{std::string("Noted. The agent goes on when ") +
                                               others + " answered."},
                        {}}},
                   say{{agent_says::end{}, {}}}});
    }
    exchange_ = thread_.asking();
    return {remember{thread_.written()}, ask()};
  }

  open ask() {
    paused_ = false;
    open to{++wire_, {}};
    to.to.by = carrier::http;
    to.to.url = as_http(base_url_);
    add_auth(spec_, to.to.headers);
    return to;
  }

  /// Text and files as the schema's content parts; text alone as a string, as everybody takes it.
  static json content(const session_turn& turn) {
    auto parts = json::array();
    for (const auto& file : turn.files)
      if (const auto kind = part_of(file); !kind.empty())
        parts.push_back({{"type", kind},
                         {"source",
                          {{"type", "data"},
                           {"value", to_base64(file.bytes)},
                           {"mimeType", file.media_type}}}});
    if (parts.empty())
      return turn.what.text;
    if (!turn.what.text.empty())
      parts.insert(parts.begin(), json{{"type", "text"}, {"text", turn.what.text}});
    return parts;
  }

  /// The whole thread, the present exchange last; images are in it during their own turn only.
  std::string input() {
    auto messages = json::array();
    std::size_t number = 0;
    const auto add = [&](const history_entry& e) {
      messages.push_back(ag_ui::as_message(e, number++));
      if (e.role == "user" && e.turn == turn_ && !user_content_.is_null())
        messages.back()["content"] = user_content_;
    };
    const auto present = exchange();
    for (const auto& e : thread_.said.entries())
      if (present.empty() || e.turn != present.front().turn)
        add(e);
    for (const auto& e : present)
      add(e);
    const auto id = number_ == 1 ? turn_ : turn_ + "-" + std::to_string(number_);
    return ag_ui::run_input(thread_id_, id, std::move(messages), run_.state(), thread_.resume());
  }

  /// What the turn began with and what the runs have said since.
  [[nodiscard]] std::vector<history_entry> exchange() const {
    auto out = exchange_;
    for (auto& e : run_.said().entries(exchange_.empty() ? turn_ : exchange_.front().turn))
      out.push_back(std::move(e));
    return out;
  }

  /// The agent has the answers: they are not given twice.
  void answered(agent_steps& steps) {
    if (thread_.open.empty())
      return;
    thread_.open.clear();
    steps.emplace_back(remember{thread_.written()});
  }

  agent_steps ended(happened& told, agent_steps steps) {
    switch (told.how) {
    case happened::ending::none:
      return steps;
    case happened::ending::failed:
      return over(std::move(steps), say{{std::move(told.error), {}}});
    case happened::ending::cancelled:
      return over(std::move(steps), say{{agent_says::error{"the agent stopped", {}, true}, {}}});
    case happened::ending::success:
      thread_.state = run_.state();
      thread_.said.put(ag_ui::settled(exchange()));
      steps.emplace_back(remember{thread_.written()});
      return over(std::move(steps), say{{used_, {}}});
    case happened::ending::interrupted:
      break;
    }
    waits_ = true;
    thread_.state = run_.state();
    auto present = exchange();
    thread_.asked = present.empty() ? turn_ : present.front().turn;
    thread_.said.put(std::move(present));
    for (const auto& i : told.interrupts) {
      ag_ui::open_interrupt asks{i.id, i.field, {}, 0};
      while (!asked_.insert(asks.name()).second)
        ++asks.repeat;
      thread_.open.push_back(std::move(asks));
    }
    steps.emplace_back(remember{thread_.written()});
    steps.emplace_back(close{wire_});
    for (std::size_t n = 0; n < told.interrupts.size(); ++n)
      steps.emplace_back(say{
          {agent_says::confirm{thread_.open[n].name(), std::move(told.interrupts[n].prompt), {}},
           {}}});
    return steps;
  }

  /// An agent that refuses answers would refuse them for ever: they are not given again.
  agent_steps rejected(const link_closed& why) {
    if (refuses_us(why))
      return over({give_up{turn_ending::rejected, std::to_string(why.code)}});
    auto told = refusal(why);
    agent_steps steps;
    if (!told.retryable)
      answered(steps);
    return over(std::move(steps), say{{std::move(told), {}}});
  }

  agent_steps unreachable() {
    if (tries_ < std::size(pauses)) {
      paused_ = true;
      return {wait{pauses[tries_++]}};
    }
    return over(
        {say{{agent_says::error{"cannot be reached for your answer",
                                "The answer is kept and goes with your next message.", true},
              {}}}});
  }

  agent_steps over(agent_steps steps) {
    running_ = false;
    return steps;
  }
  agent_steps over(agent_steps steps, agent_step last) {
    steps.push_back(std::move(last));
    return over(std::move(steps));
  }

  agent_spec spec_;
  std::string base_url_, thread_id_, turn_;
  ag_ui::thread thread_;
  ag_ui::run run_;
  std::vector<history_entry> exchange_; ///< of this turn: its question, or what it goes on from
  std::set<std::string> asked_;         ///< names of this turn's questions
  json user_content_;
  agent_says::end used_;
  wire_id wire_ = 0;
  std::size_t number_ = 1, tries_ = 0; ///< of runs in this turn, of attempts to pass an answer on
  bool running_ = false, heard_ = false;
  bool waits_ = false;  ///< for decisions: no link is open
  bool paused_ = false; ///< before the next attempt
};

} // namespace

agent_protocol ag_ui_protocol() {
  agent_protocol p;
  p.name = "ag-ui";
  p.make = [](session_start start) -> std::unique_ptr<agent_session> {
    return std::make_unique<ag_ui_session>(std::move(start));
  };
  p.remembers = true;
  p.carries_files = true;
  return p;
}

} // namespace pb
