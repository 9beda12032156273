// Profiles, presence, the user directory.

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>

namespace pb::hs::api {
namespace {

account& known(server& s, const std::string& user) {
  if (!is_user_id(user))
    refuse(400, "M_INVALID_PARAM", "Invalid user id");
  auto* who = s.w.find(user);
  if (who == nullptr)
    refuse(404, "M_NOT_FOUND", "Profile was not found");
  return *who;
}

const std::optional<std::string>& field(const account& who, const std::string& key) {
  if (key == "displayname")
    return who.display_name;
  if (key == "avatar_url")
    return who.avatar_url;
  refuse(404, "M_UNRECOGNIZED", "Unrecognized request");
}

} // namespace

answer get_profile(server& s, call& c) {
  const auto& who = known(s, c.param("user"));
  json out = json::object();
  for (const auto* key : {"displayname", "avatar_url"})
    if (const auto& value = field(who, key))
      out[key] = *value;
  return json_answer(out);
}

answer get_profile_field(server& s, call& c) {
  const auto& value = field(known(s, c.param("user")), c.param("field"));
  return json_answer(value ? json{{c.param("field"), *value}} : json::object());
}

answer put_profile_field(server& s, call& c) {
  need_self(c);
  field(*c.who, c.param("field"));
  const auto value = maybe_text(c.body, c.param("field"));
  if (!value && !c.body.contains(c.param("field")))
    refuse(400, "M_MISSING_PARAM", "Missing parameter '" + c.param("field") + "'");
  if (value && value->size() > 1'000)
    refuse(400, "M_INVALID_PARAM", "The value is too long.");
  s.w.set_profile(*c.who, c.param("field"),
                  value && !value->empty() ? value : std::optional<std::string>());
  // Every room where the person is sees the new profile in the member event.
  for (const auto& [id, r] : s.w.rooms())
    if (r->joined.contains(c.who->id))
      s.set_membership(*r, c.who->id, c.who->id, "join");
  return json_answer(json::object());
}

answer get_presence(server& s, call& c) {
  const auto& who = known(s, c.param("user"));
  json out{{"presence", who.presence}};
  if (!who.status_msg.empty())
    out["status_msg"] = who.status_msg;
  return json_answer(out);
}

answer put_presence(server&, call& c) {
  need_self(c);
  const auto presence = need_text(c.body, "presence");
  if (presence != "online" && presence != "offline" && presence != "unavailable")
    refuse(400, "M_INVALID_PARAM", "Invalid presence state");
  c.who->presence = presence;
  c.who->status_msg = maybe_text(c.body, "status_msg").value_or("").substr(0, 1'000);
  return json_answer(json::object());
}

answer user_directory(server& s, call& c) {
  const auto term = need_text(c.body, "search_term");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(maybe_int(c.body, "limit").value_or(10), 0, 50));
  json results = json::array();
  bool limited = false;
  for (const auto& [id, who] : s.w.accounts()) {
    if (id.find(term) == std::string::npos &&
        who.display_name.value_or("").find(term) == std::string::npos)
      continue;
    if (results.size() == limit) {
      limited = true;
      break;
    }
    json entry{{"user_id", id}};
    if (who.display_name)
      entry["display_name"] = *who.display_name;
    if (who.avatar_url)
      entry["avatar_url"] = *who.avatar_url;
    results.push_back(std::move(entry));
  }
  return json_answer({{"results", std::move(results)}, {"limited", limited}});
}

} // namespace pb::hs::api
