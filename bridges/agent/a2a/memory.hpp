#pragma once
// What outlives a session of a chat: where the agent is spoken to, and where the talk stands.

#include "bridges/agent/a2a/card.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pb::a2a {

/// Bytes of an id that the agent gives; a longer one breaks the protocol.
inline constexpr std::size_t longest_task = 128;
inline constexpr std::size_t longest_context = 256;

/// What a person was shown of a task, small: enough to know it again when it comes once more.
struct shown_marks {
  static constexpr std::size_t artifact_cap = 64, file_cap = 256; ///< the rest is shown again
  struct text {
    std::size_t bytes = 0;
    std::uint64_t hash = 0; ///< of so many bytes
    friend bool operator==(const text&, const text&) = default;
  };
  std::map<std::string, text> texts; ///< by artifactId
  std::set<std::uint64_t> files;
  friend bool operator==(const shown_marks&, const shown_marks&) = default;
};
/// The same today and tomorrow (FNV-1a).
std::uint64_t hash_of(std::string_view bytes);

struct chat_memory {
  std::string base;           ///< the address whose card `at` is from
  std::optional<endpoint> at; ///< nothing: the card is to be read
  std::string context;        ///< contextId; empty: the agent has given none
  std::string turn, task;     ///< the task that the agent made of this turn
  unsigned decisions = 0;     ///< that were sent to this task
  shown_marks shown;          ///< of this task, when it last asked something
  friend bool operator==(const chat_memory&, const chat_memory&) = default;
};

std::string to_text(const chat_memory& memory);
/// What cannot be read is none.
chat_memory read_memory(std::string_view text);

} // namespace pb::a2a
