#include "bridges/agent/acp/session.hpp"

#include "bridges/agent/acp/address.hpp"
#include "bridges/agent/acp/content.hpp"
#include "bridges/agent/acp/endings.hpp"
#include "bridges/agent/acp/permission.hpp"
#include "bridges/agent/acp/safe_text.hpp"
#include "bridges/agent/acp/updates.hpp"
#include "bridges/agent/json_rpc.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb {
namespace {

using namespace agent_wants;
using nlohmann::json;
using value = agent_json::value;

constexpr std::int64_t version = 1;
constexpr int request_cancelled = -32800;
/// An agent may answer session/load first and repeat the past then, against the rules of the
/// protocol: silence for so long is the end of it.
constexpr std::chrono::milliseconds past_gap{250};
constexpr std::size_t session_id_cap = 4'096, open_questions_cap = 64;
say tell(agent_event event) { return {{std::move(event), {}}}; }

agent_steps one(agent_step step) {
  agent_steps out;
  out.push_back(std::move(step));
  return out;
}

/// What a program or its libraries print beside the protocol; "[INFO] ready" is no JSON either.
bool is_printed(std::string_view line) {
  if (line.front() != '[')
    return line.front() != '{';
  const bool is_json = agent_json::parse(line, json_rpc::depth_limit).wrong != "not JSON";
  agent_json::release_large();
  return !is_json;
}

class acp_session final : public agent_session {
public:
  explicit acp_session(session_start start)
      : spec_(std::move(start.agent)), base_url_(std::move(start.base_url)), chat_(start.chat),
        child_(!spec_.process.command.empty()) {}

  agent_steps begin(const session_turn& turn) override {
    turn_ = turn.what;
    memory_ = turn.memory;
    running_ = true;
    clean_ = cancelled_ = context_lost_ = false;
    why_lost_ = nullptr;
    auto at = acp::folders_of(spec_, turn_.asker);
    const bool elsewhere = at != at_;
    at_ = std::move(at);
    updates_.begin(at_.workspace);
    if (turn.what.answer)
      return one(
          tell(agent_says::error{"question_gone", "The question ended with its turn.", false}));
    if (is_ready() && !elsewhere)
      return prompt();
    agent_steps out;
    if (open_)
      out.emplace_back(close{wire_});
    forget_link();
    out.emplace_back(open{++wire_, acp::address_of(spec_, base_url_, chat_, at_.cwd)});
    return out;
  }

  agent_steps opened(wire_id wire) override {
    if (wire != wire_)
      return {};
    open_ = true;
    return ask(
        answer::initialize, "initialize",
        {{"protocolVersion", version},
         {"clientCapabilities",
          {{"fs", {{"readTextFile", false}, {"writeTextFile", false}}}, {"terminal", false}}},
         {"clientInfo", {{"name", "patchbay"}, {"title", "Patchbay"}, {"version", PB_VERSION}}}});
  }

  agent_steps said(wire_id wire, std::string_view text) override {
    if (wire != wire_)
      return {};
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
    if (text.empty())
      return {};
    if (child_ && is_printed(text)) // no reason to give it up
      return one(tell(agent_says::unknown{"stdout"}));
    auto out = understand(json_rpc::read(text));
    agent_json::release_large();
    return out;
  }

  agent_steps closed(wire_id wire, const link_closed& why) override {
    if (wire != wire_)
      return {};
    const bool handed = waits_for_ == answer::prompt;
    forget_link();
    if (!running_)
      return {};
    if (cancelled_)
      return one(give_up{turn_ending::cancelled, {}});
    if (why.reason == link_closed::how::rejected)
      return one(give_up{turn_ending::rejected, std::to_string(why.code)});
    if (why.reason == link_closed::how::protocol)
      return one(give_up{turn_ending::malformed, why.cause});
    auto detail = why.cause;
    if (child_)
      detail =
          (why.reason == link_closed::how::broken ? "signal " + std::to_string(why.code - 128)
                                                  : "exit status " + std::to_string(why.code)) +
          (detail.empty() ? "" : ": ") + detail;
    return one(
        give_up{handed ? turn_ending::interrupted : turn_ending::unreachable, std::move(detail)});
  }

