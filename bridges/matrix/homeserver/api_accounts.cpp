// Login, registration, tokens, devices.

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>

namespace pb::hs::api {
namespace {

constexpr std::size_t max_password = 512, max_device = 255;

json login_answer(server& s, account& who, const json& body) {
  const auto wanted = maybe_text(body, "device_id").value_or("");
  if (wanted.size() > max_device || wanted.find(' ') != std::string::npos)
    refuse(400, "M_INVALID_PARAM", "The device id is too long or has a space in it.");
  const auto [token, device] =
      s.w.log_in(who, wanted, maybe_text(body, "initial_device_display_name").value_or(""));
  json out{{"user_id", who.id},
           {"access_token", token},
           {"home_server", s.w.server_name},
           {"device_id", device}};
  if (s.token_life > 0 && maybe_bool(body, "refresh_token").value_or(false)) {
    out["refresh_token"] = s.w.make_refreshable(token, s.token_life);
    out["expires_in_ms"] = s.token_life;
  }
  return out;
}

/// "alice" and "@alice:server" are the same account.
account* account_named(server& s, const std::string& name) {
  return s.w.find(name.starts_with('@') ? name : '@' + name + ':' + s.w.server_name);
}

void check_free(server& s, const std::string& name) {
  if (!is_localpart(name))
    refuse(400, "M_INVALID_USERNAME", "User ID can only contain characters a-z, 0-9, or '=_-./+'");
  if (s.w.find('@' + name + ':' + s.w.server_name) != nullptr)
    refuse(400, "M_USER_IN_USE", "User ID already taken.");
}

/// User-interactive authentication with the one stage m.login.dummy.
void need_dummy_stage(server& s, const json& body) {
  const auto* auth = member(body, "auth");
  if (auth != nullptr && !auth->is_null()) {
    if (!auth->is_object())
      refuse(400, "M_BAD_JSON", "'auth' must be an object");
    const auto id = maybe_text(*auth, "session");
    if (id && std::ranges::find(s.uia_pending, *id) == s.uia_pending.end())
      refuse(400, "M_UNKNOWN", "Unknown session ID: " + *id);
    if (maybe_text(*auth, "type") == "m.login.dummy") {
      if (id)
        std::erase(s.uia_pending, *id);
      return;
    }
  }
  api_error error(401, "", "");
  error.body = {{"session", s.w.random_letters(24)},
                {"flows", json::array({json{{"stages", json::array({"m.login.dummy"})}}})},
                {"params", json::object()}};
  s.uia_pending.push_back(error.body["session"]);
  if (s.uia_pending.size() > 100)
    s.uia_pending.pop_front();
  throw error;
}

json device_json(const device& d, const std::string& user) {
  // Everybody comes over loopback.
  json out{{"device_id", d.id},
           {"last_seen_ip", "127.0.0.1"},
           {"last_seen_ts", d.seen},
           {"user_id", user}};
  if (!d.name.empty())
    out["display_name"] = d.name;
  return out;
}

device& own_device(call& c) {
  const auto i = c.who->devices.find(c.param("device"));
  if (i == c.who->devices.end())
    refuse(404, "M_NOT_FOUND", "No device found");
  return i->second;
}

http_response gone() {
  api_error error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.");
  error.body["soft_logout"] = false;
  return error_answer(error);
}

} // namespace

answer login_flows(server&, call&) {
  return json_answer({{"flows", json::array({json{{"type", "m.login.password"}}})}});
}

answer login(server& s, call& c) {
  if (need_text(c.body, "type") != "m.login.password")
    refuse(400, "M_UNKNOWN", "Unknown login type " + need_text(c.body, "type"));
  std::string name;
  if (const auto* id = member(c.body, "identifier"); id != nullptr && !id->is_null()) {
    if (!id->is_object())
      refuse(400, "M_BAD_JSON", "'identifier' must be an object");
    if (need_text(*id, "type") != "m.id.user")
      refuse(400, "M_UNKNOWN", "Unknown login identifier type");
    name = need_text(*id, "user");
  } else {
    name = need_text(c.body, "user");
  }
  const auto password = need_text(c.body, "password");
  auto* who = account_named(s, name);
  if (who == nullptr || password.size() > max_password || !s.w.password_fits(*who, password))
    forbid("Invalid username or password");
  return json_answer(login_answer(s, *who, c.body));
}

answer refresh(server& s, call& c) {
  const auto old = need_text(c.body, "refresh_token");
  if (s.token_life <= 0)
    refuse(404, "M_UNRECOGNIZED", "Unrecognized request");
  const auto [access, next] = s.w.refresh(old, s.token_life);
  return json_answer(
      {{"access_token", access}, {"refresh_token", next}, {"expires_in_ms", s.token_life}});
}

answer register_account(server& s, call& c) {
  const auto kind = c.ask("kind").value_or("user");
  if (kind == "guest")
    refuse(403, "M_GUEST_ACCESS_FORBIDDEN", "Guest access is disabled");
  if (kind != "user")
    refuse(400, "M_UNKNOWN", "Do not understand membership kind: " + kind);
  if (!s.open_registration)
    forbid("Registration has been disabled");
  const auto name = maybe_text(c.body, "username");
  if (name)
    check_free(s, *name);
  const auto password = maybe_text(c.body, "password");
  if (password && (password->empty() || password->size() > max_password))
    refuse(400, "M_INVALID_PARAM", "Invalid password");
  need_dummy_stage(s, c.body);
  std::string localpart = name.value_or("");
  while (localpart.empty() || s.w.find('@' + localpart + ':' + s.w.server_name) != nullptr) {
    localpart = s.w.random_letters(12);
    std::ranges::transform(localpart, localpart.begin(),
                           [](char x) { return x < 'a' ? static_cast<char>(x + 32) : x; });
  }
  auto& who = s.w.add_account(localpart, password.value_or(s.w.random_name(32)));
  if (maybe_bool(c.body, "inhibit_login").value_or(false))
    return json_answer({{"user_id", who.id}, {"home_server", s.w.server_name}});
  return json_answer(login_answer(s, who, c.body));
}

answer register_available(server& s, call& c) {
  const auto name = c.ask("username");
  if (!name)
    refuse(400, "M_MISSING_PARAM", "Missing query parameter 'username'");
  check_free(s, *name);
  return json_answer({{"available", true}});
}

answer logout(server& s, call& c) {
  s.w.log_out(*c.who, c.device);
  s.syncs.end(c.who->id, c.device, gone());
  return json_answer(json::object());
}

answer logout_all(server& s, call& c) {
  std::vector<std::string> all;
  for (const auto& [id, d] : c.who->devices)
    all.push_back(id);
  for (const auto& id : all) {
    s.w.log_out(*c.who, id);
    s.syncs.end(c.who->id, id, gone());
  }
  return json_answer(json::object());
}

answer whoami(server&, call& c) {
  return json_answer({{"user_id", c.who->id}, {"is_guest", false}, {"device_id", c.device}});
}

answer devices(server&, call& c) {
  json list = json::array();
  for (const auto& [id, d] : c.who->devices)
    list.push_back(device_json(d, c.who->id));
  return json_answer({{"devices", std::move(list)}});
}

answer get_device(server&, call& c) { return json_answer(device_json(own_device(c), c.who->id)); }

answer put_device(server& s, call& c) {
  own_device(c);
  if (const auto name = maybe_text(c.body, "display_name")) {
    if (name->size() > 100)
      refuse(400, "M_INVALID_PARAM", "Device display name is too long (max 100)");
    s.w.name_device(*c.who, c.param("device"), *name);
  }
  return json_answer(json::object());
}

} // namespace pb::hs::api
