#include "config/differences.hpp"

#include <utility>

namespace pb::config {

namespace {

using compare = bool (*)(const settings&, const settings&);

#define PB_KEY(path, field)                                                                        \
  {                                                                                                \
    path, [](const settings& a, const settings& b) { return a.field == b.field; }                  \
  }

constexpr std::pair<std::string_view, compare> keys[] = {
    {"homeserver.url",
     [](const settings& a, const settings& b) {
       return a.homeserver.embedded == b.homeserver.embedded &&
              a.homeserver.url == b.homeserver.url;
     }},
    PB_KEY("homeserver.user_id", homeserver.user),
    PB_KEY("homeserver.access_token", homeserver.access_token),
    PB_KEY("homeserver.password", homeserver.password),
    PB_KEY("homeserver.device_id", homeserver.device),
    PB_KEY("registry", registry),
    PB_KEY("data_dir", data_dir),
    PB_KEY("language", lang),
    PB_KEY("access.invites", access.invites),
    PB_KEY("access.operators", access.operators),
    PB_KEY("access.turns_per_minute", access.turns_per_minute),
    PB_KEY("rooms.queue_limit", rooms.queue_limit),
    PB_KEY("rooms.max_message_bytes", rooms.max_message_bytes),
    PB_KEY("streaming.mode", streaming.mode),
    PB_KEY("streaming.min_interval", streaming.min_interval),
    PB_KEY("streaming.max_interval", streaming.max_interval),
    PB_KEY("streaming.max_edits", streaming.max_edits),
    PB_KEY("confirmations.ttl", confirmation_ttl),
    PB_KEY("files.max_bytes", files.max_bytes),
    PB_KEY("files.incoming", files.incoming),
    PB_KEY("files.mode", files.mode),
    PB_KEY("files.deny", files.deny),
    PB_KEY("files.chat_quota", files.chat_quota),
    PB_KEY("storage.path", storage.path),
    PB_KEY("storage.synchronous", storage.synchronous),
    PB_KEY("storage.retention", storage.retention),
    {"admin.listen",
     [](const settings& a, const settings& b) {
       return a.admin.listen == b.admin.listen && a.admin.listen_given == b.admin.listen_given;
     }},
    PB_KEY("admin.token", admin.token),
    PB_KEY("agents_api.listen", agents_api),
    PB_KEY("log.format", log.format),
    PB_KEY("log.level", log.level),
    PB_KEY("shutdown.drain", drain),
};

#undef PB_KEY

} // namespace

std::vector<std::string_view> differing_keys(const settings& a, const settings& b) {
  std::vector<std::string_view> out;
  for (const auto& [path, equal] : keys)
    if (!equal(a, b))
      out.push_back(path);
  return out;
}

} // namespace pb::config
