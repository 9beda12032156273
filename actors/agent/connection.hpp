#pragma once
// The sockets of one agent: a connection for each turn (or kept for each chat), clocks, fairness,
// questions to people, and what the agent says outside turns.

#include "actors/common.hpp"
#include "actors/timers.hpp"
#include "bridges/agent/agent_ws/codec.hpp"
#include "messages/actors.hpp"
#include "messages/values/registry.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>

namespace pb {

struct connection_deps {
  surroundings around;
  std::shared_ptr<dialer> dial;
  persistence_actor store;
};

class agent_connection_state {
public:
  static constexpr const char* name = "agent_connection";
  static constexpr std::size_t queue_cap =
      10'000; ///< turns that wait for a place: one a room at most
  static constexpr std::size_t fold_cap = std::size_t{4} << 20; ///< bytes that wait for one sink
  static constexpr std::size_t open_question_cap = 32;          ///< confirmations of one turn
  static constexpr std::size_t question_cap = 1000;     ///< of one turn, answered ones included
  static constexpr std::size_t question_name_cap = 256; ///< bytes of a confirmation's id
  static constexpr std::size_t push_cap = 32;           ///< unanswered ones of one socket
  static constexpr std::size_t kept_cap = 256;          ///< sockets between turns

  explicit agent_connection_state(agent_connection_actor::pointer self)
      : self_(self), clock_(self) {}
  agent_connection_actor::behavior_type start(agent_spec spec, connection_deps deps);

private:
  struct turn {
    run_turn what;
    std::uint64_t epoch = 0; ///< of its socket; 0: none yet
    unsigned dials = 0;
    bool marking = false; ///< the dispatched mark is being written
    bool handed = false;  ///< the mark is on the disk
    bool cancelling = false, any_event = false, slow_told = false;
    caf::actor_clock::time_point began, last_event;
    // Questions to a person; while one is open, the clocks stand still.
    enum class question { open, handed, lost }; ///< what became of the decision
    std::map<std::string, question> questions;  ///< by the agent's id
    std::size_t open_questions = 0;
    std::optional<caf::actor_clock::time_point> still_since;
    // Hand-over to the sink: one batch in flight, the rest is folded meanwhile.
    std::uint64_t sent_seq = 0, acked_seq = 0;
    std::vector<agent_event> folded;
    std::size_t folded_bytes = 0;
  };
  /// A socket: of one turn, or of one chat that is between turns, or one that is closing.
  struct socket {
    std::shared_ptr<link> wire;
    platform_chat_id chat;
    turn_id turn;      ///< empty: none
    turn_id last_turn; ///< the one before
    bool open = false, echoes = false, going_away = false;
    std::size_t pushes = 0; ///< not answered yet
    caf::actor_clock::time_point idle_since;
  };

  // connection.cpp: turns
  void admit(run_turn what);
  bool is_told_already(const run_turn& what);
  void pump();
  void begin(run_turn what);
  void cancel(const turn_id& id);
  void fold(turn& t, agent_event event, std::size_t bytes);
  void deliver(turn& t);
  void end(turn_id id, turn_ending ending, std::string detail, bool clean = false);
  void arm_sweep();
  void sweep();
  void start_drain();
  void rest();
  std::string status() const;

  // connection_socket.cpp
  void dial(const turn_id& id);
  void on_open(std::uint64_t epoch);
  void mark_and_write(const turn_id& id);
  void on_text(const link_said& m);
  void on_event(std::uint64_t epoch, agent_frame frame, std::size_t bytes);
  bool is_foreign(const socket& s, const turn& t, const agent_frame& frame) const;
  void on_closed(const link_ended& m);
  void let_go(std::uint64_t epoch, bool clean);
  void keep(std::uint64_t epoch, socket& s);

  // connection_asides.cpp: questions and pushes
  bool is_new_question(turn& t, const agent_says::confirm& question);
  void decide(const answer_confirm& m);
  caf::actor_clock::time_point time_of(const turn& t) const;
  bool on_push(std::uint64_t epoch, socket& s, agent_says::push what);
  void drop_push(const std::string& why);

  agent_connection_actor::pointer self_;
  alarm_clock<agent_connection_actor::pointer> clock_;
  agent_spec spec_;
  connection_deps deps_;
  std::unique_ptr<agent_codec> codec_;
  std::mt19937_64 engine_;
  std::deque<run_turn> queue_; ///< first come, first served; a room has one turn at most
  std::map<turn_id, turn> turns_;
  std::map<std::uint64_t, socket> sockets_;
  std::map<platform_chat_id, std::uint64_t> kept_; ///< chat → its open socket
  std::uint64_t last_epoch_ = 0;
  bool draining_ = false;
  std::vector<caf::typed_response_promise<done>> drained_;
  std::map<std::string, std::uint64_t> unknown_; ///< types that were met, counted; 64 kinds at most
  bool sweep_armed_ = false;
  push_sink push_sink_; ///< null: nobody takes pushes yet
  std::uint64_t answered_ = 0, failed_ = 0, after_end_ = 0;
  std::string last_trouble_;
  std::set<std::string> told_; ///< what is logged once only
  counter turns_total_, failed_total_, unknown_total_, after_end_total_;
  counter questions_ignored_, pushes_total_, pushes_dropped_;
  gauge running_now_, waiting_now_;
};

agent_connection_actor::behavior_type
agent_connection(agent_connection_actor::stateful_pointer<agent_connection_state> self,
                 agent_spec spec, connection_deps deps);

} // namespace pb
