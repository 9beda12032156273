#include "config/keys.hpp"
#include "config/urls.hpp"

#include <cctype>

namespace pb::config {

namespace {

using namespace std::chrono_literals;
using text = const std::string&;

constexpr std::size_t shortest_token = 16;

verdict homeserver(settings& s, text t) {
  s.homeserver.embedded = t == "embedded";
  if (!s.homeserver.embedded)
    return into(s.homeserver.url, homeserver_url(t));
  s.homeserver.url.clear();
  return std::nullopt;
}

verdict confirmation_ttl(settings& s, text t) {
  const auto value = duration(t, 1s, 720h);
  if (!value)
    return value.error();
  if (*value % 1s != 0ms)
    return wrong{"a part of a second does not count here", "write whole seconds"};
  s.confirmation_ttl = std::chrono::duration_cast<std::chrono::seconds>(*value);
  return std::nullopt;
}

template <class Item>
verdict append(std::vector<Item>& items, parsed<Item> item) {
  if (!item)
    return std::move(item.error());
  items.push_back(*std::move(item));
  return std::nullopt;
}

verdict admin_listen(settings& s, text t) {
  s.admin.listen_given = true;
  return into(s.admin.listen, host_and_port(t));
}

std::vector<process_key> all_process_keys() {
  return {
      {"homeserver.url", shape::text, "an address like https://matrix.example.org, or embedded", "",
       "the homeserver; embedded: a development homeserver inside the process", homeserver, nullptr,
       nullptr, "MATRIX_HOMESERVER"},
      {"homeserver.user_id", shape::text, "a user id in quotes like \"@agents:example.org\"", "",
       "the bot's account",
       [](settings& s, text t) { return into(s.homeserver.user, matrix_user(t)); }, nullptr,
       nullptr, "MATRIX_USER_ID"},
      {"homeserver.access_token", shape::secret, "{env: NAME} or {file: PATH}", "",
       "the bot's token; it wins over a password",
       [](settings& s, text t) { return into(s.homeserver.access_token, secret_text(t, 1)); },
       nullptr, nullptr, "MATRIX_ACCESS_TOKEN"},
      {"homeserver.password", shape::secret, "{env: NAME} or {file: PATH}", "",
       "the bot's password, for a login without a token",
       [](settings& s, text t) { return into(s.homeserver.password, secret_text(t, 1)); }, nullptr,
       nullptr, "MATRIX_PASSWORD"},
      {"homeserver.device_id", shape::text, "a device id of at most 255 bytes", "PATCHBAY",
       "the device of a login by password; with a token the homeserver says it",
       [](settings& s, text t) { return into(s.homeserver.device, line(t, 255)); }, nullptr,
       nullptr, "MATRIX_DEVICE_ID"},
      {"registry", shape::path, "the path of the agent registry", "matrix-agents.yaml",
       "the agent registry; without this key it is read where it lies beside the file",
       [](settings& s, text t) { return into(s.registry, line(t, 4'096)); }, nullptr, nullptr,
       "MATRIX_AGENT_REGISTRY_PATH"},
      {"data_dir", shape::path, "the path of a folder", "data",
       "database, keys, backups; one process at a time",
       [](settings& s, text t) { return into(s.data_dir, line(t, 4'096)); }},
      {"language", shape::text, "en or ru", "en", "what the bot says to newcomers",
       [](settings& s, text t) {
         return into(s.lang, one_of<language>(t, {{"en", language::en}, {"ru", language::ru}}));
       }},
      {"access.invites", shape::text, "registered, server or anyone", "registered",
       "whose invitations are accepted: users of the registry, users of the same homeserver, or "
       "anyone; without user_agents in the registry the default is server, embedded: anyone",
       [](settings& s, text t) {
         return into(s.access.invites,
                     one_of<invite_policy>(t, {{"registered", invite_policy::registered},
                                               {"server", invite_policy::server},
                                               {"anyone", invite_policy::anyone}}));
       }},
      {"access.operators", shape::list, "user ids in quotes like \"@admin:example.org\"", "[]",
       "who may do everything in every room",
       [](settings& s, text t) { return append(s.access.operators, matrix_user(t)); },
       [](settings& s) { s.access.operators.clear(); }},
      {"access.turns_per_minute", shape::text, "a number from 0 (no limit) to 100000", "30",
       "turns per person; past it a message waits",
       [](settings& s, text t) { return into(s.access.turns_per_minute, number(t, 0, 100'000)); }},
      {"rooms.queue_limit", shape::text, "a number from 1 to 10000", "32",
       "messages that may wait in a room",
       [](settings& s, text t) { return into(s.rooms.queue_limit, number(t, 1, 10'000)); }},
      {"rooms.max_message_bytes", shape::text, "a size from 1 to 65536 bytes", "32768",
       "the longest text of a person that is taken",
       [](settings& s, text t) { return into(s.rooms.max_message_bytes, size(t, 1, 65'536)); }},
      {"streaming.mode", shape::text, "edits or final", "edits",
       "edits: the answer grows while it is written; final: one message at its end",
       [](settings& s, text t) {
         return into(s.streaming.mode,
                     one_of<streaming_mode>(t, {{"edits", streaming_mode::edits},
                                                {"final", streaming_mode::final_only}}));
       }},
      {"streaming.min_interval", shape::text, "a duration from 100ms to 10m, like 1s", "1s",
       "the shortest time between two edits of an answer",
       [](settings& s, text t) {
         return into(s.streaming.min_interval, duration(t, 100ms, 10min));
       }},
      {"streaming.max_interval", shape::text, "a duration from 100ms to 10m, like 5s", "5s",
       "the longest time between two edits of an answer",
       [](settings& s, text t) {
         return into(s.streaming.max_interval, duration(t, 100ms, 10min));
       }},
      {"streaming.max_edits", shape::text, "a number from 0 to 1000", "30", "edits of one answer",
       [](settings& s, text t) { return into(s.streaming.max_edits, number(t, 0, 1'000)); }},
      {"confirmations.ttl", shape::text, "a duration from 1s to 30d, like 30m", "30m",
       "how long a question of an agent stays open", confirmation_ttl},
      {"files.max_bytes", shape::text, "a size from 1B to 16GiB, like 64MiB", "64MiB",
       "the largest file in either direction",
       [](settings& s, text t) {
         return into(s.files.max_bytes, size(t, 1, std::size_t{16} << 30));
       }},
      {"files.incoming", shape::text, "a folder below the workspace, or \"\" for its root",
       "incoming", "where files from a room are put",
       [](settings& s, text t) { return into(s.files.incoming, relative_path(t)); }},
      {"files.mode", shape::text, "an octal mode like \"0664\"", "\"0664\"",
       "the mode of files from a room",
       [](settings& s, text t) { return into(s.files.mode, file_mode(t)); }},
      {"files.deny", shape::list, "patterns in quotes like \"config/**\"",
       "[\"config/**\", \".*\"]", "paths of a workspace that never leave it",
       [](settings& s, text t) { return append(s.files.deny, line(t, 512)); },
       [](settings& s) { s.files.deny.clear(); }},
      {"files.chat_quota", shape::text, "a size from 0 (no limit) to 1024GiB, like 1GiB", "1GiB",
       "bytes of files from a room in its folder of the workspace; does not count where "
       "files.incoming is \"\"",
       [](settings& s, text t) {
         return into(s.files.chat_quota, size(t, 0, std::size_t{1} << 40));
       }},
      {"storage.path", shape::path, "the path of the database", "{data_dir}/patchbay.db",
       "the database", [](settings& s, text t) { return into(s.storage.path, line(t, 4'096)); },
       nullptr, nullptr, "MATRIX_DB_PATH"},
      {"storage.synchronous", shape::text, "full or normal", "full",
       "full: what was said survives a power cut",
       [](settings& s, text t) {
         return into(s.storage.synchronous,
                     one_of<synchronous_mode>(t, {{"full", synchronous_mode::full},
                                                  {"normal", synchronous_mode::normal}}));
       }},
      {"storage.retention", shape::text, "a duration from 1h to 3650d, like 30d", "30d",
       "how long what is settled stays readable: messages, turns, what was sent",
       [](settings& s, text t) { return into(s.storage.retention, duration(t, 1h, 87'600h)); }},
      {"admin.listen", shape::text, "host:port like 127.0.0.1:8780 or \"[::1]:8780\"",
       "127.0.0.1:8780", "where console, admin API, health and metrics are served", admin_listen},
      {"admin.token", shape::secret, "{env: NAME} or {file: PATH}", "",
       "the admin API's token, 16 characters or longer; without one it is made in data_dir",
       [](settings& s, text t) { return into(s.admin.token, secret_text(t, shortest_token)); }},
      {"agents_api.listen", shape::nullable, "host:port like 127.0.0.1:8781, or null", "null",
       "another address for the events that agents post",
       [](settings& s, text t) { return into(s.agents_api, host_and_port(t)); },
       [](settings& s) { s.agents_api.reset(); }},
      {"log.format", shape::text, "text or json", "text", "how log lines look",
       [](settings& s, text t) {
         return into(s.log.format, one_of<log_format>(t, {{"text", log_format::text},
                                                          {"json", log_format::json}}));
       }},
      {"log.level", shape::text, "debug, info, warning or error", "info",
       "what is worth a log line",
       [](settings& s, text t) {
         return into(s.log.level, one_of<log_level>(t, {{"debug", log_level::debug},
                                                        {"info", log_level::info},
                                                        {"warning", log_level::warning},
                                                        {"error", log_level::error}}));
       }},
      {"shutdown.drain", shape::text, "a duration from 0 to 1h, like 20s", "20s",
       "how long running turns may go on at the end",
       [](settings& s, text t) { return into(s.drain, duration(t, 0ms, 1h)); }},
  };
}

} // namespace

const std::vector<process_key>& process_keys() {
  static const auto keys = all_process_keys();
  return keys;
}

std::string environment_name(std::string_view path) {
  std::string out = "PATCHBAY_";
  for (const char c : path)
    out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

} // namespace pb::config
