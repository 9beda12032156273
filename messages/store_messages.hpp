#pragma once
// What every actor knows, and the typed interface of persistence, one comment line for each
// message.

#include "bridges/http.hpp"
#include "messages/values/outbox.hpp"
#include "messages/values/room.hpp"
#include "messages/values/session.hpp"
#include "messages/values/turn.hpp"
#include "persistence/store.hpp"

#include <caf/all.hpp>
#include <memory>

namespace pb {

// -- messages that every actor knows ------------------------------------------------------------
struct get_status {};
struct status_report {
  std::string name; ///< of the actor
  std::string json; ///< an object
};
struct done {};
/// A timer of the actor's own; stale ones carry an old generation.
struct tick {
  std::uint64_t generation = 0;
};
struct http_finished {
  std::uint64_t call = 0;
  std::shared_ptr<http_result> result;
};
/// Take nothing new; answer when what runs has ended.
struct drain {};

/// The same account and device under another token, or the same again: go on.
struct session_renewed {
  session_ref session;
};
/// Whoever uses the token: store, sender, topology, sync.
using renewal_sink = caf::typed_actor<caf::reacts_to<session_renewed>>;

// -- persistence
// -----------------------------------------------------------------------------------
struct store_admit {
  std::shared_ptr<const admission> batch;
};
struct store_open_room {
  room_id room;
  std::size_t limit = 0;
};
struct store_pending {
  room_id room;
  std::int64_t after = 0;
  std::size_t limit = 0;
};
struct pending_page {
  std::vector<inbox_row> rows;
};
struct store_dispatch {
  turn_row turn;
};
struct store_settle {
  std::shared_ptr<const settlement> what;
};
struct store_record {
  std::vector<send_outcome> outcomes;
};
struct store_draw_chat_id {};
struct store_load {};
/// What the supervisor's children are born from.
struct loaded_state {
  std::optional<std::string> cursor;
  std::optional<account_row> account;
  std::vector<invite_row> invites;
  std::vector<intent_row> intents;
  std::vector<room_id> rooms_with_work;
  bool topology_known = false;
  platform_chat_id last_platform;
};
struct store_find_user {
  user_id user;
};
struct found_user {
  std::optional<user_row> user;
};
struct store_find_room {
  room_id room;
};
struct found_room {
  std::optional<room_row> room;
};
struct store_rooms {};
/// A page, as store::chats has it; answered as store_rooms is.
struct store_chats {
  room_id after;
  std::size_t limit = 0;
  agent_id agent;
  user_id owner;
};
struct room_list {
  std::vector<room_row> rooms;
};
struct store_outbox {
  std::int64_t after = 0;
  std::size_t limit = 0;
};
struct outbox_page {
  std::vector<outbox_row> rows;
};
struct store_save_account {
  account_row account;
};
struct store_known {
  room_id room;
  std::vector<event_id> events;
};
struct store_interrupted {
  room_id room;
};
struct interrupted_message {
  std::optional<inbox_row> row;
};
struct store_users {};
struct user_list {
  std::vector<user_row> users;
};
struct store_raise_chat_id {
  platform_chat_id seen;
};
struct store_poison {
  std::int64_t before = 0;
  std::size_t limit = 0;
};
struct poison_page {
  std::vector<poison_row> rows;
};
struct store_dead {
  std::int64_t before = 0;
  std::size_t limit = 0;
};
struct store_saved {
  user_id owner;
};
struct saved_list {
  std::vector<saved_context> saved; ///< of this person, newest first
};
struct store_find_chat {
  platform_chat_id chat; ///< also a number that the room had before a clear
};
struct store_confirmations {
  bool open_only = true;
  std::int64_t before = 0;
  std::size_t limit = 0;
};
struct confirmation_page {
  std::vector<confirmation_row> rows;
};
/// A file was uploaded: its row is a message with these bytes from now on.
struct store_freeze {
  outbox_id row;
  std::string body;
};
/// What a chat's sessions with its agent remember, see bridges/agent/session.hpp. Answered after
/// COMMIT; empty: forgotten.
struct store_remember {
  agent_id agent;
  platform_chat_id chat;
  std::string memory;
};
struct store_recall {
  agent_id agent;
  platform_chat_id chat;
};
struct recalled_memory {
  std::string memory; ///< empty: none
};
struct commit_now {};
/// Outbox rows that have just become durable. `more`: others did too, ask for them.
struct outbox_ready {
  std::vector<outbox_row> rows;
  bool more = false;
};

/// OUTBOX SINK: is handed rows after their COMMIT.
using outbox_sink = caf::typed_actor<caf::reacts_to<outbox_ready>>;
struct outbox_subscribe {
  outbox_sink sink;
  std::size_t credit = 0;
};
struct outbox_credit {
  std::size_t rows = 0;
};

/// PERSISTENCE: the only writer. Every write is answered after its COMMIT.
using persistence_actor = caf::typed_actor<
    caf::replies_to<store_admit>::with<admitted>, // events, invitations and cursor, at once
    caf::replies_to<store_open_room>::with<room_snapshot>,       // what a room is born from
    caf::replies_to<store_pending>::with<pending_page>,          // more of a room's inbox
    caf::replies_to<store_dispatch>::with<done>,                 // the dispatched mark
    caf::replies_to<store_settle>::with<done>,                   // what was decided, all or nothing
    caf::reacts_to<store_record>,                                // what became of outbox rows
    caf::replies_to<store_draw_chat_id>::with<platform_chat_id>, // never the same twice
    caf::replies_to<store_load>::with<loaded_state>,             // at start
    caf::replies_to<store_find_user>::with<found_user>,
    caf::replies_to<store_find_room>::with<found_room>,
    caf::replies_to<store_rooms>::with<room_list>, caf::replies_to<store_chats>::with<room_list>,
    caf::replies_to<store_outbox>::with<outbox_page>, // waiting rows behind a place
    caf::replies_to<store_save_account>::with<done>,
    caf::replies_to<store_known>::with<known_answer>, // which events were ever admitted
    caf::replies_to<store_interrupted>::with<interrupted_message>, // what `!retry` sends
    caf::replies_to<store_users>::with<user_list>,
    caf::replies_to<store_raise_chat_id>::with<done>, // no id up to there is drawn any more
    caf::replies_to<store_poison>::with<poison_page>, // set aside, newest first
    caf::replies_to<store_dead>::with<outbox_page>,   // refused for good, newest first
    caf::replies_to<store_saved>::with<saved_list>,   // conversations that agents wrote down
    caf::replies_to<store_find_chat>::with<found_room>,
    caf::replies_to<store_confirmations>::with<confirmation_page>, // newest first
    caf::replies_to<store_freeze>::with<done>,
    caf::replies_to<store_remember>::with<done>, // too_large past memory_cap
    caf::replies_to<store_recall>::with<recalled_memory>,
    caf::reacts_to<session_renewed>,  // the scope of rows from now on
    caf::reacts_to<tick>,             // itself: retention
    caf::reacts_to<outbox_subscribe>, // who gets rows after COMMIT
    caf::reacts_to<outbox_credit>,    // the sink has room for so many more
    caf::reacts_to<commit_now>,       // itself: end of the group
    caf::replies_to<get_status>::with<status_report>>;

} // namespace pb
