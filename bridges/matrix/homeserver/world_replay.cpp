#include "bridges/matrix/homeserver/world.hpp"

#include <map>
#include <string_view>

// Each record names its kind in "k" and is applied by the function that wrote it.

namespace pb::hs {

void world::replay(std::string_view line) {
  ++replayed_.lines;
  try {
    const auto record = json::parse(line);
    replay_pos_ = record.value("pos", position{0});
    replay_ts_ = record.value("ts", unix_ms{0});
    apply(record);
  } catch (const std::exception&) {
    // A line that a person edited: the rest is still worth having. The count is shown at the start.
    ++replayed_.broken;
  }
  replay_pos_ = 0;
  replay_ts_ = 0;
}

void world::apply(const json& x) {
  const auto text = [&](const char* key) { return x.at(key).get<std::string>(); };
  const auto kind = text("k");
  const auto user = [&]() -> account& {
    if (auto* a = find(text("user")))
      return *a;
    throw std::runtime_error("no such account");
  };
  if (kind == "event") {
    event e;
    e.id = text("id");
    e.room = text("room");
    e.type = text("type");
    e.sender = text("sender");
    e.ts = x.at("ts").get<unix_ms>();
    e.content = x.at("content");
    if (x.contains("state_key"))
      e.state_key = text("state_key");
    e.redacts = x.value("redacts", "");
    e.txn = x.value("txn", "");
    e.txn_device = x.value("txn_device", "");
    if (x.contains("overlay"))
      e.overlay = x.at("overlay");
    append(std::move(e), x.value("txn_key", ""));
  } else if (kind == "txn") {
    remember_txn(text("key"), text("result"));
  } else if (kind == "account") {
    account made;
    made.localpart = text("localpart");
    made.id = '@' + made.localpart + ':' + server_name;
    made.salt = text("salt");
    made.password_hash = text("hash");
    made.display_name = made.localpart;
    const auto id = made.id;
    accounts_[id] = std::move(made);
  } else if (kind == "log_in") {
    auto& who = user();
    const auto id = text("device");
    end_tokens(who, id);
    tokens_[text("token")] = {&who, id, 0};
    auto& d = who.devices[id];
    const bool fresh = d.id.empty();
    d.id = id;
    d.seen = stamp();
    if (const auto name = text("name"); fresh || !name.empty())
      d.name = name;
    const auto pos = next(replay_pos_);
    if (fresh)
      devices_changed(who, pos);
  } else if (kind == "refreshable") {
    auto& owner = tokens_.at(text("token"));
    owner.ends = x.at("ends").get<unix_ms>();
    owner.refresh = text("refresh");
    refreshes_[owner.refresh] = {owner.who, owner.device, {}, {}};
  } else if (kind == "refresh") {
    auto& who = user();
    const auto device = text("device"), token = text("token");
    auto& old = refreshes_[text("old")];
    tokens_.erase(old.next_access);
    refreshes_.erase(old.next_refresh);
    refreshes_[text("old")] = {&who, device, token, text("refresh")};
    tokens_[token] = {&who, device, x.at("ends").get<unix_ms>(), text("refresh")};
    replaces_[token] = text("old");
    refreshes_[text("refresh")] = {&who, device, {}, {}};
  } else if (kind == "token_used") {
    token_used(text("token"));
  } else if (kind == "log_out") {
    log_out(user(), text("device"));
  } else if (kind == "expire") {
    expire(user(), x.at("soft").get<bool>());
  } else if (kind == "device_name") {
    name_device(user(), text("device"), text("name"));
  } else if (kind == "profile") {
    const auto& value = x.at("value");
    set_profile(user(), text("key"),
                value.is_null() ? std::nullopt : std::optional(value.get<std::string>()));
  } else if (kind == "filter") {
    add_filter(user(), x.at("filter"));
  } else if (kind == "alias") {
    set_alias(text("alias"), text("room"), text("creator"));
  } else if (kind == "drop_alias") {
    drop_alias(text("alias"));
  } else if (kind == "forget") {
    forget(user(), text("room"));
  } else if (kind == "receipt") {
    if (auto* r = find_room(text("room")))
      set_receipt(*r, text("type"), user(), text("thread"), text("event"));
  } else if (kind == "data") {
    set_data(user(), text("room"), text("type"), x.at("content"));
  } else if (kind == "keys") {
    set_keys(user(), text("device"), x.at("upload"));
  } else if (kind == "claim") {
    user().devices[text("device")].one_time.erase(text("key"));
  } else if (kind == "to_device") {
    to_device(user(), text("device"), x.at("wire"));
  } else if (kind == "to_device_done") {
    drop_to_device(user(), text("device"), x.at("pos").get<position>());
  } else if (kind == "media") {
    const media entry{text("type"), text("name"), x.at("size").get<std::size_t>(), text("user")};
    media_total_ += entry.size;
    media_[text("id")] = entry;
  } else {
    throw std::runtime_error("unknown kind");
  }
}

} // namespace pb::hs
