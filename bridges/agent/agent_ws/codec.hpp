#pragma once
// Port: one protocol of agents as bytes ↔ typed events. Pure: no I/O, no clock, no state between
// frames.

#include "messages/values/agent_event.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/turn.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace pb {

/// Safe to share between threads.
class agent_codec {
public:
  virtual ~agent_codec();
  /// The frame that begins a turn. Text that is not UTF-8 becomes UTF-8 (U+FFFD).
  [[nodiscard]] virtual std::string user_message(const turn_request& turn) const = 0;
  [[nodiscard]] virtual std::string confirm(std::string_view confirmation_id, bool yes) const = 0;
  [[nodiscard]] virtual std::string cancel() const = 0;
  /// One whole frame of the agent. Never throws and never refuses silently: what is not a frame of
  /// the protocol is agent_says::malformed, whose cause holds no text of the agent; what a later
  /// version may know is agent_says::unknown. Every string that comes out is UTF-8 without NUL.
  [[nodiscard]] virtual agent_frame decode(std::string_view text) const = 0;
};

/// agent-ws, section 3 of the contract. spec.aliases maps this agent's names to ours: what the
/// agent sends is understood under both names. Of the frames that we send, the names that only ever
/// go to the agent (USER_MESSAGE, CONFIRM, CANCEL, decision, user_id, chat_id) are written as the
/// agent calls them, if exactly one alias names them; the rest is written as the contract has it.
std::unique_ptr<agent_codec> make_agent_ws_codec(const agent_spec& spec);

/// JSON nested deeper than this is malformed (objects and arrays count; the innermost not, if it is
/// empty).
inline constexpr std::size_t agent_json_depth = 64;

} // namespace pb
