#include "tests/bench/world/homeserver.hpp"

#include "tests/bench/common/text.hpp"

#include <algorithm>
#include <chrono>

namespace pb::bench {

namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1); // the slash
    const auto part = path.substr(0, path.find('/'));
    parts.push_back(percent_decode(part));
    path.remove_prefix(part.size());
  }
  return parts;
}

reply error(unsigned status, std::string_view code, std::string_view text) {
  std::string body = "{\"errcode\":\"";
  body += code;
  body += "\",\"error\":";
  append_json(body, text);
  return {status, body + "}"};
}

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

std::string_view string_at(simdjson::dom::element e, std::string_view pointer) {
  std::string_view value;
  return e.at_pointer(pointer).get(value) ? std::string_view{} : value;
}

} // namespace

std::optional<reply> homeserver::handle(std::string_view method, std::string_view target,
                                        std::string_view body, held_poll& held) {
  ++oracle_.counts.requests;
  const auto mark = target.find('?');
  const auto query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  const auto parts = split(target.substr(0, mark));
  if (parts.size() < 3 || parts[0] != "_matrix" || parts[1] != "client")
    return unrecognized(method, target);
  if (parts[2] == "versions")
    return reply{200, R"({"versions":["r0.6.1","v1.1","v1.6","v1.11"],"unstable_features":{}})"};
  if (parts.size() < 4)
    return unrecognized(method, target);
  const auto& what = parts[3];
  if (what == "sync" && method == "GET")
    return sync(query, held);
  if (what == "rooms" && parts.size() >= 6)
    return in_room(method, parts, query, body);
  if (what == "user" && parts.size() >= 6)
    return of_user(method, parts, body);
  if (what == "joined_rooms")
    return reply{200, joined_rooms()};
  if (what == "account" && parts.size() == 5 && parts[4] == "whoami")
    return reply{200, R"({"user_id":"@patchbay:bench","device_id":"BENCH","is_guest":false})"};
  if (what == "login" && method == "GET")
    return reply{200, R"({"flows":[{"type":"m.login.password"}]})"};
  if (what == "login")
    return reply{200,
                 R"({"user_id":"@patchbay:bench","access_token":"bench","device_id":"BENCH"})"};
  if (what == "capabilities")
    return reply{200, R"({"capabilities":{"m.room_versions":{"default":"10",)"
                      R"("available":{"10":"stable"}}}})"};
  if (what == "join" && parts.size() == 5)
    return reply{200, "{\"room_id\":" + json_string(parts[4]) + "}"};
  if (what == "profile" && method == "GET")
    return reply{200, R"({"displayname":"Patchbay"})"};
  if ((what == "profile" || what == "presence") && method == "PUT")
    return reply{200, "{}"};
  return unrecognized(method, target);
}

std::optional<reply> homeserver::sync(std::string_view query, held_poll& held) {
  ++oracle_.counts.polls;
  const auto since = query_value(query, "since");
  if (since.empty())
    return reply{200, first_sync()};
  held.since = leading_number(since.substr(1));
  held.timeout_ms = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(leading_number(query_value(query, "timeout")), 60'000));
  if (on_poll)
    on_poll(held.since);
  if (has_news(held.since) || held.timeout_ms == 0)
    return reply{200, sync_since(held.since), has_news(held.since)};
  return std::nullopt;
}

std::string homeserver::sync_since(std::uint64_t since) const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> news;
  for (auto n = since; n < oracle_.size(); ++n)
    news.emplace_back(oracle_.room_of(n), n);
  std::sort(news.begin(), news.end());
  const auto ts = wall_ms();
  std::string out = "{\"next_batch\":\"s";
  append_number(out, std::max(since, oracle_.size()));
  out += "\",\"device_one_time_keys_count\":{},\"rooms\":{\"join\":{";
  for (std::size_t at = 0; at < news.size();) {
    const auto room = news[at].first;
    if (at)
      out += ',';
    append_json(out, topology::id_of({false, room}));
    out += ":{\"timeline\":{\"limited\":false,\"prev_batch\":\"s";
    append_number(out, since);
    out += "\",\"events\":[";
    for (; at < news.size() && news[at].first == room; ++at) {
      if (out.back() != '[')
        out += ',';
      append_message(out, news[at].second, ts);
    }
    out += "]},\"state\":{\"events\":[]},\"ephemeral\":{\"events\":[]},"
           "\"account_data\":{\"events\":[]},\"unread_notifications\":{}}";
  }
  return out + "}}}";
}

