#include "bridges/matrix/homeserver/push_rules.hpp"

#include "bridges/matrix/homeserver/auth_rules.hpp"

#include <algorithm>
#include <cctype>

namespace pb::hs {
namespace {

json rule(const char* id, json conditions, json actions, bool enabled = true) {
  return {{"rule_id", id},
          {"default", true},
          {"enabled", enabled},
          {"conditions", std::move(conditions)},
          {"actions", std::move(actions)}};
}

json match(const char* key, const std::string& pattern) {
  return {{"kind", "event_match"}, {"key", key}, {"pattern", pattern}};
}

json list(std::initializer_list<json> items) { return json::array_t(items); }

const json silent = json::array();
const json notify = json::array({"notify"});
const json loud = json::array({"notify", {{"set_tweak", "highlight"}}});
const json ping = json::array({"notify", {{"set_tweak", "sound"}, {"value", "default"}}});
const json loud_ping = json::array(
    {"notify", {{"set_tweak", "sound"}, {"value", "default"}}, {{"set_tweak", "highlight"}}});
const json ring = json::array({"notify", {{"set_tweak", "sound"}, {"value", "ring"}}});

/// As a word of its own, whatever the case of its ASCII letters.
bool says(const std::string& body, const std::string& name) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  const auto in_word = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c >= 0x80;
  };
  if (name.empty())
    return false;
  for (auto i = body.begin();; ++i) {
    i = std::search(i, body.end(), name.begin(), name.end(), same);
    if (i == body.end())
      return false;
    const auto after = i + static_cast<std::ptrdiff_t>(name.size());
    if ((i == body.begin() || !in_word(static_cast<unsigned char>(*std::prev(i)))) &&
        (after == body.end() || !in_word(static_cast<unsigned char>(*after))))
      return true;
  }
}

bool may_notify_room(const room& r, const std::string& sender) {
  const auto* levels = member(r.content("m.room.power_levels"), "notifications");
  const auto* wanted = levels == nullptr ? nullptr : member(*levels, "room");
  return level_of(r, sender) >=
         (wanted != nullptr && wanted->is_number_integer() ? wanted->get<std::int64_t>() : 50);
}

} // namespace

json default_push_rules(const account& who) {
  const json two = {{"kind", "room_member_count"}, {"is", "2"}};
  const json room_level = {{"kind", "sender_notification_permission"}, {"key", "room"}};
  const auto is = [](const char* key, json value) {
    return json{{"kind", "event_property_is"}, {"key", key}, {"value", std::move(value)}};
  };
  json global{{"room", json::array()}, {"sender", json::array()}};
  global["override"] =
      list({rule(".m.rule.master", json::array(), silent, false),
            rule(".m.rule.suppress_notices", list({match("content.msgtype", "m.notice")}), silent),
            rule(".m.rule.invite_for_me",
                 list({match("type", "m.room.member"), match("content.membership", "invite"),
                       match("state_key", who.id)}),
                 ping),
            rule(".m.rule.member_event", list({match("type", "m.room.member")}), silent),
            rule(".m.rule.is_user_mention",
                 list({{{"kind", "event_property_contains"},
                        {"key", R"(content.m\.mentions.user_ids)"},
                        {"value", who.id}}}),
                 loud_ping),
            rule(".m.rule.contains_display_name", list({{{"kind", "contains_display_name"}}}),
                 loud_ping),
            rule(".m.rule.is_room_mention",
                 list({is(R"(content.m\.mentions.room)", true), room_level}), loud),
            rule(".m.rule.roomnotif", list({room_level, match("content.body", "@room")}), loud),
            rule(".m.rule.tombstone",
                 list({match("type", "m.room.tombstone"), match("state_key", "")}), loud),
            rule(".m.rule.reaction", list({match("type", "m.reaction")}), silent),
            rule(".m.rule.room.server_acl",
                 list({match("type", "m.room.server_acl"), match("state_key", "")}), silent),
            rule(".m.rule.suppress_edits",
                 list({is(R"(content.m\.relates_to.rel_type)", "m.replace")}), silent)});
  global["content"] = list({{{"rule_id", ".m.rule.contains_user_name"},
                             {"default", true},
                             {"enabled", true},
                             {"pattern", who.localpart},
                             {"actions", loud_ping}}});
  global["underride"] =
      list({rule(".m.rule.call", list({match("type", "m.call.invite")}), ring),
            rule(".m.rule.encrypted_room_one_to_one",
                 list({two, match("type", "m.room.encrypted")}), ping),
            rule(".m.rule.room_one_to_one", list({two, match("type", "m.room.message")}), ping),
            rule(".m.rule.message", list({match("type", "m.room.message")}), notify),
            rule(".m.rule.encrypted", list({match("type", "m.room.encrypted")}), notify)});
  return {{"global", std::move(global)}};
}

const json* find_push_rule(const json& rules, const std::string& kind, const std::string& id) {
  const auto* all = member(rules["global"], kind);
  if (all == nullptr)
    return nullptr;
  const auto found =
      std::ranges::find_if(*all, [&](const json& r) { return text_or_empty(r, "rule_id") == id; });
  return found == all->end() ? nullptr : &*found;
}

told push(const room& r, const event& e, const account& who) {
  // In the order of the rules; of two that fit the first one counts.
  const auto& content = e.content;
  if (text_or_empty(content, "msgtype") == "m.notice")
    return told::nothing;
  if (e.type == "m.room.member")
    return e.state_key == who.id && text_or_empty(content, "membership") == "invite"
               ? told::notify
               : told::nothing;
  const auto* mentions = member(content, "m.mentions");
  // With m.mentions the rules that look into the text are off.
  const auto body = mentions == nullptr ? text_or_empty(content, "body") : std::string();
  if (mentions != nullptr) {
    const auto* users = member(*mentions, "user_ids");
    if (users != nullptr && users->is_array() &&
        std::find(users->begin(), users->end(), json(who.id)) != users->end())
      return told::highlight;
  }
  if (who.display_name && says(body, *who.display_name))
    return told::highlight;
  const auto* everybody = mentions == nullptr ? nullptr : member(*mentions, "room");
  if (((everybody != nullptr && *everybody == true) || says(body, "@room")) &&
      may_notify_room(r, e.sender))
    return told::highlight;
  if (e.type == "m.room.tombstone" && e.state_key == "")
    return told::highlight;
  const auto* relation = member(content, "m.relates_to");
  if (e.type == "m.reaction" || (e.type == "m.room.server_acl" && e.state_key == "") ||
      (relation != nullptr && text_or_empty(*relation, "rel_type") == "m.replace"))
    return told::nothing;
  if (says(body, who.localpart))
    return told::highlight;
  return e.type == "m.room.message" || e.type == "m.room.encrypted" || e.type == "m.call.invite"
             ? told::notify
             : told::nothing;
}

} // namespace pb::hs
