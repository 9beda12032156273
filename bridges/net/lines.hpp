#pragma once
// Internal to bridges/net: bytes in any pieces → lines. Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pb::net {

class line_reader {
public:
  enum class past_limit { is_too_large, is_cut };
  /// `limit`: bytes of a line without its end.
  line_reader(std::size_t limit, past_limit then) : limit_(limit), then_(then) {}

  /// Takes bytes off the front of `bytes` until a line is whole; returns it without LF or CR LF.
  /// Nothing: all bytes were taken, or the line passed the limit (too_large(), which stays). Empty
  /// lines are left out. A line that is unfinished at the end is none.
  std::optional<std::string> next(std::string_view& bytes);

  /// Takes what there is of an unfinished line.
  std::string rest() { return std::exchange(line_, {}); }

  [[nodiscard]] bool too_large() const { return too_large_; }

private:
  const std::size_t limit_;
  const past_limit then_;
  std::string line_; ///< one byte over the limit at most: it may be the CR of the end
  bool too_large_ = false;
};

} // namespace pb::net
