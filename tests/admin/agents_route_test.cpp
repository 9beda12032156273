// /api/v1/agents and /api/v1/rooms with fakes behind them; and what a change writes, on a disk in
// memory.

#include "cli/agents_route.hpp"
#include "cli/rooms_route.hpp"
#include "tests/config/support.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pb;
using namespace pb::cli;
using json = nlohmann::json;
using kind = change_outcome::kind;

namespace {

struct answer {
  int status = 0;
  json body;
};

/// The routes without the server around them.
struct desk {
  registry_view view;
  std::string status = R"({"agents":[]})";
  std::vector<agent_change> changes;
  change_outcome outcome;
  std::vector<std::pair<std::string, bool>> drains;
  std::optional<fault> drain_fault;
  std::map<std::string, api_route> routes;

  desk() {
    agents_desk d;
    d.view = [this] { return std::make_shared<const registry_view>(view); };
    d.status = [this](const auto& done) { done(status); };
    d.change = [this](agent_change what, const auto& done) {
      changes.push_back(std::move(what));
      done(outcome);
    };
    d.drain = [this](const agent_id& id, bool on, const auto& done) {
      drains.emplace_back(id.value, on);
      done(drain_fault);
    };
    add_agents_routes(routes, std::move(d));
  }
  void agent(const std::string& id, const std::string& url = "http://h") {
    agent_spec s;
    s.id = agent_id{id};
    s.label = "The " + id;
    s.base_url = url;
    view.agents.agents[s.id] = s;
    view.sources[s.id] = {"a.yaml"};
  }
  answer ask(const std::string& route, const std::string& method, const std::string& id = {},
             const std::string& body = {}, std::map<std::string, std::string> query = {}) {
    answer out;
    REQUIRE(routes.contains(route));
    routes.at(route).run({method, {{"id", id}}, std::move(query), body, {}},
                         [&](int code, const std::string& text) {
                           CHECK(out.status == 0);
                           out = {code, json::parse(text)};
                         });
    return out;
  }
};

std::string wanted(const desk& d) {
  std::string out;
  for (const auto& e : d.changes.back().edits)
    out += e.key + "=" + e.value.value_or("(gone)") + "\n";
  return out;
}

/// A registry on a disk in memory that changes write to.
struct written {
  std::map<std::string, std::string> files{
      {"etc/a.yaml", "agents: {one: {base_url: http://h}}\ndefault_agent: one\n"}};
  std::optional<std::string> broken;

  change_outcome change(agent_change what) {
    return change_registry("etc/a.yaml", what, {}, config::test::memory_disk{files},
                           [this](const std::string& path, const std::optional<std::string>& text) {
                             if (broken)
                               return broken;
                             if (text)
                               files[path] = *text;
                             else
                               files.erase(path);
                             return std::optional<std::string>{};
                           });
  }
  change_outcome set(const std::string& id, std::vector<config::key_edit> edits) {
    agent_change what;
    what.id = agent_id{id};
    what.edits = std::move(edits);
    return change(std::move(what));
  }
  change_outcome remove(const std::string& id) {
    agent_change what;
    what.id = agent_id{id};
    what.remove = true;
    return change(std::move(what));
  }
  change_outcome enable(const std::string& id, bool on) {
    agent_change what;
    what.id = agent_id{id};
    what.must_exist = true;
    what.enabled = on;
    what.edits = {{"enabled", on ? "true" : "false"}};
    return change(std::move(what));
  }
  [[nodiscard]] registry now() const {
    const auto o = config::read_registry("etc/a.yaml", {"etc/a.yaml", 0, 0}, {},
                                         config::test::memory_disk{files});
    CHECK(o.ok());
    return o.value;
  }
};

} // namespace

TEST_CASE("agents are listed with what the registry and their connections say of them") {
  desk d;
  d.agent("b");
  d.agent("a");
  d.view.agents.agents[agent_id{"a"}].enabled = false;
  d.view.agents.agents[agent_id{"b"}].events_token = secret{"hidden"};
  d.view.file = "a.yaml";
  d.status = R"({"agents":[{"id":"b","state":"ok","turns":2,"waiting":1,"draining":false,)"
             R"("last_trouble":"x"},{"id":"gone","state":"draining"}]})";
  const auto got = d.ask("agents", "GET");
  REQUIRE(got.status == 200);
  const auto& items = got.body["items"];
  REQUIRE(items.size() == 3);
  CHECK(items[0]["id"] == "a");
  CHECK(items[0]["enabled"] == false);
  CHECK(items[0]["turns"] == 0);
  CHECK(items[1]["turns"] == 2);
  CHECK(items[1]["label"] == "The b");
  CHECK(items[1]["base_url"] == "http://h");
  CHECK(items[1]["source"] == "a.yaml");
  CHECK(items[2]["id"] == "gone");
  CHECK(got.body["registry"]["state"] == "ok");
  CHECK(got.body.dump().find("hidden") == std::string::npos);
  d.view.good = false;
  d.view.problems = {"a.yaml:1:1: bad"};
  d.status = "not json";
  const auto bad = d.ask("agents", "GET");
  CHECK(bad.body["registry"]["state"] == "bad");
  CHECK(bad.body["registry"]["problems"][0] == "a.yaml:1:1: bad");
  CHECK(bad.body["items"].size() == 2);
  d.view.file.clear();
  CHECK(d.ask("agents", "GET").body["registry"]["state"] == "none");
}

