#include "bridges/matrix/homeserver/world.hpp"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace pb::hs {
namespace {

constexpr std::size_t ended_cap = 10'000, inbox_cap = 10'000, filter_cap = 1'000;

std::string hash_of(const std::string& password, const std::string& salt) {
  unsigned char out[32];
  // Few rounds: the accounts are for development, the simulation makes thousands.
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()),
                        static_cast<int>(salt.size()), 200, EVP_sha256(), sizeof out, out) != 1)
    refuse(500, "M_UNKNOWN", "The password cannot be hashed.");
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : out) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::string algorithm_of(const std::string& key_id) { return key_id.substr(0, key_id.find(':')); }

} // namespace

account* world::find(const std::string& user) {
  const auto i = accounts_.find(user);
  return i == accounts_.end() ? nullptr : &i->second;
}

account& world::add_account(const std::string& localpart, const std::string& password) {
  if (accounts_.size() >= limits.accounts)
    refuse(403, "M_RESOURCE_LIMIT_EXCEEDED", "This development homeserver takes no more accounts.");
  account made;
  made.localpart = localpart;
  made.id = '@' + localpart + ':' + server_name;
  made.salt = random_name(16);
  made.password_hash = hash_of(password, made.salt);
  made.display_name = localpart;
  log([&] {
    return json{{"k", "account"},
                {"localpart", localpart},
                {"salt", made.salt},
                {"hash", made.password_hash}};
  });
  return accounts_[made.id] = std::move(made);
}

bool world::password_fits(const account& who, const std::string& password) const {
  const auto given = hash_of(password, who.salt);
  return given.size() == who.password_hash.size() &&
         CRYPTO_memcmp(given.data(), who.password_hash.data(), given.size()) == 0;
}

