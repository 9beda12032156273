#include "config/keys.hpp"
#include "config/problem.hpp"
#include "config/suggest.hpp"
#include "config/urls.hpp"

#include <algorithm>

namespace pb::config {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using text = const std::string&;

constexpr std::size_t most_endpoints = 64;

verdict set_path(agent_spec& a, text t) {
  const auto bad = [](char c) { return c <= 0x20 || c >= 0x7f || c == '#'; };
  if (t.empty() || t.size() > 1'024 || std::any_of(t.begin(), t.end(), bad))
    return wrong{quoted(t) + " is not a path"};
  a.path = t;
  return std::nullopt;
}

verdict set_protocol(agent_spec& a, text t) {
  const std::vector<std::string> known(protocol_names.begin(), protocol_names.end());
  // A refused one is kept as none: what depends on it is no second fault.
  const bool good = std::find(known.begin(), known.end(), t) != known.end();
  a.protocol = good ? t : "";
  return good ? std::nullopt : verdict{no_such_word(t, known)};
}

verdict add_endpoint(agent_spec& a, text t) {
  auto url = agent_base_url(t);
  if (!url)
    return url.error();
  if (std::find(a.base_urls.begin(), a.base_urls.end(), *url) != a.base_urls.end())
    return wrong{quoted(t) + " stands here a second time", "keep one of them"};
  if (a.base_urls.size() == most_endpoints)
    return wrong{"more than " + std::to_string(most_endpoints) + " endpoints",
                 "put a load balancer before them"};
  a.base_urls.push_back(*std::move(url));
  return std::nullopt;
}

verdict add_field(agent_spec& a, text t) {
  const std::vector<std::string> known{"user_id", "chat_id", "message_id"};
  if (std::find(known.begin(), known.end(), t) == known.end())
    return no_such_word(t, known);
  a.send.insert(t);
  return std::nullopt;
}

verdict add_feature(agent_spec& a, text t) {
  const auto feature = one_of<agent_feature>(t, {{"confirm", agent_feature::confirm},
                                                 {"cancel", agent_feature::cancel},
                                                 {"files", agent_feature::files}});
  if (!feature)
    return feature.error();
  a.features.insert(*feature);
  return std::nullopt;
}

verdict add_alias(agent_spec& a, text theirs, text ours) {
  for (const auto* t : {&theirs, &ours})
    if (auto ok = line(*t, 128); !ok)
      return ok.error();
  a.aliases[theirs] = ours;
  return std::nullopt;
}

verdict set_header(agent_spec& a, text t) {
  auto name = header_name(t);
  if (!name)
    return name.error();
  if (!a.auth)
    a.auth.emplace();
  a.auth->header = *std::move(name);
  return std::nullopt;
}

verdict set_secret(agent_spec& a, text t) {
  auto value = secret_text(t, 1);
  if (!value)
    return value.error();
  if (!a.auth)
    a.auth.emplace();
  a.auth->value = *std::move(value);
  return std::nullopt;
}

template <milliseconds agent_limits::*Field>
verdict set_time(agent_spec& a, text t) {
  return into(a.limits.*Field, duration(t, 10ms, 168h));
}

constexpr auto some_time = "a duration from 10ms to 7d, like 10s";

std::vector<agent_key> all_agent_keys() {
  return {
      {"id", shape::text, "letters, digits, '.', '_' and '-', first a letter or a digit", "",
       "the agent's name in users, rooms and logs",
       [](agent_spec& a, text t) { return into(a.id, agent_name(t)); }},
      {"label", shape::text, "a short text", "the id", "what people see",
       [](agent_spec& a, text t) { return into(a.label, line(t, 200)); }},
      {"base_url", shape::text,
       "an address like http://127.0.0.1:7000/agent_1 (http, https, ws, wss)", "",
       "the agent's address; a path prefix is kept",
       [](agent_spec& a, text t) { return into(a.base_url, agent_base_url(t)); }},
      {"base_urls", shape::list, "addresses like http://127.0.0.1:7000/agent_1", "[base_url]",
       "several endpoints of the same agent; a chat stays with its own while that one is there",
       add_endpoint, [](agent_spec& a) { a.base_urls.clear(); }},
      {"workspace_path", shape::path, "the path of a folder", "",
       "our side of the shared volume; without it files are declined",
       [](agent_spec& a, text t) { return into(a.workspace, line(t, 4'096)); }},
      {"protocol", shape::text, "agent-ws, acp, a2a, openai or ag-ui", "agent-ws",
       "how the agent is spoken to", set_protocol},
      {"path", shape::text, "a path, for agent-ws with {chat_id} in it", "/v1/agent_ws/{chat_id}/",
       "joined to base_url; other protocols have none by themselves", set_path},
      {"connection", shape::text, "turn or chat", "turn",
       "a connection for each turn, or one that is kept between turns",
       [](agent_spec& a, text t) {
         return into(a.connection, one_of<connection_mode>(t, {{"turn", connection_mode::turn},
                                                               {"chat", connection_mode::chat}}));
       }},
      {"send", shape::list, "any of user_id, chat_id, message_id", "[user_id, chat_id, message_id]",
       "extra fields of a message to the agent", add_field, [](agent_spec& a) { a.send.clear(); }},
      {"features", shape::list, "any of confirm, cancel, files", "[confirm, cancel, files]",
       "what the agent understands", add_feature, [](agent_spec& a) { a.features.clear(); }},
      {"idempotent", shape::text, "true or false", "false",
       "true: a turn may be sent again with the same message_id",
       [](agent_spec& a, text t) { return into(a.idempotent, boolean(t)); }},
      {"auth.header", shape::text, "the name of a header", "Authorization",
       "the header that carries the secret; Authorization: as a bearer token", set_header},
      {"auth.secret", shape::secret, "{env: NAME} or {file: PATH}", "",
       "what the agent expects in it", set_secret},
      {"events_token", shape::secret, "{env: NAME} or {file: PATH}", "",
       "what the agent shows when it posts events",
       [](agent_spec& a, text t) { return into(a.events_token, secret_text(t, 1)); }},
      {"aliases", shape::pairs, "a mapping of this agent's names to ours, like {say: text}", "{}",
       "type and field names of this agent", nullptr, nullptr, add_alias},
      {"limits.connect", shape::text, some_time, "10s", "until the handshake is done",
       set_time<&agent_limits::connect>},
      {"limits.first_event", shape::text, some_time, "60s",
       "after it the person is told that it takes longer", set_time<&agent_limits::first_event>},
      {"limits.event_idle", shape::text, some_time, "10m", "between two events of a turn",
       set_time<&agent_limits::event_idle>},
      {"limits.connection_idle", shape::text, some_time, "5m",
       "after it a kept connection is closed", set_time<&agent_limits::connection_idle>},
      {"limits.turn", shape::text, some_time, "1h", "a whole turn", set_time<&agent_limits::turn>},
      {"limits.concurrent_turns", shape::text, "a number from 1 to 10000", "8",
       "turns at the same time over all chats",
       [](agent_spec& a, text t) { return into(a.limits.concurrent_turns, number(t, 1, 10'000)); }},
      {"limits.queue", shape::text, "a number from 1 to 10000", "10000",
       "turns that wait for a place; one more is refused",
       [](agent_spec& a, text t) { return into(a.limits.queue, number(t, 1, 10'000)); }},
      {"limits.frame", shape::text, "a size from 1KiB to 64MiB, like 8MiB", "8MiB",
       "the largest frame from the agent",
       [](agent_spec& a, text t) {
         return into(a.limits.frame, size(t, 1'024, std::size_t{64} << 20));
       }},
      {"enabled", shape::text, "true or false", "true", "false: known, but not spoken to",
       [](agent_spec& a, text t) { return into(a.enabled, boolean(t)); }},
  };
}

} // namespace

const std::vector<agent_key>& agent_keys() {
  static const auto keys = [] {
    auto all = all_agent_keys();
    const auto own = protocol_keys();
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }();
  return keys;
}

} // namespace pb::config