TEST_CASE("the list of agents comes in pages") {
  desk d;
  for (const auto* id : {"a", "b", "c"})
    d.agent(id);
  const auto first = d.ask("agents", "GET", {}, {}, {{"limit", "2"}});
  CHECK(first.body["items"].size() == 2);
  CHECK(first.body["next"] == "b");
  const auto rest = d.ask("agents", "GET", {}, {}, {{"limit", "2"}, {"cursor", "b"}});
  CHECK(rest.body["items"].size() == 1);
  CHECK(rest.body["next"].is_null());
  for (const auto* limit : {"0", "1001", "x", "-1", ""})
    CHECK(d.ask("agents", "GET", {}, {}, {{"limit", limit}}).status == 400);
}

TEST_CASE("an agent as JSON becomes keys of its file") {
  desk d;
  const auto got = d.ask(
      "agents", "POST", {},
      R"({"id":"x","base_url":"http://h:1/a","label":"Über: # \"x\"","idempotent":true,)"
      R"("send":[],"limits":{"turn":"1h","queue":5},"auth":{"secret":{"env":"S"}},"path":null,)"
      R"("workspace_path":"/agents/1"})");
  CHECK(got.status == 200);
  CHECK(got.body["id"] == "x");
  CHECK(wanted(d) == "id=x\n"
                     "auth={secret: {env: S}}\n"
                     "base_url=http://h:1/a\n"
                     "idempotent=true\n"
                     "label=\"Über: # \\\"x\\\"\"\n"
                     "limits={queue: 5, turn: 1h}\n"
                     "path=(gone)\n"
                     "send=[]\n"
                     "workspace_path=/agents/1\n");
  for (const auto* body :
       {"", "[]", "x", "{}", R"({"id":1})", R"({"id":"-x"})", R"({"id":"../x"})",
        R"({"id":"x","removed":true})", R"({"id":"x","a b":1})", R"({"id":"x","":1})"})
    CHECK(d.ask("agents", "POST", {}, body).status == 400);
  const auto deep =
      R"({"id":"x","a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  CHECK(d.ask("agents", "POST", {}, deep).status == 400);
  CHECK(d.changes.size() == 1);
  CHECK(d.ask("agents", "POST", {}, R"({"id":"x"})", {{"dry_run", "true"}}).status == 200);
  CHECK(d.changes.back().dry_run);
  CHECK(d.ask("agents", "POST", {}, R"({"id":"x"})", {{"dry_run", "perhaps"}}).status == 400);
}

TEST_CASE("every way in which a change is refused has its status and a hint") {
  desk d;
  const std::pair<kind, int> all[] = {
      {kind::done, 200},         {kind::no_registry, 409},  {kind::unknown_agent, 404},
      {kind::invalid, 400},      {kind::registry_bad, 409}, {kind::overruled, 409},
      {kind::not_editable, 409}, {kind::not_writable, 409}, {kind::busy, 503}};
  for (const auto& [what, status] : all) {
    d.outcome.what = what;
    d.outcome.faults = {{"f.yaml", 1, 2, "wrong", "write right", false}};
    const auto got = d.ask("agents/{id}", "DELETE", "x");
    CHECK(got.status == status);
    if (status != 200)
      CHECK_FALSE(got.body["hint"].get<std::string>().empty());
    if (what == kind::invalid)
      CHECK(got.body["faults"][0]["line"] == 1);
  }
  d.outcome = {};
  CHECK(d.ask("agents/{id}", "DELETE", "../x").status == 404);
  CHECK(d.changes.back().remove);
}