std::pair<std::string, std::string> world::log_in(account& who, std::string id, std::string name) {
  if (id.empty()) {
    id = random_letters(10);
    std::ranges::transform(id, id.begin(),
                           [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  }
  end_tokens(who, id);
  const auto token = "syt_" + random_name(40);
  const auto pos = next(replay_pos_);
  log([&] {
    return json{{"k", "log_in"},  {"pos", pos},   {"user", who.id}, {"device", id},
                {"token", token}, {"name", name}, {"ts", now()}};
  });
  tokens_[token] = {&who, id, 0};
  auto& d = who.devices[id];
  const bool fresh = d.id.empty();
  d.id = id;
  if (fresh || !name.empty())
    d.name = std::move(name);
  d.seen = now();
  d.lazy_sent.clear();
  if (fresh)
    devices_changed(who, pos);
  return {token, id};
}

void world::log_out(account& who, const std::string& device) {
  const auto pos = next(replay_pos_);
  log([&] { return json{{"k", "log_out"}, {"pos", pos}, {"user", who.id}, {"device", device}}; });
  end_tokens(who, device);
  who.devices.erase(device);
  devices_changed(who, pos);
}

void world::expire(account& who, bool soft) {
  log([&] { return json{{"k", "expire"}, {"user", who.id}, {"soft", soft}}; });
  for (auto i = tokens_.begin(); i != tokens_.end();) {
    if (i->second.who != &who) {
      ++i;
      continue;
    }
    ended_[i->first] = soft;
    ended_order_.push_back(i->first);
    if (ended_order_.size() > ended_cap) {
      ended_.erase(ended_order_.front());
      ended_order_.pop_front();
    }
    if (!soft)
      who.devices.erase(i->second.device);
    i = tokens_.erase(i);
  }
  if (!soft)
    std::erase_if(refreshes_, [&](const auto& r) { return r.second.who == &who; });
}

void world::name_device(account& who, const std::string& device, const std::string& name) {
  log([&] {
    return json{{"k", "device_name"}, {"user", who.id}, {"device", device}, {"name", name}};
  });
  who.devices[device].name = name;
}

void world::set_profile(account& who, const std::string& key,
                        const std::optional<std::string>& value) {
  log([&] {
    return json{{"k", "profile"},
                {"user", who.id},
                {"key", key},
                {"value", value ? json(*value) : json(nullptr)}};
  });
  (key == "displayname" ? who.display_name : who.avatar_url) = value;
}

std::size_t world::add_filter(account& who, const json& filter) {
  const auto known = std::find(who.filters.begin(), who.filters.end(), filter);
  if (known != who.filters.end())
    return static_cast<std::size_t>(known - who.filters.begin());
  if (who.filters.size() >= filter_cap)
    refuse(403, "M_RESOURCE_LIMIT_EXCEEDED", "Too many filters.");
  log([&] { return json{{"k", "filter"}, {"user", who.id}, {"filter", filter}}; });
  who.filters.push_back(filter);
  return who.filters.size() - 1;
}

void world::set_data(account& who, const std::string& room, const std::string& type,
                     const json& content) {
  const auto pos = next(replay_pos_);
  log([&] {
    return json{{"k", "data"},  {"pos", pos},   {"user", who.id},
                {"room", room}, {"type", type}, {"content", content}};
  });
  if (room.empty()) {
    who.data[type] = {content, pos};
    if (on_change)
      on_change(who);
  } else {
    who.room_data[{room, type}] = {content, pos};
    touch(who, room, pos);
  }
}

void world::devices_changed(account& who, position pos) {
  device_changes_.erase(who.devices_pos);
  who.devices_pos = pos;
  device_changes_[pos] = who.id;
  if (!on_change)
    return;
  // Only those who share a room are told; the account knows its rooms.
  std::set<std::string> told{who.id};
  for (const auto& [id, last] : who.touched)
    if (const auto* r = find_room(id); r != nullptr && r->joined.contains(who.id))
      told.insert(r->joined.begin(), r->joined.end());
  for (const auto& user : told)
    if (auto* a = find(user))
      on_change(*a);
}

bool world::share_a_room(const std::string& a, const std::string& b) const {
  const auto one = accounts_.find(a), two = accounts_.find(b);
  if (one == accounts_.end() || two == accounts_.end())
    return false;
  const bool fewer = one->second.touched.size() <= two->second.touched.size();
  for (const auto& [id, last] : (fewer ? one : two)->second.touched)
    if (const auto r = rooms_.find(id);
        r != rooms_.end() && r->second->joined.contains(a) && r->second->joined.contains(b))
      return true;
  return false;
}

std::vector<std::string> world::device_changes(position since) const {
  std::vector<std::string> out;
  for (auto i = device_changes_.upper_bound(since); i != device_changes_.end(); ++i)
    out.push_back(i->second);
  return out;
}

void world::set_keys(account& who, const std::string& id, const json& upload) {
  auto& d = who.devices[id];
  if (const auto* keys = member(upload, "one_time_keys"); keys != nullptr && keys->is_object())
    for (const auto& [name, key] : keys->items())
      if (const auto old = d.one_time.find(name); old != d.one_time.end() && old->second != key)
        refuse(400, "M_UNKNOWN",
               "One time key " + name + " already exists. Old key: " + old->second.dump() +
                   "; new key: " + key.dump());
  const auto pos = next(replay_pos_);
  log([&] {
    return json{{"k", "keys"}, {"pos", pos}, {"user", who.id}, {"device", id}, {"upload", upload}};
  });
  if (const auto* keys = member(upload, "one_time_keys"); keys != nullptr && keys->is_object())
    for (const auto& [name, key] : keys->items())
      d.one_time[name] = key;
  if (const auto* keys = member(upload, "fallback_keys"); keys != nullptr && keys->is_object())
    for (const auto& [name, key] : keys->items()) {
      const auto algorithm = algorithm_of(name);
      std::erase_if(d.fallback, [&](const auto& f) { return algorithm_of(f.first) == algorithm; });
      d.fallback[name] = {key, false};
    }
  if (const auto* keys = member(upload, "device_keys"); keys != nullptr && keys->is_object())
    if (d.keys != *keys) {
      d.keys = *keys;
      devices_changed(who, pos);
    }
}

json world::claim_key(account& who, const std::string& id, const std::string& algorithm) {
  const auto d = who.devices.find(id);
  if (d == who.devices.end())
    return nullptr;
  for (auto& [name, key] : d->second.one_time)
    if (algorithm_of(name) == algorithm) {
      json out{{name, key}};
      const std::string taken = name;
      log([&] { return json{{"k", "claim"}, {"user", who.id}, {"device", id}, {"key", taken}}; });
      d->second.one_time.erase(taken);
      return out;
    }
  for (auto& [name, key] : d->second.fallback)
    if (algorithm_of(name) == algorithm) {
      key.second = true;
      return {{name, key.first}};
    }
  return nullptr;
}

void world::to_device(account& to, const std::string& id, const json& wire) {
  const auto d = to.devices.find(id);
  if (d == to.devices.end() || d->second.inbox.size() >= inbox_cap)
    return;
  if (replaying_ && replay_pos_ > 0)
    to_device_head_ = replay_pos_;
  else
    ++to_device_head_;
  log([&] {
    return json{{"k", "to_device"},
                {"pos", to_device_head_},
                {"user", to.id},
                {"device", id},
                {"wire", wire}};
  });
  d->second.inbox.push_back({to_device_head_, wire});
  if (on_change)
    on_change(to);
}

void world::drop_to_device(account& who, const std::string& id, position up_to) {
  const auto d = who.devices.find(id);
  if (d == who.devices.end() || d->second.inbox.empty() || d->second.inbox.front().pos > up_to)
    return;
  log([&] {
    return json{{"k", "to_device_done"}, {"user", who.id}, {"device", id}, {"pos", up_to}};
  });
  while (!d->second.inbox.empty() && d->second.inbox.front().pos <= up_to)
    d->second.inbox.pop_front();
}

} // namespace pb::hs
