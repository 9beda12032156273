#pragma once
// Finds the homeserver, logs in, makes sure that the token is that of the configured account, and
// keeps one that counts: the only one who refreshes it or logs in again.

#include "actors/common.hpp"
#include "actors/health.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "messages/actors.hpp"
#include "messages/values/settings.hpp"

namespace pb {

struct session_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  std::shared_ptr<health_board> health;
  decltype(settings::homeserver) homeserver;
  persistence_actor store;
  supervisor_actor supervisor;
};

class matrix_session_state {
public:
  static constexpr const char* name = "matrix_session";
  explicit matrix_session_state(matrix_session_actor::pointer self) : self_(self), clock_(self) {}
  matrix_session_actor::behavior_type start(session_deps deps);

private:
  using failure = matrix::matrix_failure;
  using life = std::optional<std::chrono::milliseconds>;

  // session.cpp: up to the first session
  void load();
  void find_server();
  void present_token(std::string token, bool ours);
  void log_in();
  void established(const user_id& user, const device_id& device, life of_token);
  /// Tries `again` later; says so once a minute.
  void wait(const failure& f, std::function<void()> again);
  void give_up(int exit_code, std::string sentence);

  // session_mend.cpp: while we run
  void doubted(const std::string& token);
  /// The token is gone: a refresh token, or the password, makes another one.
  void mend();
  void refresh();
  /// Nothing of ours helps: the operator has to. We stay, and look once a minute.
  void await_token(const std::string& why);
  void look_again();
  void renew_before_end(life of_token);
  void token_counts();
  [[nodiscard]] static bool refused(const failure& f);

  matrix_session_actor::pointer self_;
  alarm_clock<matrix_session_actor::pointer> clock_;
  session_deps deps_;
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  session_ref session_;
  std::string refresh_token_;
  std::optional<account_row> account_;
  bool by_password_ = false; ///< the token came from a login of ours
  bool running_ = false;     ///< the first session was established
  bool mending_ = false;
  unsigned failures_ = 0;
  unsigned looks_ = 0;        ///< for a token that counts again
  unsigned false_alarms_ = 0; ///< doubts in a row about a token that counts
  caf::actor_clock::time_point last_alarm_{};
  std::uint64_t renewals_ = 0, renewal_timer_ = 0;
  std::optional<caf::actor_clock::time_point> told_;
  std::string step_ = "starting";
  counter renewals_total_, lost_total_;
};

matrix_session_actor::behavior_type
matrix_session(matrix_session_actor::stateful_pointer<matrix_session_state> self,
               session_deps deps);

} // namespace pb
