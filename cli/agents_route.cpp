#include "cli/agents_route.hpp"

#include "cli/page_query.hpp"
#include "config/scalars.hpp"
#include "messages/json_text.hpp"

#include <nlohmann/json.hpp>

namespace pb::cli {
namespace {

using nlohmann::json;
using desk_ptr = std::shared_ptr<const agents_desk>;

json list_of(const std::vector<config::problem>& problems) {
  auto out = json::array();
  for (const auto& p : problems)
    out.push_back({{"file", p.file},
                   {"line", p.line},
                   {"column", p.column},
                   {"what", p.what},
                   {"instead", p.instead}});
  return out;
}

std::string fault_with(const char* code, const std::string& message, const std::string& hint,
                       const std::vector<config::problem>& faults) {
  return json_text(
      json({{"code", code}, {"message", message}, {"hint", hint}, {"faults", list_of(faults)}}));
}

void answer_change(const change_outcome& out, json good, const api_done& done) {
  using kind = change_outcome::kind;
  switch (out.what) {
  case kind::done:
    good["changed"] = out.changed;
    good["file"] = out.file.empty() ? json{} : json(out.file);
    good["warnings"] = list_of(out.warnings);
    return done(200, json_text(good));
  case kind::no_registry:
    return done(409, api_error("no_registry", "This router has no registry file.",
                               "Write registry: matrix-agents.yaml into patchbay.yaml and restart: "
                               "changes are written to agents.d beside that file."));
  case kind::unknown_agent:
    return done(404, api_error("unknown_agent", "The registry has no agent of this id.",
                               "GET /api/v1/agents lists them."));
  case kind::invalid:
    return done(400, fault_with("invalid_agent",
                                out.faults.front().what +
                                    (out.faults.size() > 1
                                         ? " (and " + std::to_string(out.faults.size() - 1) +
                                               " more faults)"
                                         : ""),
                                out.faults.front().instead, out.faults));
  case kind::registry_bad:
    return done(409, fault_with("registry_bad",
                                "The registry on the disk has faults already, so nothing was "
                                "changed.",
                                "Put them right first; `patchbay check` shows all of them.",
                                out.faults));
  case kind::overruled:
    return done(409, api_error("overruled",
                               "The file " + out.why +
                                   " says otherwise and is read "
                                   "later.",
                               "Change it there."));
  case kind::not_editable:
    return done(409, api_error("not_editable",
                               "The file " + out.file + " cannot be changed here: " + out.why + ".",
                               "Change it by hand, or write it with one key a line."));
  case kind::not_writable:
    return done(409, api_error("not_writable",
                               "The file " + out.file + " cannot be written: " + out.why + ".",
                               "Make the folder agents.d writable for the router, or change the "
                               "registry by hand: it is read again within two seconds."));
  case kind::busy:
    return done(503, api_error("busy", "Too many changes wait, or the router is stopping.",
                               "Send it again in a while."));
  }
}

json registry_state(const registry_view& v) {
  return {{"state", v.file.empty() ? "none"
                    : v.good       ? "ok"
                                   : "bad"},
          {"file", v.file.empty() ? json{} : json(v.file)},
          {"in_force_since", v.in_force_since},
          {"reloads", v.reloads},
          {"problems", v.problems}};
}

/// An agent of the registry with what its connection says of itself.
json item_of(const agent_spec& spec, const std::vector<std::string>* sources, json status) {
  auto out = status.is_object() ? std::move(status) : json::object();
  out["id"] = spec.id.value;
  out["label"] = spec.label;
  out["protocol"] = spec.protocol;
  out["base_url"] = spec.base_url.empty() ? json{} : json(spec.base_url);
  if (spec.base_urls.size() > 1)
    out["base_urls"] = spec.base_urls;
  if (!spec.process.command.empty()) // arguments may hold anything
    out["process"] = spec.process.command.front();
  out["enabled"] = spec.enabled;
  if (!out.contains("draining"))
    out.update({{"draining", false},
                {"state", "unknown"},
                {"turns", 0},
                {"waiting", 0},
                {"last_trouble", ""}});
  out["source"] = sources == nullptr || sources->empty() ? json{} : json(sources->back());
  return out;
}

void list(const agents_desk& desk, const api_request& r, const api_done& done) {
  const auto page = page_query::of(r, 200, 1'000);
  if (!page)
    return done(400, page_query::refused(1'000));
  desk.status([view = desk.view(), page = *page, done](const std::string& text) {
    std::map<std::string, json> status;
    const auto all = json::parse(text, nullptr, false);
    if (all.is_object() && all.contains("agents") && all["agents"].is_array())
      for (const auto& a : all["agents"])
        if (a.is_object() && a.contains("id") && a["id"].is_string())
          status[a["id"].get<std::string>()] = a;
    // Those that are gone from the registry and still finish something are shown, too.
    std::map<std::string, json> items;
    for (const auto& [id, spec] : view->agents.agents) {
      const auto from = view->sources.find(id);
      items[id.value] = item_of(spec, from == view->sources.end() ? nullptr : &from->second,
                                status.contains(id.value) ? status[id.value] : json{});
    }
    for (auto& [id, one] : status)
      if (!items.contains(id)) {
        one["source"] = json{};
        items[id] = one;
      }
    json out{{"items", json::array()}, {"next", nullptr}, {"registry", registry_state(*view)}};
    for (auto i = items.upper_bound(page.cursor); i != items.end(); ++i) {
      if (out["items"].size() == page.limit) {
        out["next"] = out["items"].back()["id"];
        break;
      }
      out["items"].push_back(i->second);
    }
    done(200, json_text(out));
  });
}

/// Nothing: it was answered that dry_run is neither true nor false.
std::optional<bool> dry_run(const api_request& r, const api_done& done) {
  const auto i = r.query.find("dry_run");
  if (i == r.query.end() || i->second == "false")
    return false;
  if (i->second == "true")
    return true;
  done(400, api_error("bad_request", "dry_run is neither true nor false",
                      "write ?dry_run=true or leave it out"));
  return std::nullopt;
}

void add(const agents_desk& desk, const api_request& r, const api_done& done) {
  const auto dry = dry_run(r, done);
  if (!dry)
    return;
  auto what = change_of_json(r.body);
  if (!what)
    return done(400, api_error("bad_request", what.error(),
                               "The body is an agent as in the registry: {\"id\": …, \"base_url\": "
                               "…}; a secret is {\"env\": NAME} or {\"file\": PATH}."));
  what->dry_run = *dry;
  json good{{"id", what->id.value}, {"dry_run", *dry}};
  desk.change(*std::move(what), [good, done](const change_outcome& out) mutable {
    good["added"] = out.fresh;
    answer_change(out, std::move(good), done);
  });
}

/// The id of the path; nothing: it was answered that it is none.
std::optional<agent_id> agent_of(const api_request& r, const api_done& done) {
  auto id = config::agent_name(r.params.at("id"));
  if (id)
    return *std::move(id);
  done(404, api_error("unknown_agent", "The registry has no agent of this id.",
                      "GET /api/v1/agents lists them."));
  return std::nullopt;
}

void remove(const agents_desk& desk, const api_request& r, const api_done& done) {
  const auto dry = dry_run(r, done);
  const auto id = dry ? agent_of(r, done) : std::nullopt;
  if (!id)
    return;
  agent_change what;
  what.id = *id;
  what.remove = true;
  what.dry_run = *dry;
  desk.change(std::move(what), [good = json{{"id", id->value}, {"dry_run", *dry}}, done](
                                   const change_outcome& out) { answer_change(out, good, done); });
}

void drain(const agents_desk& desk, const api_request& r, const api_done& done) {
  const auto dry = dry_run(r, done);
  const auto id = dry ? agent_of(r, done) : std::nullopt;
  if (!id)
    return;
  const auto unknown = [done] {
    done(404, api_error("unknown_agent", "The registry has no agent of this id.",
                        "GET /api/v1/agents lists them."));
  };
  if (*dry) // nothing is written in any case: it only looks whether the agent is there
    return desk.view()->agents.agents.contains(*id)
               ? done(200,
                      json_text(json({{"id", id->value}, {"draining", true}, {"dry_run", true}})))
               : unknown();
  desk.drain(*id, true, [done, unknown, id = *id](const std::optional<fault>& wrong) {
    if (!wrong)
      return done(200, json_text(json({{"id", id.value}, {"draining", true}})));
    if (wrong->code == fault_code::not_found)
      return unknown();
    done(503, api_error("busy", "The agents do not answer now.", "Send it again in a while."));
  });
}

void enable(const desk_ptr& desk, bool on, const api_request& r, const api_done& done) {
  const auto dry = dry_run(r, done);
  const auto id = dry ? agent_of(r, done) : std::nullopt;
  if (!id)
    return;
  agent_change what;
  what.id = *id;
  what.must_exist = true;
  what.enabled = on;
  what.edits = {{"enabled", on ? "true" : "false"}};
  what.dry_run = *dry;
  json good{{"id", id->value}, {"enabled", on}, {"dry_run", *dry}};
  desk->change(std::move(what), [=](const change_outcome& out) {
    if (out.what != change_outcome::kind::done || !on || *dry)
      return answer_change(out, good, done);
    // It also ends a drain, whether anything was written or not.
    desk->drain(*id, false, [=](const std::optional<fault>&) { answer_change(out, good, done); });
  });
}

} // namespace

void add_agents_routes(std::map<std::string, api_route>& routes, agents_desk desk) {
  const auto d = std::make_shared<const agents_desk>(std::move(desk));
  routes["agents"] = {{"GET", "POST"},
                      [d](const api_request& r, const api_done& done) {
                        r.method == "GET" ? list(*d, r, done) : add(*d, r, done);
                      },
                      false};
  routes["agents/{id}"] = {
      {"DELETE"}, [d](const auto& r, const auto& done) { remove(*d, r, done); }, false};
  routes["agents/{id}/drain"] = {
      {"POST"}, [d](const auto& r, const auto& done) { drain(*d, r, done); }, false};
  routes["agents/{id}/enable"] = {
      {"POST"}, [d](const auto& r, const auto& done) { enable(d, true, r, done); }, false};
  routes["agents/{id}/disable"] = {
      {"POST"}, [d](const auto& r, const auto& done) { enable(d, false, r, done); }, false};
}

} // namespace pb::cli