TEST_CASE("to enable an agent ends its drain, to disable it does not") {
  desk d;
  CHECK(d.ask("agents/{id}/drain", "POST", "x", {}, {{"dry_run", "true"}}).status == 404);
  d.agent("x");
  CHECK(d.ask("agents/{id}/drain", "POST", "x", {}, {{"dry_run", "true"}}).status == 200);
  CHECK(d.ask("agents/{id}/drain", "POST", "x", {}, {{"dry_run", "maybe"}}).status == 400);
  CHECK(d.drains.empty());
  CHECK(d.ask("agents/{id}/drain", "POST", "x").body == json{{"id", "x"}, {"draining", true}});
  CHECK(d.ask("agents/{id}/disable", "POST", "x").status == 200);
  CHECK(d.changes.back().enabled == false);
  CHECK(d.ask("agents/{id}/enable", "POST", "x").status == 200);
  CHECK(d.drains == std::vector<std::pair<std::string, bool>>{{"x", true}, {"x", false}});
  CHECK(d.ask("agents/{id}/enable", "POST", "x", {}, {{"dry_run", "true"}}).status == 200);
  d.outcome.what = kind::unknown_agent;
  CHECK(d.ask("agents/{id}/enable", "POST", "y").status == 404);
  CHECK(d.drains.size() == 2);
  d.drain_fault = fault{fault_code::not_found, "no such agent", {}};
  CHECK(d.ask("agents/{id}/drain", "POST", "y").status == 404);
  d.drain_fault = fault{fault_code::busy, "stopping", {}};
  CHECK(d.ask("agents/{id}/drain", "POST", "y").status == 503);
}

TEST_CASE("a new agent is a file of its own, a changed one only its keys") {
  written w;
  const auto added = w.set("two", {{"id", "two"}, {"base_url", "http://i"}});
  CHECK(added.what == kind::done);
  CHECK(added.fresh);
  CHECK(added.file == "etc/agents.d/two.yaml");
  CHECK(w.files.at(added.file).ends_with("id: two\nbase_url: http://i\n"));
  CHECK(w.now().agents.size() == 2);
  CHECK_FALSE(w.set("two", {{"base_url", "http://i"}}).changed);
  CHECK(w.set("one", {{"label", "Eins"}}).changed);
  CHECK(w.now().agents.at(agent_id{"one"}).label == "Eins");
  CHECK(w.now().agents.at(agent_id{"one"}).base_url == "http://h");
  CHECK(w.files.at("etc/a.yaml").starts_with("agents: {one: {base_url: http://h}}"));
  const auto typo = w.set("two", {{"lable", "x"}});
  CHECK(typo.what == kind::done);
  REQUIRE(typo.warnings.size() == 1);
  CHECK(typo.warnings[0].instead.find("label") != std::string::npos);
}

TEST_CASE("what the loader would refuse is not written") {
  written w;
  const auto before = w.files;
  CHECK(w.set("two", {{"label", "x"}}).what == kind::invalid);
  const auto faults = w.set("two", {{"base_url", "ftp://x"}, {"limits", "{turn: x}"}}).faults;
  CHECK(faults.size() == 2);
  w.broken = "Read-only file system";
  const auto refused = w.set("two", {{"base_url", "http://i"}});
  CHECK(refused.what == kind::not_writable);
  CHECK(refused.why == "Read-only file system");
  w.broken.reset();
  agent_change dry;
  dry.id = agent_id{"two"};
  dry.edits = {{"base_url", "http://i"}};
  dry.dry_run = true;
  CHECK(w.change(dry).changed);
  CHECK(w.files == before);
  w.files["etc/agents.d/bad.yaml"] = "limits: {turn: soon}\n";
  CHECK(w.set("two", {{"base_url", "http://i"}}).what == kind::registry_bad);
  // The change that puts it right is taken.
  CHECK(w.set("bad", {{"limits", std::nullopt}, {"base_url", "http://b"}}).what == kind::done);
  CHECK(w.now().agents.size() == 2);
  w.files["etc/agents.d/odd.yaml"] = "{base_url: http://o}\n";
  CHECK(w.set("odd", {{"label", "x"}}).what == kind::not_editable);
  CHECK(change_registry("", dry, {}, config::test::memory_disk{w.files}, {}).what ==
        kind::no_registry);
}

TEST_CASE("an agent is taken away where it was made, and a file says so where that is not ours") {
  written w;
  w.set("two", {{"base_url", "http://i"}});
  CHECK(w.remove("two").what == kind::done);
  CHECK_FALSE(w.files.contains("etc/agents.d/two.yaml"));
  CHECK(w.remove("two").what == kind::unknown_agent);
  CHECK(w.remove("one").what == kind::done);
  CHECK(w.files.at("etc/agents.d/one.yaml").ends_with("removed: true\n"));
  CHECK(w.now().agents.empty());
  CHECK(w.set("one", {{"id", "one"}}).what == kind::done);
  CHECK(w.now().agents.size() == 1);
  CHECK(w.files.at("etc/agents.d/one.yaml").find("removed") == std::string::npos);
  w.files["etc/agents.d/z.yaml"] = "id: one\nlabel: Last\n";
  w.files["etc/agents.d/y.yaml"] = "id: late\nbase_url: http://l\n";
  const auto late = w.remove("late"); // its file is read after ours
  CHECK(late.what == kind::overruled);
  CHECK(late.why == "etc/agents.d/y.yaml");
}

