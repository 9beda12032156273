#pragma once
// What happened in one run, as people, the homeserver, the agents and the disk saw it. The router
// itself is never asked.

#include "bridges/http.hpp"
#include "messages/values/ids.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pb::simulate {

using nlohmann::json;
using std::chrono::milliseconds;

enum class wish {
  text,
  too_long,
  new_chat,
  clear,
  stop,
  help,
  look,   ///< a command that shows or sets something
  answer, ///< `!yes` or `!no`, whatever is open
  unknown,
  edit,
  redaction,
  stranger
};

/// What somebody sent and the homeserver accepted.
struct said {
  std::string event, room, who, text;
  std::string tag; ///< the first word of a text: agents repeat it
  wish what = wish::text;
  std::string target; ///< of an edit or a redaction
  bool owed = false;  ///< the room was ready for it: silence is a loss
  bool last = false;  ///< asked after everything was healed: an agent must answer
};

/// A USER_MESSAGE that an agent got.
struct asked {
  std::string agent, text, message_id;
  std::int64_t chat = 0;
};

struct violation {
  std::string check, room, what;
};

class chronicle {
public:
  explicit chronicle(bool aloud) : aloud_(aloud) {}

  /// A line of the trace; `about`: a room, or empty for what concerns everything.
  void note(milliseconds now, const std::string& about, const std::string& what);
  void fail(std::string check, std::string room, std::string what);

  // -- the wire --
  void on_request(milliseconds now, const http_request& r);
  void on_served(milliseconds now, const http_request& r, const http_response& got);
  void on_told(milliseconds now, const http_request& r, const http_result& got);
  /// A new process knows nothing of the old one's pauses.
  void on_death() { rests_.clear(); }

  /// I1: what the homeserver streamed before `cursor` was admitted.
  void check_cursor(const std::string& cursor, const std::string& when);

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::vector<std::string> last_lines(const std::string& room,
                                                    std::size_t most) const;

  std::vector<said> all_said;
  std::vector<asked> all_asked;
  std::vector<violation> violations;
  std::set<std::string> admitted;   ///< event ids whose transaction was committed
  std::set<std::string> rooms_left; ///< in which the bot's membership ended once
  bool admission_open = false;      ///< a transaction with an admission waits for its COMMIT
  struct missed {
    std::string room, event, when;
  };
  std::vector<missed> missing; ///< I1: the oracle asks whether the room was told of a gap
  std::size_t crashes = 0, starts = 0;

private:
  struct line {
    std::string about, text;
  };
  struct rest {
    milliseconds until{0};
    int early = 0; ///< attempts in a row that did not wait
  };
  struct streamed {
    std::string room, event;
  };
  bool aloud_;
  std::vector<line> lines_;
  std::uint64_t hash_ = 14695981039346656037ULL;
  std::map<std::string, std::string> bodies_;      ///< by transaction's path: what arrived first
  std::map<std::string, rest> rests_;              ///< by body
  std::multimap<std::int64_t, streamed> streamed_; ///< by the end of their batch
  std::set<std::string> seen_streamed_;
};

/// The number in front of a sync token of the development homeserver.
std::int64_t stream_position(const std::string& token);

} // namespace pb::simulate
