#include "tests/bench/world/oracle.hpp"

#include "tests/bench/common/text.hpp"

#include <algorithm>

namespace pb::bench {

namespace {

constexpr std::string_view event_prefix = "$message";
constexpr std::size_t event_digits = 36; // with the prefix, as long as a real event id

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// The number after `word` and a blank; nothing when the text begins in another way.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  if (text.size() < word.size() + 2 || text.substr(0, word.size()) != word ||
      text[word.size()] != ' ')
    return std::nullopt;
  text.remove_prefix(word.size() + 1);
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end == text.data())
    return std::nullopt;
  return n;
}

std::string shortened(std::string_view text) { return std::string(text.substr(0, 120)); }

} // namespace

/// "word N "ж" " and letters up to the size asked for: quotes and a letter of two bytes make sure
/// that both legs escape and decode.
std::string oracle::filled(std::string_view word, std::uint64_t message, std::uint64_t salt) const {
  std::string out(word);
  out += ' ';
  append_number(out, message);
  out += " \"ж\" ";
  std::uint64_t bits = 0;
  for (std::uint64_t at = 0; out.size() < topology_.form().body_bytes; ++at) {
    if (at % 12 == 0)
      bits = mix(message * 977 + at + salt);
    out += static_cast<char>('a' + bits % 26);
    bits /= 26;
  }
  return out;
}

std::string oracle::text_of(std::uint64_t message) const { return filled("question", message, 1); }
std::string oracle::answer_to(std::uint64_t message) const { return filled("answer", message, 2); }

std::string oracle::event_id_of(std::uint64_t message) {
  std::string digits;
  append_number(digits, message);
  std::string out(event_prefix);
  out.append(event_digits - std::min(event_digits, digits.size()), '0');
  return out + digits;
}

void oracle::remember(const past& before) {
  for (std::uint64_t n = 0; n < before.size(); ++n) {
    entry m;
    m.room = before.room_of(n, topology_.form().rooms);
    m.answered = m.reached = n < before.settled;
    messages_.push_back(m);
    if (m.answered)
      continue;
    waiting_[m.room].push_back(n);
    ++counts.injected;
  }
}

std::vector<std::uint64_t> oracle::history(std::uint32_t room, std::uint64_t before,
                                           std::size_t limit) const {
  std::vector<std::uint64_t> found;
  for (auto n = std::min<std::uint64_t>(before, messages_.size()); n-- > 0 && found.size() < limit;)
    if (messages_[n].room == room)
      found.push_back(n);
  return found;
}

std::uint64_t oracle::inject(std::uint32_t room, std::int64_t now_ns) {
  const std::uint64_t n = messages_.size();
  entry m;
  m.room = room;
  m.injected_ns = now_ns;
  messages_.push_back(m);
  waiting_[room].push_back(n);
  ++counts.injected;
  return n;
}

std::optional<std::string> oracle::reached(std::uint32_t agent, std::uint64_t chat_id,
                                           std::string_view text, std::int64_t now_ns) {
  const auto n = number_after(text, "question");
  if (!n || *n >= messages_.size()) {
    ++counts.misrouted;
    complain("an agent got a text that nobody wrote: " + shortened(text));
    return std::nullopt;
  }
  auto& m = messages_[*n];
  if (agent != topology_.agent_of(m.room) || chat_id != topology_.chat_id_of(m.room) ||
      text != text_of(*n)) {
    ++counts.misrouted;
    complain("agent " + std::to_string(agent) + ", chat " + std::to_string(chat_id) +
             " got what was not for it: " + shortened(text));
  }
  if (m.reached) {
    ++counts.repeated;
    complain("an agent got message " + std::to_string(*n) + " twice");
  } else if (recording)
    dispatch_ns.push_back(now_ns - m.injected_ns);
  m.reached = true;
  if (on_reached)
    on_reached();
  return answer_to(*n);
}

std::optional<std::uint32_t> oracle::answered(std::uint32_t room, final_event e,
                                              std::int64_t now_ns) {
  auto n = number_after(e.body, "answer");
  if (e.reply_to.substr(0, event_prefix.size()) == event_prefix)
    n = leading_number(e.reply_to.substr(
        std::min(e.reply_to.find_first_not_of('0', event_prefix.size()), e.reply_to.size() - 1)));
  if (!n || *n >= messages_.size()) {
    ++counts.wrong;
    complain("a final to no message: " + shortened(e.body));
    return std::nullopt;
  }
  auto& m = messages_[*n];
  if (m.answered) {
    ++counts.doubled;
    complain("a second final for message " + std::to_string(*n));
    return std::nullopt;
  }
  const bool right = room == m.room && e.body == answer_to(*n);
  const bool told = !right && room == m.room && may_fail && may_fail(room);
  if (told && m.reached) {
    ++counts.broken;
    complain("message " + std::to_string(*n) +
             " reached its agent and was told: " + shortened(e.body));
  } else if (!right && !told) {
    ++counts.wrong;
    complain("message " + std::to_string(*n) + " got another answer: " + shortened(e.body));
  }
  // One that was overtaken counts once and is no longer waited for in its place.
  auto& queue = waiting_[m.room];
  const auto place_of = std::find(queue.begin(), queue.end(), *n);
  if (place_of != queue.end()) {
    if (place_of != queue.begin()) {
      ++counts.disordered;
      complain("message " + std::to_string(*n) + " was answered before " +
               std::to_string(queue.front()));
    }
    queue.erase(queue.begin(), place_of + 1);
  }
  m.answered = true;
  if (told) {
    ++counts.told;
    if (on_told)
      on_told(room);
    return std::nullopt;
  }
  ++counts.answered;
  if (recording)
    latencies_ns.push_back(now_ns - m.injected_ns);
  return m.room;
}

void oracle::complain(std::string what) {
  if (complaints_.size() < 8)
    complaints_.push_back(std::move(what));
}

} // namespace pb::bench