  agent_steps decide(std::string_view confirmation, bool yes) override {
    const auto i = std::find_if(questions_.begin(), questions_.end(),
                                [&](const acp::permission& q) { return q.name == confirmation; });
    if (i == questions_.end())
      return {};
    auto text = json_rpc::answer(i->rpc_id, acp::decided(*i, yes));
    questions_.erase(i);
    return one(write{wire_, std::move(text)});
  }

  agent_steps cancel() override {
    cancelled_ = true;
    if (waits_for_ != answer::prompt || !spec_.features.contains(agent_feature::cancel))
      return one(give_up{turn_ending::cancelled, {}});
    return stop();
  }

  agent_steps alarm() override {
    if (!running_ || waits_for_ == answer::none || waits_for_ == answer::prompt)
      return {};
    if (waits_for_ == answer::past_over)
      return prompt();
    return one(give_up{turn_ending::unreachable, "no answer before the prompt"});
  }

  /// Ended by force: the agent is told to stop. A request that it waits for is always answered.
  agent_steps turn_ended() override {
    running_ = false;
    agent_steps out;
    if (open_ && waits_for_ == answer::prompt && !cancelled_)
      out = stop();
    else if (open_)
      answer_questions(out);
    questions_.clear();
    out.emplace_back(wait{});
    return out;
  }

  [[nodiscard]] bool keep() const override { return clean_ && is_ready(); }

private:
  /// The one request of ours that is not answered yet; past_over: the alarm.
  enum class answer : std::uint8_t { none, initialize, resume, load, past_over, fresh, prompt };

  [[nodiscard]] bool is_ready() const {
    return open_ && waits_for_ == answer::none && !session_.empty();
  }

  void forget_link() {
    open_ = false;
    waits_for_ = answer::none;
    session_.clear();
    questions_.clear();
  }

  /// Until the prompt is out, silence has a limit of its own: nothing was handed over yet, and a
  /// child may take its time to start.
  [[nodiscard]] std::chrono::milliseconds patience() const {
    return spec_.limits.connect + spec_.limits.first_event;
  }

  agent_steps ask(answer what, std::string_view method, const json& params) {
    waits_for_ = what;
    const bool hands_over = what == answer::prompt;
    agent_steps out;
    out.emplace_back(
        write{wire_, json_rpc::request(std::to_string(++last_id_), method, params), hands_over});
    out.emplace_back(wait{hands_over ? std::chrono::milliseconds{0} : patience()});
    return out;
  }

  agent_steps prompt() {
    auto out = ask(answer::prompt, "session/prompt",
                   {{"sessionId", session_},
                    {"prompt", acp::prompt_blocks(turn_.text, turn_.attachments, at_.workspace)}});
    if (context_lost_) {
      out.push_back(tell(agent_says::custom_update{"context_lost", json_text(why_lost_)}));
      out.push_back(
          tell(agent_says::text_chunk{"*The agent begins without what was said before.*\n\n"}));
    }
    return out;
  }

  agent_steps ask_for_session(answer how) {
    json params{{"cwd", at_.cwd}, {"mcpServers", json::array()}};
    if (how == answer::fresh) {
      context_lost_ = !memory_.empty();
      return ask(how, "session/new", params);
    }
    session_ = memory_;
    params["sessionId"] = session_;
    return ask(how, how == answer::resume ? "session/resume" : "session/load", params);
  }

  agent_steps understand(const json_rpc::message& m) {
    if (!m.wrong.empty()) {
      clean_ = false;
      return one(tell(agent_says::malformed{m.wrong}));
    }
    if (m.is_request())
      return m.method == "session/request_permission" ? on_question(m) : on_request(m);
    if (m.is_notification())
      return on_notification(m);
    if (waits_for_ == answer::none || waits_for_ == answer::past_over ||
        m.id != std::to_string(last_id_))
      return one(stray{});
    return on_answer(std::exchange(waits_for_, answer::none), m);
  }

