#pragma once
// Every actor's typed interface, one comment line for each message. Values carry no CAF inspection:
// they never leave the process; their text form is JSON.

#include "messages/agent_messages.hpp"
#include "messages/media_messages.hpp"
#include "messages/store_messages.hpp"
#include "messages/values/agent_event.hpp"
#include "messages/values/event.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/outbox.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/room.hpp"
#include "messages/values/session.hpp"
#include "messages/values/turn.hpp"

#include <caf/all.hpp>
#include <functional>
#include <memory>

namespace pb {

// -- rooms
// -------------------------------------------------------------------------------------------
struct room_events {
  std::vector<inbox_row> rows;
};
struct row_delivered {
  room_id room;
  send_outcome outcome;
};
struct room_changed {
  room_id room;
};
struct wake_rooms {
  std::vector<room_id> rooms;
};
struct room_handled {
  room_id room;
  std::size_t events = 0;
};
/// To a room: go, if you have been quiet for so long and owe nothing. Who may go says room_idle.
struct may_rest {
  std::chrono::milliseconds quiet_for{0};
};
struct room_idle {
  room_id room;
  caf::actor_id who = 0;
};
/// The room may be moved: finish what runs, begin nothing, go; it is born again from the disk.
struct close_room {
  room_id room;
};
struct catch_up {};
/// What the push is for, once it is known.
struct room_push {
  agent_id agent;
  agent_says::push what;
};
/// A chat comes back from the archive; the command was given in another room.
struct restore_chat {
  room_id room; ///< that comes back
  inbox_row cause;
  language lang = language::en; ///< of the room that is answered
};
/// An operator: the room is bound to another agent, with a fresh context. Answered after COMMIT.
struct move_room {
  room_id room;
  agent_id agent;
};
struct room_moved {
  bool moved = true; ///< false: it was with this agent already
  platform_chat_id chat;
};
/// ROOM: owns the platform chat id, the turn in progress and the waiting messages of one chat.
using room_actor =
    turn_sink::extend<caf::reacts_to<room_events>,   // admitted events, in order
                      caf::reacts_to<catch_up>,      // more are on disk than you were handed
                      caf::reacts_to<row_delivered>, // what became of a row that you wait for
                      caf::reacts_to<room_changed>,  // your row was changed by topology
                      caf::reacts_to<may_rest>,      // go, if nothing keeps you
                      caf::replies_to<room_push>::with<done>, // an agent speaks outside a turn
                      caf::reacts_to<restore_chat>, // out of the archive; answers in the other room
                      // errors: not_found (no such chat), malformed (no such agent), refused, busy
                      caf::replies_to<move_room>::with<room_moved>,
                      caf::reacts_to<tick>, // itself
                      caf::replies_to<drain>::with<done>,
                      caf::replies_to<get_status>::with<status_report>>;

/// ROOM DIRECTORY: room id → room actor; spawns on demand, passivates the idle.
using room_directory_actor =
    push_sink::extend<caf::reacts_to<room_events>,   // of any rooms, in order of admission
                      caf::reacts_to<restore_chat>,  // for the room that it names
                      caf::reacts_to<wake_rooms>,    // they have unfinished work
                      caf::reacts_to<room_handled>,  // credit back from a room
                      caf::reacts_to<room_idle>,     // a room may be put away
                      caf::reacts_to<row_delivered>, // for the room, if it lives
                      caf::reacts_to<room_changed>,  // likewise
                      caf::replies_to<close_room>::with<done>,      // it is about to be moved
                      caf::replies_to<move_room>::with<room_moved>, // for the room that it names
                      caf::reacts_to<tick>,                         // itself
                      caf::replies_to<drain>::with<done>,
                      caf::replies_to<get_status>::with<status_report>>;

// -- Matrix
// --------------------------------------------------------------------------------------------
/// The homeserver did not accept our token: look, renew it if that can be done.
struct session_doubt {
  std::string token; ///< that was refused: an older one than the present one is no news
};
/// SESSION: finds the homeserver, logs in, and knows whether the token still counts.
using matrix_session_actor = caf::typed_actor<caf::reacts_to<session_doubt>, // from who met a 401
                                              caf::reacts_to<http_finished>, // from I/O
                                              caf::reacts_to<tick>,          // itself
                                              caf::replies_to<get_status>::with<status_report>>;

/// ROOM NOTICES: who wants to know what became of rows with `notify`.
using delivery_sink = caf::typed_actor<caf::reacts_to<row_delivered>>;
struct delivery_subscribe {
  delivery_sink sink;
};
/// Asks for a place in the account's send budget; the answer comes when it may be used.
struct ask_budget {
  double cost = 1; ///< in messages: what the homeserver counts for it
  send_class priority = send_class::state;
};
/// What was sent with a place from the budget was refused for its rate.
struct budget_refused {
  std::optional<std::chrono::milliseconds> retry_after;
};
struct set_typing {
  room_id room;
  bool on = false;
};
struct mark_read {
  room_id room;
  event_id event;
};
/// Progress of a turn: a draft or an edit of it, in memory only. Told by row_delivered when it was
/// sent, dropped (a newer row of the turn overtook it) or refused.
struct send_progress {
  outbox_row row;
};
/// The turn has no more progress: what nobody has tried to send is dropped.
struct drop_progress {
  room_id room;
  turn_id turn;
};
/// MATRIX SENDER: one account's outgoing requests within what the homeserver allows.
using matrix_sender_actor =
    outbox_sink::extend<caf::reacts_to<delivery_subscribe>,
                        caf::reacts_to<set_typing>, // best effort
                        caf::reacts_to<mark_read>,  // best effort, the newest counts
                        caf::reacts_to<send_progress>, caf::reacts_to<drop_progress>,
                        caf::replies_to<ask_budget>::with<done>, // for requests of others
                        caf::reacts_to<budget_refused>,          // one of those was too early
                        caf::reacts_to<session_renewed>,         // from the session
                        caf::reacts_to<http_finished>,           // from I/O
                        caf::reacts_to<tick>,                    // itself
                        caf::replies_to<drain>::with<done>,
                        caf::replies_to<get_status>::with<status_report>>;

struct new_invites {
  std::vector<invite_row> invites;
};
struct new_chat {
  inbox_row cause;
  user_id owner;
  std::string title;
};
struct find_home {
  user_id user;
  trace tr;
  inbox_row cause;
};
/// A person chose an agent for new chats, or a language: their record and the marker of their
/// Space. Error not_found: they have no Space.
struct person_choice {
  user_id user;
  std::optional<agent_id> agent;
  std::optional<language> lang;
  std::int64_t inbox_seq = 0;       ///< of the command, settled with it; 0: none
  std::optional<outbox_row> answer; ///< said with it
};
/// Somebody may speak in a room from now on: they are invited unless they are there.
struct invite_guest {
  room_id room;
  user_id guest;
};
struct restore_unknown {
  room_id room;
  trace tr;
};
struct restore_answer {
  bool found = false;
  std::string why;
};
struct draw_chat_id {};
struct await_topology {};
/// A room was replaced by another one, says its tombstone.
struct room_upgraded {
  room_id room;
};
struct run_reconcile {
  bool dry_run = false;
};
struct reconcile_report {
  std::string json; ///< plan and outcome: see docs/operations.md
};
struct attach_rooms {
  room_directory_actor rooms;
};
/// TOPOLOGY: Spaces and rooms: invitations, creation, restoring what the homeserver knows.
using topology_actor = caf::typed_actor<
    caf::replies_to<draw_chat_id>::with<platform_chat_id>, // below a mark that the account keeps
    caf::replies_to<await_topology>::with<done>, // the database knows its rooms: act on messages
    caf::reacts_to<room_upgraded>,               // a tombstone was admitted
    caf::replies_to<run_reconcile>::with<reconcile_report>, // compare with the homeserver, repair
    caf::reacts_to<attach_rooms>,                           // who has to know of changed rooms
    caf::reacts_to<session_renewed>,                        // from the session
    caf::reacts_to<new_invites>,                            // admitted, on disk
    caf::replies_to<new_chat>::with<done>,  // settled with its intent; goes on alone
    caf::replies_to<find_home>::with<done>, // `!start`: make what is missing, point to it
    caf::replies_to<person_choice>::with<done>, caf::reacts_to<invite_guest>,
    caf::replies_to<restore_unknown>::with<restore_answer>, // a room that we have no row of
    caf::reacts_to<http_finished>,                          // from I/O
    caf::reacts_to<tick>,                                   // itself
    caf::replies_to<get_status>::with<status_report>>;

/// MATRIX SYNC: the cursor and the long poll.
using matrix_sync_actor = caf::typed_actor<caf::reacts_to<session_renewed>, // from the session
                                           caf::reacts_to<http_finished>,   // from I/O
                                           caf::reacts_to<tick>,            // itself
                                           caf::replies_to<get_status>::with<status_report>>;

struct session_ready {
  session_ref session;
};
struct router_failed {
  int exit_code = 70;
  std::string sentence;
};

// -- supervisor
// ------------------------------------------------------------------------------------------
struct stop_router {};
struct restart_child {
  std::string label;
  std::uint64_t generation = 0;
};
struct collect_status {
  std::shared_ptr<std::function<void(std::string)>> answer;
};
/// Of the store, newest first; calls back with JSON texts and where to go on (0: last page).
struct list_aside {
  enum class kind { poison, dead, open_confirmations, confirmations } what = kind::poison;
  std::int64_t before = 0;
  std::size_t limit = 50;
  std::shared_ptr<std::function<void(bool good, std::vector<std::string> items, std::int64_t next)>>
      answer;
};
/// Compares the rooms with the homeserver beside the work; calls back with the report, or false
/// and an error as the admin API words it.
struct reconcile_now {
  bool dry_run = false;
  std::shared_ptr<std::function<void(bool good, std::string json)>> answer;
};
/// As agent_pushed is answered: nothing, or what went wrong. From the events route.
struct push_now {
  agent_pushed what;
  std::shared_ptr<std::function<void(const std::optional<fault>&)>> answer;
};
/// From the admin API and from whoever watches the files: this is the registry from now on. Calls
/// back when the agents have it.
struct apply_now {
  registry agents;
  std::shared_ptr<std::function<void()>> answer;
};
/// As drain_agent is answered.
struct drain_now {
  drain_agent what;
  std::shared_ptr<std::function<void(const std::optional<fault>&)>> answer;
};
/// Chat rooms in the order of their ids; calls back with JSON texts and where to go on (empty: last
/// page).
struct list_rooms {
  room_id after; ///< empty: from the first one
  std::size_t limit = 50;
  agent_id agent{}; ///< only its rooms; empty: all
  user_id owner{};  ///< likewise
  std::shared_ptr<std::function<void(bool good, std::vector<std::string> items, room_id next)>>
      answer;
};
/// As move_room is answered.
struct move_now {
  move_room what;
  std::shared_ptr<std::function<void(const std::optional<fault>&, const room_moved&)>> answer;
};
struct stop_next {};
/// SUPERVISOR: starts the others in order, restarts what dies, stops them from source to sink.
using supervisor_actor =
    caf::typed_actor<caf::reacts_to<session_ready>,   // the children that need a session can start
                     caf::reacts_to<session_renewed>, // another token: those who use it are told
                     caf::reacts_to<router_failed>, // cannot go on: the process ends with this code
                     caf::reacts_to<stop_router>,   // SIGTERM: drain, then end
                     caf::reacts_to<restart_child>, // itself, after a backoff
                     caf::reacts_to<stop_next>,     // itself
                     caf::reacts_to<tick>,          // itself: the drain's deadline
                     caf::reacts_to<collect_status>, // asks everybody, calls back with JSON
                     caf::reacts_to<reconcile_now>,  // for the admin API
                     caf::reacts_to<list_aside>,     // for the admin API
                     caf::reacts_to<push_now>,       // for the events route
                     caf::reacts_to<apply_now>,      // another registry
                     caf::reacts_to<drain_now>,      // for the admin API
                     caf::reacts_to<list_rooms>,     // for the admin API
                     caf::reacts_to<move_now>,       // for the admin API
                     caf::replies_to<get_status>::with<status_report>>;

} // namespace pb

