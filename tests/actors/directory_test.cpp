// The agent directory while its registry changes: who starts, who finishes, who is told.

#include "tests/support/agent_bench.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

agent_spec agent_at(const std::string& id, const std::string& url = "http://127.0.0.1:7000") {
  agent_spec s;
  s.id = agent_id{id};
  s.label = id;
  s.base_url = url;
  return s;
}

registry of(std::vector<agent_spec> agents) {
  registry r;
  for (auto& a : agents)
    r.agents.emplace(a.id, a);
  return r;
}

std::string names(const std::vector<agent_id>& ids) {
  std::string out;
  for (const auto& id : ids)
    out += id.value + " ";
  return out;
}

struct directory_bench : agent_bench {
  explicit directory_bench(registry first)
      : all(sys.spawn(agent_directory, std::move(first), deps())) {
    caf::anon_send(all, attach_pushes{pushes});
    run_for(1ms);
  }
  template <class Answer, class Question>
  tl::expected<Answer, fault> request(Question q) {
    caf::scoped_actor self{sys.sys, true};
    auto handle = self->request(all, 10s, std::move(q));
    run_for(1ms);
    tl::expected<Answer, fault> out;
    handle.receive([&](Answer& a) { out = std::move(a); },
                   [&](caf::error& e) { out = tl::unexpected(to_fault(e)); });
    return out;
  }
  registry_applied apply(registry r) {
    return *request<registry_applied>(apply_registry{std::move(r)});
  }
  found_agent find(const std::string& id, const std::string& owner = {}) {
    return *request<found_agent>(find_agent{agent_id{id}, user_id{owner}});
  }
  /// A turn at the agent as the directory has it now.
  void turn(const std::string& id, const std::string& turn, std::int64_t chat) {
    connection = find(id).connection;
    REQUIRE(connection);
    heard->connection = caf::actor_cast<caf::actor>(connection);
    ask(turn, "x", chat);
    run_for(10ms);
  }
  nlohmann::json status() {
    std::string text;
    caf::scoped_actor self{sys.sys, true};
    auto handle = self->request(all, 10s, get_status{});
    run_for(1ms);
    handle.receive([&](status_report& r) { text = r.json; },
                   [&](caf::error& e) { FAIL(to_fault(e).cause); });
    return nlohmann::json::parse(text)["agents"];
  }
  agent_directory_actor all;
};

} // namespace

TEST_CASE("agents that are new start, those that are gone end, those that changed are told") {
  directory_bench b{of({agent_at("a"), agent_at("b"), agent_at("c")})};
  const auto before = b.find("a").connection;
  const auto gone = b.find("b").connection;
  const auto r =
      b.apply(of({agent_at("a"), agent_at("c", "http://127.0.0.1:7001"), agent_at("d")}));
  CHECK(names(r.added) == "d ");
  CHECK(names(r.removed) == "b ");
  CHECK(names(r.changed) == "c ");
  CHECK(b.find("a").connection == before);
  CHECK_FALSE(b.find("b").connection);
  CHECK_FALSE(b.find("b").known);
  CHECK(b.find("d").connection);
  b.turn("c", "t1", 1);
  b.run_for(1s);
  CHECK(b.peer.user_messages().back().url.find("7001") != std::string::npos);
  CHECK(b.status().size() == 3);
  const auto same =
      b.apply(of({agent_at("a"), agent_at("c", "http://127.0.0.1:7001"), agent_at("d")}));
  CHECK(names(same.added) + names(same.removed) + names(same.changed) == "");
}

TEST_CASE("a turn that runs while its agent changes or goes ends as it began") {
  directory_bench b{of({agent_at("a")})};
  b.peer.use(always({chunk("first "), wait(10s), chunk("last"), end()}));
  b.turn("a", "t1", 1);
  b.apply(of({agent_at("a", "http://127.0.0.1:7001")}));
  b.turn("a", "t2", 2);
  b.apply(of({}));
  CHECK_FALSE(b.find("a").connection);
  const auto shown = b.status();
  REQUIRE(shown.size() == 1); // it still works
  CHECK(shown[0]["draining"] == true);
  CHECK(shown[0]["state"] == "draining");
  CHECK(shown[0]["turns"] == 2);
  b.run_for(20s);
  CHECK(b.endings() == std::vector{turn_ending::answered, turn_ending::answered});
  CHECK(b.peer.user_messages().at(0).url.find("7000") != std::string::npos);
  CHECK(b.peer.user_messages().at(1).url.find("7001") != std::string::npos);
  CHECK(b.status().empty());
}

TEST_CASE("an agent's trouble is what it did itself, and a good answer ends it") {
  directory_bench b{of({agent_at("a")})};
  b.peer.use(always({chunk("first "), wait(10s), chunk("last"), end()}));
  b.turn("a", "t1", 1);
  caf::anon_send(caf::actor_cast<caf::actor>(b.connection), cancel_turn{turn_id{"t1"}});
  b.run_for(10s);
  REQUIRE(b.endings() == std::vector{turn_ending::cancelled});
  CHECK(b.status()[0]["state"] == "ok"); // a person stopped it
  CHECK(b.status()[0]["failed"] == 0);
  b.peer.use(always({error("overloaded")}));
  b.turn("a", "t2", 1);
  b.run_for(1s);
  CHECK(b.status()[0]["state"] == "trouble");
  CHECK(b.status()[0]["failed"] == 1);
  b.peer.use(always({chunk("well"), end()}));
  b.turn("a", "t3", 1);
  b.run_for(1s);
  CHECK(b.status()[0]["state"] == "ok");
  CHECK(b.status()[0]["last_trouble"] == "overloaded");
}

