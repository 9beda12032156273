#pragma once
// The part of the client-server API that the three subjects call, with all rooms joined already.

#include "tests/bench/world/oracle.hpp"
#include "tests/bench/world/topology.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pb::bench {

struct reply {
  unsigned status = 200;
  std::string body;
  bool news = false; ///< messages that a poll had not seen
};

/// A /sync that has nothing to say yet.
struct held_poll {
  std::uint64_t since = 0;
  std::uint32_t timeout_ms = 0;
};

/// No socket inside: the server carries requests here and answers back.
class homeserver {
public:
  homeserver(topology& rooms, oracle& o) : rooms_(rooms), oracle_(o) {}

  /// Told when a message has its answer: its room may speak again.
  std::function<void(std::uint32_t room)> on_answered;
  /// Told when a /sync with `since` arrives: the subject has taken its place in the stream.
  std::function<void(std::uint64_t since)> on_poll;

  /// The answer, or nothing: then `held` says until when it may wait.
  std::optional<reply> handle(std::string_view method, std::string_view target,
                              std::string_view body, held_poll& held);

  /// The answer to a poll: everything from message `since` on, each room with its messages in
  /// order.
  [[nodiscard]] std::string sync_since(std::uint64_t since) const;
  [[nodiscard]] bool has_news(std::uint64_t since) const { return since < oracle_.size(); }

private:
  using path = std::vector<std::string>;
  std::optional<reply> sync(std::string_view query, held_poll& held);
  [[nodiscard]] std::string first_sync() const;
  reply in_room(std::string_view method, const path& parts, std::string_view query,
                std::string_view body);
  reply of_user(std::string_view method, const path& parts, std::string_view body);
  reply send(place where, const path& parts, std::string_view body);
  void judge(place where, std::string_view content);
  reply state(std::string_view method, place where, const path& parts, std::string_view body);
  /// A page of a room's past, newest first, from the token in the query.
  [[nodiscard]] std::string messages(place where, std::string_view query) const;
  void append_message(std::string& out, std::uint64_t message, std::uint64_t ts) const;
  [[nodiscard]] std::string members(place where) const;
  [[nodiscard]] std::string joined_members(place where) const;
  [[nodiscard]] std::string joined_rooms() const;
  reply unrecognized(std::string_view method, std::string_view target);
  [[nodiscard]] std::string next_event_id();

  topology& rooms_;
  oracle& oracle_;
  simdjson::dom::parser parser_;
  std::unordered_map<std::string, std::string> transactions_; ///< room, type and txnId → event id
  std::map<std::string, std::string> account_data_;
  std::map<std::string, std::uint64_t> strangers_; ///< requests that we do not know
  std::uint64_t events_ = 0;
};

} // namespace pb::bench
