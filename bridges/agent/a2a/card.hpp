#pragma once
// An agent's card: where and how it wants to be spoken to.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace pb::a2a {

/// The two wire formats. Everything before 0.3 that has a card of this kind speaks as 0.3 does.
enum class dialect { v0_3, v1_0 };

/// The interface of a card that we use.
struct endpoint {
  std::string url;
  dialect speaks = dialect::v1_0;
  bool streaming = false;
  std::string tenant; ///< 1.0: to be repeated in every request; empty: none
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// The first JSON-RPC interface of the card that we can speak; else why there is none (no text of
/// the agent). `base` is the address that the operator gave: see placed().
tl::expected<endpoint, std::string> read_card(std::string_view text, std::string_view base);

/// The address of an interface, always at the host of `base`: a card must not send our messages,
/// and the agent's key with them, to anybody else, and agents behind a proxy name a host that only
/// the proxy can see. The same host by https in place of http is let pass; of any other host the
/// path alone counts, below the path of `base`. Empty: the card's address cannot be used.
std::string placed(std::string_view url, std::string_view base);

} // namespace pb::a2a
