#pragma once
// One agent, whatever its protocol: turns and their fairness, sessions and their links, clocks,
// questions to people, and what the agent says outside turns.

#include "actors/agent/connect_budget.hpp"
#include "actors/agent/endpoints_logic.hpp"
#include "actors/common.hpp"
#include "actors/timers.hpp"
#include "bridges/agent/session.hpp"
#include "messages/actors.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/settings.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>

namespace pb {

struct connection_deps {
  surroundings around;
  std::shared_ptr<dialer> dial;
  persistence_actor store;
  std::shared_ptr<connect_budget> budget; ///< of all agents
  file_settings files{};                  ///< for protocols that carry bytes
};

class last_lines;

class agent_connection_state {
public:
  static constexpr const char* name = "agent_connection";
  static constexpr std::size_t open_question_cap = 32;  ///< confirmations of one turn
  static constexpr std::size_t question_cap = 1000;     ///< of one turn, answered ones included
  static constexpr std::size_t question_name_cap = 256; ///< bytes of a confirmation's id
  static constexpr std::size_t push_cap = 32;           ///< unanswered ones of one session
  static constexpr std::size_t kept_cap = 256;          ///< sessions between turns
  /// An endpoint's pause that a turn waits for; a longer one is told at once.
  static constexpr std::chrono::milliseconds short_pause{2'000};
  static constexpr unsigned most_pauses =
      10; ///< short ones that a turn waits for, 100 ms or longer
  /// Bytes of one link that the room has not worked off; then the link is not read any more.
  static constexpr std::size_t unread_cap = std::size_t{256} << 10;
  static constexpr std::size_t carried_cap = std::size_t{8} << 20; ///< bytes of one turn's files

  explicit agent_connection_state(agent_connection_actor::pointer self)
      : self_(self), clock_(self) {}
  agent_connection_actor::behavior_type start(agent_spec spec, connection_deps deps);

private:
  using time_point = caf::actor_clock::time_point;
  using seat_id = std::uint64_t;

  struct turn {
    run_turn what;
    seat_id seat = 0; ///< of its session; 0: none yet
    unsigned dials = 0;
    unsigned pauses = 0;  ///< that it has waited for
    bool marking = false; ///< the dispatched mark is being written
    bool handed = false;  ///< the mark is on the disk
    bool cancelling = false, any_event = false, slow_told = false;
    time_point began, last_event;
    // Questions to a person; while one is open, the clocks stand still.
    enum class question { open, deciding, handed }; ///< deciding: nothing was written since
    std::map<std::string, question> questions;      ///< by the agent's id
    std::size_t open_questions = 0;
    std::optional<time_point> still_since;
    // Hand-over to the sink: one batch in flight, the rest is folded meanwhile. The bytes are paid
    // back to their links when the sink has worked them off.
    std::uint64_t sent_seq = 0, acked_seq = 0;
    std::vector<agent_event> folded;
    std::map<std::uint64_t, std::size_t> folded_bytes, sent_bytes; ///< by epoch
  };
  /// A session with its links: of one turn, or of one chat that is between turns.
  struct seat {
    std::unique_ptr<agent_session> session;
    const agent_protocol* protocol = nullptr;
    platform_chat_id chat;
    turn_id turn; ///< empty: none
    std::string endpoint;
    bool counted = false;      ///< as a turn of its endpoint
    bool reached = false;      ///< a link of it was open
    std::uint64_t edition = 0; ///< of the agent's form that it was made for
    std::string memory;
    std::map<wire_id, std::uint64_t> wires; ///< the session's name → epoch
    std::deque<agent_step> todo;
    bool busy = false;    ///< a step waits for the disk
    bool running = false; ///< todo is being worked off
    bool alarm_set = false;
    time_point alarm_at;
    std::uint64_t alarm = 0; ///< the timer that rings for it
    std::optional<time_point> timer_at;
    std::size_t pushes = 0; ///< not answered yet
    time_point idle_since;
    std::map<std::uint64_t, std::size_t> owed; ///< bytes that came while busy, by epoch
  };
  struct wire {
    std::shared_ptr<link> line; ///< null: it waits for its place in the budget
    seat_id seat = 0;           ///< 0: its session is gone, it is closing
    wire_id name = 0;
    bool open = false;
    std::shared_ptr<last_lines> complaints{}; ///< of a child
  };

  // connection.cpp: turns
  void admit(run_turn what);
  bool is_told_already(const run_turn& what);
  void pump();
  void cancel(const turn_id& id);
  void fold(turn& t, agent_event event);
  void deliver(turn& t);
  void on_ack(const agent_ack& m);
  void end(turn_id id, turn_ending ending, std::string detail);
  void start_drain();
  void rest();
  void change(agent_spec spec);

  // connection_clocks.cpp
  void arm_sweep();
  void sweep();
  [[nodiscard]] time_point time_of(const turn& t) const;
  [[nodiscard]] std::string status() const;

  // connection_seats.cpp: sessions and what they want
  void begin(run_turn what);
  void take_seat(const turn_id& id);
  void wait_out(const turn_id& id);
  void hand_turn(seat_id id);
  void feed(seat_id id, agent_steps steps);
  void run(seat_id id);
  void perform(seat_id id, agent_step step);
  void say(seat_id id, agent_frame frame);
  void write(seat_id id, agent_wants::write what);
  void mark(seat_id id, agent_wants::write what);
  bool put(seat& s, const agent_wants::write& what);
  void remember(seat_id id, std::string memory);
  void set_alarm(seat_id id, std::chrono::milliseconds time);
  void arm_alarm(seat_id id);
  void look_stranded(seat_id id);
  void let_go(seat_id id);
  void keep(seat_id id, seat& s);
  void drop_seat(seat_id id);

  // connection_wires.cpp: links
  void open_wire(seat_id id, agent_wants::open what);
  void dial(std::uint64_t epoch, link_request to);
  void close_wire(std::uint64_t epoch);
  void on_open(std::uint64_t epoch);
  void on_text(const link_said& m);
  void on_closed(const link_ended& m);
  void lost_before(const turn_id& id, const link_closed& why);
  void pay(std::map<std::uint64_t, std::size_t>& bytes);

  // connection_asides.cpp: questions and pushes
  bool is_new_question(turn& t, const agent_says::confirm& question);
  void decide(const answer_confirm& m);
  bool on_push(seat_id id, seat& s, agent_says::push what);
  void drop_push(const std::string& why);

  // connection_files.cpp
  void put_file(seat_id id, const agent_wants::put_file& file);
  std::vector<session_file> files_of(const turn_request& asked);

  turn* turn_of(const seat& s);

  agent_connection_actor::pointer self_;
  alarm_clock<agent_connection_actor::pointer> clock_;
  agent_spec spec_;
  connection_deps deps_;
  const agent_protocol* protocol_ = nullptr;
  std::uint64_t edition_ = 0; ///< how often the agent's form has changed
  endpoint_pool endpoints_;
  chance engine_;
  std::deque<run_turn> queue_; ///< first come, first served; a room has one turn at most
  std::map<turn_id, turn> turns_;
  std::map<seat_id, seat> seats_;
  std::map<std::uint64_t, wire> wires_;      ///< by epoch
  std::map<platform_chat_id, seat_id> kept_; ///< chat → its session between turns
  std::uint64_t last_epoch_ = 0;
  seat_id last_seat_ = 0;
  std::optional<std::pair<std::uint64_t, std::size_t>> unpaid_; ///< the text that is worked off now
  bool draining_ = false, pumping_ = false;
  std::vector<caf::typed_response_promise<done>> drained_;
  std::map<std::string, std::uint64_t> unknown_; ///< types that were met, counted; 64 kinds at most
  bool sweep_armed_ = false;
  push_sink push_sink_; ///< null: nobody takes pushes yet
  std::uint64_t answered_ = 0, failed_ = 0, after_end_ = 0;
  std::optional<time_point> last_word_; ///< when the agent last said anything
  std::string last_trouble_;
  bool in_trouble_ = false;    ///< no turn has ended well since
  std::set<std::string> told_; ///< what is logged once only
  counter turns_total_, failed_total_, unknown_total_, after_end_total_;
  counter questions_ignored_, pushes_total_, pushes_dropped_;
  gauge running_now_, waiting_now_, out_now_;
};

agent_connection_actor::behavior_type
agent_connection(agent_connection_actor::stateful_pointer<agent_connection_state> self,
                 agent_spec spec, connection_deps deps);

} // namespace pb
