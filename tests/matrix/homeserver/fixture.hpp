#pragma once
// A homeserver with timers and clients made of plain calls: no sockets, no waiting.

#include "bridges/matrix/homeserver/homeserver.hpp"

#include <catch2/catch.hpp>
#include <cctype>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pb::test {

using nlohmann::json;

class fake_timers final : public timers {
public:
  unix_ms now = 1'700'000'000'000;

  void after(std::chrono::milliseconds delay, std::function<void()> run) override {
    queue_.emplace(now + delay.count(), std::move(run));
  }
  void advance(unix_ms by) {
    const auto until = now + by;
    while (!queue_.empty() && queue_.begin()->first <= until) {
      auto next = queue_.extract(queue_.begin());
      now = std::max(now, next.key());
      next.mapped()();
    }
    now = until;
  }

private:
  std::multimap<unix_ms, std::function<void()>> queue_;
};

/// What a client would see of one exchange.
struct exchange {
  std::optional<http_response> response;
  bool streamed = false, dropped = false;
  std::function<void()> gone;
  std::function<void()> answered; ///< called inside send()
};

class fake_reply final : public http_reply {
public:
  explicit fake_reply(std::shared_ptr<exchange> to) : to_(std::move(to)) {}
  ~fake_reply() override { to_->dropped = !to_->response; }
  void send(http_response response) override {
    REQUIRE_FALSE(to_->response); // an answer comes once
    to_->response = std::move(response);
    if (to_->answered)
      to_->answered();
  }
  void stream(http_response) override { to_->streamed = true; }
  bool chunk(std::string) override { return true; }
  void end() override {}
  void on_gone(std::function<void()> gone) override { to_->gone = std::move(gone); }

private:
  std::shared_ptr<exchange> to_;
};

struct reply_view {
  int status = 0;
  json body;
  http_response raw;
  [[nodiscard]] std::string errcode() const { return body.value("errcode", ""); }
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& h : raw.headers)
      if (h.name == name)
        return h.value;
    return {};
  }
};

inline std::string encoded(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~')
      out += c;
    else
      out += std::string{'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return out;
}

class client {
public:
  client(homeserver& hs, std::string user_id, std::string access_token, std::string device_id)
      : user(std::move(user_id)), token(std::move(access_token)), device(std::move(device_id)),
        hs_(&hs) {}

  std::string user, token, device;

  std::shared_ptr<exchange> begin(const std::string& method, const std::string& target,
                                  const std::string& body = {},
                                  const http_headers& more = {}) const {
    server_request request;
    request.method = method;
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos)
      request.query = target.substr(mark + 1);
    if (!token.empty())
      request.headers.push_back({"Authorization", "Bearer " + token});
    for (const auto& h : more)
      request.headers.push_back(h);
    request.body = body;
    auto state = std::make_shared<exchange>();
    hs_->handle(std::move(request), std::make_shared<fake_reply>(state));
    return state;
  }

  static reply_view read(const std::shared_ptr<exchange>& done) {
    REQUIRE(done->response);
    return {done->response->status, json::parse(done->response->body, nullptr, false),
            *done->response};
  }

  reply_view raw(const std::string& method, const std::string& target, const std::string& body = {},
                 const http_headers& more = {}) const {
    return read(begin(method, target, body, more));
  }
  /// A path without a prefix is below /_matrix/client/v3.
  reply_view call(const std::string& method, const std::string& path,
                  const json& body = nullptr) const {
    return raw(method, path.starts_with("/_") ? path : "/_matrix/client/v3" + path,
               body.is_null() ? std::string() : body.dump());
  }
  /// The same, and it must succeed.
  json ok(const std::string& method, const std::string& path, const json& body = nullptr) const {
    const auto r = call(method, path, body);
    INFO(method << ' ' << path << ' ' << r.body.dump());
    REQUIRE(r.status == 200);
    return r.body;
  }
  static std::string room_path(const std::string& room) { return "/rooms/" + encoded(room); }

  std::string create(const json& body = json::object()) const {
    return ok("POST", "/createRoom", body).at("room_id");
  }
  void join(const std::string& room) const { ok("POST", "/join/" + encoded(room), json::object()); }
  std::string say(const std::string& room, const std::string& text) const {
    return ok("PUT", room_path(room) + "/send/m.room.message/" + next_txn(),
              {{"msgtype", "m.text"}, {"body", text}})
        .at("event_id");
  }
  json sync(const std::string& since = {}, const std::string& more = {}) const {
    // A timeout never used before keeps first syncs out of the cache.
    return ok("GET", "/sync?" +
                         (since.empty() ? "timeout=" + next_txn() : "timeout=0&since=" + since) +
                         more);
  }
  static std::string next_txn() {
    static int n = 0;
    return std::to_string(++n);
  }

private:
  homeserver* hs_;
};

struct lab {
  fake_timers clock;
  std::unique_ptr<homeserver> hs;

  explicit lab(homeserver_options options = {}) { start(std::move(options)); }
  void start(homeserver_options options) {
    options.now = [this] { return clock.now; };
    if (options.seed == 0)
      options.seed = 42;
    options.allow_faults = true;
    hs = std::make_unique<homeserver>(std::move(options), clock);
  }
  client nobody() { return {*hs, "", "", ""}; }
  client user(const std::string& name, const std::string& device = {}) {
    const auto done = hs->log_in(name, "pw-" + name, device);
    REQUIRE(done);
    return {*hs, done->user_id, done->access_token, done->device_id};
  }
};

/// Bodies of the messages of a timeline or a chunk, in order.
inline std::vector<std::string> bodies(const json& events) {
  std::vector<std::string> out;
  for (const auto& e : events)
    if (e.at("type") == "m.room.message")
      out.push_back(e.at("content").value("body", ""));
  return out;
}

inline json timeline(const json& sync, const std::string& room,
                     const std::string& section = "join") {
  return sync.at("rooms").at(section).at(room).at("timeline");
}

inline json joined(const json& sync, const std::string& room) {
  return sync.value(json::json_pointer("/rooms/join"), json::object()).value(room, json());
}

} // namespace pb::test
