#pragma once
// The process's configuration (patchbay.yaml, environment, command line), as values.

#include "messages/values/ids.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pb {

enum class language { en, ru };
enum class invite_policy { registered, server, anyone };
enum class log_format { text, json };
enum class log_level { debug, info, warning, error };
enum class synchronous_mode { full, normal };
enum class streaming_mode { edits, final_only };

/// Text that must not be printed. Copies are plain; only show() reveals it.
class secret {
public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& show() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend bool operator==(const secret&, const secret&) = default;

private:
  std::string value_;
};

struct address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  friend bool operator==(const address&, const address&) = default;
};

struct file_settings {
  std::size_t max_bytes = std::size_t{64} << 20; ///< of one file, either way
  std::string incoming = "incoming";             ///< below a workspace; empty: its root
  std::uint32_t mode = 0664;
  std::vector<std::string> deny{"config/**", ".*"};
  std::size_t chat_quota = std::size_t{1} << 30; ///< bytes in a chat's incoming folder; 0: no limit
};

struct settings {
  struct {
    bool embedded = false;
    std::string url; ///< scheme://host[:port][/prefix], no slash at the end
    user_id user;
    std::optional<secret> access_token, password; ///< the token wins when both are there
    device_id device{"PATCHBAY"};                 ///< for a login by password
  } homeserver;
  std::string registry; ///< path, empty: none
  std::string data_dir = "data";
  language lang = language::en;
  struct {
    invite_policy invites = invite_policy::registered;
    std::vector<user_id> operators;
    std::uint32_t turns_per_minute = 30; ///< 0: no limit
  } access;
  struct {
    std::uint32_t queue_limit = 32;         ///< messages that may wait in a room
    std::size_t max_message_bytes = 32'768; ///< of a person's text
  } rooms;
  struct {
    streaming_mode mode = streaming_mode::edits;
    std::chrono::milliseconds min_interval{1'000}, max_interval{5'000};
    std::uint32_t max_edits = 30;
  } streaming;
  std::chrono::seconds confirmation_ttl{1'800};
  file_settings files;
  struct {
    std::string path; ///< of the database; empty: data_dir/patchbay.db
    synchronous_mode synchronous = synchronous_mode::full;
    std::chrono::milliseconds retention{std::chrono::hours{30 * 24}}; ///< of what is settled
  } storage;
  struct {
    address listen{"127.0.0.1", 8780};
    bool listen_given = false; ///< false: another free port may be taken
    std::optional<secret> token;
  } admin;
  std::optional<address> agents_api;
  struct {
    log_format format = log_format::text;
    log_level level = log_level::info;
  } log;
  std::chrono::milliseconds drain{20'000};
  std::string legacy_store_path;        ///< MATRIX_STORE_PATH: only `reset` looks at it
  std::vector<std::string> ineffective; ///< names of environment variables that have no effect
};

} // namespace pb
