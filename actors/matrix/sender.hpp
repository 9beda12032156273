#pragma once
// One account's outgoing events: rows from the outbox, by priority, with the same bytes at every
// try, and the places of others in the account's send budget.

#include "actors/common.hpp"
#include "actors/matrix/send_budget_logic.hpp"
#include "actors/matrix/send_queue_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "messages/actors.hpp"
#include "messages/values/settings.hpp"

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace pb {

struct sender_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  session_ref session;
  persistence_actor store;
  matrix_session_actor keeper; ///< of the token; may be null: nobody renews it
  language lang = language::en;
  matrix_media_actor media{}; ///< uploads what rows of kind `file` order
};

class matrix_sender_state {
public:
  static constexpr const char* name = "matrix_sender";
  static constexpr std::size_t in_flight_cap = 16;
  static constexpr std::size_t memory_cap = 4096; ///< rows; more stay on the disk
  static constexpr std::size_t page = 512;
  static constexpr std::size_t small_cap = 256;     ///< rooms with a receipt or a typing to tell
  static constexpr std::size_t ask_cap = 256;       ///< requests of others that wait for a place
  static constexpr std::size_t progress_cap = 1024; ///< drafts and edits; more are dropped
  /// Servers remember transaction ids for a day (Synapse 24 h): an older row may be said twice.
  static constexpr unix_ms txn_memory = 20 * 3'600'000;

  explicit matrix_sender_state(matrix_sender_actor::pointer self) : self_(self), clock_(self) {}
  matrix_sender_actor::behavior_type start(sender_deps deps);

private:
  using failure = matrix::matrix_failure;
  struct attempt {
    outbox_row row;
    send_queue::time left{0}; ///< when the request left
    std::string token;        ///< under which
  };
  /// What is remembered of a row between its attempts.
  struct past {
    unsigned tries = 0;
    device_id absent_under; ///< the room does not have it; from then on the scope's memory counts
    unix_ms absent_at = 0;
  };

  // sender.cpp
  void open_metrics();
  void take(outbox_ready& m);
  void add(outbox_row row, bool untouched);
  void load();
  void settle(const outbox_row& row, send_outcome outcome, bool recorded = false);
  void give_back(const outbox_row& row);
  void rest();
  std::string status() const;

  // sender_flow.cpp
  [[nodiscard]] send_queue::time now() const;
  void pump();
  void send(outbox_row row);
  void put(attempt a);
  void sent(const attempt& a, const matrix::answer<event_id>& got);
  /// The exchange failed, whatever it was for; the row is tried again.
  void put_off(const attempt& a, const failure& f);
  void doubt(const std::string& token);
  /// Nothing leaves for a while that grows with every failure.
  void hold(std::optional<std::chrono::milliseconds> hint);
  void wake_in(send_queue::time wait);
  void budget_changed();
  caf::result<done> ask(const ask_budget& m);
  void refused_elsewhere(const budget_refused& m);

  // sender_progress.cpp: drafts and edits, which are never on the disk
  void take_progress(outbox_row row);
  void tell_dropped(const outbox_row& row);
  [[nodiscard]] static bool is_volatile(const outbox_row& row) { return row.seq == 0; }

  // sender_upload.cpp: files become messages
  void upload(const outbox_row& row);
  void upload_failed(const outbox_row& row, const fault& why);

  // sender_dead.cpp: refused for good, or nobody can tell
  void refuse(const outbox_row& row, const failure& f);
  void bury(const outbox_row& row, std::string reason, const std::string& words);
  void write_dead(std::shared_ptr<const settlement> what, outbox_row row, unsigned failures);

  // sender_reconcile.cpp
  [[nodiscard]] bool may_be_there_already(const outbox_row& row) const;
  void reconcile(attempt a, std::string from, int pages);

  // sender_small.cpp: typing and receipts, best effort
  void flush_small();
  void send_small(http_request request);

  matrix_sender_actor::pointer self_;
  alarm_clock<matrix_sender_actor::pointer> clock_;
  sender_deps deps_;
  delivery_sink rooms_; ///< wants to know about rows with `notify`
  std::unique_ptr<http_calls> http_;
  mutable std::mt19937_64 engine_;
  send_queue queue_;
  send_budget budget_;
  std::unordered_map<outbox_id, past> past_;
  std::unordered_set<std::int64_t> credited_; ///< seq of rows that came with the store's credit
  std::unordered_map<std::uint64_t, caf::typed_response_promise<done>> asking_;
  std::uint64_t last_ask_ = 0;
  std::int64_t last_seq_ = 0;
  std::size_t in_flight_ = 0, credit_back_ = 0, small_in_flight_ = 0, progress_ = 0;
  bool behind_ = true, loading_ = false, draining_ = false, paused_ = false;
  bool starting_ = true;   ///< pages may hold rows that an earlier life has tried to send
  bool no_token_ = false;  ///< it is in doubt: nothing leaves until the session says so
  unsigned failures_ = 0;  ///< in a row, of the whole account
  std::set<room_id> sick_; ///< rooms with server errors since the last success, some of them
  std::optional<send_queue::time> wakes_at_;
  std::map<room_id, event_id> receipts_;
  std::map<room_id, bool> typing_;
  bool small_armed_ = false;
  std::vector<caf::typed_response_promise<done>> drained_;
  std::uint64_t sent_ = 0, dead_ = 0, retried_ = 0, limited_ = 0, small_dropped_ = 0, dropped_ = 0;
  counter sent_total_, dead_total_, limited_total_, small_dropped_total_, dropped_total_;
  gauge waiting_now_, rate_now_;
  histogram wait_seconds_;
  std::array<histogram, 3> budget_seconds_;
};

matrix_sender_actor::behavior_type
matrix_sender(matrix_sender_actor::stateful_pointer<matrix_sender_state> self, sender_deps deps);

} // namespace pb
