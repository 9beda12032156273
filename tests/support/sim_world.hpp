#pragma once
// The whole router, a homeserver and an agent in one thread under a seed: the same seed gives the
// same run, message by message.

#include "actors/supervisor.hpp"
#include "bridges/matrix/homeserver/homeserver.hpp"
#include "persistence/sqlite/open.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/mortal_store.hpp"
#include "tests/support/scripted_agent.hpp"
#include "tests/support/virtual_timers.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace pb::test {

using nlohmann::json;

/// What the network does to one exchange.
struct http_fate {
  std::chrono::milliseconds there{0}, back{0}; ///< besides the usual few
  bool lost = false;                     ///< never reaches the server: the connection is refused
  bool cut = false;                      ///< the server acts, its answer is lost
  bool twice = false;                    ///< the server gets it twice
  bool undead = false;                   ///< reaches the server even when the one who asked is gone
  std::optional<http_response> instead;  ///< answered on the way: the server never sees it
  std::optional<http_response> after;    ///< the server acts, and this comes back
  std::optional<std::size_t> keep_bytes; ///< of the answer's body
};

/// HTTP without sockets: a request reaches the homeserver after a seeded delay, and so does its
/// answer.
class sim_http final : public http_client {
public:
  sim_http(virtual_timers& clock, homeserver& server, std::uint64_t seed);
  http_ticket send(http_request request, http_done done) override;
  void cancel(http_ticket ticket) override;
  /// As if the process had died: the server sees connections end, nobody hears of answers.
  void forget_all();

  bool dead = false;              ///< whose process has ended: nothing is sent any more
  bool down = false;              ///< connections are refused
  double lose_request = 0;        ///< chance that it never reaches the server
  double lose_answer = 0;         ///< chance that the server acts and the answer is lost
  std::vector<http_request> seen; ///< the first 10,000
  /// Decides about every request, which it may change; instead of the chances above.
  std::function<http_fate(http_request&)> fate;
  /// What reached the server, with its answer (also when that is lost on the way back).
  std::function<void(const http_request&, const http_response&)> served;
  /// What came back to the router.
  std::function<void(const http_request&, const http_result&)> told;

private:
  struct flight;
  std::chrono::milliseconds delay();
  void reach(const std::shared_ptr<flight>& f, http_ticket ticket, const http_fate& how);
  virtual_timers& clock_;
  homeserver& server_;
  std::mt19937_64 luck_;
  http_ticket last_ = 0;
  std::map<http_ticket, std::shared_ptr<flight>> flights_;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true); ///< replies hold it weakly
};

struct sim_options {
  std::uint64_t seed = 1;
  invite_policy invites = invite_policy::anyone;
  std::uint32_t queue_limit = 32;
  std::size_t max_message_bytes = 32'768;
  rate_limits limits;
  std::optional<agent_spec> agent;
  std::int64_t max_pages = 0; ///< of the database
  rest_rules rest;
};

class sim_world {
public:
  explicit sim_world(sim_options options = {});
  ~sim_world();

  // -- the router --
  void start();
  /// As kill -9: no actor gets to say anything, and what was not committed is gone.
  void crash();
  /// As SIGTERM; returns the exit code. Nothing: it did not end within a virtual minute.
  std::optional<int> stop();
  /// `agents`, as it is now, is the registry from now on.
  void apply_agents();
  /// As an operator does it; nothing after a virtual minute, else what went wrong, or an empty
  /// text.
  std::optional<std::string> move(const std::string& room, const std::string& to);
  void run_for(std::chrono::milliseconds time);
  /// Runs until it is true, at most so long. What it was in the end.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds limit = std::chrono::minutes(2));
  /// Ends after exactly so many messages, in the middle of whatever goes on then, or at the limit.
  void run_steps(std::uint64_t count, std::chrono::milliseconds limit);

  /// Decorators of the ports, called at every start.
  std::function<std::shared_ptr<store>(std::shared_ptr<store>)> around_disk;
  std::function<std::shared_ptr<http_client>(std::shared_ptr<http_client>)> around_http;
  std::function<std::shared_ptr<dialer>(std::shared_ptr<dialer>)> around_dial;

  // -- people --
  void person(const std::string& localpart);
  /// A call as that person; the body of the answer, which must be a 200.
  json call(const std::string& who, const std::string& method, const std::string& path,
            const json& body = json::object());
  /// A file in that person's name; its mxc address.
  std::string upload(const std::string& who, const std::string& bytes);
  /// A direct room with the bot invited; its id.
  std::string invite_bot(const std::string& who);
  /// Invites the bot and accepts what it makes; the id of the first chat.
  std::string onboard(const std::string& who);
  std::string say(const std::string& who, const std::string& room, const std::string& text);
  void accept_invitations(const std::string& who);
  [[nodiscard]] std::vector<std::string> joined(const std::string& who);

  // -- what rooms show --
  /// Events of the bot's messages, edits among them, oldest first.
  [[nodiscard]] std::vector<json> said_by_bot(const std::string& room) const;
  /// Its messages as they stand after their edits; the reply of the first form stays.
  [[nodiscard]] std::vector<json> shown(const std::string& room) const;
  /// The same without drafts of answers that run, or ran when the router died.
  [[nodiscard]] std::vector<json> answers(const std::string& room) const;
  [[nodiscard]] std::vector<std::string> answer_texts(const std::string& room) const;
  /// Bodies of the bot's replies to this event.
  [[nodiscard]] std::vector<std::string> replies_to(const std::string& room,
                                                    const std::string& event) const;

  /// Numbers of the present life.
  [[nodiscard]] std::string numbers() const { return numbers_->text(); }
  [[nodiscard]] unix_ms wall() const { return base + clock.now().count(); }

  static constexpr unix_ms base = 1'790'000'000'000;
  sim_options options;
  virtual_timers clock;
  homeserver server;
  scripted::agent agent;
  scripted::fake_dialer dial;
  std::shared_ptr<sim_http> http;
  std::shared_ptr<memory_logger> log = std::make_shared<memory_logger>();
  std::shared_ptr<health_board> health = std::make_shared<health_board>();
  std::shared_ptr<store> disk;
  settings process;
  registry agents;
  bool ready = false;
  std::optional<std::pair<int, std::string>> ended;
  std::uint64_t steps = 0;

private:
  bool advance_to_next(std::chrono::milliseconds until);
  std::uint64_t last_step_ = std::numeric_limits<std::uint64_t>::max(); ///< run_until stops here
  std::map<std::string, std::string> tokens_;
  std::unique_ptr<deterministic> system_;
  std::shared_ptr<mortal_store> life_;
  supervisor_actor boss_;
  std::shared_ptr<metrics> numbers_;
  caf::actor_clock::time_point system_began_;
  std::chrono::milliseconds system_offset_{0};
};

} // namespace pb::test
