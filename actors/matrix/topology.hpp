#pragma once
// Spaces and rooms: who is let in, what is created for them, and what the homeserver knows of a
// room that we have no row of. Every step is on disk before the next; a person's steps run one by
// one.

#include "actors/common.hpp"
#include "actors/matrix/reconcile_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/facts.hpp"
#include "messages/actors.hpp"
#include "messages/values/settings.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace pb {

struct topology_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  session_ref session;
  persistence_actor store;
  agent_directory_actor agents;
  matrix_sender_actor sender; ///< keeps the account's send budget
  invite_policy invites = invite_policy::registered;
  std::vector<user_id> operators;
  language lang = language::en;
  /// False: only what `run_reconcile` asks for is done; no room is made, nobody is let in.
  bool serving = true;
};

class topology_state {
public:
  static constexpr const char* name = "topology";
  static constexpr std::size_t job_cap = 64; ///< for one person; more are refused with a sentence
  static constexpr std::size_t at_once = 8;  ///< rooms that are looked at, or written, together
  static constexpr std::int64_t block = 64;  ///< platform_chat_ids that the account's mark reserves

  explicit topology_state(topology_actor::pointer self) : self_(self), clock_(self) {}
  topology_actor::behavior_type start(topology_deps deps);

private:
  using step = std::function<void()>;
  using failure = matrix::matrix_failure;

  // topology.cpp: jobs, invitations, restoring
  void load();
  bool enqueue(const user_id& who, step job);
  void job_done(const user_id& who);
  void invited(const invite_row& row);
  void if_permitted(const user_id& who, std::function<void(bool)> then);
  void refuse(const invite_row& row);
  void enter(const invite_row& row, unsigned tries);
  void entered(const invite_row& row);
  void look_for_marker(const invite_row& row, unsigned tries);
  void into_lobby(const invite_row& row);
  void show_home(const user_id& who, settlement s, const room_id& to, const event_id& reply_to,
                 trace tr);
  caf::result<restore_answer> restore(const room_id& room);
  void again(const failure& f, unsigned tries, step what);

  // topology_intents.cpp: creation, step by step
  void make_home(const user_id& who, settlement s, const room_id& origin, const event_id& event,
                 trace tr);
  void make_chat(const new_chat& wish, caf::typed_response_promise<done> taken);
  void want_chat(const new_chat& wish, const room_id& space, const agent_id& agent,
                 caf::typed_response_promise<done> taken);
  [[nodiscard]] bool may_choose(const found_agent& agent, const user_id& who) const;
  void advance(intent_row intent, unsigned tries = 0);
  void create_space(intent_row intent, unsigned tries);
  void create_chat(intent_row intent, unsigned tries);
  void space_made(intent_row intent, const room_id& space);
  void chat_made(intent_row intent, const room_id& room);
  void number_again(intent_row intent);
  void link(intent_row intent, unsigned tries);
  void tell_ready(const intent_row& intent, language lang);
  void abandon(const intent_row& intent, const failure& f);
  /// Looks through the joined rooms for the marker of this intent.
  void find_made(const intent_row& intent, std::string_view type,
                 std::function<void(std::optional<room_id>)> then, unsigned tries = 0);
  void find_made_in(std::shared_ptr<std::deque<room_id>> rooms, const intent_row& intent,
                    std::string type, std::function<void(std::optional<room_id>)> then);

  // topology_people.cpp: what people choose, and whom they let in
  void choose(const person_choice& wish, caf::typed_response_promise<done> taken);
  void invite(const invite_guest& wish, unsigned tries);

  // topology_walk.cpp: every room that we are in is looked at, and a plan is made
  struct walk {
    bool dry = false, gate = false;
    reconcile_input in;
    std::deque<room_id> todo;
    std::size_t in_flight = 0;
    std::vector<caf::typed_response_promise<reconcile_report>> asked;
  };
  using walk_ptr = std::shared_ptr<walk>;
  void begin_walk(walk_ptr w);
  void list_rooms(const walk_ptr& w, unsigned tries);
  void look_on(const walk_ptr& w);
  void look_at(const walk_ptr& w, const room_id& room, unsigned tries);
  void find_agents(const walk_ptr& w, std::vector<user_id> owners);
  void walked(const walk_ptr& w);

