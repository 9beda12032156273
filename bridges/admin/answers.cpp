#include "bridges/admin/answers.hpp"

#include "messages/json_text.hpp"

#include <nlohmann/json.hpp>

namespace pb {
namespace {} // namespace

std::string api_error(std::string_view code, std::string_view message, std::string_view hint) {
  return json_text(nlohmann::ordered_json({{"code", code}, {"message", message}, {"hint", hint}}));
}

std::string api_page(const std::vector<std::string>& items, std::string_view next) {
  std::string out = R"({"items":[)";
  for (std::size_t i = 0; i < items.size(); ++i)
    out += (i == 0 ? "" : ",") + items[i];
  return out + R"(],"next":)" +
         (next.empty() ? std::string("null") : json_text(nlohmann::json(next))) + '}';
}

namespace admin {

answer::answer(std::shared_ptr<http_reply> reply, std::string policy)
    : reply_(std::move(reply)), policy_(std::move(policy)) {}

void answer::send(int status, std::string_view type, std::string body, http_headers more) {
  if (sent_.exchange(true))
    return;
  http_response r;
  r.status = status;
  r.headers = {{"Content-Type", std::string(type)},
               {"Content-Security-Policy", policy_},
               {"X-Content-Type-Options", "nosniff"},
               {"X-Frame-Options", "DENY"},
               {"Referrer-Policy", "no-referrer"},
               {"Cross-Origin-Opener-Policy", "same-origin"},
               {"Cross-Origin-Resource-Policy", "same-origin"},
               {"Cache-Control", "no-store"}};
  for (auto& h : more)
    r.headers.push_back(std::move(h));
  r.body = std::move(body);
  reply_->send(std::move(r));
}

void answer::json(int status, std::string body, http_headers more) {
  send(status, "application/json; charset=utf-8", std::move(body), std::move(more));
}

void answer::error(int status, std::string_view code, std::string_view message,
                   std::string_view hint, http_headers more) {
  json(status, api_error(code, message, hint), std::move(more));
}

void answer::expect_within(timers* clock, std::chrono::milliseconds patience, int status,
                           std::string body) {
  if (clock == nullptr)
    return;
  clock->after(patience, [self = weak_from_this(), status, body = std::move(body)] {
    if (const auto alive = self.lock())
      alive->json(status, body);
  });
}

} // namespace admin
} // namespace pb
