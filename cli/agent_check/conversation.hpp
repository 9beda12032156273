#pragma once
// One chat with the agent, as the router would have it: does what a session of its protocol wants,
// and writes down what became of each turn.

#include "bridges/agent/session.hpp"
#include "cli/agent_check/bench.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pb::agent_check {

struct turn_record {
  enum class state { running, ended, failed, given_up };
  state is = state::running;
  std::string text;            ///< of the answer; the first MiB of it
  std::size_t chunks = 0;      ///< of text
  std::size_t events = 0;      ///< of any kind
  std::size_t stray = 0;       ///< frames that belong to no turn or to another one
  std::size_t malformed = 0;   ///< frames that are none
  std::string malformed_cause; ///< of the first one
  bool opened = false;         ///< a connection stood
  bool usage = false;          ///< tokens were told
  bool watched = false;        ///< what watch_for() named came in a frame
  std::string code, details;   ///< failed: of the agent's ERROR
  turn_ending ending{};        ///< given_up
  std::string why;             ///< given_up
  milliseconds began{0}, first_event{0}, over{0}; ///< as bench::now(); 0: not yet
  std::vector<agent_says::confirm> questions;     ///< that were asked; 100 at most
  std::vector<std::string> files;                 ///< that were sent; 100 at most

  [[nodiscard]] bool running() const { return is == state::running; }
};

/// Where and as whom it is spoken: what every conversation of a run shares.
struct counterpart {
  const agent_protocol& protocol;
  agent_spec agent;
  milliseconds connect{10'000};
  std::map<std::int64_t, std::string> memory{}; ///< by chat, for protocols that remember
};

class conversation final : public line_user {
public:
  conversation(bench& on, counterpart& with, std::int64_t chat);
  ~conversation() override;
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;

  // Before a turn, and for it alone:
  /// Frames that go out once its connection stands, before the session's own.
  void say_first(std::vector<std::string> frames) { first_ = std::move(frames); }
  /// The frame that hands the turn over is sent as this makes it.
  void rewrite(std::function<std::string(std::string)> how) { rewrite_ = std::move(how); }
  /// turn_record::watched tells whether this came.
  void watch_for(std::string words) { watched_ = std::move(words); }

  /// Begins a turn. The one before is over, or forgotten with what it still says. A connection that
  /// the session does not keep is made anew.
  void ask(const std::string& id, std::string text, std::vector<session_file> files = {});
  /// Begins a turn that answers a question of an earlier one.
  void answer(const std::string& id, std::string confirmation, bool yes);
  void decide(const std::string& confirmation, bool yes);
  void cancel();
  /// As it is, on the newest connection. False: there is none.
  bool say(std::string frame);
  /// Closes the connections in the middle of whatever goes on.
  void hang_up();
  /// After a turn: closes what the session does not keep.
  void settle();

  [[nodiscard]] const turn_record& turn() const { return turn_; }
  /// The agent was given the message of the turn; before that it is started, dialled and greeted.
  [[nodiscard]] bool handed_over() const { return handed_over_; }
  [[nodiscard]] bool connected() const;
  /// The session would use its connection for the next turn.
  [[nodiscard]] bool kept() const { return session_ && session_->keep(); }
  [[nodiscard]] std::int64_t chat() const { return chat_; }
  /// Every text that came since the turn began or say() said something; the first 200.
  [[nodiscard]] const std::vector<std::string>& heard() const { return heard_; }

  /// Where a protocol over HTTP was posted to last.
  [[nodiscard]] const std::optional<link_request>& posted() const { return posted_; }

  void line_opened(line_id line) override;
  void line_said(line_id line, std::string text) override;
  void line_closed(line_id line, const link_closed& why) override;
  [[nodiscard]] std::optional<milliseconds> alarm_at() const override { return alarm_; }
  void ring() override;

private:
  void begin(session_turn turn);
  void perform(agent_steps steps);
  void open(const agent_wants::open& want);
  void write(const agent_wants::write& want);
  void take(const agent_frame& frame);
  void give_up(turn_ending ending, std::string why);
  void ended(turn_record::state how);
  void close_lines();
  [[nodiscard]] wire_id wire_of(line_id line) const;

  bench& on_;
  counterpart& with_;
  std::int64_t chat_;
  std::unique_ptr<agent_session> session_;
  std::map<wire_id, line_id> wires_;
  turn_record turn_;
  bool begun_ = false, handed_over_ = false;
  std::optional<milliseconds> alarm_;
  std::vector<std::string> first_;
  std::function<std::string(std::string)> rewrite_;
  std::string watched_;
  std::vector<std::string> heard_;
  std::optional<link_request> posted_;
};

} // namespace pb::agent_check
