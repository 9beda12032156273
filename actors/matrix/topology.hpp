#pragma once
// Spaces and rooms: who is let in, what is created for them, and what the homeserver knows of a
// room that we have no row of. Every step is on disk before the next; a person's steps run one by
// one.

#include "actors/common.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/facts.hpp"
#include "messages/actors.hpp"
#include "messages/values/settings.hpp"

#include <deque>
#include <map>
#include <set>

namespace pb {

struct topology_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  session_ref session;
  persistence_actor store;
  agent_directory_actor agents;
  invite_policy invites = invite_policy::registered;
  std::set<user_id> registered; ///< users of the registry
  language lang = language::en;
};

class topology_state {
public:
  static constexpr const char* name = "topology";
  static constexpr std::size_t job_cap = 64; ///< for one person; more are refused with a sentence

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
  bool permitted(const user_id& who) const;
  void refuse(const invite_row& row);
  void enter(const invite_row& row, unsigned tries);
  void entered(const invite_row& row);
  void show_home(const user_id& who, settlement s, const room_id& to, const event_id& reply_to,
                 trace tr);
  caf::result<restore_answer> restore(const room_id& room);
  void again(const failure& f, unsigned tries, step what);

  // topology_intents.cpp: creation, step by step
  void make_home(const user_id& who, settlement s, const room_id& origin, const event_id& event,
                 trace tr);
  void make_chat(const new_chat& wish, caf::typed_response_promise<done> taken);
  void advance(intent_row intent, unsigned tries = 0);
  void create_space(intent_row intent, unsigned tries);
  void create_chat(intent_row intent, unsigned tries);
  void space_made(intent_row intent, const room_id& space);
  void chat_made(intent_row intent, const room_id& room);
  void link(intent_row intent, unsigned tries);
  void abandon(const intent_row& intent, const failure& f);
  /// Looks through the joined rooms for the marker of this intent.
  void find_made(const intent_row& intent, std::string_view type,
                 std::function<void(std::optional<room_id>)> then, unsigned tries = 0);
  void find_made_in(std::shared_ptr<std::deque<room_id>> rooms, const intent_row& intent,
                    std::string type, std::function<void(std::optional<room_id>)> then);

  void write(settlement s, step then);
  outbox_row message(const room_id& room, const std::string& text, const event_id& reply_to,
                     const user_id& mention);
  std::string server() const;
  std::string say_chat(std::int64_t number) const;

  topology_actor::pointer self_;
  alarm_clock<topology_actor::pointer> clock_;
  topology_deps deps_;
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  std::map<user_id, std::deque<step>> jobs_; ///< the first one runs
  std::set<room_id> entering_;               ///< invitations that are being dealt with
  std::uint64_t refused_ = 0, made_ = 0, restored_ = 0;
  unsigned write_failures_ = 0;
  counter refused_total_, made_total_;
};

topology_actor::behavior_type topology(topology_actor::stateful_pointer<topology_state> self,
                                       topology_deps deps);

} // namespace pb
