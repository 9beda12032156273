#include "persistence/surfaces.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

namespace pb {
namespace {

using json = nlohmann::json;

constexpr std::int64_t most_platform = (std::int64_t{1} << 53) - 1;

/// Under which names the earlier bot's versions wrote a field.
using names = std::array<const char*, 5>;
constexpr names f_chat{"chat_id", "chat", "chatId", "id", ""};
constexpr names f_user{"user_id", "owner", "user", "matrix_user_id", "mxid"};
constexpr names f_space{"space_room_id", "space_id", "space", "", ""};
constexpr names f_title{"name", "title", "room_name", "", ""};
constexpr names f_agent{"agent_id", "agent", "selected_agent", "selected_agent_id", ""};
constexpr names f_archived{"archived", "is_archived", "", "", ""};
constexpr names f_platform{"platform_chat_id", "platform_id", "platform_chat", "", ""};
constexpr names f_number{"number", "chat_number", "", "", ""};
constexpr names f_next{"next_chat_number", "next_chat", "next_number", "", ""};
constexpr names f_saved{"saved", "saved_contexts", "contexts", "", ""};
constexpr names f_path{"path", "file", "filename", "", ""};
constexpr names f_at{"created_at", "saved_at", "at", "", ""};
constexpr names f_last{"last", "value", "seq", "last_id", ""};
constexpr std::array<const char*, 5> sequence_keys{"platform_chat_seq", "platform_chat_id_seq",
                                                   "platform_chat_sequence", "platform_chat_last",
                                                   "platform_seq"};

const json* field(const json& object, const names& under) {
  if (!object.is_object())
    return nullptr;
  for (const char* name : under)
    if (*name)
      if (const auto i = object.find(name); i != object.end() && !i->is_null())
        return &*i;
  return nullptr;
}

std::string text(const json& object, const names& under) {
  const auto* f = field(object, under);
  if (!f)
    return {};
  if (f->is_string())
    return f->get<std::string>();
  return f->is_number_integer() ? f->dump() : std::string{};
}

std::optional<std::int64_t> whole(const json* f) {
  if (!f)
    return std::nullopt;
  if (f->is_number_unsigned() && f->get<std::uint64_t>() > std::uint64_t(most_platform))
    return std::nullopt;
  if (f->is_number_integer())
    return f->get<std::int64_t>();
  if (!f->is_string())
    return std::nullopt;
  const auto& s = f->get_ref<const std::string&>();
  if (s.empty() || s.size() > 16 ||
      !std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
    return std::nullopt;
  return std::stoll(s);
}

std::int64_t number(const json& object, const names& under) {
  const auto n = whole(field(object, under));
  return n && *n > 0 && *n <= most_platform ? *n : 0;
}

bool good_id(const std::string& id, char sigil) {
  return id.size() > 1 && id.size() <= 255 && id[0] == sigil &&
         std::none_of(id.begin(), id.end(), [](unsigned char c) { return c < 0x21 || c == 0x7f; });
}

/// "C7" of "C7", "alice:C7", or of a room's name "Chat 7", "Чат 7".
std::string label(const std::string& from, std::initializer_list<const char*> before) {
  auto digits = from.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(from[digits - 1])))
    --digits;
  if (digits == from.size() || from.size() - digits > 9 || from[digits] == '0')
    return {};
  const auto head = from.substr(0, digits);
  for (const std::string word : before)
    if (head == word || (word == "C" && head.size() > 1 && head.back() == 'C' &&
                         !std::isalnum(static_cast<unsigned char>(head[head.size() - 2]))))
      return "C" + from.substr(digits);
  return {};
}

bool good_path(const std::string& path) {
  if (path.empty() || path.size() > 4'096 || path[0] == '/' || path.find('\0') != path.npos)
    return false;
  for (std::size_t from = 0; from <= path.size();) {
    const auto to = std::min(path.find('/', from), path.size());
    if (path.compare(from, to - from, "..") == 0)
      return false;
    from = to + 1;
  }
  return true;
}

bool archived(const json& value) {
  const auto* f = field(value, f_archived);
  if (f && f->is_boolean())
    return f->get<bool>();
  if (f && f->is_number_integer())
    return *f != 0;
  const auto state = value.find("state");
  return state != value.end() && *state == "archived";
}

/// All keys, sorted, before they are put together.
struct surface_reader {
  std::map<std::string, json> rooms, users, chats;
  surfaces out;

  void take(const surface_entry& e);
  void sequence(const surface_entry& e, const json& value);
  void room(const std::string& id, const json& value);
  void user(const std::string& id, const json& value);
  void contexts(const std::string& key, const json& chat, const surface_room& r);
  void raise(std::int64_t platform) { out.last.value = std::max(out.last.value, platform); }
};

void surface_reader::take(const surface_entry& e) {
  static const std::pair<const char*, std::map<std::string, json> surface_reader::*> kinds[] = {
      {"matrix_room:", &surface_reader::rooms},
      {"matrix_user:", &surface_reader::users},
      {"chat:", &surface_reader::chats}};
  const bool is_sequence =
      std::find(sequence_keys.begin(), sequence_keys.end(), e.key) != sequence_keys.end();
  const auto* kind = std::find_if(std::begin(kinds), std::end(kinds),
                                  [&](const auto& k) { return e.key.rfind(k.first, 0) == 0; });
  if (!is_sequence && kind == std::end(kinds)) {
    out.unknown.push_back(e.key);
    return;
  }
  auto value = json::parse(e.value, nullptr, false);
  if (value.is_discarded()) {
    out.broken.push_back(e.key + ": no JSON");
    return;
  }
  if (is_sequence)
    return sequence(e, value);
  if (!value.is_object()) {
    out.broken.push_back(e.key + ": no JSON object");
    return;
  }
  (this->*(kind->second))[e.key.substr(std::string{kind->first}.size())] = std::move(value);
}

void surface_reader::sequence(const surface_entry& e, const json& value) {
  auto last = value.is_object() ? whole(field(value, f_last)) : whole(&value);
  if (!last && value.is_object())
    if (const auto next = whole(value.contains("next") ? &value["next"] : nullptr))
      last = *next - 1;
  if (!last || *last < 0 || *last > most_platform)
    out.broken.push_back(e.key + ": no number of a chat");
  else
    raise(*last);
}

void surface_reader::room(const std::string& id, const json& value) {
  const auto key = "matrix_room:" + id;
  if (!good_id(id, '!')) {
    out.broken.push_back(key + ": no room id");
    return;
  }
  surface_room r;
  r.room = room_id{id};
  const auto chat_id = text(value, f_chat);
  const auto in_chats = chats.find(chat_id);
  const json none = json::object();
  const auto& chat = in_chats == chats.end() ? none : in_chats->second;
  const auto either = [&](const names& under) {
    auto t = text(value, under);
    return t.empty() ? text(chat, under) : t;
  };
  r.owner = user_id{either(f_user)};
  if (!good_id(r.owner.value, '@') || r.owner.value.find(':') == std::string::npos) {
    out.broken.push_back(key + ": no owner");
    return;
  }
  r.agent = agent_id{either(f_agent)};
  r.title = either(f_title);
  if (const auto space = either(f_space); good_id(space, '!'))
    r.space = room_id{space};
  else if (const auto u = users.find(r.owner.value); u != users.end())
    if (const auto of_user = text(u->second, f_space); good_id(of_user, '!'))
      r.space = room_id{of_user};
  r.archived = archived(value) || archived(chat);
  r.platform.value = number(value, f_platform);
  if (r.platform.value == 0)
    r.platform.value = number(chat, f_platform);
  raise(r.platform.value);
  for (const auto* n : {&value, &chat})
    if (const auto given = number(*n, f_number); r.chat.empty() && given > 0)
      r.chat = "C" + std::to_string(given);
  if (r.chat.empty())
    r.chat = label(chat_id, {"C"});
  if (r.chat.empty())
    r.chat = label(r.title, {"Chat ", "Чат "});
  if (in_chats != chats.end())
    contexts("chat:" + chat_id, chat, r);
  out.rooms.push_back(std::move(r));
}

void surface_reader::contexts(const std::string& key, const json& chat, const surface_room& r) {
  const auto* list = field(chat, f_saved);
  if (!list)
    return;
  if (!list->is_array() && !list->is_object()) {
    out.broken.push_back(key + ": saved contexts are no list");
    return;
  }
  for (const auto& [place, item] : list->items()) {
    saved_context s;
    s.owner = r.owner;
    const auto agent = text(chat, f_agent);
    s.agent = agent.empty() ? r.agent : agent_id{agent};
    s.room = r.room;
    s.name = text(item, f_title);
    if (s.name.empty() && list->is_object())
      s.name = place;
    s.path = item.is_string() ? item.get<std::string>() : text(item, f_path);
    s.at = whole(field(item, f_at)).value_or(0);
    if (s.at > 0 && s.at < 100'000'000'000)
      s.at *= 1'000; // seconds
    if (s.name.empty() || s.name.size() > 255 || !good_path(s.path))
      out.broken.push_back(std::string{key}
                               .append(": saved context ")
                               .append(place)
                               .append(" without a usable name and path"));
    else
      out.saved.push_back(std::move(s));
  }
}

void surface_reader::user(const std::string& id, const json& value) {
  if (!good_id(id, '@') || id.find(':') == std::string::npos) {
    out.broken.push_back("matrix_user:" + id + ": no user id");
    return;
  }
  user_row u;
  u.id = user_id{id};
  if (const auto space = text(value, f_space); good_id(space, '!'))
    u.space = room_id{space};
  u.agent = agent_id{text(value, f_agent)};
  u.next_chat = std::max<std::int64_t>(1, number(value, f_next));
  out.people.push_back(std::move(u));
}

} // namespace

surfaces read_surfaces(const std::vector<surface_entry>& entries) {
  surface_reader r;
  for (const auto& e : entries)
    r.take(e);
  r.out.chats = r.chats.size();
  for (const auto& [id, value] : r.chats)
    r.raise(number(value, f_platform)); // also of a chat without a room: never given out again
  for (const auto& [id, value] : r.rooms)
    r.room(id, value);
  for (const auto& [id, value] : r.users)
    r.user(id, value);
  std::size_t homeless = 0;
  for (const auto& chat : r.chats)
    homeless += std::none_of(r.rooms.begin(), r.rooms.end(), [&](const auto& room) {
      return text(room.second, f_chat) == chat.first;
    });
  if (homeless > 0)
    r.out.notes.push_back(std::to_string(homeless) + " chats without a room: only their numbers "
                                                     "are kept out of use");
  return std::move(r.out);
}

} // namespace pb