  agent_steps on_answer(answer what, const json_rpc::message& m) {
    switch (what) {
    case answer::initialize:
      return on_initialized(m);
    case answer::resume:
    case answer::load:
    case answer::fresh:
      return on_session(what, m);
    case answer::prompt:
      clean_ = true;
      return on_prompt_answered(m);
    case answer::past_over:
    case answer::none:
      break;
    }
    return {};
  }

  agent_steps on_initialized(const json_rpc::message& m) {
    if (m.error)
      return refused(*m.error);
    const auto theirs = m.result["protocolVersion"].integer();
    if (!theirs)
      return one(give_up{turn_ending::malformed, "initialize: protocolVersion is missing"});
    if (*theirs != version)
      return one(
          give_up{turn_ending::malformed, "the agent speaks version " + std::to_string(*theirs) +
                                              " of ACP, we speak " + std::to_string(version)});
    const auto can = m.result["agentCapabilities"];
    can_load_ = can["loadSession"].truth();
    const bool can_resume = static_cast<bool>(can["sessionCapabilities"]["resume"]);
    logins_.clear();
    for (const auto& method : m.result["authMethods"].items())
      if (logins_.size() < 200)
        logins_ += (logins_.empty() ? "" : ", ") + acp::one_line(method["name"].text(), 60);
    return ask_for_session(memory_.empty() ? answer::fresh
                           : can_resume    ? answer::resume
                           : can_load_     ? answer::load
                                           : answer::fresh);
  }

  agent_steps on_session(answer what, const json_rpc::message& m) {
    if (m.error) {
      session_.clear();
      if (what == answer::fresh || m.error->code == acp::auth_required)
        return refused(*m.error);
      const auto details = m.error->data["details"].text();
      why_lost_ = {{"how", what == answer::resume ? "session/resume" : "session/load"},
                   {"code", m.error->code},
                   {"detail", acp::one_line(details.empty() ? m.error->message : details, 200)}};
      return ask_for_session(what == answer::resume && can_load_ ? answer::load : answer::fresh);
    }
    if (what == answer::load) {
      waits_for_ = answer::past_over;
      return one(wait{past_gap});
    }
    if (what == answer::resume)
      return prompt();
    session_ = m.result["sessionId"].text();
    if (session_.empty() || session_.size() > session_id_cap) {
      session_.clear();
      return one(give_up{turn_ending::malformed, "session/new: no sessionId of at most " +
                                                     std::to_string(session_id_cap) + " bytes"});
    }
    auto out = prompt();
    out.insert(out.begin(), remember{session_});
    return out;
  }

  agent_steps refused(const json_rpc::fault& why) { return one(tell(acp::refused(why, logins_))); }

  /// After our cancel every answer means that the turn is stopped.
  agent_steps on_prompt_answered(const json_rpc::message& m) {
    if (cancelled_)
      return one(give_up{turn_ending::cancelled, {}});
    if (m.error)
      return refused(*m.error);
    clean_ = !m.result["stopReason"].text().empty();
    return acp::prompt_ended(m.result, updates_.said_text());
  }

  /// Never silence: an agent waits for the answer to whatever it asks.
  agent_steps on_request(const json_rpc::message& m) {
    agent_steps out;
    out.emplace_back(write{wire_, json_rpc::refusal(m.id, json_rpc::method_not_found,
                                                    "This client does not do that.")});
    out.push_back(tell(agent_says::unknown{agent_json::loggable(m.method)}));
    return out;
  }

