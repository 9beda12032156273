#pragma once
// What the demonstration agent says: a question in, a plan of timed frames out. Pure but for files,
// which go through `shelf`.

#include "messages/values/ids.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::demo {

using json = nlohmann::ordered_json;

/// The agent's workspace; paths are relative to it. Small files only.
class shelf {
public:
  virtual ~shelf() = default;
  virtual bool write(const std::string& path, std::string_view text) = 0;
  virtual std::optional<std::string> read(const std::string& path, std::size_t most) = 0;
  virtual std::int64_t size(const std::string& path) = 0; ///< -1: there is no such file
};

inline constexpr std::size_t said_most = 20;   ///< messages of a conversation that are remembered
inline constexpr std::size_t said_bytes = 300; ///< of each

struct question {
  std::int64_t chat = 0;
  std::int64_t number = 1; ///< which message of this conversation this is, from 1
  std::string text;
  std::vector<std::string> attachments;
  unix_ms now = 0;
  shelf* files = nullptr;                   ///< null: there is no workspace
  std::vector<std::string>* said = nullptr; ///< what was said before; reading one back replaces it
};

/// One thing to do, `wait` after the one before.
struct step {
  enum class what {
    say,   ///< send `frame`
    ask,   ///< send `frame`, a confirmation, and go no further until it is answered
    die,   ///< close the connection
    later, ///< send `frame` after `wait`, whatever goes on then; the plan goes on at once
  };
  std::chrono::milliseconds wait{0};
  what act = what::say;
  json frame;
};
using plan = std::vector<step>;

/// The whole answer, with END, ERROR or `die` as its last step. At most some thousand steps.
plan answer(const question& asked);
/// What follows the answer to a confirmation, to the end of the turn.
plan confirmed(bool yes);
/// A turn that ends in an ERROR at once.
plan refusal(std::string_view code, std::string_view details);
/// The end of a turn that was cancelled.
plan stopped();

/// The confirmation that `answer` asks for in this conversation.
std::string confirmation_id(std::int64_t chat, std::int64_t number);
inline constexpr std::chrono::seconds confirmation_time{120};

} // namespace pb::demo
