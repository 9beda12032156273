#include "actors/phrases.hpp"

#include <array>

namespace pb {
namespace {

struct entry {
  std::string_view en, ru;
};

constexpr std::array entries{
#define PB_PHRASE(name, arguments, en, ru) entry{en, ru},
#include "actors/catalogue.inc"
#undef PB_PHRASE
};

} // namespace

std::string say(language lang, phrase what, std::initializer_list<std::string_view> args) {
  const auto& e = entries.at(static_cast<std::size_t>(what));
  const auto pattern = lang == language::ru ? e.ru : e.en;
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{' && i + 2 < pattern.size() && pattern[i + 2] == '}') {
      const auto n = static_cast<std::size_t>(pattern[i + 1] - '0');
      if (n < args.size())
        out += *(args.begin() + n);
      i += 2;
    } else {
      out.push_back(pattern[i]);
    }
  }
  return out;
}

std::string chat_title(language lang, std::int64_t number) {
  return (lang == language::ru ? "Чат " : "Chat ") + std::to_string(number);
}

} // namespace pb
