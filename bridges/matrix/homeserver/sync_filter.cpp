#include "bridges/matrix/homeserver/sync_filter.hpp"

#include <algorithm>

namespace pb::hs {
namespace {

std::optional<event_filter::names> name_list(const json& object, const char* key) {
  const auto* list = member(object, key);
  if (list == nullptr || list->is_null())
    return std::nullopt;
  if (!list->is_array())
    refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be a list");
  event_filter::names out;
  for (const auto& entry : *list) {
    if (!entry.is_string())
      refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be a list of strings");
    out.push_back(entry.get<std::string>());
  }
  return out;
}

bool matches(const event_filter::names& patterns, const std::string& text) {
  return std::ranges::any_of(patterns, [&](const auto& p) { return glob(p, text); });
}

bool contains(const event_filter::names& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

json part(const json& object, const char* key) {
  const auto* value = member(object, key);
  if (value == nullptr || value->is_null())
    return json::object();
  if (!value->is_object())
    refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be an object");
  return *value;
}

} // namespace

bool event_filter::passes(const std::string& type, const std::string& sender) const {
  return !contains(not_senders, sender) && !matches(not_types, type) &&
         (!senders || contains(*senders, sender)) && (!types || matches(*types, type));
}

bool event_filter::passes_room(const std::string& room) const {
  return !contains(not_rooms, room) && (!rooms || contains(*rooms, room));
}

bool event_filter::passes(const event& e) const {
  if (!passes(e.type, e.sender) || !passes_room(e.room))
    return false;
  if (!contains_url)
    return true;
  const auto* url = member(e.content, "url");
  return (url != nullptr && url->is_string()) == *contains_url;
}

event_filter read_event_filter(const json& filter) {
  if (!filter.is_object())
    refuse(400, "M_BAD_JSON", "A filter must be an object.");
  event_filter out;
  out.types = name_list(filter, "types");
  out.senders = name_list(filter, "senders");
  out.rooms = name_list(filter, "rooms");
  out.not_types = name_list(filter, "not_types").value_or(event_filter::names{});
  out.not_senders = name_list(filter, "not_senders").value_or(event_filter::names{});
  out.not_rooms = name_list(filter, "not_rooms").value_or(event_filter::names{});
  out.contains_url = maybe_bool(filter, "contains_url");
  out.lazy_load_members = maybe_bool(filter, "lazy_load_members").value_or(false);
  if (const auto limit = maybe_int(filter, "limit")) {
    if (*limit < 0)
      refuse(400, "M_BAD_JSON", "'limit' must not be negative");
    out.limit = static_cast<std::size_t>(*limit);
  }
  return out;
}

sync_filter read_sync_filter(const json& filter) {
  if (!filter.is_object())
    refuse(400, "M_BAD_JSON", "A filter must be an object.");
  sync_filter out;
  const auto room = part(filter, "room");
  out.timeline = read_event_filter(part(room, "timeline"));
  out.state = read_event_filter(part(room, "state"));
  out.ephemeral = read_event_filter(part(room, "ephemeral"));
  out.room_data = read_event_filter(part(room, "account_data"));
  out.account_data = read_event_filter(part(filter, "account_data"));
  read_event_filter(part(filter, "presence"));
  out.rooms.rooms = name_list(room, "rooms");
  out.rooms.not_rooms = name_list(room, "not_rooms").value_or(event_filter::names{});
  out.include_leave = maybe_bool(room, "include_leave").value_or(false);
  name_list(filter, "event_fields");
  if (const auto format = maybe_text(filter, "event_format");
      format && *format != "client" && *format != "federation")
    refuse(400, "M_BAD_JSON", "'event_format' must be client or federation");
  return out;
}

} // namespace pb::hs
