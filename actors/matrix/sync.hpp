#pragma once
// The cursor and the long poll: a response is on disk, with its cursor, before the next poll
// starts.

#include "actors/common.hpp"
#include "actors/health.hpp"
#include "actors/matrix/admission_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "messages/actors.hpp"
#include "messages/values/settings.hpp"

#include <optional>
#include <unordered_map>

namespace pb {

struct sync_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  std::shared_ptr<health_board> health;
  session_ref session;
  persistence_actor store;
  room_directory_actor rooms;
  topology_actor topology;
  matrix_session_actor session_keeper;
  language lang = language::en;
  std::function<void()> on_first_sync; ///< the position is fixed: `run` may say ready
  std::chrono::milliseconds poll{30'000};
  /// A room that goes on talking is looked at so often for a hole that nobody reported.
  std::chrono::milliseconds audit_every{300'000};
};

class matrix_sync_state {
public:
  static constexpr const char* name = "matrix_sync";
  static constexpr int gap_pages = 40;           ///< of 100 events, for one room and response
  static constexpr unsigned gap_tries = 5;       ///< of one page
  static constexpr std::size_t audit_cap = 4096; ///< rooms whose last audit is remembered

  explicit matrix_sync_state(matrix_sync_actor::pointer self) : self_(self), clock_(self) {}
  matrix_sync_actor::behavior_type start(sync_deps deps);

private:
  /// One response on its way to the disk.
  struct filling {
    sorted_batch batch;
    bool backlog = false;
    std::size_t gap = 0; ///< the one that is being walked
    std::optional<gap_walk> walk;
    int page = 0;
    unsigned tries = 0;
    std::string from;
  };
  using next_step = std::function<void()>;

  void load();
  void make_filter();
  void poll();
  void answered(const matrix::answer<matrix::sync_response>& got);
  void trouble(const matrix::matrix_failure& f);
  /// The token is in doubt: the session actor renews it, then `again` runs.
  void doubt(next_step again);

  // sync_gaps.cpp
  void find_holes(const std::shared_ptr<filling>& work);
  void every_room_may_have_a_hole(const std::shared_ptr<filling>& work);
  void release_others(const std::shared_ptr<filling>& work);
  void fill_gaps(const std::shared_ptr<filling>& work);
  void begin_walk(const std::shared_ptr<filling>& work, bool baseline);
  void fetch_gap(const std::shared_ptr<filling>& work);
  void took_page(const std::shared_ptr<filling>& work, matrix::messages_page& page,
                 const known_answer& known);
  /// `cause` is empty when the hole is closed, or when there was none.
  void close_gap(const std::shared_ptr<filling>& work, std::string_view cause,
                 const std::string& detail = {});
  void next_gap(const std::shared_ptr<filling>& work, bool closed = true);

  void admit(admission keep, next_step then);
  void position_fixed(const std::shared_ptr<filling>& work);
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
  bool position_lost_ = false; ///< the server forgot it: our rooms are walked back instead
  next_step when_renewed_;
  std::unordered_map<room_id, caf::actor_clock::time_point> audited_;
  unsigned failures_ = 0, store_failures_ = 0;
  std::uint64_t traces_ = 0, polls_ = 0, events_ = 0, poisoned_ = 0, gaps_closed_ = 0,
                gaps_lost_ = 0, audits_ = 0, holes_ = 0;
  std::string trace_prefix_;
  std::optional<caf::actor_clock::time_point> told_, last_good_;
  counter events_total_, poison_total_, gap_closed_total_, failures_total_;
  gauge last_good_gauge_;
};

matrix_sync_actor::behavior_type
matrix_sync(matrix_sync_actor::stateful_pointer<matrix_sync_state> self, sync_deps deps);

} // namespace pb
