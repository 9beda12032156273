#include "tests/simulate/chronicle.hpp"

#include <cstdio>

namespace pb::simulate {
namespace {

bool is_send(const http_request& r) {
  return r.method == "PUT" && r.target.find("/send/") != std::string::npos;
}

std::string room_of(const std::string& target) {
  const auto at = target.find("/rooms/");
  if (at == std::string::npos)
    return {};
  auto room = target.substr(at + 7, target.find_first_of("/?", at + 7) - at - 7);
  for (const auto& [code, sign] : {std::pair{"%21", "!"}, {"%3A", ":"}})
    for (auto i = room.find(code); i != std::string::npos; i = room.find(code))
      room.replace(i, 3, sign);
  return room;
}

std::string short_path(const std::string& target) {
  const auto from = target.find("/v3/");
  return target.substr(from == std::string::npos ? 0 : from + 3, 120);
}

/// A number of seconds in the header, or of milliseconds in the body.
std::optional<milliseconds> asked_pause(const http_response& r) {
  if (const auto* h = find_header(r.headers, "Retry-After")) {
    if (h->empty() || h->find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    return std::chrono::seconds(std::stoll(*h));
  }
  const auto j = json::parse(r.body, nullptr, false);
  if (j.is_object() && j.contains("retry_after_ms") && j["retry_after_ms"].is_number_integer())
    return milliseconds(j["retry_after_ms"].get<std::int64_t>());
  return std::nullopt;
}

} // namespace

std::int64_t stream_position(const std::string& token) {
  std::int64_t out = 0;
  for (std::size_t i = 1; i < token.size() && token[i] >= '0' && token[i] <= '9'; ++i)
    out = out * 10 + (token[i] - '0');
  return out;
}

void chronicle::note(milliseconds now, const std::string& about, const std::string& what) {
  auto text = std::to_string(now.count()) + " " + (about.empty() ? "" : about + " ") + what;
  for (const char c : text)
    hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  if (aloud_)
    std::printf("%s\n", text.c_str());
  lines_.push_back({about, std::move(text)});
}

void chronicle::fail(std::string check, std::string room, std::string what) {
  violations.push_back({std::move(check), std::move(room), std::move(what)});
}

void chronicle::on_request(milliseconds now, const http_request& r) {
  if (!is_send(r))
    return;
  const auto found = rests_.find(r.body);
  if (found == rests_.end())
    return;
  auto& [until, early] = found->second;
  if (now >= until)
    early = 0;
  // Once can be another room's shorter pause that ended; three times in a row is hammering.
  else if (++early == 3)
    fail("N1 a pause that the homeserver asked for is kept", room_of(r.target),
         "sent three times too early, now by " + std::to_string((until - now).count()) +
             " ms: " + short_path(r.target));
}

void chronicle::on_served(milliseconds now, const http_request& r, const http_response& got) {
  if (is_send(r)) {
    const auto path = r.target.substr(0, r.target.find('?'));
    const auto [first, fresh] = bodies_.try_emplace(path, r.body);
    if (!fresh && first->second != r.body)
      fail("I3 the bytes of a transaction never change", room_of(r.target), short_path(path));
  }
  if (got.status != 200 || r.target.find("/sync?") == std::string::npos ||
      r.target.find("since=") == std::string::npos ||
      got.body.find("\"m.room.message\"") == std::string::npos)
    return;
  const auto j = json::parse(got.body, nullptr, false);
  if (!j.is_object())
    return;
  const auto end = stream_position(j.value("next_batch", ""));
  const auto joined = j.value(json::json_pointer("/rooms/join"), json::object());
  for (const auto& [room, part] : joined.items())
    for (const auto& e : part.value(json::json_pointer("/timeline/events"), json::array()))
      if (e.value("type", "") == "m.room.message" && e.value("sender", "") != "@bot:localhost" &&
          seen_streamed_.insert(e.value("event_id", "")).second)
        streamed_.emplace(end, streamed{room, e.value("event_id", "")});
  (void)now;
}

void chronicle::on_told(milliseconds now, const http_request& r, const http_result& got) {
  std::string how = "no answer";
  if (got)
    how = std::to_string(got->status);
  else
    how = std::string{to_string(got.error().error)} + (got.error().sent ? " (sent)" : "");
  std::string extra;
  if (r.target.find("/sync?") != std::string::npos && got && got->body.size() > 400)
    extra = " " + std::to_string(got->body.size()) + " bytes";
  if (is_send(r)) {
    const auto j = json::parse(r.body, nullptr, false);
    const auto kind = j.value(json::json_pointer("/io.patchbay.delivery/kind"), "");
    extra = " " + kind + " to " +
            j.value(json::json_pointer("/m.relates_to/m.in_reply_to/event_id"), "nothing") + ": " +
            j.value("body", "").substr(0, 60);
    if (got && got->status == 429)
      if (const auto pause = asked_pause(*got))
        rests_[r.body].until = now + *pause;
  }
  note(now, room_of(r.target), r.method + " " + short_path(r.target) + " -> " + how + extra);
}

void chronicle::check_cursor(const std::string& cursor, const std::string& when) {
  const auto end = stream_position(cursor);
  for (auto i = streamed_.begin(); i != streamed_.end() && i->first <= end;) {
    const auto& [room, event] = i->second;
    if (!admitted.contains(event) && !rooms_left.contains(room))
      missing.push_back({room, event, "cursor " + cursor + " " + when});
    i = streamed_.erase(i);
  }
}

std::vector<std::string> chronicle::last_lines(const std::string& room, std::size_t most) const {
  std::vector<std::string> out;
  for (auto i = lines_.rbegin(); i != lines_.rend() && out.size() < most; ++i)
    if (room.empty() || i->about.empty() || i->about == room)
      out.push_back(i->text);
  return {out.rbegin(), out.rend()};
}

} // namespace pb::simulate
