#pragma once
// The typed interfaces around agents: turns, what agents say, the registry in force.

#include "bridges/link.hpp"
#include "messages/store_messages.hpp"
#include "messages/values/agent_event.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/turn.hpp"

#include <caf/all.hpp>
#include <set>

namespace pb {

struct agent_batch {
  turn_id turn;
  std::uint64_t seq = 0;
  std::vector<agent_event> events;
};
struct turn_over {
  turn_id turn;
  turn_ending ending = turn_ending::answered;
  std::string detail;  ///< error code, HTTP status: for the log, cut to 200 bytes
  bool handed = false; ///< the frame was handed to the socket, as far as the disk knows
  /// Whose decision was handed to the socket; an answer_confirm that is not here came too late.
  std::vector<std::string> decided{};
  bool questions_die = false; ///< nobody can answer the turn's open questions any more
};
/// The agent has not said anything for limits.first_event.
struct turn_slow {
  turn_id turn;
};

/// An agent has something to say outside any turn. Answered after its COMMIT; the same event a
/// second time is answered in the same way and said once. Errors: not_found (no such chat of this
/// agent), refused (nobody can be told there: the room was left), busy.
struct agent_pushed {
  agent_id agent;
  platform_chat_id chat; ///< also a number that the room had before a clear
  agent_says::push what;
};
/// TURN SINK: is told what an agent says in a turn.
using turn_sink = caf::typed_actor<caf::reacts_to<agent_batch>, caf::reacts_to<turn_over>,
                                   caf::reacts_to<turn_slow>>;

/// PUSH SINK: takes what agents say outside turns.
using push_sink = caf::typed_actor<caf::replies_to<agent_pushed>::with<done>>;
struct attach_pushes {
  push_sink sink;
};

struct run_turn {
  turn_request turn;
  std::int64_t inbox_seq = 0;
  int attempts = 0;
  turn_sink sink;
};
struct cancel_turn {
  turn_id turn;
};
struct agent_ack {
  turn_id turn;
  std::uint64_t seq = 0;
};
struct answer_confirm {
  turn_id turn;
  std::string confirmation;
  bool yes = false;
};
struct link_opened {
  std::uint64_t epoch = 0;
};
struct link_said {
  std::uint64_t epoch = 0;
  std::string text;
};
struct link_ended {
  std::uint64_t epoch = 0;
  link_closed why;
};

/// From now on this is the agent: for new turns; what runs goes on as it began.
struct apply_spec {
  agent_spec spec;
};

/// AGENT CONNECTION: the sockets of one agent; fair between rooms, at most so many turns at a time.
using agent_connection_actor = caf::typed_actor<
    caf::reacts_to<run_turn>,       // ends in exactly one turn_over to its sink
    caf::reacts_to<cancel_turn>,    // CANCEL to the agent, closed after a second without END
    caf::reacts_to<agent_ack>,      // the sink has worked off a batch
    caf::reacts_to<answer_confirm>, // an open confirmation is decided
    caf::reacts_to<attach_pushes>,  // who takes what the agent says outside turns
    caf::reacts_to<apply_spec>,     // another form of the agent, for new turns
    caf::reacts_to<link_opened>, caf::reacts_to<link_said>, caf::reacts_to<link_ended>, // from I/O
    caf::reacts_to<tick>,                                                               // itself
    caf::replies_to<drain>::with<done>, caf::replies_to<get_status>::with<status_report>>;

struct find_agent {
  agent_id agent;
  user_id owner{}; ///< whose room asks; empty: nobody's
};
struct found_agent {
  agent_connection_actor connection; ///< null: no new turn (unknown, not enabled, drained)
  std::string label;
  bool idempotent = false; ///< or its protocol resumes: a turn may be begun again after our restart
  bool enabled = false;
  std::string workspace;            ///< our side of the shared volume; empty: none
  std::set<agent_feature> features; ///< what it understands
  bool known = false;               ///< it is in the registry
  bool theirs = true;               ///< the owner may use it, says the registry
  bool listed = false;              ///< the owner, or their server, is in the registry
};
/// Agents that a person may choose: those that the registry lists for them, the first one being the
/// default; else the default agent alone. `all`: every agent (for operators).
struct agents_of_user {
  user_id user;
  bool all = false;
};
struct agent_option {
  agent_id id;
  std::string label;
  bool enabled = true;
};
struct agent_options {
  std::vector<agent_option> agents;
};
struct agent_for_user {
  user_id user;
};
struct agent_choice {
  std::optional<agent_id> agent;
  bool listed = false; ///< the person, or their server, is in the registry
};
/// Another registry is in force: agents that are new start, those that are gone finish what runs,
/// those that changed are told. Nobody else notices.
struct apply_registry {
  registry agents;
};
struct registry_applied {
  std::vector<agent_id> added, removed, changed;
};
/// An operator: no new turns for this agent until it is taken back (`on` false). Answered at once;
/// the status tells what still runs. Not on disk: a restart ends it.
struct drain_agent {
  agent_id agent;
  bool on = true;
};
/// AGENT DIRECTORY: the registry in force and one connection actor for each agent.
using agent_directory_actor =
    caf::typed_actor<caf::replies_to<find_agent>::with<found_agent>,
                     caf::replies_to<agent_for_user>::with<agent_choice>,  // the person's default
                     caf::replies_to<agents_of_user>::with<agent_options>, // whom they may choose
                     caf::replies_to<apply_registry>::with<registry_applied>,
                     caf::replies_to<drain_agent>::with<done>, // error not_found
                     caf::reacts_to<attach_pushes>,            // who takes pushes
                     caf::reacts_to<tick>,                     // itself
                     caf::replies_to<drain>::with<done>,
                     caf::replies_to<get_status>::with<status_report>>;

} // namespace pb
