#include "bridges/net/lines.hpp"

#include <algorithm>
#include <utility>

namespace pb::net {

std::optional<std::string> line_reader::next(std::string_view& bytes) {
  while (!bytes.empty() && !too_large_) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const auto room = limit_ + 1 - line_.size();
    line_.append(bytes.substr(0, std::min(end, room)));
    const bool more = end > room;
    const bool whole = end < bytes.size();
    // The byte over the limit may be the CR of the end, as long as nothing follows it but the LF.
    const bool over = more || (line_.size() > limit_ && line_.back() != '\r');
    bytes.remove_prefix(whole ? end + 1 : end);
    if (over && then_ == past_limit::is_too_large) {
      too_large_ = true;
      line_ = {};
      return std::nullopt;
    }
    if (!whole)
      continue;
    if (!line_.empty() && line_.back() == '\r')
      line_.pop_back();
    if (line_.size() > limit_)
      line_.resize(limit_);
    if (!line_.empty())
      return std::exchange(line_, {});
  }
  return std::nullopt;
}

} // namespace pb::net