TEST_CASE("an agent that comes back while its former self finishes is another one") {
  directory_bench b{of({agent_at("a")})};
  b.peer.use(always({wait(10s), chunk("x"), end()}));
  b.turn("a", "t1", 1);
  const auto former = b.find("a").connection;
  b.apply(of({}));
  b.apply(of({agent_at("a")}));
  const auto now = b.find("a").connection;
  REQUIRE(now);
  CHECK(now != former);
  CHECK(b.status().size() == 1);
  b.turn("a", "t2", 2);
  b.run_for(20s);
  CHECK(b.endings() == std::vector{turn_ending::answered, turn_ending::answered});
}

TEST_CASE("an agent that is not enabled takes nothing and is shown; enabled, it starts") {
  auto off = agent_at("a");
  off.enabled = false;
  directory_bench b{of({off})};
  CHECK_FALSE(b.find("a").connection);
  CHECK(b.find("a").known);
  CHECK(b.status()[0]["state"] == "disabled");
  CHECK(names(b.apply(of({agent_at("a")})).changed) == "a ");
  b.peer.use(always({wait(5s), chunk("x"), end()}));
  b.turn("a", "t1", 1);
  b.apply(of({off}));
  CHECK_FALSE(b.find("a").connection);
  CHECK(b.status()[0]["enabled"] == false);
  CHECK(b.status()[0]["turns"] == 1);
  b.run_for(10s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.status()[0]["state"] == "disabled");
}

TEST_CASE("a drained agent takes nothing new until an operator takes it back") {
  directory_bench b{of({agent_at("a")})};
  b.peer.use(always({wait(5s), chunk("x"), end()}));
  b.turn("a", "t1", 1);
  CHECK(b.request<done>(drain_agent{agent_id{"a"}, true}));
  CHECK(b.request<done>(drain_agent{agent_id{"nobody"}, true}).error().code ==
        fault_code::not_found);
  CHECK_FALSE(b.find("a").connection);
  CHECK(b.find("a").enabled);
  CHECK(b.status()[0]["draining"] == true);
  CHECK(b.status()[0]["state"] == "draining");
  b.apply(of({agent_at("a", "http://127.0.0.1:7001")})); // is no word of the operator
  CHECK_FALSE(b.find("a").connection);
  b.run_for(10s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.request<done>(drain_agent{agent_id{"a"}, false}));
  b.turn("a", "t2", 1);
  b.run_for(10s);
  CHECK(b.endings().size() == 2);
}

TEST_CASE("an agent that died is started again only if it is still there") {
  directory_bench b{of({agent_at("a"), agent_at("b")})};
  for (const auto* id : {"a", "b"})
    caf::anon_send_exit(b.find(id).connection, caf::exit_reason::kill);
  b.run_for(1ms);
  b.apply(of({agent_at("b", "http://127.0.0.1:7001")}));
  CHECK_FALSE(b.find("b").connection); // it waits a moment
  b.run_for(2s);
  CHECK_FALSE(b.find("a").known);
  b.turn("b", "t1", 1);
  b.run_for(1s);
  CHECK(b.peer.user_messages().back().url.find("7001") != std::string::npos);
}

TEST_CASE("whose an agent is follows the registry in force") {
  auto r = of({agent_at("a"), agent_at("b")});
  r.default_agent = agent_id{"a"};
  r.users[user_id{"@u:x"}] = {agent_id{"b"}};
  r.servers["s"] = {agent_id{"b"}, agent_id{"a"}};
  directory_bench b{r};
  CHECK_FALSE(b.find("a", "@u:x").theirs);
  CHECK(b.find("b", "@u:x").theirs);
  CHECK(b.find("a", "@any:s").theirs);
  CHECK(b.find("a", "@any:s").listed);
  CHECK(b.find("a", "@any:other").theirs);
  CHECK_FALSE(b.find("b", "@any:other").theirs);
  CHECK_FALSE(b.find("b", "@any:other").listed);
  r.users.clear();
  b.apply(r);
  CHECK_FALSE(b.find("a", "@u:x").listed);
  CHECK(b.find("a", "@u:x").theirs);
  CHECK(b.request<agent_choice>(agent_for_user{user_id{"@any:s"}})->agent == agent_id{"b"});
}

TEST_CASE("a hundred registries in a row break no turn") {
  directory_bench b{of({agent_at("a"), agent_at("b")})};
  b.peer.use(always({chunk("x "), wait(500ms), chunk("y"), end()}));
  std::size_t asked = 0;
  for (int i = 0; i < 100; ++i) {
    const auto* id = i % 2 == 0 ? "a" : "b";
    b.turn(id, "t" + std::to_string(i), i + 1);
    ++asked;
    // One changes, one goes and comes back, one is new each time.
    auto next = of({agent_at("a", "http://127.0.0.1:" + std::to_string(7000 + i % 5)),
                    agent_at("extra" + std::to_string(i))});
    if (i % 3 != 1)
      next.agents.emplace(agent_id{"b"}, agent_at("b"));
    b.apply(next);
    if (i % 3 == 1)
      b.apply(of({agent_at("a"), agent_at("b")}));
    b.run_for(30ms);
  }
  b.run_for(10s);
  CHECK(b.endings() == std::vector<turn_ending>(asked, turn_ending::answered));
  CHECK(b.status().size() == 3);
}
