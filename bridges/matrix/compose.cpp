#include "bridges/matrix/compose.hpp"

#include "bridges/matrix/url.hpp"
#include "messages/json_text.hpp"

#include <nlohmann/json.hpp>

namespace pb::matrix {
namespace {

/// Members stay in the order in which they are written here.
using nlohmann::ordered_json;

std::string short_name(std::string_view name) {
  const std::string valid = storable_text(name);
  return std::string(cut_utf8(valid, 255));
}

ordered_json marker_of(const chat_marker& m) {
  return {{"owner", m.owner.value},    {"chat", m.chat},   {"platform_chat_id", m.platform.value},
          {"agent_id", m.agent.value}, {"state", m.state}, {"epoch", m.epoch},
          {"intent", m.intent.value}};
}

ordered_json marker_of(const space_marker& m) {
  return {{"owner", m.owner.value},
          {"agent", m.agent.value},
          {"language", m.lang == language::ru ? "ru" : "en"},
          {"intent", m.intent.value}};
}

/// The whole map, because a server replaces its own by it: a type left out would fall back to
/// state_default. 100 is nobody but us; where a newer room version sets 150 for tombstones, the
/// creator stands above both.
ordered_json power_events() {
  return {{"m.room.name", 50},
          {"m.room.avatar", 50},
          {"m.room.canonical_alias", 50},
          {"m.room.power_levels", 100},
          {"m.room.history_visibility", 100},
          {"m.room.server_acl", 100},
          {"m.room.encryption", 100},
          {"m.room.tombstone", 100},
          {"m.space.child", 100},
          {chat_marker_type, 100},
          {space_marker_type, 100}};
}

ordered_json state_event(std::string_view type, std::string_view key, ordered_json content) {
  return {{"type", type}, {"state_key", key}, {"content", std::move(content)}};
}

/// Servers' private presets let guests join.
ordered_json visibility() {
  return ordered_json::array(
      {state_event("m.room.history_visibility", "", {{"history_visibility", "shared"}}),
       state_event("m.room.guest_access", "", {{"guest_access", "forbidden"}})});
}

ordered_json timeline_filter(const user_id& me) {
  return {
      {"limit", 50},
      {"not_senders", ordered_json::array({me.value})},
      {"lazy_load_members", true},
      {"types", ordered_json::array(
                    {"m.room.message", "m.room.redaction", "m.room.encrypted", "m.reaction",
                     "m.sticker", "m.poll.start", "org.matrix.msc3381.poll.start", "m.room.member",
                     "m.room.tombstone", "m.room.encryption", "m.room.name", "io.patchbay.*"})}};
}

} // namespace

std::string compose_chat_marker(const chat_marker& m) { return json_text(marker_of(m)); }

std::string compose_space_marker(const space_marker& m) { return json_text(marker_of(m)); }

std::string compose_space_child(const std::string& server) {
  return json_text(ordered_json({{"via", ordered_json::array({server})}, {"suggested", true}}));
}

std::string compose_space_parent(const std::string& server) {
  return json_text(ordered_json({{"via", ordered_json::array({server})}, {"canonical", true}}));
}

std::string compose_room_name(std::string_view name) {
  return json_text(ordered_json({{"name", short_name(name)}}));
}

std::string compose_create_space(const space_request& r) {
  ordered_json initial = visibility();
  initial.push_back(state_event(space_marker_type, "", marker_of(r.marker)));
  return json_text(
      ordered_json({{"preset", "private_chat"},
                    {"name", short_name(r.name)},
                    {"invite", ordered_json::array({r.marker.owner.value})},
                    {"creation_content", {{"type", "m.space"}}},
                    {"power_level_content_override",
                     {{"events_default", 100}, {"invite", 100}, {"events", power_events()}}},
                    {"initial_state", std::move(initial)}}));
}

std::string compose_create_chat(const chat_request& r) {
  const ordered_json members_of_space{{"type", "m.room_membership"}, {"room_id", r.space.value}};
  ordered_json initial = visibility();
  initial.push_back(state_event(
      "m.room.join_rules", "",
      {{"join_rule", "restricted"}, {"allow", ordered_json::array({members_of_space})}}));
  initial.push_back(state_event("m.space.parent", r.space.value,
                                {{"via", ordered_json::array({r.server})}, {"canonical", true}}));
  initial.push_back(state_event(chat_marker_type, "", marker_of(r.marker)));
  return json_text(
      ordered_json({{"preset", "private_chat"},
                    {"name", short_name(r.name)},
                    {"invite", ordered_json::array({r.marker.owner.value})},
                    {"power_level_content_override", {{"invite", 100}, {"events", power_events()}}},
                    {"initial_state", std::move(initial)}}));
}

namespace {

std::string sync_filter(ordered_json timeline, ordered_json state) {
  const ordered_json none{{"types", ordered_json::array()}};
  return json_text(ordered_json({{"presence", none},
                                 {"account_data", none},
                                 {"room",
                                  {{"account_data", none},
                                   {"ephemeral", none},
                                   {"state", std::move(state)},
                                   {"timeline", std::move(timeline)}}}}));
}

} // namespace

std::string compose_sync_filter(const user_id& me) {
  return sync_filter(
      timeline_filter(me),
      {{"lazy_load_members", true},
       {"types", ordered_json::array({"m.room.create", "m.room.member", "m.space.child",
                                      "m.space.parent", "io.patchbay.chat", "io.patchbay.space",
                                      "m.room.encryption", "m.room.tombstone", "m.room.name"})}});
}

std::string compose_initial_filter() {
  const ordered_json none = ordered_json::array();
  return sync_filter({{"limit", 1}, {"types", none}}, {{"types", none}});
}

std::string compose_backfill_filter() {
  ordered_json filter = timeline_filter({});
  filter.erase("limit"); // the query names it
  filter.erase("not_senders");
  return json_text(filter);
}

std::string compose_own_filter(const user_id& me) {
  return json_text(ordered_json({{"senders", ordered_json::array({me.value})},
                                 {"types", ordered_json::array({"m.room.message"})}}));
}

} // namespace pb::matrix