TEST_CASE("an agent that somebody's entry names is taken away by a word, not by its file") {
  written w;
  w.set("two", {{"base_url", "http://i"}});
  w.files["etc/a.yaml"] += "user_agents: {\"@a:s\": two}\n";
  const auto out = w.remove("two");
  CHECK(out.what == kind::done);
  CHECK(out.warnings.size() == 1);
  CHECK(w.files.at("etc/agents.d/two.yaml").ends_with("removed: true\n"));
  CHECK_FALSE(w.now().agents.contains(agent_id{"two"}));
}

TEST_CASE("a change does what it says to the agent it names, or nothing") {
  written w;
  w.files["etc/agents.d/new.yaml"] = "id: other\nbase_url: http://o\n";
  const auto before = w.files;
  const auto taken = w.set("new", {{"id", "new"}, {"base_url", "http://n"}});
  CHECK(taken.what == kind::not_editable); // other would be gone
  CHECK(taken.why.find("other") != std::string::npos);
  CHECK(w.files == before);
  w.files["etc/agents.d/z.yaml"] = "id: one\nbase_url: http://z\n";
  const auto in_vain = w.set("one", {{"base_url", "http://n"}});
  CHECK(in_vain.what == kind::overruled);
  CHECK(in_vain.why == "etc/agents.d/z.yaml");
}

TEST_CASE("an agent is enabled and disabled beside the operator's file") {
  written w;
  CHECK_FALSE(w.enable("one", true).changed);
  CHECK(w.enable("one", false).changed);
  CHECK_FALSE(w.now().agents.at(agent_id{"one"}).enabled);
  CHECK_FALSE(w.enable("one", false).changed);
  CHECK(w.enable("one", true).changed);
  CHECK(w.now().agents.at(agent_id{"one"}).enabled);
  CHECK(w.enable("nobody", true).what == kind::unknown_agent);
  w.files["etc/agents.d/z.yaml"] = "id: one\nenabled: true\n";
  CHECK(w.enable("one", false).what == kind::overruled);
}

TEST_CASE("rooms are listed and moved, with words for everything that does not work") {
  std::optional<fault> wrong;
  rooms_desk::question asked;
  rooms_desk d;
  bool good = true;
  d.list = [&](const rooms_desk::question& q, const auto& done) {
    asked = q;
    done(good, {R"({"room":"!a:x"})"}, room_id{"!a:x"});
  };
  d.move = [&](const room_id&, const agent_id&, const auto& done) {
    done(wrong, true, platform_chat_id{7});
  };
  std::map<std::string, api_route> routes;
  add_rooms_routes(routes, d);
  answer got;
  const auto take = [&](int code, const std::string& text) { got = {code, json::parse(text)}; };
  routes.at("rooms").run({"GET", {}, {{"limit", "5"}, {"cursor", "!0"}, {"agent", "a"}}, {}, {}},
                         take);
  CHECK(got.status == 200);
  CHECK(got.body["next"] == "!a:x");
  CHECK(asked.limit == 5);
  CHECK(asked.after == room_id{"!0"});
  CHECK(asked.agent == agent_id{"a"});
  routes.at("rooms").run({"GET", {}, {{"limit", "x"}}, {}, {}}, take);
  CHECK(got.status == 400);
  good = false;
  routes.at("rooms").run({"GET", {}, {}, {}, {}}, take);
  CHECK(got.status == 503);
  const auto move = [&](const std::string& body) {
    routes.at("rooms/{room}/move").run({"POST", {{"room", "!a:x"}}, {}, body, {}}, take);
    return got.status;
  };
  CHECK(move(R"({"agent":"b"})") == 200);
  CHECK(got.body ==
        json{{"room", "!a:x"}, {"agent", "b"}, {"moved", true}, {"platform_chat_id", 7}});
  for (const auto* body : {"", "[]", "{}", R"({"agent":7})", R"({"agent":"-"})", R"("b")"})
    CHECK(move(body) == 400);
  const std::pair<fault_code, int> faults[] = {{fault_code::not_found, 404},
                                               {fault_code::malformed, 404},
                                               {fault_code::refused, 409},
                                               {fault_code::busy, 503},
                                               {fault_code::timed_out, 503}};
  for (const auto& [code, status] : faults) {
    wrong = fault{code, "x", {}};
    CHECK(move(R"({"agent":"b"})") == status);
  }
}
