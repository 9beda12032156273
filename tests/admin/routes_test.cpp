#include "bridges/admin/admin.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>

using namespace pb;
using json = nlohmann::json;

namespace {

struct fake_reply final : http_reply {
  std::optional<http_response> got;
  int answers = 0;
  void send(http_response response) override {
    got = std::move(response);
    ++answers;
  }
  void stream(http_response) override {}
  bool chunk(std::string) override { return false; }
  void end() override {}
  void on_gone(std::function<void()>) override {}
};

struct fake_clock final : timers {
  std::vector<std::function<void()>> due;
  void after(std::chrono::milliseconds, std::function<void()> run) override {
    due.push_back(std::move(run));
  }
  void pass() {
    for (auto& d : std::exchange(due, {}))
      d();
  }
};

const std::string token = "0123456789abcdef";

admin_ports ports() {
  admin_ports p;
  p.token = token;
  p.console_json = R"({"homeserver":"http://127.0.0.1:8008","bot":"@b:l","accounts":[]})";
  p.ready = [](const auto& done) {
    readiness r;
    r.ready = true;
    r.since = "2026-01-01T00:00:00Z";
    r.last_sync_age_ms = 12;
    r.database_writable = true;
    done(r);
  };
  p.status = [](const auto& done) { done(R"({"actors":[],"agents":[],"rooms":0})"); };
  p.metrics = [] { return std::string("x_total 1\n"); };
  return p;
}

struct site {
  http_handler handler;
  explicit site(admin_ports p = ports()) : handler(make_admin(std::move(p))) {}

  std::shared_ptr<fake_reply> ask(server_request r) const {
    auto reply = std::make_shared<fake_reply>();
    handler(std::move(r), reply);
    return reply;
  }
  http_response get(const std::string& path, http_headers more = {},
                    const std::string& method = "GET") const {
    server_request r;
    r.method = method;
    r.path = path.substr(0, path.find('?'));
    if (const auto q = path.find('?'); q != std::string::npos)
      r.query = path.substr(q + 1);
    r.headers = std::move(more);
    if (find_header(r.headers, "Host") == nullptr)
      r.headers.push_back({"Host", "127.0.0.1:8780"});
    const auto reply = ask(std::move(r));
    REQUIRE(reply->got.has_value());
    REQUIRE(reply->answers == 1);
    return *reply->got;
  }
  http_response api(const std::string& path, const std::string& method = "GET",
                    http_headers more = {}) const {
    more.push_back({"Authorization", "Bearer " + token});
    return get("/api/v1/" + path, std::move(more), method);
  }
};

std::string header(const http_response& r, std::string_view name) {
  const auto* v = find_header(r.headers, name);
  return v == nullptr ? "" : *v;
}

void is_error(const http_response& r, int status, const std::string& code) {
  CHECK(r.status == status);
  const auto j = json::parse(r.body);
  CHECK(j.size() == 3);
  CHECK(j["code"] == code);
  CHECK_FALSE(j["message"].get<std::string>().empty());
  CHECK_FALSE(j["hint"].get<std::string>().empty());
}

} // namespace

TEST_CASE("health, readiness, metrics and the page need no token") {
  const site s;
  CHECK(s.get("/healthz").status == 200);
  const auto ready = s.get("/readyz");
  CHECK(ready.status == 200);
  const auto j = json::parse(ready.body);
  CHECK(j["ready"] == true);
  CHECK(j["since"] == "2026-01-01T00:00:00Z");
  CHECK(j["last_sync_age_ms"] == 12);
  CHECK(j["database_writable"] == true);
  const auto m = s.get("/metrics");
  CHECK(m.body == "x_total 1\n");
  CHECK(header(m, "Content-Type").starts_with("text/plain; version=0.0.4"));
  const auto page = s.get("/");
  CHECK(page.status == 200);
  CHECK(header(page, "Content-Type") == "text/html; charset=utf-8");
  CHECK(page.body.find("<!doctype html>") == 0);
}

TEST_CASE("every file that the page names is served with its type") {
  const site s;
  for (const auto* path : {"/app.js", "/chat.js", "/matrix.js", "/store.js", "/dom.js"}) {
    const auto r = s.get(path);
    CHECK(r.status == 200);
    CHECK(header(r, "Content-Type") == "text/javascript; charset=utf-8");
    CHECK(r.body.size() > 100);
  }
  CHECK(header(s.get("/style.css"), "Content-Type") == "text/css; charset=utf-8");
  CHECK(header(s.get("/favicon.svg"), "Content-Type") == "image/svg+xml");
}

