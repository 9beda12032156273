#pragma once
// The development homeserver: one room version, no federation, no sockets, no threads, no clock of
// its own. The embedded default mounts it on our HTTP server, the simulation runs it under a seed,
// tests call it directly. It is meant for loopback and for development, never for people's data.

#include "bridges/http_server.hpp"
#include "bridges/matrix/homeserver/fault_rule.hpp"
#include "bridges/matrix/homeserver/journal.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace pb {

/// A leaky bucket: `burst` calls at once, then `per_second`.
struct call_rate {
  double per_second = 0;
  double burst = 0;
};

/// Absent: not limited.
struct rate_limits {
  std::optional<call_rate> message;       ///< per account over all rooms; state, redactions too
  std::optional<call_rate> room_creation; ///< per account
  std::optional<call_rate> join;          ///< per account
  std::optional<call_rate> invite_room, invite_receiver, invite_issuer;
  bool hints = true; ///< a 429 says how long to wait

  /// What a fresh Synapse allows (its configuration manual, rc_*).
  static rate_limits synapse_defaults();
};

struct homeserver_options {
  std::string server_name = "localhost";
  std::function<unix_ms()> now; ///< empty: the system's clock
  std::uint64_t seed = 0;       ///< of ids and tokens; 0: from the system
  std::size_t max_event_bytes = 65'536;
  std::size_t max_upload_bytes = std::size_t{64} << 20;
  std::size_t max_media_bytes = std::size_t{256} << 20; ///< of all uploads together
  std::size_t max_events = 2'000'000;                   ///< of all rooms together
  std::size_t max_accounts = 10'000;
  bool open_registration = true;
  bool allow_faults = false; ///< serves /_dev/…: only for tests
  /// Serves /_matrix/media/v3/download, which needs no token; servers of today have closed it.
  bool old_media_paths = true;
  rate_limits limits;
  /// Of access tokens that come with a refresh token; zero: a server without refresh tokens.
  std::chrono::milliseconds token_life{0};
  std::unique_ptr<journal> keep; ///< empty: in memory
  /// Sees every request with its answer, for validators.
  std::function<void(const server_request&, const http_response&)> recorder;
};

struct dev_login {
  std::string user_id, access_token, device_id;
};

/// All calls from one thread: the one that runs the handler and the timers.
class homeserver {
public:
  homeserver(homeserver_options options, timers& clock);
  ~homeserver();
  homeserver(const homeserver&) = delete;
  homeserver& operator=(const homeserver&) = delete;

  void handle(server_request request, std::shared_ptr<http_reply> reply);
  /// For a server; must not be called after the homeserver is gone.
  http_handler handler();

  /// Makes the account unless it exists (then the password must fit) and logs a device in.
  result<dev_login> log_in(const std::string& localpart, const std::string& password,
                           const std::string& device = {});
  [[nodiscard]] bool has_account(const std::string& localpart) const;
  /// What everybody in the room sees, oldest first, in the form of the client-server API.
  [[nodiscard]] std::vector<nlohmann::json> events(const std::string& room) const;
  [[nodiscard]] std::vector<std::string> rooms() const;
  [[nodiscard]] std::vector<std::string> members(const std::string& room,
                                                 const std::string& membership = "join") const;
  /// Sends as a real client would; returns the event id.
  result<std::string> send(const std::string& user, const std::string& room,
                           const std::string& type, const nlohmann::json& content,
                           const std::optional<std::string>& state_key = {});
  /// Puts an event into a room without any check; `overlay` replaces keys of its wire form, so that
  /// `{"content": 7}` or `{"sender": null}` reach the clients.
  std::string inject_event(const std::string& user, const std::string& room,
                           const std::string& type, const nlohmann::json& content,
                           const nlohmann::json& overlay = nlohmann::json::object());

  std::uint64_t add_fault(fault_rule rule);
  void clear_faults();
  /// How often the rule took effect.
  [[nodiscard]] std::uint64_t fault_hits(std::uint64_t id) const;
  void set_limits(rate_limits limits);
  void set_token_life(std::chrono::milliseconds life); ///< as in the options, for what is new
  /// Ends every access token of the user: 401 with this soft_logout from now on. The device and its
  /// refresh tokens stay when soft.
  void expire_tokens(const std::string& user, bool soft);

  struct counts {
    std::size_t events = 0, rooms = 0, accounts = 0, waiting_syncs = 0, media_bytes = 0;
    std::size_t journal_lines = 0, broken_journal_lines = 0; ///< of the replay at construction
  };
  [[nodiscard]] counts status() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Says what this is, for the console of the one who starts it.
std::string homeserver_banner(std::uint16_t port);

} // namespace pb
