#pragma once
// One room event from JSON to a value: sync, /messages and /state share this.

#include "bridges/matrix/json_scan.hpp"
#include "messages/values/event.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

/// Something that could not be understood. Only this was lost, never what stood beside it.
struct poison {
  room_id room;   ///< empty: not of a room
  event_id event; ///< if it had a usable one
  std::string reason;
  std::string raw; ///< its first 4 KiB, as UTF-8: people's text, not for a log
};

/// The first 64 are kept, all are counted: a body of garbage must not become a list of garbage.
struct poison_list {
  std::vector<poison> items;
  std::size_t total = 0;

  void add(const room_id& room, event_id event, std::string reason, std::string_view raw);
};

/// An event of an invitation: no id, and its content may be a lie.
struct stripped_event {
  user_id sender;
  std::string type, state_key, content;
};

/// Reads events out of one body. What an event must have: event_id, sender and type as identifiers
/// of at most 255 bytes; a state_key, if there is one, as a string of at most 255; a content that
/// is a flawless object at most 64 deep and 256 KiB long. A time that is no integer counts as 0.
class event_reader {
public:
  /// `body` is what the cursors read.
  explicit event_reader(std::string_view body) : trusted_(json::is_utf8(body)) {}

  /// Passes over the next value; an event is appended to `out`, all else becomes poison.
  void read(json::cursor& c, const room_id& room, std::vector<matrix_event>& out, poison_list& bad);
  /// The same for stripped state; an event without a state_key is poison.
  void read(json::cursor& c, const room_id& room, std::vector<stripped_event>& out,
            poison_list& bad);
  /// Passes over an array of events.
  template <class Event>
  void list(json::cursor& c, const room_id& room, std::vector<Event>& out, poison_list& bad) {
    if (c.peek() == json::kind::array)
      c.elements([&](json::cursor& at) { read(at, room, out, bad); });
    else
      not_a(c, "a list of events", room, bad);
  }
  /// Passes over a value that should have been `what`.
  void not_a(json::cursor& c, const char* what, const room_id& room, poison_list& bad);

  /// Whether a span of the body is UTF-8.
  [[nodiscard]] bool utf8(std::string_view span) const { return trusted_ || json::is_utf8(span); }
  /// The id in a string value; empty if it is none.
  [[nodiscard]] std::string id(const json::value& v, char sigil) const;

private:
  struct fields {
    json::value id, sender, type, key, time, content, redacts;
    std::string_view raw;
  };
  fields gather(json::cursor& c);
  struct strings {
    std::string type, sender, key;
  };
  /// Fills in what events of both kinds have; the reason why it cannot, or nullptr.
  const char* wrong(const fields& f, strings& out) const;

  bool trusted_; ///< the whole body is UTF-8: no need to look at its pieces
};

/// Content that can be stored and read by any parser.
bool is_content(const json::value& v);

} // namespace pb::matrix
