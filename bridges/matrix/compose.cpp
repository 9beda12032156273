#include "bridges/matrix/compose.hpp"

#include "bridges/matrix/url.hpp"

#include <nlohmann/json.hpp>

namespace pb::matrix {
namespace {

/// Members stay in the order in which they are written here.
using nlohmann::ordered_json;

std::string text_of(const ordered_json& j) {
  return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

const char* name_of(delivery kind) {
  switch (kind) {
  case delivery::draft:
    return "draft";
  case delivery::final_answer:
    return "final";
  case delivery::notice:
    return "notice";
  case delivery::reply:
    return "reply";
  case delivery::file:
    return "file";
  }
  return "notice";
}

/// No NUL: servers on PostgreSQL refuse it.
std::string plain(std::string_view text) {
  std::string out = valid_utf8(text);
  for (std::size_t at = out.find('\0'); at != std::string::npos; at = out.find('\0', at))
    out.replace(at, 1, "\xEF\xBF\xBD");
  return out;
}

std::string short_name(std::string_view name) {
  const std::string valid = plain(name);
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
  return {{"limit", 50},
          {"not_senders", ordered_json::array({me.value})},
          {"lazy_load_members", true},
          {"types", ordered_json::array({"m.room.message", "m.room.redaction", "m.room.encrypted",
                                         "m.reaction", "m.room.member", "m.room.tombstone",
                                         "m.room.encryption", "m.room.name", "io.patchbay.*"})}};
}

} // namespace

std::string compose_message(const message_draft& m) {
  const std::string valid = plain(m.text);
  ordered_json j;
  j["msgtype"] = m.silent ? "m.notice" : "m.text";
  j["body"] = cut_part(valid);
  j["m.mentions"] = ordered_json::object();
  for (const user_id& user : m.tells)
    j["m.mentions"]["user_ids"].push_back(user.value);
  if (!m.reply_to.empty())
    j["m.relates_to"]["m.in_reply_to"]["event_id"] = m.reply_to.value;
  ordered_json& d = j["io.patchbay.delivery"];
  if (!m.turn.empty())
    d["turn"] = m.turn.value;
  d["kind"] = name_of(m.kind);
  d["part"] = m.part;
  if (!m.row.empty())
    d["id"] = m.row.value;
  return text_of(j);
}

std::string compose_file_order(const file_order& o) {
  return text_of({{"workspace", o.workspace},
                  {"path", o.path},
                  {"text", o.text},
                  {"caption", o.caption},
                  {"turn", o.turn.value},
                  {"reply_to", o.reply_to.value},
                  {"thread", o.thread.value},
                  {"mention", o.mention.value},
                  {"part", o.part}});
}

std::optional<file_order> parse_file_order(std::string_view body) {
  const auto j = nlohmann::json::parse(body, nullptr, false);
  if (!j.is_object())
    return std::nullopt;
  const auto text = [&](const char* key) {
    const auto i = j.find(key);
    return i != j.end() && i->is_string() ? i->get<std::string>() : std::string{};
  };
  file_order o;
  o.workspace = text("workspace");
  o.path = text("path");
  o.text = text("text");
  o.caption = text("caption");
  o.turn = turn_id{text("turn")};
  o.reply_to = event_id{text("reply_to")};
  o.thread = event_id{text("thread")};
  o.mention = user_id{text("mention")};
  if (const auto i = j.find("part"); i != j.end() && i->is_number_integer())
    o.part = i->get<int>();
  if (o.path.empty())
    return std::nullopt;
  return o;
}

std::string compose_file(const file_order& order, const uploaded_content& file,
                         const outbox_id& row) {
  const std::string_view mime = file.mimetype;
  ordered_json j;
  j["msgtype"] = mime.starts_with("image/")   ? "m.image"
                 : mime.starts_with("audio/") ? "m.audio"
                 : mime.starts_with("video/") ? "m.video"
                                              : "m.file";
  const auto name = short_name(file.name);
  j["body"] = order.caption.empty() ? name : std::string{cut_part(plain(order.caption))};
  j["filename"] = name;
  j["url"] = file.mxc;
  ordered_json& info = j["info"];
  info["mimetype"] = file.mimetype;
  info["size"] = file.size;
  if (file.width > 0 && file.height > 0) {
    info["w"] = file.width;
    info["h"] = file.height;
  }
  j["m.mentions"] = ordered_json::object();
  if (!order.mention.empty())
    j["m.mentions"]["user_ids"].push_back(order.mention.value);
  if (!order.thread.empty()) {
    j["m.relates_to"]["rel_type"] = "m.thread";
    j["m.relates_to"]["event_id"] = order.thread.value;
    j["m.relates_to"]["is_falling_back"] = true;
  }
  if (!order.reply_to.empty())
    j["m.relates_to"]["m.in_reply_to"]["event_id"] = order.reply_to.value;
  ordered_json& d = j["io.patchbay.delivery"];
  if (!order.turn.empty())
    d["turn"] = order.turn.value;
  d["kind"] = "file";
  d["part"] = order.part;
  if (!row.empty())
    d["id"] = row.value;
  return text_of(j);
}

std::optional<outbox_id> delivery_row(std::string_view content) {
  const auto j = nlohmann::json::parse(content, nullptr, false);
  if (!j.is_object())
    return std::nullopt;
  const auto d = j.find("io.patchbay.delivery");
  if (d == j.end() || !d->is_object())
    return std::nullopt;
  const auto id = d->find("id");
  if (id == d->end() || !id->is_string())
    return std::nullopt;
  return outbox_id{id->get<std::string>()};
}

std::string compose_chat_marker(const chat_marker& m) { return text_of(marker_of(m)); }

std::string compose_space_marker(const space_marker& m) { return text_of(marker_of(m)); }

std::string compose_space_child(const std::string& server) {
  return text_of({{"via", ordered_json::array({server})}, {"suggested", true}});
}

std::string compose_space_parent(const std::string& server) {
  return text_of({{"via", ordered_json::array({server})}, {"canonical", true}});
}

std::string compose_room_name(std::string_view name) {
  return text_of({{"name", short_name(name)}});
}

std::string compose_create_space(const space_request& r) {
  ordered_json initial = visibility();
  initial.push_back(state_event(space_marker_type, "", marker_of(r.marker)));
  return text_of({{"preset", "private_chat"},
                  {"name", short_name(r.name)},
                  {"invite", ordered_json::array({r.marker.owner.value})},
                  {"creation_content", {{"type", "m.space"}}},
                  {"power_level_content_override",
                   {{"events_default", 100}, {"invite", 100}, {"events", power_events()}}},
                  {"initial_state", std::move(initial)}});
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
  return text_of({{"preset", "private_chat"},
                  {"name", short_name(r.name)},
                  {"invite", ordered_json::array({r.marker.owner.value})},
                  {"power_level_content_override", {{"invite", 100}, {"events", power_events()}}},
                  {"initial_state", std::move(initial)}});
}

namespace {

std::string sync_filter(ordered_json timeline, ordered_json state) {
  const ordered_json none{{"types", ordered_json::array()}};
  return text_of({{"presence", none},
                  {"account_data", none},
                  {"room",
                   {{"account_data", none},
                    {"ephemeral", none},
                    {"state", std::move(state)},
                    {"timeline", std::move(timeline)}}}});
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
  return text_of(filter);
}

std::string compose_own_filter(const user_id& me) {
  return text_of({{"senders", ordered_json::array({me.value})},
                  {"types", ordered_json::array({"m.room.message"})}});
}

} // namespace pb::matrix
