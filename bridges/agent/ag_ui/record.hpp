#pragma once
// The messages of an AG-UI run as its agent will want to see them again: agents are mostly
// stateless and get the whole thread with every run. Pure.

#include "bridges/agent/history.hpp"

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pb::ag_ui {

inline constexpr std::size_t kept_messages =
    32;                                       ///< of one turn; the words of later ones join these
inline constexpr std::size_t kept_id = 256;   ///< bytes
inline constexpr std::size_t kept_calls = 32; ///< of one turn; later ones are not in the thread
inline constexpr std::size_t kept_args = std::size_t{4} << 10;    ///< bytes; longer ones become {}
inline constexpr std::size_t kept_result = std::size_t{8} << 10;  ///< bytes; longer ones are cut
inline constexpr std::size_t kept_words = std::size_t{128} << 10; ///< bytes of a turn's answer

class record {
public:
  /// A piece of an assistant's message.
  void text(const std::string& message, std::string_view delta);
  void call(const std::string& id, const std::string& name);
  void args(const std::string& id, std::string_view delta);
  void result(const std::string& message, const std::string& call, std::string content);
  /// Name and arguments so far of a call; null: none of that id.
  struct tool_call {
    std::string id, name, args;
  };
  [[nodiscard]] const tool_call* find(const std::string& id) const;
  [[nodiscard]] std::vector<history_entry> entries(const std::string& turn) const;

private:
  struct entry {
    std::string role, id, text;
    std::vector<tool_call> calls;
    std::string answers; ///< tool: the call
  };
  tool_call* look(const std::string& id);

  std::vector<entry> messages_;
  std::size_t calls_ = 0, words_ = 0;
};

/// Without calls that have no result, which no model accepts, and messages that are empty then.
std::vector<history_entry> settled(std::vector<history_entry> exchange);

/// An entry as a message of RunAgentInput.
nlohmann::json as_message(const history_entry& entry, std::size_t number);

} // namespace pb::ag_ui
