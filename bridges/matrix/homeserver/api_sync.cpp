// The parameters of a sync; the work is in sync_answer.cpp and sync_wait.cpp.

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>
#include <charconv>

namespace pb::hs::api {
namespace {

constexpr std::int64_t longest_wait_ms = 600'000;

sync_filter filter_of(const call& c, const std::string& text) {
  if (text.starts_with('{'))
    return read_sync_filter(parse_json(text));
  std::size_t index = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, index);
  if (error != std::errc() || stop != end || index >= c.who->filters.size())
    refuse(400, "M_INVALID_PARAM", "No such filter");
  return read_sync_filter(c.who->filters[index]);
}

} // namespace

answer sync(server& s, call& c) {
  sync_question q;
  q.who = c.who;
  q.device = c.device;
  const auto timeout = c.ask_int("timeout").value_or(0);
  q.full_state = c.ask_bool("full_state");
  const auto presence = c.ask("set_presence").value_or("online");
  if (presence != "online" && presence != "offline" && presence != "unavailable")
    refuse(400, "M_INVALID_PARAM",
           "Query parameter 'set_presence' must be one of offline, online, unavailable");
  const auto filter = c.ask("filter");
  if (filter)
    q.filter = filter_of(c, *filter);
  if (const auto since = c.ask("since")) {
    q.since = read_token(*since);
    if (!q.since)
      refuse(400, "M_UNKNOWN", "Invalid stream token");
    // A token of a life that this server does not remember must not wait for its time to come.
    q.since->stream = std::min(q.since->stream, s.w.head());
    q.since->to_device = std::min(q.since->to_device, s.w.to_device_head());
  }
  c.who->presence = presence;
  // As Synapse: the same first sync again within two minutes gets the same answer, however old.
  const auto key = device_key(c.who->id, c.device) + ' ' + std::to_string(timeout) + ' ' +
                   (q.full_state ? "full " : "- ") + filter.value_or("");
  return s.syncs.sync(s.w, s.clock, std::move(q),
                      std::chrono::milliseconds(std::min(timeout, longest_wait_ms)), key, c.reply);
}

} // namespace pb::hs::api
