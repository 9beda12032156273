#pragma once
// Answers of the admin API: one reply, given once, within a deadline.

#include "bridges/admin/admin.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace pb::admin {

/// One client's answer. The first of answer and deadline wins, the other is dropped.
class answer : public std::enable_shared_from_this<answer> {
public:
  /// `policy`: Content-Security-Policy of every answer.
  answer(std::shared_ptr<http_reply> reply, std::string policy);

  void send(int status, std::string_view type, std::string body, http_headers more = {});
  void json(int status, std::string body, http_headers more = {});
  void error(int status, std::string_view code, std::string_view message, std::string_view hint,
             http_headers more = {});
  /// Sends the error unless something else is sent first.
  void expect_within(timers* clock, std::chrono::milliseconds patience, int status,
                     std::string body);

private:
  const std::shared_ptr<http_reply> reply_;
  const std::string policy_;
  std::atomic<bool> sent_{false};
};

} // namespace pb::admin
