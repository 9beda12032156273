#include "bridges/matrix/homeserver/world.hpp"

// Access tokens that end, and refresh tokens (client-server API, Refreshing access tokens).

namespace pb::hs {

const token_owner* world::find_token(const std::string& token) const {
  const auto i = tokens_.find(token);
  if (i == tokens_.end() || (i->second.ends > 0 && now() >= i->second.ends))
    return nullptr;
  return &i->second;
}

bool world::soft_expired(const std::string& token) const {
  if (tokens_.contains(token))
    return true; // its time is over, the device is there
  const auto i = ended_.find(token);
  return i != ended_.end() && i->second;
}

void world::end_tokens(const account& who, const std::string& device) {
  const auto theirs = [&](const auto& entry) {
    return entry.second.who == &who && entry.second.device == device;
  };
  std::erase_if(tokens_, theirs);
  std::erase_if(refreshes_, theirs);
}

std::string world::make_refreshable(const std::string& token, unix_ms life) {
  auto& owner = tokens_.at(token);
  auto made = "syr_" + random_name(40);
  owner.ends = now() + life;
  owner.refresh = made;
  refreshes_[made] = {owner.who, owner.device, {}, {}};
  log([&] {
    return json{{"k", "refreshable"}, {"token", token}, {"refresh", made}, {"ends", owner.ends}};
  });
  return made;
}

std::pair<std::string, std::string> world::refresh(const std::string& old, unix_ms life) {
  const auto i = refreshes_.find(old);
  if (i == refreshes_.end()) {
    api_error error(401, "M_UNKNOWN_TOKEN", "refresh token isn't recognized");
    error.body["soft_logout"] = false;
    throw error;
  }
  auto& entry = i->second;
  if (replaces_.erase(entry.next_access) > 0) // the same again: the answer was lost
    tokens_.erase(entry.next_access);
  refreshes_.erase(entry.next_refresh);
  const auto who = entry.who;
  const auto device = entry.device;
  const auto access = "syt_" + random_name(40), next = "syr_" + random_name(40);
  entry.next_access = access;
  entry.next_refresh = next;
  const auto ends = now() + life;
  log([&] {
    return json{{"k", "refresh"},  {"user", who->id}, {"device", device}, {"old", old},
                {"token", access}, {"refresh", next}, {"ends", ends}};
  });
  tokens_[access] = {who, device, ends, next};
  replaces_[access] = old;
  refreshes_[next] = {who, device, {}, {}};
  // A refresh token of the second generation: whoever has it has what the first was exchanged for.
  for (const auto& [token, before] : replaces_)
    if (before != old && tokens_.contains(token) && tokens_.at(token).refresh == old) {
      token_used(std::string(token));
      break;
    }
  return {access, next};
}

void world::token_used(const std::string& token) {
  const auto replaced = replaces_.extract(token);
  if (!replaced)
    return;
  log([&] { return json{{"k", "token_used"}, {"token", token}}; });
  const auto old = replaced.mapped();
  refreshes_.erase(old);
  std::erase_if(tokens_, [&](const auto& t) { return t.second.refresh == old; });
}

} // namespace pb::hs
