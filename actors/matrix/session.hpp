#pragma once
// Finds the homeserver, logs in, and makes sure that the token is that of the configured account.

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
  void load();
  void find_server();
  void present_token(std::string token, bool ours);
  void log_in();
  void established(const user_id& user, const device_id& device);
  /// Tries `again` later; says so once a minute.
  void wait(const matrix::matrix_failure& f, std::function<void()> again);
  void give_up(int exit_code, std::string sentence);

  matrix_session_actor::pointer self_;
  alarm_clock<matrix_session_actor::pointer> clock_;
  session_deps deps_;
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  session_ref session_;
  std::optional<account_row> account_;
  bool by_password_ = false;
  unsigned failures_ = 0;
  std::optional<caf::actor_clock::time_point> told_;
  std::string step_ = "starting";
};

matrix_session_actor::behavior_type
matrix_session(matrix_session_actor::stateful_pointer<matrix_session_state> self,
               session_deps deps);

} // namespace pb
