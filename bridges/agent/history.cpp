#include "bridges/agent/history.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb {
namespace {

/// Braces, keys and quotes around an entry.
constexpr std::size_t frame = 64;

/// Bytes of a text inside a JSON string.
std::size_t weight(const std::string& text) {
  std::size_t sum = text.size();
  for (const char c : text)
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t')
      ++sum;
    else if (static_cast<unsigned char>(c) < 0x20)
      sum += 5;
  return sum;
}

std::size_t weight(const history_entry& e) {
  return frame + weight(e.turn) + weight(e.role) + weight(e.text) + weight(e.more);
}

template <class Entries>
std::size_t total(const Entries& entries) {
  std::size_t sum = 0;
  for (const auto& e : entries)
    sum += weight(e);
  return sum;
}

/// A question stands for itself and its answer.
std::size_t counts(const history_entry& e) { return e.role == "user" ? 2 : 0; }

template <class Entries>
std::size_t messages(const Entries& entries) {
  std::size_t sum = 0;
  for (const auto& e : entries)
    sum += counts(e);
  return sum;
}

/// The longest text loses what is too much, then the next one, until the exchange fits.
void squeeze(std::vector<history_entry>& exchange, std::size_t limit) {
  for (std::size_t round = 0; round < exchange.size(); ++round) {
    const auto now = total(exchange);
    if (now <= limit)
      return;
    auto& longest =
        *std::max_element(exchange.begin(), exchange.end(), [](const auto& a, const auto& b) {
          return weight(a.text) < weight(b.text);
        });
    const auto heavy = weight(longest.text);
    const auto wanted = heavy - std::min(heavy, now - limit);
    auto bytes = std::min(longest.text.size(), wanted);
    do {
      longest.text = cut_text(std::move(longest.text), bytes);
      bytes -= std::min(bytes, std::max<std::size_t>(bytes / 8, 1));
    } while (weight(longest.text) > wanted && !longest.text.empty());
  }
}

std::string string_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace

std::string cut_text(std::string text, std::size_t limit) {
  static constexpr std::size_t ellipsis = 3;
  if (text.size() <= limit)
    return text;
  auto end = limit < ellipsis ? 0 : limit - ellipsis;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  text.resize(end);
  if (limit >= ellipsis)
    text += "…";
  return text;
}

void chat_history::erase(const std::string& turn) {
  std::erase_if(entries_, [&](const history_entry& e) { return e.turn == turn; });
}

void chat_history::put(std::vector<history_entry> exchange) {
  if (exchange.empty())
    return;
  const auto& turn = exchange.front().turn;
  erase(turn);
  if (exchange.front().role != "user" || messages(exchange) > limits_.messages)
    return;
  for (auto& e : exchange)
    e.turn = turn;
  squeeze(exchange, limits_.bytes);
  if (total(exchange) > limits_.bytes)
    return;
  entries_.insert(entries_.end(), std::make_move_iterator(exchange.begin()),
                  std::make_move_iterator(exchange.end()));
  fit();
}

void chat_history::fit() {
  auto bytes = total(entries_);
  auto remain = messages(entries_);
  auto first = entries_.begin();
  while (first != entries_.end() &&
         (first->role != "user" || remain > limits_.messages || bytes > limits_.bytes)) {
    const auto turn = first->turn;
    for (; first != entries_.end() && first->turn == turn; ++first) {
      bytes -= weight(*first);
      remain -= counts(*first);
    }
  }
  entries_.erase(entries_.begin(), first);
}

void chat_history::read(const nlohmann::json& entries) {
  entries_.clear();
  if (!entries.is_array())
    return;
  for (const auto& e : entries)
    if (e.is_object() && !string_of(e, "turn").empty() && !string_of(e, "role").empty())
      entries_.push_back(
          {string_of(e, "turn"), string_of(e, "role"), string_of(e, "text"), string_of(e, "more")});
  fit();
}

nlohmann::json chat_history::written() const {
  auto out = nlohmann::json::array();
  for (const auto& e : entries_) {
    nlohmann::json entry{{"turn", e.turn}, {"role", e.role}, {"text", e.text}};
    if (!e.more.empty())
      entry["more"] = e.more;
    out.push_back(std::move(entry));
  }
  return out;
}

} // namespace pb