TEST_CASE("not ready is a 503 that says why and since when") {
  auto p = ports();
  p.ready = [](const auto& done) {
    readiness r;
    r.since = "2026-01-01T00:00:00Z";
    r.detail = "the homeserver refuses \xff the token";
    done(r);
  };
  const auto r = site(std::move(p)).get("/readyz");
  CHECK(r.status == 503);
  const auto j = json::parse(r.body);
  CHECK(j["ready"] == false);
  CHECK(j["last_sync_age_ms"].is_null());
  CHECK(j["detail"].get<std::string>().find("refuses") != std::string::npos);
}

TEST_CASE("the API is closed without the token") {
  const site s;
  for (const auto* path : {"status", "console", "agents", "turns", "nothing/here"}) {
    const auto r = s.get(std::string("/api/v1/") + path);
    is_error(r, 401, "unauthorised");
    CHECK(header(r, "WWW-Authenticate") == "Bearer");
    is_error(s.get(std::string("/api/v1/") + path, {{"Authorization", "Bearer wrong"}}), 401,
             "unauthorised");
  }
  auto p = ports();
  p.token.clear();
  is_error(site(std::move(p)).get("/api/v1/status", {{"Authorization", "Bearer "}}), 401,
           "unauthorised");
}

TEST_CASE("status and console answer with the router's words") {
  const site s;
  CHECK(json::parse(s.api("status").body)["rooms"] == 0);
  CHECK(json::parse(s.api("console").body)["bot"] == "@b:l");
  is_error(s.api("status", "POST"), 405, "method_not_allowed");
}

TEST_CASE("what is not built yet says so, what nobody promised is not found") {
  const site s;
  for (const auto* path : {"agents", "rooms", "turns", "outbox", "confirmations", "events",
                           "inject", "trace", "config", "agents/a1/events"}) {
    is_error(s.api(path), 501, "not_there_yet");
    is_error(s.api(path, "POST"), 501, "not_there_yet");
  }
  is_error(s.api("nothing"), 404, "not_found");
  is_error(s.api(""), 404, "not_found");
  is_error(s.get("/nothing"), 404, "not_found");
  is_error(s.get("/../style.css"), 404, "not_found");
  is_error(s.get("/index.html%00"), 404, "not_found");
}

TEST_CASE("a missing port is an answer in words") {
  admin_ports p;
  p.token = token;
  const site s(std::move(p));
  is_error(s.get("/readyz"), 501, "not_there_yet");
  is_error(s.get("/metrics"), 501, "not_there_yet");
  is_error(s.api("status"), 501, "not_there_yet");
  CHECK(s.get("/healthz").status == 200);
}

TEST_CASE("routes are data: method, parameters, query and body reach them") {
  auto p = ports();
  api_request seen;
  const auto take = [&seen](api_request r, const api_done& done) {
    seen = std::move(r);
    done(202, R"({"taken":true})");
  };
  p.routes["rooms"] = {{"GET"}, take, false};
  p.routes["agents/{id}/drain"] = {{"POST"}, take, false};
  p.routes["agents/all/drain"] = {
      {"POST"}, [](const auto&, const auto& done) { done(200, "{}"); }, false};
  const site s(std::move(p));
  CHECK(s.api("rooms?cursor=a%20b").status == 202);
  CHECK(seen.query.at("cursor") == "a b");
  CHECK(seen.bearer.empty());
  CHECK(s.api("agents/a%2F1/drain", "POST").status == 202);
  CHECK(seen.params.at("id") == "a/1");
  CHECK(s.api("agents/all/drain", "POST").status == 200);
  is_error(s.api("agents//drain", "POST"), 501, "not_there_yet");
  const auto wrong = s.api("rooms", "DELETE");
  is_error(wrong, 405, "method_not_allowed");
  CHECK(header(wrong, "Allow") == "GET, HEAD");
  CHECK(header(s.api("agents/a1/drain"), "Allow") == "POST");
}

TEST_CASE("a route with a token of its own is asked without ours") {
  auto p = ports();
  std::string shown;
  p.routes["agents/{id}/events"] = {{"POST"},
                                    [&](const api_request& r, const api_done& done) {
                                      shown = r.bearer;
                                      done(r.bearer == "agents-own" ? 200 : 401, "{}");
                                    },
                                    true};
  const site s(std::move(p));
  CHECK(
      s.get("/api/v1/agents/a1/events", {{"Authorization", "Bearer agents-own"}}, "POST").status ==
      200);
  CHECK(s.get("/api/v1/agents/a1/events", {}, "POST").status == 401);
  CHECK(shown.empty());
}