  // topology_apply.cpp: the plan becomes true, step by step
  struct applying {
    walk_ptr w;
    reconcile_plan plan;
    std::size_t user = 0, room = 0, write = 0, in_flight = 0, drawing = 0;
    std::vector<room_id> changed;
    std::string position;         ///< what lies before it is history
    std::vector<room_row> silent; ///< chats that may hold a text that nobody acts on
    bool told = false;
  };
  using applying_ptr = std::shared_ptr<applying>;
  void apply(const walk_ptr& w, reconcile_plan plan);
  void apply_users(const applying_ptr& a);
  void apply_rooms(const applying_ptr& a);
  void apply_room(const applying_ptr& a, reconcile_plan::room_change change);
  void confirm_gone(const applying_ptr& a, const reconcile_plan::room_change& change);
  void check_room(const applying_ptr& a, reconcile_plan::room_change change);
  void write_room(const applying_ptr& a, const reconcile_plan::room_change& change, settlement s);
  void tell_unanswered(const applying_ptr& a);
  void apply_writes(const applying_ptr& a);
  void applied(const applying_ptr& a);
  /// After a lost database: the newest text of the room that nobody answered.
  void find_unanswered(const applying_ptr& a, const room_row& row,
                       std::function<void(std::optional<event_id>)> then, unsigned tries = 0);
  /// The position has to be fixed first: what comes after it is answered.
  void await_position(const applying_ptr& a, step then);
  void walk_over(const walk_ptr& w, const std::string& json);
  void open_gate();

  // topology_sequence.cpp: no platform_chat_id is used twice, whatever becomes of the database
  void load_mark(unsigned tries);
  void draw(std::function<void(platform_chat_id)> then);
  void draw_next();
  void raise_mark(unsigned tries);

  // topology_upgrade.cpp
  void follow(const room_id& room, bool news);
  void follow_from(const room_row& row, unsigned tries);
  void check_successor(const room_row& row, const matrix::room_facts& old, unsigned tries);
  void move_chat(room_row before, const matrix::room_facts& next);
  void move_space(const room_row& before, const matrix::room_facts& next);
  void not_followed(const room_row& row, const std::string& why);

  /// `on_conflict` runs instead of `then` when the store refuses what is written.
  void write(settlement s, step then, step on_conflict = {});
  /// A full disk is waited for; any other error ends the actor.
  void store_trouble(caf::error& e, step again);
  /// With a place from the account's send budget.
  void send_budgeted(double cost, http_request request, http_calls::then next);
  outbox_row message(const room_id& room, const std::string& text, const event_id& reply_to,
                     const user_id& mention);
  std::string server() const;

  topology_actor::pointer self_;
  alarm_clock<topology_actor::pointer> clock_;
  topology_deps deps_;
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  std::map<user_id, std::deque<step>> jobs_; ///< the first one runs
  std::set<event_id> wishes_;                ///< `!new` that wait in jobs_
  std::set<room_id> entering_;               ///< invitations that are being dealt with
  std::uint64_t refused_ = 0, made_ = 0, restored_ = 0;
  unsigned write_failures_ = 0;
  counter refused_total_, made_total_;
  // The walk
  bool open_ = false; ///< the database knows its rooms
  walk_ptr walk_;     ///< that runs
  std::deque<walk_ptr> walks_;
  std::vector<caf::typed_response_promise<done>> waiting_;
  room_directory_actor rooms_; ///< null until it is there
  std::set<room_id> following_, upgrade_news_;
  std::optional<unix_ms> last_walk_;
  std::string last_report_ = "null";
  // The sequence
  bool marked_ = false; ///< the account's mark was read
  platform_chat_id last_, mark_;
  std::deque<std::function<void(platform_chat_id)>> draws_;
  bool drawing_ = false;
};

topology_actor::behavior_type topology(topology_actor::stateful_pointer<topology_state> self,
                                       topology_deps deps);

} // namespace pb
