// Any bytes as requests to the development homeserver, several after each other with "%%" on a line
// between them. {room}, {event} and {token} stand for what there is. Each request has one answer,
// at the latest when its timers have run, and every error is one of Matrix's.

#include "bridges/matrix/homeserver/homeserver.hpp"
#include "tests/fuzz/request_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace pb;

class quick_timers final : public timers {
public:
  void after(std::chrono::milliseconds, std::function<void()> run) override {
    due_.push_back(std::move(run));
  }
  void pass() {
    for (int i = 0; i < 100 && !due_.empty(); ++i) {
      const auto run = std::move(due_.front());
      due_.pop_front();
      run();
    }
  }

private:
  std::deque<std::function<void()>> due_;
};

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

struct world {
  unix_ms time = 1'700'000'000'000;
  quick_timers clock;
  homeserver server;
  std::string token, room, event;

  world() : server(options(), clock) {
    token = server.log_in("alice", "secret").value().access_token;
    (void)server.log_in("bot", "secret");
    ask("POST /_matrix/client/v3/createRoom\n\n"
        R"({"name":"Room","invite":["@bot:localhost"]})");
    room = server.rooms().at(0);
    event = server
                .send("@alice:localhost", room, "m.room.message",
                      {{"msgtype", "m.text"}, {"body", "hi"}})
                .value();
  }

  homeserver_options options() {
    homeserver_options o;
    o.now = [this] { return time += 10; };
    o.seed = 7;
    o.max_events = 1000;
    o.max_accounts = 10;
    o.max_media_bytes = std::size_t{1} << 20;
    return o;
  }

  void ask(std::string text) {
    replace_all(text, "{room}", room);
    replace_all(text, "{event}", event);
    replace_all(text, "{token}", token);
    auto request = fuzz::request_of(text);
    const bool head = request.method == "HEAD" || request.method == "OPTIONS";
    if (find_header(request.headers, "Authorization") == nullptr)
      request.headers.push_back({"Authorization", "Bearer " + token});
    const auto reply = std::make_shared<fuzz::kept_reply>();
    server.handle(std::move(request), reply);
    clock.pass();
    if (reply->answers != 1 || reply->last.status < 200 || reply->last.status > 599)
      std::abort();
    if (reply->last.status >= 500)
      std::abort();
    for (const auto& h : reply->last.headers)
      if ((h.name + h.value).find_first_of("\r\n") != std::string::npos)
        std::abort();
    if (reply->last.status >= 400 && !head) {
      const auto body = nlohmann::json::parse(reply->last.body, nullptr, false);
      // A registration without its stage is the one error without a code.
      if (!body.is_object() || !(body.contains("errcode") || body.contains("flows")))
        std::abort();
    }
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  world w;
  for (int requests = 0; requests < 8 && !text.empty(); ++requests) {
    const auto end = text.find("\n%%\n");
    w.ask(std::string(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 4);
  }
  return 0;
}
