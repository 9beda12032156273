#pragma once
// All state of the homeserver. Every change goes through one member function, which also writes the
// journal's record; the replay calls the same functions again.

#include "bridges/matrix/homeserver/journal.hpp"
#include "bridges/matrix/homeserver/model.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pb::hs {

struct world_limits {
  std::size_t event_bytes = 0, events = 0, accounts = 0, upload_bytes = 0, media_bytes = 0;
};

struct alias_entry {
  std::string room, creator;
};

class world {
public:
  world(std::string server_name, std::function<unix_ms()> now, std::uint64_t seed,
        world_limits limits, std::unique_ptr<journal> keep);

  const std::string server_name;
  const world_limits limits;
  std::function<void(account&)> on_change; ///< something that this account may see has changed

  [[nodiscard]] unix_ms now() const { return now_(); }
  [[nodiscard]] position head() const { return head_; }
  [[nodiscard]] position to_device_head() const { return to_device_head_; }
  [[nodiscard]] position typing_head() const { return typing_head_; }
  /// That many letters and digits of 64 (A-Z a-z 0-9 _ -), never the same twice.
  std::string random_name(std::size_t length);
  /// The same, letters alone.
  std::string random_letters(std::size_t length);
  /// The journal refused a record: what is in memory may not survive.
  [[nodiscard]] bool broken() const { return broken_; }

  // accounts, devices, tokens
  account* find(const std::string& user);
  [[nodiscard]] const std::map<std::string, account>& accounts() const { return accounts_; }
  account& add_account(const std::string& localpart, const std::string& password);
  [[nodiscard]] bool password_fits(const account& who, const std::string& password) const;
  /// A new token; an old one of the same device ends. `device` empty: a new device.
  std::pair<std::string, std::string> log_in(account& who, std::string device, std::string name);
  /// Nothing: no such token, or its time is over.
  const token_owner* find_token(const std::string& token) const;
  /// Makes the token one that ends, with a refresh token, which is returned.
  std::string make_refreshable(const std::string& token, unix_ms life);
  /// Another token for the device, by its refresh token; the old ones count until one of the new is
  /// used. 401 when there is no such refresh token.
  std::pair<std::string, std::string> refresh(const std::string& refresh_token, unix_ms life);
  /// The token is in use: what it replaced ends.
  void token_used(const std::string& token);
  /// soft: nothing; the device is gone: hard; no such token: nothing either.
  /// True also for one whose time is over.
  [[nodiscard]] bool soft_expired(const std::string& token) const;
  void log_out(account& who, const std::string& device);
  void expire(account& who, bool soft);
  void name_device(account& who, const std::string& device, const std::string& name);
  void set_profile(account& who, const std::string& key, const std::optional<std::string>& value);
  std::size_t add_filter(account& who, const json& filter);

  // rooms
  room* find_room(const std::string& id);
  [[nodiscard]] const std::map<std::string, std::unique_ptr<room>>& rooms() const { return rooms_; }
  room& make_room();
  /// Gives position, id, time and unsigned data; tells everybody in the room.
  event_ptr append(event draft, const std::string& txn_key = {});
  event_ptr find_event(const std::string& id) const;
  /// The event id that this transaction id made already; kept for 24 hours, as Synapse does.
  std::string known_txn(const std::string& txn_key);
  void remember_txn(const std::string& txn_key, const std::string& result);
  const alias_entry* find_alias(const std::string& alias) const;
  [[nodiscard]] std::vector<std::string> aliases_of(const std::string& room) const;
  void set_alias(const std::string& alias, const std::string& room, const std::string& creator);
  void drop_alias(const std::string& alias);
  void forget(account& who, const std::string& room);
  void set_receipt(room& r, const std::string& type, account& who, const std::string& thread,
                   const std::string& event);
  /// Not in the journal: typing ends with the process.
  void set_typing(room& r, const std::string& user, std::optional<std::uint64_t> token);
  /// Rooms whose typing list changed after that place, latest last.
  [[nodiscard]] std::vector<room*> typing_since(position pos) const;

  // account data, keys, messages to devices
  void set_data(account& who, const std::string& room, const std::string& type,
                const json& content);
  void set_keys(account& who, const std::string& device, const json& upload);
  /// Takes one key of that algorithm away, or lends the fallback; null: none.
  json claim_key(account& who, const std::string& device, const std::string& algorithm);
  void to_device(account& to, const std::string& device, const json& wire);
  void drop_to_device(account& who, const std::string& device, position up_to);
  [[nodiscard]] std::vector<std::string> device_changes(position since) const;
  [[nodiscard]] bool share_a_room(const std::string& a, const std::string& b) const;

  // media
  std::string add_media(const account& who, std::string type, std::string name,
                        const std::string& bytes);
  const media* find_media(const std::string& id) const;
  [[nodiscard]] std::optional<std::string> media_bytes(const std::string& id) const;
  [[nodiscard]] std::size_t media_total() const { return media_total_; }
  [[nodiscard]] std::size_t event_total() const { return by_id_.size(); }

  struct replay_report {
    std::size_t lines = 0, broken = 0;
  };
  [[nodiscard]] replay_report replayed() const { return replayed_; }

private:
  void replay(std::string_view line);
  void apply(const json& record);
  void log(const std::function<json()>& record);
  void end_tokens(const account& who, const std::string& device);
  void remember(const std::string& txn_key, const std::string& result);
  void touch(account& who, const std::string& room, position pos);
  void devices_changed(account& who, position pos);
  void apply_redaction(room& r, const event& e);
  position next(position given);
  [[nodiscard]] unix_ms stamp() const { return replay_ts_ > 0 ? replay_ts_ : now(); }
  std::string draw(std::size_t length, std::string_view alphabet);

  std::function<unix_ms()> now_;
  std::mt19937_64 random_;
  std::unique_ptr<journal> keep_;
  bool replaying_ = false, broken_ = false;
  replay_report replayed_;
  position head_ = 0, to_device_head_ = 0, typing_head_ = 0;
  position replay_pos_ = 0; ///< what next() gives during a replay
  unix_ms replay_ts_ = 0;   ///< what stamp() gives during a replay
  std::map<std::string, account> accounts_;
  std::unordered_map<std::string, token_owner> tokens_;
  std::unordered_map<std::string, refresh_entry> refreshes_;
  std::unordered_map<std::string, std::string>
      replaces_;                                ///< new access token → refresh token before
  std::unordered_map<std::string, bool> ended_; ///< token → soft; for the last that ended
  std::deque<std::string> ended_order_;
  std::map<std::string, std::unique_ptr<room>> rooms_;
  std::unordered_map<std::string, event_ptr> by_id_;
  std::unordered_map<std::string, std::pair<std::string, unix_ms>> txns_;
  std::deque<std::pair<std::string, unix_ms>> txn_order_;
  std::map<std::string, alias_entry> aliases_;
  std::map<position, std::string> device_changes_; ///< position → user, latest of each
  std::map<position, room*> typing_changes_;
  std::map<std::string, media> media_;
  std::map<std::string, std::string> media_bytes_; ///< without a journal
  std::size_t media_total_ = 0;
};

} // namespace pb::hs
