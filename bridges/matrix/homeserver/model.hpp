#pragma once
// What the homeserver knows: events, rooms, accounts, devices. Plain data and look-ups.

#include "bridges/matrix/homeserver/checks.hpp"
#include "messages/values/ids.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace pb::hs {

/// Place in the one stream of everything that happens; 0 is before the first.
using position = std::int64_t;

struct event {
  position pos = 0;
  std::string id, room, type, sender;
  std::optional<std::string> state_key;
  json content = json::object();
  unix_ms ts = 0;
  json extra = json::object(); ///< unsigned, without age and transaction_id
  std::string redacts;         ///< of m.room.redaction
  std::string txn, txn_device; ///< of the sending device, for its own echo
  json overlay;                ///< replaces keys of the wire form; for tests
  bool redacted = false;
};
using event_ptr = std::shared_ptr<event>;

struct receipt {
  std::string event;
  unix_ms ts = 0;
  position pos = 0;
};

/// What the push rules let through since the last receipt.
struct unread_counts {
  std::int64_t notify = 0, highlight = 0; ///< the second are among the first
};

struct room {
  using key = std::pair<std::string, std::string>; ///< type and state key
  std::string id;
  std::vector<event_ptr> timeline;             ///< by position
  std::map<key, std::vector<event_ptr>> state; ///< each key's whole history, by position
  std::set<std::string> joined;
  std::map<std::tuple<std::string, std::string, std::string>, receipt>
      receipts;                                ///< by type, user, thread
  std::map<std::string, std::uint64_t> typing; ///< user → which request said so last
  position typing_pos = 0;
  std::map<std::string, unread_counts> unread; ///< of those who are in the room
  std::set<std::tuple<std::string, std::string, std::string>>
      annotations; ///< sender, event, key: one reaction each
  std::map<std::string, std::vector<event_ptr>>
      related; ///< event → edits, thread replies and whatever else names it, reactions left out

  [[nodiscard]] const event* current(const std::string& type, const std::string& k = {}) const;
  [[nodiscard]] const event* at(const key& k, position pos) const;
  [[nodiscard]] const json& content(const std::string& type, const std::string& k = {}) const;
  /// join, invite, leave, ban, knock; empty: never heard of the room.
  [[nodiscard]] std::string membership(const std::string& user) const;
  [[nodiscard]] std::string membership_at(const std::string& user, position pos) const;
  /// Index of the first timeline event after that position.
  [[nodiscard]] std::size_t after(position pos) const;
  /// By the history visibility at the time of the event (client-server API, Room History
  /// Visibility).
  [[nodiscard]] bool visible(const event& e, const std::string& user) const;
};

struct to_device_message {
  position pos = 0;
  json wire;
};

struct device {
  std::string id, name;
  unix_ms seen = 0;                                      ///< last call; after a restart, last login
  json keys;                                             ///< device_keys; null: none uploaded
  std::map<std::string, json> one_time;                  ///< "algorithm:id" → key
  std::map<std::string, std::pair<json, bool>> fallback; ///< the same, and whether it was used
  std::deque<to_device_message> inbox;
  std::set<std::pair<std::string, std::string>> lazy_sent; ///< room, user of lazy-loaded members
};

struct account_data {
  json content;
  position pos = 0;
};

struct account {
  std::string id, localpart, password_hash, salt;
  std::optional<std::string> display_name, avatar_url;
  std::map<std::string, device> devices;
  std::vector<json> filters;
  std::map<std::string, account_data> data;
  std::map<std::pair<std::string, std::string>, account_data> room_data; ///< room, type
  std::map<std::string, position> touched; ///< room → last change that this account may see
  std::map<position, std::string> recent;  ///< the same the other way round
  std::set<std::string> forgotten;
  position devices_pos = 0; ///< last change of devices or keys
  std::string presence = "offline", status_msg;
};

struct token_owner {
  account* who = nullptr;
  std::string device;
  unix_ms ends = 0;      ///< 0: never
  std::string refresh{}; ///< the refresh token that was given out with it; empty: none
};

/// A refresh token counts until what it was exchanged for is used.
struct refresh_entry {
  account* who = nullptr;
  std::string device;
  std::string next_access, next_refresh; ///< empty: not exchanged yet
};

struct media {
  std::string type, name;
  std::size_t size = 0;
  std::string uploader;
};

/// Who looks, for what depends on it in the form of an event.
struct viewer {
  unix_ms now = 0;
  std::string device; ///< as in event::txn_device
};

std::string device_key(const std::string& user, const std::string& device);
/// The event as clients get it; sync leaves room_id out, other calls have the older keys too.
json wire_form(const event& e, const viewer& v, bool in_sync);
json stripped_form(const event& e);
/// What redaction leaves of a content in room version 10.
json redacted_content(const std::string& type, const json& content);

} // namespace pb::hs
