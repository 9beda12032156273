#pragma once
// One chat: the turn in progress, the messages that wait, what is decided and written down.

#include "actors/boxed.hpp"
#include "actors/chance.hpp"
#include "actors/common.hpp"
#include "actors/room/answer_logic.hpp"
#include "actors/room/classify_logic.hpp"
#include "actors/room/confirm_logic.hpp"
#include "actors/room/guard_logic.hpp"
#include "actors/room/rest_logic.hpp"
#include "actors/room/stream_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/compose.hpp"
#include "messages/actors.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace pb {

struct room_timing {
  std::chrono::milliseconds typing_after{400}; ///< a fast answer shows no typing
  std::chrono::milliseconds typing_again{20'000};
  std::chrono::milliseconds files_together{1'500}; ///< between files of one turn
  std::chrono::milliseconds question{600'000};     ///< for the answer to `!load`
  std::chrono::milliseconds draft_patience{2'000}; ///< for the draft's event id, at the end
};

struct room_deps {
  surroundings around;
  room_rules rules;
  room_timing timing;
  rest_rules rest{};
  persistence_actor store;
  agent_directory_actor agents;
  topology_actor topology;
  matrix_sender_actor sender;
  matrix_media_actor media;
  stream_rules streaming{};
  std::chrono::seconds confirmation_ttl{1'800};
  std::vector<std::string> deny_files{}; ///< patterns of paths that never leave a workspace
  std::string version{};
};

class room_core {
public:
  static constexpr const char* name = "room";
  static constexpr std::size_t open_question_cap = 16; ///< confirmations of one room
  static constexpr std::size_t known_question_cap = 64;
  static constexpr std::size_t allowed_cap = 64;
  static constexpr std::size_t files_cap = 32; ///< of one turn

  explicit room_core(room_actor::pointer self) : self_(self), clock_(self) {}
  room_actor::behavior_type start(room_id id, std::shared_ptr<const room_deps> deps,
                                  room_directory_actor directory);

private:
  /// What a turn is for, besides the answer.
  struct saving {
    std::string name, path;
  };
  struct waiting_file {
    incoming_file file;
    inbox_row row; ///< of its message
    std::string caption{};
  };
  /// A message that waits for its turn.
  struct waiting {
    inbox_row row;
    std::string text;
    std::optional<turn_row> resumed{}; ///< a turn that was open when we were born
    std::vector<std::int64_t> also{};  ///< rows of its edits, of its `!retry`: settled with it
    std::vector<waiting_file>
        files{};       ///< the first one is that of `row`; the text is the captions'
    event_id quotes{}; ///< what it replies to
    std::string quoted{};
    event_id thread{};                  ///< in which it is answered
    std::optional<saving> save{};       ///< `!save`
    std::optional<outbox_id> answers{}; ///< a confirmation whose turn is over
    bool undecided = false; ///< the decision is on its way to the disk: not begun before
    bool under_way = false; ///< at our birth: its turn is open, and begun again or closed
    bool stopped = false;   ///< by a command behind it that a crash kept from being carried out
    bool takes_question = false;               ///< the open question is answered by it
    caf::actor_clock::time_point more_until{}; ///< further files may come until then
  };
  /// What the room shows of a running turn, in memory.
  struct progress {
    stream_plan plan;
    std::uint64_t version = 0; ///< of the fold, as it was shown last
    outbox_id draft, in_flight;
    event_id draft_event; ///< empty: not sent yet
    bool armed = false;
  };
  struct ending {
    turn_ending how = turn_ending::answered;
    std::string detail;
    bool handed = false;
  };
  struct running {
    waiting what;
    turn_request request{};
    int attempts = 0;
    std::string label{}, workspace{};
    agent_connection_actor connection{}; ///< null: not asked yet
    answer_fold fold{};
    progress shown{};
    found_agent agent{}; ///< as it was found; its connection may have ended since
    bool stopping = false;
    std::vector<inbox_row> stops{}; ///< `!stop`s that ended it: settled and answered with it
    bool slow_told = false, too_many_told = false;
    bool asked_again = false;      ///< its connection took nothing new, and the directory was asked
    std::string file_lines{};      ///< what the agent is told of files
    std::set<std::string> asked{}; ///< names of its questions; the connection bounds them
    std::optional<std::set<std::string>>
        decided{};                ///< questions whose answers the agent was handed
    bool questions_die = false;   ///< with the turn, if it is interrupted
    std::optional<ending> over{}; ///< ended; the draft's event id is waited for
  };
  using next_step = std::function<void()>;
  /// How an event came: from the directory, from a page of the disk, or when we were born.
  enum class origin { live, page, birth };

  // room.cpp: birth, events, idling
  void open();
  void opened(room_snapshot& snapshot);
  void know(const room_snapshot& snapshot);
  void put_out();
  void watch_marker();
  void marker_sent();
  void check_marker();
  void resume(std::vector<turn_row> turns);
  void take(const std::vector<inbox_row>& rows);
  void handle(const inbox_row& row, origin from);
  void act(const inbox_row& row, verdict& ask, origin from);
  bool guarded(const inbox_row& row);
  void load_more();
  void settle_ignored(const inbox_row& row, inbox_outcome outcome);
  void delivered(const send_outcome& outcome);
  void rest();
  void go_if_quiet(const may_rest& wish);
  std::string status() const;

  // room_unknown.cpp: while there is no record of the room
  void ask_for_record(std::vector<inbox_row> pending);
  void handle_unknown(const inbox_row& row);
  void look_for_record();
  void tell_unknown(const std::string& why);

  // room_commands.cpp
  void run_command(const inbox_row& row, const asks::command& command, origin from);
  void start_chat(const inbox_row& row, const asks::command& command);
  void when_quiet(next_step then);
  void cancel_running();
  bool stop_resumed(const inbox_row& row);
  void clear(const inbox_row& row);
  void new_context(std::function<void(platform_chat_id)> then);
  void begin_context(platform_chat_id fresh, settlement& s);
  void stop_turn(const inbox_row& row);
  void retry(const inbox_row& row);
  void close_retried(std::vector<turn_row>& orphans, std::vector<inbox_row>& pending);
  void edit(const inbox_row& row, const asks::edit& change);
  void redact(const inbox_row& row, const asks::redaction& what);
  void tell_encrypted(const inbox_row& row);

  // room_chats.cpp: the person's chats and agents
  void list_chats(const inbox_row& row);
  void list_chats(const inbox_row& row, std::map<agent_id, std::string> labels);
  void rename(const inbox_row& row, const std::string& name);
  void archive(const inbox_row& row);
  void ask_restore(const inbox_row& row, std::string chat);
  void restore(const restore_chat& wish);
  void agents(const inbox_row& row, const std::string& choice);
  void choose_agent(const inbox_row& row, const agent_option& choice);

  // room_settings.cpp
  void with_agent(std::function<void(const found_agent&)> then);
  void show_context(const inbox_row& row);
  void show_settings(const inbox_row& row);
  void set(const inbox_row& row, const std::string& argument);
  void allow(const inbox_row& row, const std::string& user, bool yes);
  void set_language(const inbox_row& row, const std::string& value);
  /// `row_` was changed: on disk together with the answer.
  void keep_choice(const inbox_row& row, const std::string& text);

  // room_saved.cpp: conversations that the agent writes down
  void save(const inbox_row& row, std::string name, origin from);
  void load(const inbox_row& row, const std::string& choice, origin from);
  void load_number(const inbox_row& row, std::size_t n, origin from);
  void load_one(const inbox_row& row, const saved_context& saved, bool answers_question,
                origin from);
  void with_saved(const user_id& who, std::function<void(std::vector<saved_context>)> then);
  std::string when_saved(const running& r, settlement& s);

  // room_confirm.cpp: questions of the agent
  void asked(const agent_says::confirm& question);
  void prompt_sent(const send_outcome& outcome);
  void ask_when_shown(const outbox_id& id, const event_id& prompt, unsigned tries = 0);
  void answer(const inbox_row& row, confirm_answer how);
  void pass_on(const inbox_row& row, confirmation_row& c, bool yes, bool tell);
  void not_counted(const inbox_row& row, const confirm_answer& how, const confirm_choice& choice);
  void close_questions(settlement& s, confirmation_state state,
                       const std::function<bool(const confirmation_row&)>& which);
  void end_answers(const running& r, turn_ending how, settlement& s);
  void ask_again(confirmation_row& c);
  void end_answer_turn(const running& r, turn_ending how, settlement& s, std::string& tail);
  void arm_expiry();
  void expire();
  confirmation_row* question(const outbox_id& id);
  [[nodiscard]] std::size_t open_questions() const;

  // room_queue.cpp: what waits, and what it needs before the agent is asked
  void enqueue(waiting what, origin from);
  bool joins_files(waiting& what);
  static void settle_all(const waiting& what, inbox_outcome outcome, settlement& s);
  std::optional<waiting> waiting_of(const inbox_row& row);
  void pump();
  void begin(found_agent& agent);
  void prepare();
  void quote();
  void fetch_next(std::size_t index, unsigned tries);
  void file_failed(const fault& why, std::size_t index, unsigned tries);
  void refuse_turn(const std::string& sentence);
  void dispatch();
  void find_again();
  void watch(const agent_connection_actor& connection);
  [[nodiscard]] bool may_use(const found_agent& agent) const;

  // room_turn.cpp
  void on_batch(const agent_batch& batch);
  void on_over(const turn_over& over);
  void on_slow(const turn_slow& slow);
  void finish(turn_ending how, const std::string& detail, bool handed);
  void conclude();
  turn_row ended_row(const running& r, turn_ending how) const;
  void say_answer(const running& r, const std::string& tail, settlement& s);
  void lost_connection();
  void arm_typing();
  void typing(bool on);

  // room_stream.cpp: the running answer as it grows
  void arm_stream();
  void show_progress();
  bool await_draft();
  [[nodiscard]] stream_plan::time now() const;

  // room_push.cpp: files of the agent, and what it says outside turns
  void send_file(const std::string& path);
  caf::result<done> push(const room_push& what);

  // room_move.cpp: an operator binds the room to another agent
  caf::result<room_moved> move(const move_room& what);
  void move_to(const move_room& what, const std::string& label,
               caf::typed_response_promise<room_moved> promise);

  // room_say.cpp: rows and commits
  struct words {
    std::string text;
    matrix::delivery kind = matrix::delivery::reply;
    event_id reply_to{}, thread{}, replaces{};
    turn_id turn{};
    user_id mention{}; ///< who is notified
    int part = 0;
    bool markdown = false, silent = false;
    outbox_id row{};
    std::optional<matrix::confirmation_mark> confirmation{};
  };
  outbox_row message(words what) const;
  /// A reply to the event of this row, in its thread.
  outbox_row reply_row(const inbox_row& row, const std::string& text) const;
  matrix::long_answer laid_out(const std::string& text, const std::string& tail) const;
  outbox_row marker_row(const room_row& row) const;
  outbox_row file_row(const file_order& order, const outbox_id& row = {}) const;
  void reply(const inbox_row& row, const std::string& text, inbox_outcome outcome,
             next_step next = {});
  /// Writes until it is written; `next` runs after COMMIT. In the order of the calls.
  void commit(settlement what, next_step next);
  void write_next();
  [[nodiscard]] language lang() const { return view_.lang; }

  room_actor::pointer self_;
  alarm_clock<room_actor::pointer> clock_;
  room_id id_;
  std::shared_ptr<const room_deps> deps_; ///< the same for all rooms
  caf::weak_actor_ptr directory_;
  mutable chance engine_;
  bool known_ = false, draining_ = false, loading_ = false, looked_again_ = false;
  room_row row_;
  language person_lang_ = language::en; ///< of the owner
  room_view view_;
  std::list<waiting> queue_; // a deque that is empty has 576 bytes
  std::size_t live_waiting_ = 0;
  std::int64_t last_seq_ = 0;    ///< everything up to here was taken from the disk or the directory
  std::set<std::int64_t> owed_;  ///< rows that were taken and are not settled on the disk
  std::set<std::int64_t> ahead_; ///< taken before their place because they do not wait
  bool more_on_disk_ = false;
  boxed<running> turn_;
  bool starting_ = false, files_armed_ = false;
  next_step after_turn_;
  outbox_id marker_; ///< a new context begins when this row is sent
  bool marker_waits_ = false;
  next_step after_marker_;                  ///< further changes of the context
  std::vector<confirmation_row> questions_; ///< of the agent; all open ones, and some that are over
  std::optional<unix_ms> expiry_armed_;
  std::vector<std::pair<inbox_row, confirm_answer>>
      early_; ///< reactions before their prompt is known
  bool moving_ = false;
  bool reopen_ = false;              ///< our row was changed by others; read when ours are written
  std::set<outbox_id> stale_drafts_; ///< sent after their turn was over: taken back
  std::set<event_id> told_late_edit_;
  std::vector<event_id> answered_; ///< the newest messages whose turns are over
  loop_guard guard_;
  std::list<std::pair<settlement, next_step>> writes_;
  bool writing_ = false;
  unsigned write_failures_ = 0;
  bool typing_on_ = false, typing_armed_ = false;
  caf::actor_clock::time_point turn_began_, last_active_;
  // While there is no record of the room
  std::vector<std::int64_t> held_;
  inbox_row held_last_;
  bool looking_ = false;
  std::optional<caf::actor_clock::time_point> unknown_told_;
  caf::actor_addr watched_; ///< the connection of the last turn
  std::vector<caf::typed_response_promise<done>> drained_;
};

room_actor::behavior_type room(room_actor::stateful_pointer<room_core> self, room_id id,
                               std::shared_ptr<const room_deps> deps,
                               room_directory_actor directory);

} // namespace pb
