// POST /api/v1/agents/{id}/events through the whole console: who may, what comes of it.

#include "cli/events_route.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>

using namespace pb;
using json = nlohmann::json;

namespace {

struct kept_reply final : http_reply {
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

struct handed {
  agent_id agent;
  posted_push event;
  std::function<void(const std::optional<fault>&)> answer;
};

/// The console, or the address for agents alone.
struct site {
  std::map<agent_id, cli::events_access> agents;
  std::vector<handed> taken;
  bool hold = false;
  std::optional<fault> refuse;
  http_handler handler;

  explicit site(bool only_routes = false) {
    cli::events_desk desk;
    agents[agent_id{"alpha"}] = {true, secret{"alphas-own-token"}};
    agents[agent_id{"beta"}] = {true, secret{"betas-own-token"}};
    agents[agent_id{"silent"}] = {true, std::nullopt};
    agents[agent_id{"empty"}] = {true, secret{""}};
    agents[agent_id{"off"}] = {false, secret{"off-token"}};
    desk.access = [this](const agent_id& id) -> std::optional<cli::events_access> {
      const auto i = agents.find(id);
      return i == agents.end() ? std::nullopt : std::optional{i->second};
    };
    desk.admin_token = "the-token-of-the-console";
    desk.deliver = [this](agent_id agent, posted_push event,
                          std::function<void(const std::optional<fault>&)> answer) {
      taken.push_back({std::move(agent), std::move(event), {}});
      if (hold)
        taken.back().answer = std::move(answer);
      else
        answer(refuse);
    };
    admin_ports p;
    p.token = desk.admin_token;
    p.only_routes = only_routes;
    p.status = [](const auto& done) { done("{}"); };
    p.metrics = [] { return std::string("x 1\n"); };
    p.ready = [](const auto& done) { done({}); };
    p.routes["agents/{id}/events"] = cli::events_route(std::move(desk));
    p.routes["agents"] = {{"GET"}, [](const auto&, const auto& done) { done(200, "{}"); }, false};
    handler = make_admin(std::move(p));
  }
  std::shared_ptr<kept_reply> ask(const std::string& method, const std::string& path,
                                  const std::string& token, const std::string& body,
                                  const std::string& host = "127.0.0.1:8780") const {
    server_request r;
    r.method = method;
    r.path = path;
    r.body = body;
    r.headers = {{"Host", host}};
    if (!token.empty())
      r.headers.push_back({"Authorization", "Bearer " + token});
    auto reply = std::make_shared<kept_reply>();
    handler(std::move(r), reply);
    return reply;
  }
  http_response post(const std::string& agent, const std::string& token,
                     const std::string& body) const {
    const auto reply = ask("POST", "/api/v1/agents/" + agent + "/events", token, body);
    REQUIRE(reply->answers == 1);
    return *reply->got;
  }
};

std::string event(const std::string& id = "e1") {
  return json{{"event_id", id}, {"kind", "task_done"}, {"text", "ready"}, {"chat_id", 7}}.dump();
}

std::string code(const http_response& r) {
  const auto j = json::parse(r.body);
  CHECK(j.size() == 3);
  CHECK_FALSE(j["hint"].get<std::string>().empty());
  return std::to_string(r.status) + " " + j["code"].get<std::string>();
}

} // namespace

TEST_CASE("an agent's event is accepted once it was taken, and not before") {
  site s;
  s.hold = true;
  const auto reply = s.ask("POST", "/api/v1/agents/alpha/events", "alphas-own-token", event());
  CHECK(reply->answers == 0);
  REQUIRE(s.taken.size() == 1);
  CHECK(s.taken[0].agent == agent_id{"alpha"});
  CHECK(s.taken[0].event.chat.value == 7);
  s.taken[0].answer(std::nullopt);
  REQUIRE(reply->answers == 1);
  CHECK(reply->got->status == 200);
  CHECK(reply->got->body == R"({"accepted":true})");
}

TEST_CASE("who may post is asked of the registry in force, each time") {
  site s;
  CHECK(s.post("alpha", "alphas-own-token", event()).status == 200);
  s.agents[agent_id{"alpha"}].token = secret{"another-token"};
  CHECK(s.post("alpha", "alphas-own-token", event()).status == 403);
  CHECK(s.post("alpha", "another-token", event()).status == 200);
  s.agents.erase(agent_id{"alpha"});
  CHECK(s.post("alpha", "another-token", event()).status == 403);
}

TEST_CASE("a wrong token learns nothing of which agents there are") {
  site s;
  for (const auto* shown : {"betas-own-token", "wrong", "alphas-own-toke", "alphas-own-token "}) {
    const auto known = s.post("alpha", std::string("x") + shown, event());
    CHECK(code(known) == "403 forbidden");
    for (const auto* other : {"nobody", "silent", "empty", "%00", "..", "beta%2F"})
      CHECK(s.post(other, std::string("x") + shown, event()).body == known.body);
  }
  CHECK(code(s.post("alpha", "betas-own-token", event())) == "403 forbidden");
  CHECK(code(s.post("nobody", "no such token", event())) == "403 forbidden");
  for (const auto* agent : {"alpha", "nobody", "silent"})
    CHECK(code(s.post(agent, "", event())) == "401 unauthorised");
  CHECK(s.taken.empty());
}

TEST_CASE("who shows the console's token is told what is the matter, and posts nothing") {
  site s;
  const std::string admin = "the-token-of-the-console";
  CHECK(code(s.post("nobody", admin, event())) == "404 unknown_agent");
  CHECK(code(s.post("silent", admin, event())) == "403 no_events_token");
  CHECK(code(s.post("empty", admin, event())) == "403 no_events_token");
  CHECK(code(s.post("alpha", admin, event())) == "403 forbidden");
  CHECK(s.taken.empty());
}

TEST_CASE("an event that is none is refused with the names of its fields") {
  site s;
  const auto bad = s.post("alpha", "alphas-own-token", R"({"kind":"gossip"})");
  CHECK(code(bad) == "400 bad_request");
  for (const auto* field : {"event_id", "kind", "text", "chat_id"})
    CHECK(bad.body.find(field) != std::string::npos);
  CHECK(code(s.post("alpha", "alphas-own-token", "\xff\xfe")) == "400 bad_request");
  CHECK(code(s.post("alpha", "alphas-own-token", std::string(push_body_limit + 1, ' '))) ==
        "413 too_large");
  CHECK(code(s.post("off", "off-token", event())) == "409 agent_disabled");
  CHECK(s.ask("GET", "/api/v1/agents/alpha/events", "alphas-own-token", "")->got->status == 405);
  CHECK(s.taken.empty());
}

TEST_CASE("what the router says comes back as a status") {
  site s;
  for (const auto& [what, status] :
       std::vector<std::pair<fault_code, std::string>>{{fault_code::not_found, "404 unknown_chat"},
                                                       {fault_code::refused, "410 room_left"},
                                                       {fault_code::conflict, "409 conflict"},
                                                       {fault_code::busy, "503 busy"},
                                                       {fault_code::timed_out, "503 busy"},
                                                       {fault_code::storage, "503 busy"},
                                                       {fault_code::bug, "503 busy"}}) {
    s.refuse = fault{what, "internal words", {}};
    const auto got = s.post("alpha", "alphas-own-token", event());
    CHECK(code(got) == status);
    CHECK(got.body.find("internal words") == std::string::npos);
    CHECK((find_header(got.headers, "Retry-After") != nullptr) == status.starts_with("503"));
  }
}

TEST_CASE("events of one agent that are not answered have a cap; others' are not held up") {
  site s;
  s.hold = true;
  std::vector<std::shared_ptr<kept_reply>> open;
  for (std::size_t i = 0; i < cli::events_at_once; ++i)
    open.push_back(s.ask("POST", "/api/v1/agents/alpha/events", "alphas-own-token", event()));
  CHECK(code(s.post("alpha", "alphas-own-token", event())) == "503 busy");
  CHECK(s.ask("POST", "/api/v1/agents/beta/events", "betas-own-token", event())->answers == 0);
  CHECK(s.taken.size() == cli::events_at_once + 1);
  s.taken[3].answer(std::nullopt);
  s.taken[3].answer = nullptr;
  CHECK(open[3]->got->status == 200);
  s.taken[4].answer = nullptr; // forgotten: its place is free all the same
  s.hold = false;
  CHECK(s.post("alpha", "alphas-own-token", event()).status == 200);
  CHECK(s.post("alpha", "alphas-own-token", event()).status == 200);
}

TEST_CASE("the address for agents has their events, a sign of life, and nothing else") {
  site s(true);
  const auto at = [&](const std::string& method, const std::string& path,
                      const std::string& token) {
    return s.ask(method, path, token, event(), "patchbay.internal:8781")->got->status;
  };
  CHECK(at("POST", "/api/v1/agents/alpha/events", "alphas-own-token") == 200);
  CHECK(at("GET", "/healthz", "") == 200);
  const std::string admin = "the-token-of-the-console";
  for (const auto* path : {"/", "/app.js", "/metrics", "/readyz", "/api/v1/status",
                           "/api/v1/agents", "/api/v1/console", "/api/v1/inject", "/api/v1/",
                           "/api/v1/agents/alpha", "/api/v1/agents/alpha/events/x"}) {
    CHECK(at("GET", path, admin) == 404);
    CHECK(at("POST", path, admin) == 404);
  }
  CHECK(at("POST", "/api/v1/agents/alpha/events", admin) == 403);
}
