#pragma once
// What outlives a session of a chat: where the agent is spoken to, and where the talk stands.

#include "bridges/agent/a2a/card.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pb::a2a {

/// Bytes of an id that the agent gives; a longer one breaks the protocol.
inline constexpr std::size_t longest_task = 128;
inline constexpr std::size_t longest_context = 256;

struct chat_memory {
  std::string base;           ///< the address whose card `at` is from
  std::optional<endpoint> at; ///< nothing: the card is to be read
  std::string context;        ///< contextId; empty: the agent has given none
  std::string turn, task;     ///< the task that the agent made of this turn
  unsigned decisions = 0;     ///< that were sent to this task
  friend bool operator==(const chat_memory&, const chat_memory&) = default;
};

std::string to_text(const chat_memory& memory);
/// What cannot be read is none.
chat_memory read_memory(std::string_view text);

} // namespace pb::a2a
