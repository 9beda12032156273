#pragma once
// One chat: the turn in progress, the messages that wait, what is decided and written down.

#include "actors/common.hpp"
#include "actors/room/answer_logic.hpp"
#include "actors/room/classify_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/compose.hpp"
#include "messages/actors.hpp"

#include <deque>
#include <optional>
#include <set>

namespace pb {

struct room_timing {
  std::chrono::milliseconds typing_after{400}; ///< a fast answer shows no typing
  std::chrono::milliseconds typing_again{20'000};
  std::chrono::milliseconds idle{600'000}; ///< then the room asks to be put away
  std::chrono::milliseconds store_timeout{60'000};
};

struct room_deps {
  surroundings around;
  room_rules rules;
  room_timing timing;
  persistence_actor store;
  agent_directory_actor agents;
  topology_actor topology;
  matrix_sender_actor sender;
  matrix_media_actor media{};
};

class room_core {
public:
  static constexpr const char* name = "room";

  explicit room_core(room_actor::pointer self) : self_(self), clock_(self) {}
  room_actor::behavior_type start(room_id id, room_deps deps, room_directory_actor directory);

private:
  /// A message that waits for its turn.
  struct waiting {
    inbox_row row;
    std::string text;
    std::optional<turn_row> resumed;  ///< a turn that was open when we were born
    std::vector<std::int64_t> also{}; ///< rows of its edits, of its `!retry`: settled with it
  };
  struct running {
    waiting what;
    turn_request request;
    int attempts = 0;
    std::string label;
    agent_connection_actor connection;
    answer_fold fold;
    bool stopping = false;
    bool slow_told = false;
  };
  using next_step = std::function<void()>;
  /// How an event came: from the directory, from a page of the disk, or when we were born.
  enum class origin { live, page, birth };

  // room.cpp: birth, events, idling
  void open();
  void opened(room_snapshot& snapshot);
  void put_out();
  void watch_marker();
  void resume(std::vector<turn_row> turns);
  void take(const std::vector<inbox_row>& rows);
  void handle(const inbox_row& row, origin from);
  void handle_unknown(const inbox_row& row);
  void look_for_record();
  void tell_unknown(const std::string& why);
  void load_more();
  void settle_ignored(const inbox_row& row, inbox_outcome outcome);
  void rest();
  void arm_idle();
  std::string status() const;

  // room_commands.cpp
  void run_command(const inbox_row& row, const asks::command& command);
  void clear(const inbox_row& row);
  void stop_turn(const inbox_row& row);
  void retry(const inbox_row& row);
  void close_retried(std::vector<turn_row>& orphans, std::vector<inbox_row>& pending);
  void edit(const inbox_row& row, const asks::edit& change);
  void redact(const inbox_row& row, const asks::redaction& what);
  void tell_encrypted(const inbox_row& row);

  // room_turn.cpp
  void enqueue(const inbox_row& row, std::string text, origin from);
  void pump();
  void begin(found_agent& agent);
  void on_batch(const agent_batch& batch);
  void on_over(const turn_over& over);
  void on_slow(const turn_slow& slow);
  void finish(turn_ending ending, const std::string& detail, bool handed);
  void lost_connection();
  void arm_typing();
  void typing(bool on);

  // room_say.cpp: rows and commits
  outbox_row message(const std::string& text, matrix::delivery kind, const event_id& reply_to,
                     const turn_id& turn, const user_id& mention, int part = 0) const;
  void reply(const inbox_row& row, const std::string& text, inbox_outcome outcome,
             next_step next = {});
  /// Writes until it is written; `next` runs after COMMIT. In the order of the calls.
  void commit(settlement what, next_step next);
  void write_next();
  language lang() const { return deps_.rules.lang; }

  room_actor::pointer self_;
  alarm_clock<room_actor::pointer> clock_;
  room_id id_;
  room_deps deps_;
  caf::weak_actor_ptr directory_;
  mutable std::mt19937_64 engine_;
  bool known_ = false, draining_ = false, loading_ = false, looked_again_ = false;
  room_row row_;
  room_view view_;
  std::deque<waiting> queue_;
  std::size_t live_waiting_ = 0;
  std::int64_t last_seq_ = 0;    ///< everything up to here was taken from the disk or the directory
  std::set<std::int64_t> ahead_; ///< taken before their place because they do not wait
  bool more_on_disk_ = false;
  std::optional<running> turn_;
  bool starting_ = false;
  next_step after_turn_;
  outbox_id marker_; ///< a new context begins when this row is sent
  bool marker_waits_ = false;
  std::set<event_id> told_late_edit_;
  std::deque<std::pair<settlement, next_step>> writes_;
  bool writing_ = false;
  unsigned write_failures_ = 0;
  bool typing_on_ = false, typing_armed_ = false;
  caf::actor_clock::time_point turn_began_, last_active_;
  // While there is no record of the room
  std::vector<std::int64_t> held_;
  inbox_row held_last_;
  bool looking_ = false;
  std::optional<caf::actor_clock::time_point> unknown_told_;
  caf::actor_addr watched_; ///< the connection of agent_
  found_agent agent_;       ///< of the last turn, as long as it lives
  std::vector<caf::typed_response_promise<done>> drained_;
};

room_actor::behavior_type room(room_actor::stateful_pointer<room_core> self, room_id id,
                               room_deps deps, room_directory_actor directory);

} // namespace pb