TEST_CASE("a page of another name or origin gets nothing") {
  const site s;
  for (const auto* path : {"/", "/healthz", "/metrics", "/api/v1/status"})
    is_error(s.get(path, {{"Host", "evil.example:8780"}, {"Authorization", "Bearer " + token}}),
             403, "host_not_allowed");
  auto p = ports();
  p.routes["config"] = {{"POST"}, [](const auto&, const auto& done) { done(200, "{}"); }, false};
  const site writable(std::move(p));
  is_error(writable.api("config", "POST", {{"Origin", "http://evil.example"}}), 403,
           "origin_not_allowed");
  CHECK(writable.api("config", "POST", {{"Origin", "http://127.0.0.1:8780"}}).status == 200);
  CHECK(writable.api("config", "POST").status == 200);
  server_request nameless;
  nameless.method = "GET";
  nameless.path = "/";
  is_error(*s.ask(nameless)->got, 403, "host_not_allowed");
}

TEST_CASE("on an address for others, probes may use names that we do not know") {
  auto p = ports();
  p.listen = "0.0.0.0";
  const site s(std::move(p));
  CHECK(s.get("/healthz", {{"Host", "patchbay.svc"}}).status == 200);
  CHECK(s.get("/", {{"Host", "10.1.2.3:8780"}}).status == 200);
  is_error(s.get("/", {{"Host", "patchbay.svc"}}), 403, "host_not_allowed");
}

TEST_CASE("the page's policy names the development homeserver and nobody else") {
  const auto policy = header(site().get("/"), "Content-Security-Policy");
  CHECK(policy.find("default-src 'self'") == 0);
  CHECK(policy.find("connect-src 'self' http://127.0.0.1:8008;") != std::string::npos);
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
  auto p = ports();
  p.console_json = R"({"homeserver":"http://x; script-src *","bot":null,"accounts":[]})";
  CHECK(header(site(std::move(p)).get("/"), "Content-Security-Policy").find("script-src") ==
        std::string::npos);
  auto broken = ports();
  broken.console_json = "not json";
  CHECK(site(std::move(broken)).get("/").status == 200);
}

TEST_CASE("every answer forbids sniffing, caching and framing") {
  const site s;
  for (const auto* path : {"/", "/healthz", "/nothing", "/api/v1/status"}) {
    const auto r = s.get(path);
    CHECK(header(r, "X-Content-Type-Options") == "nosniff");
    CHECK(header(r, "Cache-Control") == "no-store");
    CHECK(header(r, "X-Frame-Options") == "DENY");
    CHECK(header(r, "Referrer-Policy") == "no-referrer");
  }
}

TEST_CASE("HEAD is answered like GET (the server leaves the body out), other methods are refused") {
  const site s;
  for (const auto* path : {"/", "/healthz", "/readyz", "/metrics", "/style.css"}) {
    const auto r = s.get(path, {}, "HEAD");
    CHECK(r.status == 200);
    CHECK(header(r, "Content-Type") == header(s.get(path), "Content-Type"));
    const auto refused = s.get(path, {}, "POST");
    is_error(refused, 405, "method_not_allowed");
    CHECK(header(refused, "Allow") == "GET, HEAD");
  }
  CHECK(s.api("status", "HEAD").status == 200);
}

TEST_CASE("a router that does not answer in time is an error, its late answer is dropped") {
  auto p = ports();
  fake_clock clock;
  p.clock = &clock;
  std::function<void(readiness)> late;
  p.ready = [&](std::function<void(readiness)> done) { late = std::move(done); };
  p.status = [](const auto&) { /* forgets it */ };
  const site s(std::move(p));
  server_request r;
  r.method = "GET";
  r.path = "/readyz";
  r.headers = {{"Host", "localhost"}};
  const auto reply = s.ask(r);
  CHECK_FALSE(reply->got.has_value());
  clock.pass();
  REQUIRE(reply->got.has_value());
  CHECK(reply->got->status == 503);
  CHECK(json::parse(reply->got->body)["ready"] == false);
  readiness good;
  good.ready = true;
  late(good);
  CHECK(reply->answers == 1);
}

TEST_CASE("a status that is forgotten becomes a 504 while somebody still holds the question") {
  auto p = ports();
  fake_clock clock;
  p.clock = &clock;
  std::function<void(std::string)> held;
  p.status = [&](std::function<void(std::string)> done) { held = std::move(done); };
  const site s(std::move(p));
  server_request r;
  r.method = "GET";
  r.path = "/api/v1/status";
  r.headers = {{"Host", "localhost"}, {"Authorization", "Bearer " + token}};
  const auto reply = s.ask(r);
  clock.pass();
  REQUIRE(reply->got.has_value());
  is_error(*reply->got, 504, "no_answer");
}

TEST_CASE("a port that throws costs one request") {
  auto p = ports();
  p.metrics = []() -> std::string { throw std::runtime_error("x"); };
  is_error(site(std::move(p)).get("/metrics"), 500, "internal");
}

TEST_CASE("a page of items carries its cursor") {
  CHECK(api_page({}, "") == R"({"items":[],"next":null})");
  CHECK(api_page({R"({"a":1})", "2"}, "c\"1") == R"({"items":[{"a":1},2],"next":"c\"1"})");
}
