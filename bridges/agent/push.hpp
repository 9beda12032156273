#pragma once
// What an agent says outside any turn: rules that hold however it comes, and its form over HTTP.
// Pure.

#include "messages/values/agent_event.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace pb {

inline constexpr std::size_t push_body_limit = std::size_t{256} << 10; ///< bytes over HTTP
inline constexpr std::size_t push_text_limit = std::size_t{128} << 10; ///< bytes
inline constexpr std::size_t push_id_limit = 200;                      ///< bytes
inline constexpr std::size_t push_files_limit = 20;                    ///< attachments
inline constexpr std::size_t push_path_limit = 1024;                   ///< bytes of one

/// What is wrong, each with the field's name first, "; " between; empty: nothing.
std::string push_faults(const agent_says::push& what);

struct posted_push {
  platform_chat_id chat;
  agent_says::push what;
};

/// The body of POST …/events: {event_id, kind, text, attachments?, chat_id}; chat_id is an integer,
/// or a string of digits as it stands in the address of a connection. Errors: too_large, malformed;
/// the sentence is for who wrote the agent.
result<posted_push> decode_posted_push(std::string_view body);

} // namespace pb
