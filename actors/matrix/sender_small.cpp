// Typing notices and receipts: nobody waits for them, and under pressure they vanish.

#include "actors/matrix/sender.hpp"
#include "bridges/matrix/api.hpp"

namespace pb {

namespace {
constexpr std::size_t small_in_flight_cap = 4; ///< the connections belong to the answers
}

void matrix_sender_state::flush_small() {
  while (!paused_ && !no_token_ && small_in_flight_ < small_in_flight_cap && !typing_.empty()) {
    auto i = typing_.begin();
    send_small(matrix::ask::typing(deps_.session, i->first, i->second));
    typing_.erase(i);
  }
  while (!paused_ && !no_token_ && small_in_flight_ < small_in_flight_cap && !receipts_.empty()) {
    auto i = receipts_.begin();
    send_small(matrix::ask::receipt(deps_.session, i->first, i->second));
    receipts_.erase(i);
  }
}

void matrix_sender_state::send_small(http_request request) {
  ++small_in_flight_;
  request.timeout = std::chrono::seconds(10);
  http_->send(std::move(request), [this](http_result& r) {
    --small_in_flight_;
    if (!matrix::read::done(r, deps_.around.wall())) {
      ++small_dropped_;
      small_dropped_total_.inc();
    }
    flush_small();
  });
}

} // namespace pb
