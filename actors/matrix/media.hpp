#pragma once
// Files between rooms and workspaces, and single events: a few at a time, the bytes between socket
// and disk on the I/O thread. What fails is the asker's to ask again (is_final tells whether).

#include "actors/common.hpp"
#include "actors/timers.hpp"
#include "bridges/files/arrival.hpp"
#include "bridges/files/content.hpp"
#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/api.hpp"
#include "messages/actors.hpp"
#include "messages/values/settings.hpp"

#include <deque>
#include <optional>

namespace pb {

struct media_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  session_ref session;
  file_settings files;
};

class matrix_media_state {
public:
  static constexpr const char* name = "matrix_media";
  static constexpr std::size_t transfers_at_once = 4;
  static constexpr std::size_t events_at_once = 8;
  static constexpr std::size_t lane_cap = 64; ///< that wait; the next is told busy
  static constexpr std::chrono::milliseconds rate_patience{60'000}; ///< of one request, as a whole
  /// A homeserver may fetch a file from another one before it begins to answer.
  static constexpr std::chrono::milliseconds transfer_time{3'600'000}, idle_time{30'000},
      answer_time{120'000};

  explicit matrix_media_state(matrix_media_actor::pointer self) : self_(self), clock_(self) {}
  matrix_media_actor::behavior_type start(media_deps deps);

private:
  using next_step = std::function<void()>;
  struct lane {
    const char* name;
    std::size_t at_once;
    std::size_t running = 0;
    std::deque<next_step> waiting{};
  };
  /// One request of somebody, from its place in a lane to its answer.
  struct job {
    lane* on = nullptr;
    const char* what = "";
    trace tr;
    std::chrono::milliseconds waited{0}; ///< because we were asked to
    std::function<void(const fault&)> refuse;
  };
  using job_ptr = std::shared_ptr<job>;
  template <class T>
  struct task : job {
    caf::typed_response_promise<T> promise;
  };
  template <class T>
  using task_ptr = std::shared_ptr<task<T>>;
  struct download;
  struct upload;
  using download_ptr = std::shared_ptr<download>;
  using upload_ptr = std::shared_ptr<upload>;

  template <class T>
  caf::result<T> take(lane& on, const char* what, trace tr,
                      std::function<void(const task_ptr<T>&)> begin);
  void pump(lane& on);
  void over(const job& j);
  void fail(const job_ptr& j, const fault& f);
  template <class T>
  void answer(const task_ptr<T>& j, T value);
  /// Waits where the homeserver asks for it; `next` sees everything else.
  void call(const job_ptr& j, std::function<http_request()> make, http_calls::then next);
  [[nodiscard]] unix_ms wall() const { return deps_.around.wall(); }
  std::string status() const;

  void find(const task_ptr<fetched_event>& j, const fetch_event& m);

  // media_files.cpp
  void fetch(const task_ptr<staged_file>& j, fetch_file m);
  void load(const download_ptr& d, matrix::media_path path);
  void loaded(const download_ptr& d, std::optional<matrix::media_path> path, http_result& r);
  void follow(const download_ptr& d, const std::string& url);
  void send(const task_ptr<uploaded_file>& j, outbox_row row);
  /// Runs `next` when the homeserver's own limit is known, or cannot be known.
  void with_limit(next_step next);
  void ask_limit(matrix::media_path path);
  void open(const upload_ptr& u);
  void put(const upload_ptr& u);

  matrix_media_actor::pointer self_;
  alarm_clock<matrix_media_actor::pointer> clock_;
  media_deps deps_;
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  lane transfers_{"transfers", transfers_at_once}, events_{"events", events_at_once};
  files::content_types types_;
  std::optional<std::uint64_t> upload_limit_; ///< m.upload.size
  std::optional<caf::actor_clock::time_point> limit_until_;
  std::vector<next_step> limit_waiters_;
  bool limit_asked_ = false;
  std::uint64_t busy_ = 0, done_ = 0, failed_ = 0;
  counter busy_total_, in_bytes_, out_bytes_;
  gauge waiting_now_;
};

matrix_media_actor::behavior_type
matrix_media(matrix_media_actor::stateful_pointer<matrix_media_state> self, media_deps deps);

} // namespace pb
