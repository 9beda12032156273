#include "actors/common.hpp"

#include "messages/json_text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace pb {

namespace {
constexpr auto fault_category = caf::atom("patchbay");
}

std::string random_id(random_bits engine) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int half = 0; half < 2; ++half) {
    auto bits = engine();
    for (int i = 0; i < 16; ++i, bits >>= 4)
      id.push_back(digits[bits & 15]);
  }
  return id;
}

std::chrono::milliseconds backoff(random_bits engine, unsigned failures,
                                  std::chrono::milliseconds base, std::chrono::milliseconds cap) {
  const auto full = std::min(cap, base * (std::int64_t{1} << std::min(failures, 20U)));
  const auto half = full / 2;
  const auto spread = static_cast<std::uint64_t>(half.count()) + 1;
  return half + std::chrono::milliseconds(static_cast<std::int64_t>(engine() % spread));
}

caf::error to_error(const fault& f) {
  return {static_cast<std::uint8_t>(static_cast<int>(f.code) + 1), fault_category,
          caf::make_message(f.cause, f.sentence)};
}

fault to_fault(const caf::error& e) {
  fault f;
  if (e.category() == fault_category && e.code() > 0) {
    f.code = static_cast<fault_code>(e.code() - 1);
    if (e.context().match_elements<std::string, std::string>()) {
      f.cause = e.context().get_as<std::string>(0);
      f.sentence = e.context().get_as<std::string>(1);
    }
    return f;
  }
  f.code = e == caf::sec::request_timeout ? fault_code::timed_out : fault_code::bug;
  f.cause = caf::to_string(e.category()) + " " + std::to_string(e.code()) + " " +
            caf::deep_to_string(e.context());
  return f;
}

std::string json_quote(std::string_view text) { return json_text(nlohmann::json(text)); }

std::uint64_t http_calls::send(http_request request, then next) {
  const auto call = ++last_;
  auto& slot = waiting_[call];
  slot.next = std::move(next);
  slot.ticket = client_->send(std::move(request), [self = self_, call](http_result answer) {
    if (auto strong = self.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong),
                     http_finished{call, std::make_shared<http_result>(std::move(answer))});
  });
  return call;
}

void http_calls::cancel(std::uint64_t call) {
  if (const auto i = waiting_.find(call); i != waiting_.end())
    client_->cancel(i->second.ticket);
}

void http_calls::finish(http_finished& message) {
  const auto i = waiting_.find(message.call);
  if (i == waiting_.end())
    return;
  auto next = std::move(i->second.next);
  waiting_.erase(i);
  next(*message.result);
}

void http_calls::cancel_all() {
  for (auto& [call, slot] : waiting_)
    client_->cancel(slot.ticket);
  waiting_.clear();
}

} // namespace pb
