#pragma once
// What the bot says, in the languages that it speaks. The sentences are in catalogue.inc.

#include "messages/values/settings.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace pb {

enum class phrase {
#define PB_PHRASE(name, arguments, en, ru) name,
#include "actors/catalogue.inc"
#undef PB_PHRASE
  end_of_catalogue
};

/// The sentence with {0}, {1} … replaced by the arguments, as they are.
std::string say(language lang, phrase what, std::initializer_list<std::string_view> args = {});

/// "Chat 7", "Чат 7".
std::string chat_title(language lang, std::int64_t number);

} // namespace pb
