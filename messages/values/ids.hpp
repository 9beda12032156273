#pragma once
// Names that cannot be mixed up: a room id is never passed where an agent id belongs.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace pb {

template <class Tag>
struct name {
  std::string value;

  name() = default;
  explicit name(std::string v) : value(std::move(v)) {}
  [[nodiscard]] bool empty() const { return value.empty(); }
  friend auto operator<=>(const name&, const name&) = default;
};

using room_id = name<struct room_id_tag>;     ///< "!abc:server", from version 12 on "!hash"
using event_id = name<struct event_id_tag>;   ///< "$…"
using user_id = name<struct user_id_tag>;     ///< "@alice:server"
using device_id = name<struct device_id_tag>; ///< scope of Matrix transaction ids
using agent_id = name<struct agent_id_tag>;   ///< as the registry names it
using turn_id = name<struct turn_id_tag>;     ///< also the message_id that the agent sees
using outbox_id = name<struct outbox_id_tag>; ///< 128 random bits, hex: never used twice
using intent_id = name<struct intent_id_tag>; ///< names one creation of rooms, 128 random bits

/// The number by which an agent knows a conversation. One sequence, never used twice.
struct platform_chat_id {
  std::int64_t value = 0;
  friend auto operator<=>(const platform_chat_id&, const platform_chat_id&) = default;
};

/// Follows one event through every actor; every log line about it carries it.
struct trace {
  std::string ref;
};

/// Milliseconds since 1970-01-01 UTC: for rows and people. Timers use the actor's clock instead.
using unix_ms = std::int64_t;

} // namespace pb

template <class Tag>
struct std::hash<pb::name<Tag>> {
  std::size_t operator()(const pb::name<Tag>& x) const noexcept {
    return std::hash<std::string>{}(x.value);
  }
};