void homeserver::append_message(std::string& out, std::uint64_t message, std::uint64_t ts) const {
  out += "{\"type\":\"m.room.message\",\"event_id\":\"";
  out += oracle::event_id_of(message);
  out += "\",\"sender\":";
  append_json(out, topology::person_id(rooms_.person_of(oracle_.room_of(message))));
  out += ",\"origin_server_ts\":";
  append_number(out, ts);
  out += ",\"content\":{\"msgtype\":\"m.text\",\"body\":";
  append_json(out, oracle_.text_of(message));
  out += ",\"m.mentions\":{}},\"unsigned\":{\"age\":1}}";
}

std::string homeserver::messages(place where, std::string_view query) const {
  const auto from = query_value(query, "from");
  const auto before = from.empty() ? oracle_.size() : leading_number(from.substr(1));
  const auto limit = std::clamp<std::uint64_t>(leading_number(query_value(query, "limit")), 1, 100);
  std::vector<std::uint64_t> page;
  if (!where.space)
    page = oracle_.history(where.index, before, limit);
  std::string out = "{\"start\":\"s";
  append_number(out, before);
  if (page.size() == limit) { // less: the room began here
    out += "\",\"end\":\"s";
    append_number(out, page.back());
  }
  out += "\",\"chunk\":[";
  const auto ts = wall_ms();
  for (const auto message : page) {
    if (out.back() != '[')
      out += ',';
    append_message(out, message, ts);
  }
  return out + "]}";
}

std::string homeserver::first_sync() const {
  std::string out = "{\"next_batch\":\"s";
  append_number(out, oracle_.size());
  out += "\",\"device_one_time_keys_count\":{},\"rooms\":{\"join\":{";
  const auto add = [&](place p) {
    if (out.back() != '{')
      out += ',';
    append_json(out, topology::id_of(p));
    out += ":{\"timeline\":{\"limited\":false,\"prev_batch\":\"s0\",\"events\":[]},"
           "\"state\":{\"events\":";
    rooms_.append_state(out, p);
    out += "},\"ephemeral\":{\"events\":[]},\"account_data\":{\"events\":[]},"
           "\"unread_notifications\":{},\"summary\":{\"m.joined_member_count\":2}}";
  };
  for (std::uint32_t person = 0; person < rooms_.people(); ++person)
    add({true, person});
  for (std::uint32_t room = 0; room < rooms_.form().rooms; ++room)
    add({false, room});
  return out + "}}}";
}

reply homeserver::in_room(std::string_view method, const path& parts, std::string_view query,
                          std::string_view body) {
  const auto where = rooms_.find(parts[4]);
  if (!where)
    return error(403, "M_FORBIDDEN", "You are not in this room");
  const auto& what = parts[5];
  if (what == "send" && parts.size() == 8 && method == "PUT")
    return send(*where, parts, body);
  if (what == "state")
    return state(method, *where, parts, body);
  if (what == "typing") {
    ++oracle_.counts.typing;
    return {200, "{}"};
  }
  if (what == "receipt" || what == "read_markers" || what == "leave" || what == "forget")
    return {200, "{}"};
  if (what == "join")
    return {200, "{\"room_id\":" + json_string(parts[4]) + "}"};
  if (what == "redact" && method == "PUT") // a draft is taken back; nothing is judged by it
    return {200, "{\"event_id\":\"" + next_event_id() + "\"}"};
  if (what == "members")
    return {200, members(*where)};
  if (what == "joined_members")
    return {200, joined_members(*where)};
  if (what == "messages") {
    ++oracle_.counts.pages;
    return {200, messages(*where, query)};
  }
  return unrecognized(method, "/rooms/{}/" + what);
}

reply homeserver::of_user(std::string_view method, const path& parts, std::string_view body) {
  const bool global = parts[5] == "account_data" && parts.size() == 7;
  const bool room = parts.size() == 9 && parts[5] == "rooms" && parts[7] == "account_data";
  if (global || room) {
    const auto name = room ? parts[6] + '\n' + parts[8] : '\n' + parts[6];
    if (method == "PUT") {
      account_data_[name] = std::string(body);
      return {200, "{}"};
    }
    const auto found = account_data_.find(name);
    return found == account_data_.end() ? error(404, "M_NOT_FOUND", "Account data not found")
                                        : reply{200, found->second};
  }
  if (parts[5] == "filter" && method == "POST") // own messages are never echoed, whatever it says
    return {200, R"({"filter_id":"1"})"};
  return unrecognized(method, "/user/{}/" + parts[5]);
}

