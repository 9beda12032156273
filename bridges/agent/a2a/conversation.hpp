#pragma once
// One turn with an A2A agent: which link is open for what, and what is to be done next.

#include "bridges/agent/a2a/answer.hpp"
#include "bridges/agent/a2a/faults.hpp"
#include "bridges/agent/a2a/memory.hpp"
#include "bridges/agent/a2a/wire.hpp"
#include "bridges/agent/json_rpc.hpp"
#include "bridges/agent/session.hpp"

#include <chrono>
#include <set>
#include <string>
#include <string_view>

namespace pb::a2a {

/// The task is the server's: it outlives links and us. A link that ends before the task does is
/// nothing more than the need to ask how the task stands.
class conversation final : public agent_session {
public:
  /// Links in a row that brought nothing, when a task is looked for.
  static constexpr unsigned most_failures = 20;

  explicit conversation(session_start start) : start_(std::move(start)) {}

  agent_steps begin(const session_turn& turn) override;
  agent_steps opened(wire_id wire) override;
  agent_steps said(wire_id wire, std::string_view text) override;
  agent_steps closed(wire_id wire, const link_closed& why) override;
  agent_steps decide(std::string_view confirmation, bool yes) override;
  agent_steps cancel() override;
  agent_steps alarm() override;
  agent_steps turn_ended() override;

private:
  enum class job { none, card, send, subscribe, look };

  // conversation.cpp: links and requests
  void go(job what, agent_steps& out);
  void open(wire_id& as, const std::string& url, bool streams, agent_steps& out);
  void open_card(bool older, agent_steps& out);
  [[nodiscard]] std::string body() const;
  void remember(agent_steps& out) const;

  // conversation_events.cpp: what the agent says
  void on_card(std::string_view text, agent_steps& out);
  void on_result(const agent_json::value& result, agent_steps& out);
  void on_state(const update& u, agent_steps& out);
  void finish(const update& u, agent_steps& out);
  void on_question(const agent_json::value& words, agent_steps& out);
  void ask(agent_steps& out);
  bool take_ids(const update& u, agent_steps& out);

  // conversation_faults.cpp: refusals and links that end
  void on_fault(job what, const json_rpc::fault& fault, agent_steps& out);
  void on_send_fault(const json_rpc::fault& fault, agent_steps& out);
  void on_rejected(job what, const link_closed& why, agent_steps& out);
  void on_card_end(const link_closed& why, agent_steps& out);
  void on_end(job what, agent_steps& out);
  void read_card_again(agent_steps& out);
  void forget_card(agent_steps& out);
  void recover(job how, agent_steps& out);
  [[nodiscard]] job watch() const;

  session_start start_;
  chat_memory memory_;
  wire_id wire_ = 0, cancel_wire_ = 0, last_wire_ = 0; ///< 0: none
  job job_ = job::none;                                ///< of `wire_`
  job after_card_ = job::none;
  job next_ = job::none;               ///< when the alarm rings
  bool wrote_ = false, heard_ = false; ///< on `wire_`
  bool older_card_ = false;            ///< the second of the two places is being tried
  bool fresh_card_ = false;            ///< it was read in this turn
  bool no_subscribe_ = false;          ///< the agent does not know how
  bool moved_ = false;                 ///< the task has, since the last decision
  bool renewed_ = false, unstreamed_ = false, cancelling_ = false;
  unsigned failures_ = 0;
  std::chrono::milliseconds pause_{0};

  turn_id turn_; ///< empty: none runs
  outgoing message_;
  answer answer_;
  std::string task_; ///< of this turn; empty: not known yet
  task_state state_ = task_state::unknown;
  std::string question_;           ///< the open one, by our name for it
  std::string prompt_, prompt_id_; ///< of the last one that came
  std::string last_prompt_;        ///< of the last one that was put
  std::set<std::string> asked_;
};

/// The task in our name for a question: "task:which". Empty: it is none of ours.
std::string task_of(std::string_view question);

} // namespace pb::a2a
