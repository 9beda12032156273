#pragma once
// The cursor and the long poll: a response is on disk, with its cursor, before the next poll
// starts.

#include "actors/common.hpp"
#include "actors/health.hpp"
#include "actors/matrix/admission_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "messages/actors.hpp"

namespace pb {

struct sync_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  std::shared_ptr<health_board> health;
  session_ref session;
  persistence_actor store;
  room_directory_actor rooms;
  topology_actor topology;
  std::function<void()> on_first_sync; ///< the position is fixed: `run` may say ready
  std::chrono::milliseconds poll{30'000};
};

class matrix_sync_state {
public:
  static constexpr const char* name = "matrix_sync";
  static constexpr int gap_pages = 20; ///< of 100 events, for one room and response

  explicit matrix_sync_state(matrix_sync_actor::pointer self) : self_(self), clock_(self) {}
  matrix_sync_actor::behavior_type start(sync_deps deps);

private:
  struct filling {
    sorted_batch batch;
    std::size_t gap = 0;
    int page = 0;
    std::string from;
    std::vector<matrix_event> found; ///< newest first
  };

  void load();
  void make_filter();
  void poll();
  void answered(const matrix::answer<matrix::sync_response>& got);
  void trouble(const matrix::matrix_failure& f);
  void ask_whoami();
  void fill_gaps(std::shared_ptr<filling> work);
  void fetch_gap(const std::shared_ptr<filling>& work);
  void close_gap(const std::shared_ptr<filling>& work, std::string_view trouble);
  void admit(admission keep);
  void admitted_now(const admitted& fresh, const std::vector<membership_row>& changed);
  std::string next_trace();

  matrix_sync_actor::pointer self_;
  alarm_clock<matrix_sync_actor::pointer> clock_;
  sync_deps deps_;
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  std::optional<std::string> cursor_;
  std::string filter_;
  bool first_poll_ = true;
  unsigned failures_ = 0, store_failures_ = 0;
  std::uint64_t traces_ = 0, polls_ = 0, events_ = 0, poisoned_ = 0, gaps_closed_ = 0,
                gaps_lost_ = 0;
  std::string trace_prefix_;
  std::optional<caf::actor_clock::time_point> told_, last_good_;
  counter events_total_, poison_total_, gap_closed_total_, gap_lost_total_, failures_total_;
  gauge last_good_gauge_;
};

matrix_sync_actor::behavior_type
matrix_sync(matrix_sync_actor::stateful_pointer<matrix_sync_state> self, sync_deps deps);

} // namespace pb
