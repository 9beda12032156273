#include "cli/agent_check/transcript.hpp"

#include "messages/json_text.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace pb::agent_check {

std::string_view to_string(passage p) {
  switch (p) {
  case passage::opened:
    return "opened";
  case passage::sent:
    return "sent";
  case passage::received:
    return "received";
  case passage::closed:
    return "closed";
  case passage::remark:
    break;
  }
  return "remark";
}

void transcript::begin(std::chrono::milliseconds now) {
  began_ = now;
  first_.clear();
  last_.clear();
  left_out_ = 0;
}

void transcript::add(std::chrono::milliseconds now, passage what, std::int64_t chat,
                     std::uint64_t connection, std::string_view text) {
  transcript_line line{now - began_, what,        chat,
                       connection,   text.size(), beginning(text, text_bytes)};
  if (first_.size() < first_lines) {
    first_.push_back(std::move(line));
    return;
  }
  last_.push_back(std::move(line));
  if (last_.size() > last_lines) {
    last_.pop_front();
    ++left_out_;
  }
}

std::vector<transcript_line> transcript::lines() const {
  auto all = first_;
  all.insert(all.end(), last_.begin(), last_.end());
  return all;
}

std::string beginning(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
      --end;
    text = text.substr(0, end);
  }
  // By way of JSON, whose writer knows what to do about bytes that are not UTF-8.
  const auto clean = json_text(nlohmann::json(text));
  return nlohmann::json::parse(clean).get<std::string>();
}

std::string printable(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls, too: C2 80 to C2 9F.
    const bool two =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (two)
      c = static_cast<unsigned char>(text[++i]);
    if (two || c < 0x20 || c == 0x7F) {
      out += "\\x";
      out += digits[c >> 4U];
      out += digits[c & 15U];
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

} // namespace pb::agent_check
