#pragma once
// Port: one chat of one agent, whatever its protocol: what came in → what is to be done. Pure: no
// I/O, no clock, no chance.
//
// actors/agent/connection does what a session wants, in order: sockets, the disk, clocks, retries.
// A session lives for one turn, or is kept for the next turn of its chat (keep()); what must
// outlive it, it has written to its memory.

#include "bridges/link.hpp"
#include "messages/values/agent_event.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/turn.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pb {

/// A link of a session, named by the session: any number that it has not used before.
using wire_id = std::uint32_t;

namespace agent_wants {

/// A link. opened(), said() and closed() tell of it. Limits and timeouts are the connection's.
struct open {
  wire_id wire = 0;
  link_request to;
};
/// A text on a link that is open. The first write of a turn with `hands_over` is the moment from
/// which the agent may have the turn: the mark that says so is on the disk before the bytes leave,
/// and from then on the turn is not begun anew. A link that closes before it (but for `closed` and
/// `rejected`) is not the session's concern: the turn is begun anew with a new session, or given
/// up.
struct write {
  wire_id wire = 0;
  std::string text;
  bool hands_over = false;
};
struct close {
  wire_id wire = 0;
};
/// The agent said something; `end` and `error` end the turn. What is said while no turn runs
/// belongs to none and is counted (a push excepted).
struct say {
  agent_frame frame;
};
/// Something came that belongs to no turn, or to another one than the present: counted, no more.
struct stray {};
/// The agent sent a file's bytes: written below the workspace, then told as send_file.
struct put_file {
  std::string name; ///< as the agent calls it; made safe by who writes it
  std::string bytes;
};
/// The chat's memory from now on: on the disk before any later step is done. 256 KiB at most.
struct remember {
  std::string memory;
};
/// alarm() is called after so long, unless another `wait` replaces it; 0: no alarm.
struct wait {
  std::chrono::milliseconds time{0};
};
/// The turn is over without a word of the agent: unreachable, rejected, interrupted, malformed,
/// too_large, cancelled or busy.
struct give_up {
  turn_ending ending = turn_ending::interrupted;
  std::string detail; ///< for the log; rejected: the HTTP status
};

} // namespace agent_wants

using agent_step = std::variant<agent_wants::open, agent_wants::write, agent_wants::close,
                                agent_wants::say, agent_wants::stray, agent_wants::put_file,
                                agent_wants::remember, agent_wants::wait, agent_wants::give_up>;
using agent_steps = std::vector<agent_step>;

/// A file of the turn, for protocols that carry bytes.
struct session_file {
  std::string path; ///< relative to the workspace, one of the turn's attachments
  std::string name; ///< its last part
  std::string media_type;
  std::string bytes; ///< empty and `left_out`: too large to be carried
  bool left_out = false;
};

struct session_turn {
  turn_request what; ///< with `answer`: the decision of a question whose own turn is over
  /// The mark of this turn was on the disk already when it was begun: the agent may have it. Only
  /// for protocols that resume, and for agents that are idempotent (the same message_id is sent).
  bool again = false;
  std::string memory;              ///< of the chat, as the last `remember` had it; empty: none
  std::vector<session_file> files; ///< protocols with `carries_files` only
};

/// One turn at a time: begin() is called when the one before is over. Every call returns what is to
/// be done now; none blocks or throws. Texts from the agent are not trusted: whatever they hold
/// becomes agent_says::malformed or ::unknown at worst.
class agent_session {
public:
  virtual ~agent_session();
  virtual agent_steps begin(const session_turn& turn) = 0;
  virtual agent_steps opened(wire_id wire) = 0;
  /// The write that hands the turn over has left: what came before is no answer to it.
  virtual void handed() {}
  virtual agent_steps said(wire_id wire, std::string_view text) = 0;
  /// The link is gone: `closed`, `rejected`, or, once the turn was handed over (or between turns),
  /// any other reason. What it means for the turn is the session's to say.
  virtual agent_steps closed(wire_id wire, const link_closed& why) = 0;
  /// The person decided about an open question of this turn, by the agent's own name for it.
  virtual agent_steps decide(std::string_view confirmation, bool yes) = 0;
  /// The person stops the turn. If the turn has not ended when the grace period is over, it is
  /// ended by who called; give_up{cancelled} ends it at once.
  virtual agent_steps cancel() = 0;
  virtual agent_steps alarm() { return {}; }
  /// The turn is over, whoever ended it; what is left to be said to the agent. Links that are still
  /// open are closed by the caller if the session is not kept.
  virtual agent_steps turn_ended() { return {}; }
  /// Between turns: it can serve the next turn of this chat as it stands, and has an open link.
  [[nodiscard]] virtual bool keep() const { return false; }
};

/// What a session is made for.
struct session_start {
  agent_spec agent;
  platform_chat_id chat;
  std::string base_url; ///< the endpoint that was chosen; empty for a child process
};

/// A protocol: its sessions, and how it behaves.
struct agent_protocol {
  std::string_view name;
  std::unique_ptr<agent_session> (*make)(session_start start);
  bool remembers = false;   ///< sessions want `memory`
  bool resumes = false;     ///< a turn that was handed over before a restart can be taken up again
  bool always_kept = false; ///< sessions are kept between turns whatever `connection` says
  bool carries_files = false; ///< wants session_turn::files
  /// An open question is held by the link: when the turn is interrupted, nobody can answer it any
  /// more. Else it stays, and its answer is a turn of its own.
  bool questions_die = false;
  /// An agent that does not know what a decision is about may say nothing at all.
  bool mute_if_lost = false;
  std::chrono::milliseconds cancel_grace{1000}; ///< from cancel() to the end by force
};

/// All that there are, by name: the table in protocols.cpp.
const std::vector<agent_protocol>& agent_protocols();
/// Null: there is none of that name.
const agent_protocol* find_protocol(std::string_view name);

/// The header that agent_spec::auth asks for.
void add_auth(const agent_spec& agent, http_headers& into);

} // namespace pb