// clang-format off
#define PB_MESSAGES(X) \
  X(pb::get_status) X(pb::status_report) X(pb::done) X(pb::tick) X(pb::http_finished) \
  X(pb::drain) X(pb::store_admit) X(pb::admitted) X(pb::store_open_room) X(pb::room_snapshot) \
  X(pb::store_pending) X(pb::pending_page) X(pb::store_dispatch) X(pb::store_settle) \
  X(pb::store_record) X(pb::store_draw_chat_id) X(pb::platform_chat_id) X(pb::store_load) \
  X(pb::loaded_state) X(pb::store_find_user) X(pb::found_user) X(pb::store_find_room) \
  X(pb::found_room) X(pb::store_rooms) X(pb::store_chats) X(pb::room_list) X(pb::store_outbox) X(pb::outbox_page) \
  X(pb::store_save_account) X(pb::commit_now) X(pb::outbox_ready) X(pb::outbox_subscribe) \
  X(pb::outbox_credit) X(pb::room_events) X(pb::row_delivered) X(pb::room_changed) \
  X(pb::wake_rooms) X(pb::room_handled) X(pb::room_idle) X(pb::may_rest) X(pb::catch_up) X(pb::agent_batch) \
  X(pb::turn_over) X(pb::turn_slow) X(pb::run_turn) X(pb::cancel_turn) X(pb::agent_ack) \
  X(pb::answer_confirm) X(pb::link_opened) X(pb::link_said) X(pb::link_ended) X(pb::find_agent) \
  X(pb::found_agent) X(pb::agent_for_user) X(pb::agent_choice) X(pb::delivery_subscribe) \
  X(pb::set_typing) X(pb::mark_read) X(pb::new_invites) X(pb::new_chat) X(pb::find_home) \
  X(pb::restore_unknown) X(pb::restore_answer) X(pb::session_renewed) X(pb::ask_budget) X(pb::budget_refused) X(pb::draw_chat_id) \
  X(pb::await_topology) X(pb::room_upgraded) X(pb::run_reconcile) X(pb::reconcile_report) \
  X(pb::attach_rooms) X(pb::session_doubt) X(pb::close_room) X(pb::store_known) \
  X(pb::known_answer) X(pb::store_interrupted) X(pb::interrupted_message) X(pb::store_users) \
  X(pb::user_list) X(pb::store_raise_chat_id) X(pb::store_poison) X(pb::poison_page) \
  X(pb::store_dead) X(pb::store_saved) X(pb::saved_list) X(pb::store_find_chat) \
  X(pb::store_freeze) X(pb::store_confirmations) X(pb::confirmation_page) X(pb::agent_pushed) X(pb::room_push) X(pb::restore_chat) \
  X(pb::attach_pushes) X(pb::agents_of_user) X(pb::agent_options) X(pb::send_progress) \
  X(pb::drop_progress) X(pb::person_choice) X(pb::invite_guest) X(pb::fetch_event) X(pb::fetched_event) X(pb::fetch_file) \
  X(pb::staged_file) X(pb::upload_file) X(pb::uploaded_file) X(pb::session_ready) X(pb::router_failed) \
  X(pb::stop_router) X(pb::restart_child) X(pb::stop_next) X(pb::reconcile_now) X(pb::list_aside) X(pb::push_now) X(pb::apply_now) X(pb::drain_now) X(pb::list_rooms) X(pb::move_now) X(pb::collect_status) \
  X(pb::store_remember) X(pb::store_recall) X(pb::recalled_memory) X(pb::apply_spec) \
  X(pb::apply_registry) X(pb::registry_applied) X(pb::drain_agent) X(pb::move_room) X(pb::room_moved)
// clang-format on

#define PB_UNSAFE(T) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(T)
PB_MESSAGES(PB_UNSAFE)
#undef PB_UNSAFE

CAF_BEGIN_TYPE_ID_BLOCK(patchbay, caf::first_custom_type_id)
#define PB_TYPE_ID(T) CAF_ADD_TYPE_ID(patchbay, (T))
PB_MESSAGES(PB_TYPE_ID)
#undef PB_TYPE_ID
CAF_END_TYPE_ID_BLOCK(patchbay)
