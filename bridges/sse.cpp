#include "bridges/sse.hpp"

#include <algorithm>
#include <utility>

namespace pb {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view data_name = "data";

std::size_t line_length(std::string_view bytes) {
  const auto end = [](char c) { return c == '\r' || c == '\n'; };
  return static_cast<std::size_t>(std::find_if(bytes.begin(), bytes.end(), end) - bytes.begin());
}

} // namespace

std::optional<std::string> sse_reader::next(std::string_view& bytes) {
  while (!bytes.empty() && !too_large_) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    if (at_ == at::mark) {
      if (bytes.front() == byte_order_mark[matched_]) {
        bytes.remove_prefix(1);
        if (++matched_ == byte_order_mark.size())
          at_ = at::start;
        continue;
      }
      // A part of the mark begins a field that nobody knows.
      at_ = matched_ == 0 ? at::start : at::skip;
    }
    const auto length = line_length(bytes);
    put(bytes.substr(0, length));
    bytes.remove_prefix(length);
    if (bytes.empty() || too_large_)
      break;
    after_return_ = bytes.front() == '\r';
    bytes.remove_prefix(1);
    if (auto event = end_line())
      return event;
  }
  return std::nullopt;
}

/// Bytes of one line, without its end.
void sse_reader::put(std::string_view bytes) {
  while (!bytes.empty() && at_ != at::skip) {
    const char c = bytes.front();
    switch (at_) {
    case at::mark:
    case at::skip:
      return;
    case at::start:
      matched_ = 0;
      at_ = at::name;
      break;
    case at::name:
      if (matched_ == data_name.size())
        at_ = c == ':' ? at::colon : at::skip;
      else if (c != data_name[matched_++])
        at_ = at::skip;
      bytes.remove_prefix(1);
      break;
    case at::colon:
      at_ = at::data;
      if (c == ' ')
        bytes.remove_prefix(1);
      break;
    case at::data:
      // The line feed behind the last line is no part of the event.
      too_large_ = bytes.size() > limit_ - std::min(limit_, data_.size());
      if (!too_large_)
        data_.append(bytes);
      return;
    }
  }
}

std::optional<std::string> sse_reader::end_line() {
  const auto was = std::exchange(at_, at::start);
  if (was == at::start) { // an empty line
    if (data_.empty())
      return std::nullopt;
    data_.pop_back();
    return std::exchange(data_, {});
  }
  // A line that is nothing but "data" is an empty line of data, as is "data:".
  const bool is_data =
      was == at::data || was == at::colon || (was == at::name && matched_ == data_name.size());
  if (is_data)
    too_large_ = data_.size() > limit_;
  if (is_data && !too_large_)
    data_.push_back('\n');
  return std::nullopt;
}

} // namespace pb