reply homeserver::send(place where, const path& parts, std::string_view body) {
  auto& event = transactions_[parts[4] + '\n' + parts[6] + '\n' + parts[7]];
  if (event.empty()) {
    event = next_event_id();
    ++oracle_.counts.sends;
    if (parts[6] == "m.room.message")
      judge(where, body);
    else
      ++oracle_.counts.notes;
  }
  return {200, "{\"event_id\":\"" + event + "\"}"};
}

void homeserver::judge(place where, std::string_view content) {
  simdjson::dom::element e;
  if (parser_.parse(content.data(), content.size()).get(e)) {
    ++oracle_.counts.wrong;
    return oracle_.complain("a body that is not JSON");
  }
  const auto kind = string_at(e, "/io.patchbay.delivery/kind");
  const bool final_one = kind.empty() ? string_at(e, "/msgtype") == "m.text" : kind == "final";
  if (where.space || !final_one) {
    ++oracle_.counts.notes;
    if (kind == "notice")
      oracle_.complain("a notice: " + std::string(string_at(e, "/body")));
    return;
  }
  simdjson::dom::element replaced;
  const bool edit = !e.at_pointer("/m.new_content").get(replaced);
  oracle::final_event answer;
  answer.body = string_at(edit ? replaced : e, "/body");
  answer.reply_to = string_at(e, "/m.relates_to/m.in_reply_to/event_id");
  const auto free_room = oracle_.answered(where.index, answer, now_ns());
  if (free_room && on_answered)
    on_answered(*free_room);
}

reply homeserver::state(std::string_view method, place where, const path& parts,
                        std::string_view body) {
  if (parts.size() == 6) {
    ++oracle_.counts.states;
    std::string all;
    rooms_.append_state(all, where);
    return {200, all};
  }
  const std::string key = parts.size() > 7 ? parts[7] : "";
  if (method == "PUT") {
    rooms_.write_state(where, parts[6], key, std::string(body));
    return {200, "{\"event_id\":\"" + next_event_id() + "\"}"};
  }
  for (const auto& e : rooms_.state_of(where))
    if (e.type == parts[6] && e.key == key)
      return {200, e.content};
  return error(404, "M_NOT_FOUND", "Event not found");
}

std::string homeserver::members(place where) const {
  std::string out = "{\"chunk\":[";
  for (const auto& e : rooms_.state_of(where)) {
    if (e.type != "m.room.member")
      continue;
    if (out.back() != '[')
      out += ',';
    topology::append_event(out, where, e);
  }
  return out + "]}";
}

std::string homeserver::joined_members(place where) const {
  std::string out = "{\"joined\":{";
  for (const auto& e : rooms_.state_of(where)) {
    if (e.type != "m.room.member")
      continue;
    if (out.back() != '{')
      out += ',';
    append_json(out, e.key);
    out += ":{\"display_name\":null,\"avatar_url\":null}";
  }
  return out + "}}";
}

std::string homeserver::joined_rooms() const {
  std::string out = "{\"joined_rooms\":[";
  const auto add = [&](place p) {
    if (out.back() != '[')
      out += ',';
    append_json(out, topology::id_of(p));
  };
  for (std::uint32_t person = 0; person < rooms_.people(); ++person)
    add({true, person});
  for (std::uint32_t room = 0; room < rooms_.form().rooms; ++room)
    add({false, room});
  return out + "]}";
}

reply homeserver::unrecognized(std::string_view method, std::string_view target) {
  ++oracle_.counts.unknown;
  const auto name = std::string(method) + ' ' + std::string(target.substr(0, target.find('?')));
  if (strangers_.size() < 100 && ++strangers_[name] == 1)
    oracle_.complain("a request that the world does not know: " + name);
  return error(404, "M_UNRECOGNIZED", "Unrecognized request");
}

std::string homeserver::next_event_id() {
  std::string digits;
  append_number(digits, events_++);
  return "$botevent" + std::string(35 - std::min<std::size_t>(35, digits.size()), '0') + digits;
}

} // namespace pb::bench