  agent_steps on_question(const json_rpc::message& m) {
    const bool known = std::any_of(questions_.begin(), questions_.end(),
                                   [&](const acp::permission& q) { return q.rpc_id == m.id; });
    if (known)
      return one(stray{});
    auto asked = acp::read_options(m.params["options"]);
    const auto call = m.params["toolCall"];
    if (!asked || call["toolCallId"].text().empty())
      return one(write{wire_, json_rpc::refusal(m.id, json_rpc::invalid_params,
                                                "toolCall and options are required.")});
    const bool ours = running_ && waits_for_ == answer::prompt && !cancelled_ &&
                      m.params["sessionId"].string() == session_;
    if (!ours)
      return one(write{wire_, json_rpc::answer(m.id, acp::decision_cancelled())});
    if (questions_.size() >= open_questions_cap || !spec_.features.contains(agent_feature::confirm))
      return one(write{wire_, json_rpc::answer(m.id, acp::decided(*asked, false))});
    asked->rpc_id = m.id;
    asked->name = std::to_string(++questions_asked_) + "/" + agent_json::loggable(m.id);
    questions_.push_back(*asked);
    return one(
        tell(agent_says::confirm{asked->name, acp::question(updates_.tools().learn(call)), {}}));
  }

  agent_steps on_notification(const json_rpc::message& m) {
    if (m.method == "session/update")
      return on_update(m.params);
    if (m.method == "$/cancel_request") {
      const auto id = m.params["requestId"].json();
      const auto i = std::find_if(questions_.begin(), questions_.end(),
                                  [&](const acp::permission& q) { return q.rpc_id == id; });
      if (i == questions_.end())
        return one(stray{});
      questions_.erase(i);
      return one(write{wire_, json_rpc::refusal(id, request_cancelled, "Cancelled.")});
    }
    return one(tell(agent_says::unknown{agent_json::loggable(m.method)}));
  }

  agent_steps on_update(const value& params) {
    const auto update = params["update"];
    const auto kind = update["sessionUpdate"].text();
    if (kind.empty())
      return one(tell(agent_says::malformed{"session/update: sessionUpdate is missing"}));
    if (acp::is_quiet(kind))
      return {};
    if (params["sessionId"].string() != session_)
      return one(stray{});
    if (waits_for_ == answer::load) // the past once more
      return one(wait{patience()});
    if (waits_for_ == answer::past_over)
      return one(wait{past_gap});
    if (!running_ || waits_for_ != answer::prompt)
      return one(stray{});
    return updates_.read(kind, update);
  }

  agent_steps stop() {
    agent_steps out;
    out.emplace_back(
        write{wire_, json_rpc::notification("session/cancel", {{"sessionId", session_}})});
    answer_questions(out);
    return out;
  }

  void answer_questions(agent_steps& into) {
    for (const auto& q : std::exchange(questions_, {}))
      into.emplace_back(write{wire_, json_rpc::answer(q.rpc_id, acp::decision_cancelled())});
  }

  agent_spec spec_;
  std::string base_url_;
  platform_chat_id chat_;
  bool child_ = false;
  acp::folders at_;
  acp::update_reader updates_;

  wire_id wire_ = 0;
  bool open_ = false;
  std::int64_t last_id_ = -1;
  answer waits_for_ = answer::none;
  bool can_load_ = false;
  std::string logins_;  ///< names of the agent's ways to log in
  std::string session_; ///< sessionId, once it is asked for or given

  turn_request turn_;
  std::string memory_;
  bool running_ = false, cancelled_ = false, context_lost_ = false;
  json why_lost_;      ///< what the agent answered; null: it can take up no session
  bool clean_ = false; ///< the last turn ended by the agent's own word
  std::vector<acp::permission> questions_; ///< open ones
  std::uint64_t questions_asked_ = 0;
};

} // namespace

agent_protocol acp_protocol() {
  agent_protocol p;
  p.name = "acp";
  p.make = [](session_start start) -> std::unique_ptr<agent_session> {
    return std::make_unique<acp_session>(std::move(start));
  };
  p.remembers = true;
  p.always_kept = true;
  p.questions_die = true;
  p.cancel_grace = std::chrono::milliseconds{3'000};
  return p;
}

} // namespace pb
