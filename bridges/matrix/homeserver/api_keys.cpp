// Keys of devices and messages between them. The server stores and hands out; it checks no
// signature.

#include "bridges/matrix/homeserver/endpoints.hpp"

namespace pb::hs::api {
namespace {

const json& need_object(const json& body, const char* key) {
  const auto* value = member(body, key);
  if (value == nullptr || !value->is_object())
    refuse(400, "M_BAD_JSON", std::string("'") + key + "' must be an object");
  return *value;
}

json counts_of(const device& d) {
  json out{{"signed_curve25519", 0}};
  for (const auto& [name, key] : d.one_time) {
    auto& n = out[name.substr(0, name.find(':'))];
    n = (n.is_number() ? n.get<int>() : 0) + 1;
  }
  return out;
}

} // namespace

answer upload_keys(server& s, call& c) {
  if (const auto& device_id = c.param("device"); !device_id.empty() && device_id != c.device)
    refuse(400, "M_UNKNOWN", "Can only upload keys for the device of the token.");
  for (const auto* part : {"device_keys", "one_time_keys", "fallback_keys"})
    if (const auto* value = member(c.body, part); value != nullptr && !value->is_object())
      refuse(400, "M_BAD_JSON", std::string("'") + part + "' must be an object");
  if (const auto* keys = member(c.body, "device_keys"))
    if (text_or_empty(*keys, "user_id") != c.who->id ||
        text_or_empty(*keys, "device_id") != c.device)
      refuse(400, "M_BAD_JSON", "The device keys are for another user or device.");
  s.w.set_keys(*c.who, c.device, c.body);
  return json_answer({{"one_time_key_counts", counts_of(c.who->devices[c.device])}});
}

answer query_keys(server& s, call& c) {
  json found = json::object();
  for (const auto& [user, ids] : need_object(c.body, "device_keys").items()) {
    if (!ids.is_array())
      refuse(400, "M_BAD_JSON", "The device ids of " + user + " must be a list");
    auto* who = s.w.find(user);
    if (who == nullptr)
      continue;
    auto& list = found[user] = json::object();
    for (const auto& [id, d] : who->devices) {
      if (!d.keys.is_object() ||
          (!ids.empty() && std::find(ids.begin(), ids.end(), json(id)) == ids.end()))
        continue;
      list[id] = d.keys;
      if (!d.name.empty())
        list[id]["unsigned"]["device_display_name"] = d.name;
    }
  }
  return json_answer({{"device_keys", std::move(found)}, {"failures", json::object()}});
}

answer claim_keys(server& s, call& c) {
  json claimed = json::object();
  for (const auto& [user, wanted] : need_object(c.body, "one_time_keys").items()) {
    auto* who = s.w.find(user);
    if (who == nullptr || !wanted.is_object())
      continue;
    for (const auto& [id, algorithm] : wanted.items())
      if (algorithm.is_string())
        if (auto key = s.w.claim_key(*who, id, algorithm.get<std::string>()); !key.is_null())
          claimed[user][id] = std::move(key);
  }
  return json_answer({{"one_time_keys", std::move(claimed)}, {"failures", json::object()}});
}

answer no_key_backup(server&, call&) { refuse(404, "M_NOT_FOUND", "No backup found"); }

answer send_to_device(server& s, call& c) {
  const auto key = device_key(c.who->id, c.device) + " PUT " + c.request.path;
  if (!s.w.known_txn(key).empty())
    return json_answer(json::object());
  const auto& all = need_object(c.body, "messages");
  for (const auto& [user, devices] : all.items())
    if (!devices.is_object())
      refuse(400, "M_BAD_JSON", "The messages for " + user + " must be an object");
  for (const auto& [user, devices] : all.items()) {
    auto* who = s.w.find(user);
    if (who == nullptr)
      continue;
    for (const auto& [id, content] : devices.items()) {
      const json wire{{"type", c.param("type")}, {"sender", c.who->id}, {"content", content}};
      if (id != "*") {
        s.w.to_device(*who, id, wire);
        continue;
      }
      for (const auto& [every, d] : who->devices)
        s.w.to_device(*who, every, wire);
    }
  }
  s.w.remember_txn(key, "done");
  return json_answer(json::object());
}

} // namespace pb::hs::api
