#pragma once
// Our own side in the tests: results and events collected for the test's thread.

#include "bridges/net/io.hpp"
#include "tests/net/peers.hpp"

#include <memory>
#include <string>

namespace fixtures {

using namespace std::chrono_literals;

/// The results of requests in the order in which they ended.
struct answers {
  peers::inbox<pb::http_result> got;

  pb::http_done done() {
    return [this](pb::http_result r) { got.put(std::move(r)); };
  }
  /// The n-th result (from 0); a `busy` failure with the cause "TEST: no result" if it does not
  /// come.
  pb::http_result at(std::size_t n) {
    if (!got.wait(n + 1))
      return tl::unexpected<pb::http_failure>({pb::http_error::busy, "TEST: no result", false});
    return got.all()[n];
  }
};

inline pb::http_request get(std::string origin, std::string target = "/") {
  pb::http_request r;
  r.origin = std::move(origin);
  r.target = std::move(target);
  r.timeout = 15s;
  return r;
}

inline pb::http_request post(std::string origin, std::string body, std::string target = "/") {
  auto r = get(std::move(origin), std::move(target));
  r.method = "POST";
  r.body = std::move(body);
  return r;
}

/// Sends one request and waits for how it ends.
inline pb::http_result ask(pb::http_client& client, pb::http_request request) {
  auto a = std::make_shared<answers>();
  client.send(std::move(request), [a](pb::http_result r) { a->got.put(std::move(r)); });
  return a->at(0);
}

inline std::string ok(const std::string& body, const std::string& headers = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

/// Events of one link.
struct events : pb::link_listener {
  peers::gate open;
  peers::inbox<std::string> texts;
  peers::inbox<pb::link_closed> closed;
  std::function<void(const std::string&)> text_hook;

  void on_open() override { open.open(); }
  void on_text(std::string text) override {
    if (text_hook)
      text_hook(text);
    texts.put(std::move(text));
  }
  void on_closed(pb::link_closed why) override { closed.put(std::move(why)); }

  pb::link_closed end() {
    if (!closed.wait(1))
      return {pb::link_closed::how::broken, -1, "TEST: on_closed did not come"};
    return closed.all()[0];
  }
};

inline pb::link_request to(std::string url) {
  pb::link_request r;
  r.url = std::move(url);
  return r;
}

/// A server of ours whose handler the test gives.
struct served {
  served(pb::io_runtime& io, pb::http_handler handler, pb::server_options options = {},
         pb::ws_handler links = {})
      : server(std::move(
            *pb::make_http_server(io, std::move(options), std::move(handler), std::move(links)))) {}
  [[nodiscard]] std::uint16_t port() const { return server->port(); }
  [[nodiscard]] std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(server->port());
  }
  std::unique_ptr<pb::http_server> server;
};

inline pb::http_handler replying(std::string body) {
  return [body = std::move(body)](pb::server_request, std::shared_ptr<pb::http_reply> r) {
    r->send({200, {}, body});
  };
}

} // namespace fixtures
