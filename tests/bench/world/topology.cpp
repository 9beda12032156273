#include "tests/bench/world/topology.hpp"

#include "tests/bench/common/text.hpp"

#include <algorithm>
#include <functional>

namespace pb::bench {

namespace {

constexpr std::string_view room_prefix = "!room", space_prefix = "!space", domain = ":bench";
constexpr std::string_view chat_levels =
    R"({"ban":50,"events":{"io.patchbay.chat":100,"m.room.avatar":50,"m.room.canonical_alias":50,)"
    R"("m.room.encryption":100,"m.room.history_visibility":100,"m.room.name":50,)"
    R"("m.room.power_levels":100,"m.room.server_acl":100,"m.room.tombstone":100},)"
    R"("events_default":0,"invite":100,"kick":50,"redact":50,"state_default":50,)"
    R"("users":{"@patchbay:bench":100},"users_default":0})";
constexpr std::string_view space_levels =
    R"({"ban":50,"events":{"io.patchbay.space":100,"m.room.name":50,"m.room.power_levels":100,)"
    R"("m.space.child":100},"events_default":100,"invite":100,"kick":50,"redact":50,)"
    R"("state_default":50,"users":{"@patchbay:bench":100},"users_default":0})";

std::string numbered(std::string_view prefix, std::uint64_t n, std::string_view suffix) {
  std::string out(prefix);
  append_number(out, n);
  out += suffix;
  return out;
}

} // namespace

std::optional<std::uint32_t> topology::room_of_chat(std::uint64_t chat_id) const {
  if (chat_id < 1'000 || chat_id >= 1'000 + std::uint64_t{shape_.rooms})
    return std::nullopt;
  return static_cast<std::uint32_t>(chat_id - 1'000);
}

std::string topology::person_id(std::uint32_t person) {
  return numbered("@person", person, domain);
}

std::string topology::id_of(place p) {
  return numbered(p.space ? space_prefix : room_prefix, p.index, domain);
}

std::optional<place> topology::find(std::string_view room_id) const {
  place p;
  if (room_id.substr(0, room_prefix.size()) == room_prefix) {
    p.index = static_cast<std::uint32_t>(leading_number(room_id.substr(room_prefix.size())));
  } else if (room_id.substr(0, space_prefix.size()) == space_prefix) {
    p.space = true;
    p.index = static_cast<std::uint32_t>(leading_number(room_id.substr(space_prefix.size())));
  } else {
    return std::nullopt;
  }
  if (p.index >= (p.space ? people() : shape_.rooms) || id_of(p) != room_id)
    return std::nullopt;
  return p;
}

std::vector<state_event> topology::first_state_of_chat(std::uint32_t room) const {
  const std::string bot(bot_id), person = person_id(person_of(room));
  const std::string space = id_of({true, person_of(room)});
  const auto number = room % shape_.rooms_per_person + 1;
  const std::string chat = numbered("Chat ", number, "");
  std::string marker = "{\"owner\":" + json_string(person) + ",\"chat\":\"C";
  append_number(marker, number);
  marker += "\",\"platform_chat_id\":";
  append_number(marker, chat_id_of(room));
  marker += ",\"agent_id\":\"agent-";
  append_number(marker, agent_of(room));
  marker += "\",\"state\":\"active\",\"epoch\":0,\"intent\":\"bench-room-";
  append_number(marker, room);
  marker += "\"}";
  return {
      {"m.room.create", "", bot, R"({"creator":"@patchbay:bench","room_version":"10"})"},
      {"m.room.member", bot, bot, R"({"membership":"join","displayname":"Patchbay"})"},
      {"m.room.power_levels", "", bot, std::string(chat_levels)},
      {"m.room.join_rules", "", bot, R"({"join_rule":"invite"})"},
      {"m.room.history_visibility", "", bot, R"({"history_visibility":"shared"})"},
      {"m.room.name", "", bot, "{\"name\":" + json_string(chat) + "}"},
      {"m.space.parent", space, bot, R"({"via":["bench"],"canonical":true})"},
      {"io.patchbay.chat", "", bot, marker},
      {"m.room.member", person, person, R"({"membership":"join"})"},
  };
}

std::vector<state_event> topology::first_state_of_space(std::uint32_t person) const {
  const std::string bot(bot_id), owner = person_id(person);
  std::vector<state_event> state{
      {"m.room.create", "", bot,
       R"({"creator":"@patchbay:bench","room_version":"10","type":"m.space"})"},
      {"m.room.member", bot, bot, R"({"membership":"join","displayname":"Patchbay"})"},
      {"m.room.power_levels", "", bot, std::string(space_levels)},
      {"m.room.join_rules", "", bot, R"({"join_rule":"invite"})"},
      {"m.room.name", "", bot, "{\"name\":" + json_string("Agents of " + owner) + "}"},
      {"io.patchbay.space", "", bot,
       "{\"owner\":" + json_string(owner) +
           numbered(",\"agent\":\"agent-1\",\"language\":\"en\",\"intent\":\"bench-space-", person,
                    "\"}")},
      {"m.room.member", owner, owner, R"({"membership":"join"})"},
  };
  const auto first = person * shape_.rooms_per_person;
  const auto last = std::min(first + shape_.rooms_per_person, shape_.rooms);
  for (auto room = first; room < last; ++room)
    state.push_back(
        {"m.space.child", id_of({false, room}), bot, R"({"via":["bench"],"suggested":true})"});
  return state;
}

std::vector<state_event> topology::state_of(place p) const {
  auto state = p.space ? first_state_of_space(p.index) : first_state_of_chat(p.index);
  const auto found = written_.find(id_of(p));
  if (found == written_.end())
    return state;
  for (const auto& written : found->second) {
    const auto& name = written.first; // no structured binding: a lambda takes it
    const auto& content = written.second;
    const auto same = [&](const state_event& e) {
      return e.type == name.first && e.key == name.second;
    };
    if (const auto old = std::find_if(state.begin(), state.end(), same); old != state.end()) {
      old->content = content;
      old->sender = bot_id;
    } else {
      state.push_back({name.first, name.second, std::string(bot_id), content});
    }
  }
  return state;
}

void topology::write_state(place p, std::string type, std::string key, std::string content) {
  written_[id_of(p)][{std::move(type), std::move(key)}] = std::move(content);
}

void topology::append_event(std::string& out, place p, const state_event& e) {
  out += "{\"type\":";
  append_json(out, e.type);
  out += ",\"state_key\":";
  append_json(out, e.key);
  out += ",\"sender\":";
  append_json(out, e.sender);
  // An id that is the same whenever the same state is asked for.
  out += ",\"event_id\":\"$state-";
  append_number(out, std::hash<std::string>{}(e.type + '\n' + e.key + '\n' + id_of(p)));
  out += "\",\"origin_server_ts\":1700000000000,\"room_id\":";
  append_json(out, id_of(p));
  out += ",\"content\":";
  out += e.content;
  out += "}";
}

void topology::append_state(std::string& out, place p) const {
  out += '[';
  for (const auto& e : state_of(p)) {
    if (out.back() != '[')
      out += ',';
    append_event(out, p, e);
  }
  out += ']';
}

} // namespace pb::bench
