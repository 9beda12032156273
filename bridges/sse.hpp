#pragma once
// Server-sent events (WHATWG HTML, 9.2.6): bytes in any pieces → the data of events. Pure.
//
// Nothing but data is kept: names of events, ids, reconnection times, comments and unknown fields
// are passed over without memory, however long they are.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pb {

class sse_reader {
public:
  /// `limit`: bytes of one event's data.
  explicit sse_reader(std::size_t limit) : limit_(limit) {}

  /// Takes bytes off the front of `bytes` until an event is whole, and returns its data: its data
  /// lines joined by a line feed, as they came, which need not be UTF-8. Nothing: all bytes were
  /// taken, or the event passed the limit (too_large(), which stays). An event that is unfinished
  /// when the stream ends is none.
  std::optional<std::string> next(std::string_view& bytes);

  [[nodiscard]] bool too_large() const { return too_large_; }
  /// Bytes that the unfinished event holds.
  [[nodiscard]] std::size_t held() const { return data_.size(); }

private:
  enum class at : std::uint8_t {
    mark,  ///< the first bytes, which may be a byte order mark
    start, ///< of a line
    name,  ///< of a field that may still be "data"
    colon, ///< behind "data:": one space belongs to the syntax
    data,
    skip, ///< the rest of a line that means nothing to us
  };

  void put(std::string_view bytes);
  std::optional<std::string> end_line();

  const std::size_t limit_;
  std::string data_; ///< every data line of the event, each with a line feed behind it
  at at_ = at::mark;
  std::size_t matched_ = 0;   ///< of the byte order mark, or of "data"
  bool after_return_ = false; ///< a line feed now belongs to the line end that was
  bool too_large_ = false;
};

} // namespace pb
