#pragma once
// What went over the wire during one case, for people to look at when it failed.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace pb::agent_check {

enum class passage : std::uint8_t { opened, sent, received, closed, remark };
std::string_view to_string(passage p);

struct transcript_line {
  std::chrono::milliseconds at{0}; ///< since the case began
  passage what = passage::remark;
  std::int64_t chat = 0;
  std::uint64_t connection = 0; ///< from 1, in the order of dialling; 0: none
  std::size_t bytes = 0;        ///< of the whole text
  std::string text;             ///< its beginning, UTF-8
};

/// The first and the newest lines of a case; what lies between is counted only.
class transcript {
public:
  static constexpr std::size_t first_lines = 6, last_lines = 14, text_bytes = 300;

  void begin(std::chrono::milliseconds now);
  void add(std::chrono::milliseconds now, passage what, std::int64_t chat, std::uint64_t connection,
           std::string_view text);

  [[nodiscard]] std::vector<transcript_line> lines() const;
  /// How many were left out, and after how many of lines() that was.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

private:
  std::chrono::milliseconds began_{0};
  std::vector<transcript_line> first_;
  std::deque<transcript_line> last_;
  std::size_t left_out_ = 0;
};

/// The beginning of a text, at most `most` bytes, no character cut in two; what is not UTF-8
/// becomes U+FFFD.
std::string beginning(std::string_view text, std::size_t most);
/// Harmless on a terminal: control characters are written \xNN.
std::string printable(std::string_view text);

} // namespace pb::agent_check
