#pragma once
// One account's outgoing events: rows from the outbox, by priority, with the same bytes at every
// try.

#include "actors/common.hpp"
#include "actors/matrix/send_queue_logic.hpp"
#include "actors/timers.hpp"
#include "bridges/matrix/answer.hpp"
#include "messages/actors.hpp"

#include <map>
#include <unordered_map>

namespace pb {

struct sender_deps {
  surroundings around;
  std::shared_ptr<http_client> http;
  session_ref session;
  persistence_actor store;
};

class matrix_sender_state {
public:
  static constexpr const char* name = "matrix_sender";
  static constexpr std::size_t in_flight_cap = 16;
  static constexpr std::size_t memory_cap = 4096; ///< rows; more stay on the disk
  static constexpr std::size_t page = 512;
  static constexpr std::size_t small_cap = 256; ///< rooms with a receipt or a typing to tell

  explicit matrix_sender_state(matrix_sender_actor::pointer self) : self_(self), clock_(self) {}
  matrix_sender_actor::behavior_type start(sender_deps deps);

private:
  // sender.cpp
  void take(outbox_ready& m);
  void load();
  void pump();
  void send(outbox_row row);
  void sent(const outbox_row& row, const matrix::answer<event_id>& got);
  void settle(const outbox_row& row, send_outcome outcome);
  void pause(std::chrono::milliseconds delay);
  void rest();
  std::string status() const;

  // sender_reconcile.cpp
  void reconcile(const outbox_row& row, std::string from, int pages);

  // sender_small.cpp: typing and receipts, best effort
  void flush_small();
  void send_small(http_request request);

  matrix_sender_actor::pointer self_;
  alarm_clock<matrix_sender_actor::pointer> clock_;
  sender_deps deps_;
  delivery_sink rooms_; ///< wants to know about rows with `notify`
  std::unique_ptr<http_calls> http_;
  std::mt19937_64 engine_;
  send_queue queue_;
  std::unordered_map<outbox_id, unsigned> tries_;
  std::int64_t last_seq_ = 0;
  std::size_t in_flight_ = 0, credit_back_ = 0, small_in_flight_ = 0;
  bool behind_ = true, loading_ = false, draining_ = false, paused_ = false;
  unsigned failures_ = 0;
  std::map<room_id, event_id> receipts_;
  std::map<room_id, bool> typing_;
  bool small_armed_ = false;
  std::vector<caf::typed_response_promise<done>> drained_;
  std::uint64_t sent_ = 0, dead_ = 0, retried_ = 0, limited_ = 0, small_dropped_ = 0;
  counter sent_total_, dead_total_, limited_total_, dropped_total_;
  gauge waiting_now_;
  histogram wait_seconds_;
};

matrix_sender_actor::behavior_type
matrix_sender(matrix_sender_actor::stateful_pointer<matrix_sender_state> self, sender_deps deps);

} // namespace pb
