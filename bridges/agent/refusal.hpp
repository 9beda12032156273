#pragma once
// An HTTP answer that is a refusal, in words: for protocols that are requests over HTTP. Pure.

#include "bridges/link.hpp"
#include "messages/values/agent_event.hpp"

#include <string>
#include <string_view>

namespace pb {

/// Bytes of a sentence that an agent's server said about its own failure.
inline constexpr std::size_t sentence_limit = 300;

/// One line of plain text out of what a server said: no control characters, no markup (a text that
/// begins like HTML gives nothing), cut. Bytes that are not UTF-8 give nothing.
std::string server_sentence(std::string_view text);

/// The server's own sentence in an answer's body: error.message, error, message or detail of a JSON
/// object, else a short plain text.
std::string refusal_sentence(std::string_view body);

/// `rejected`, told: code is ours and short (status and what it means, Retry-After included),
/// details are the server's sentence.
agent_says::error refusal(const link_closed& why);

/// The answer says that the agent's token is wrong or missing.
inline bool refuses_us(const link_closed& why) {
  return why.reason == link_closed::how::rejected && (why.code == 401 || why.code == 403);
}

} // namespace pb
