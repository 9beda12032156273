#include "persistence/sqlite/room_lists.hpp"

#include "messages/json_text.hpp"

#include <nlohmann/json.hpp>

namespace pb::sqlite {
namespace {

using nlohmann::json;

/// Broken UTF-8 becomes U+FFFD instead of an exception.
} // namespace

std::string text_of(const std::vector<user_id>& people) {
  if (people.empty()) // nearly every room
    return "[]";
  auto list = json::array();
  for (const auto& who : people)
    list.push_back(who.value);
  return json_text(list);
}

std::vector<user_id> people_of(std::string_view text) {
  std::vector<user_id> people;
  if (text == "[]")
    return people;
  const auto list = json::parse(text, nullptr, false);
  if (!list.is_array())
    return people;
  for (const auto& who : list)
    if (const auto* id = who.get_ptr<const std::string*>(); id && !id->empty())
      people.emplace_back(*id);
  return people;
}

std::optional<std::string> text_of(const std::optional<waiting_question>& question) {
  if (!question)
    return std::nullopt;
  return json_text(json({{"asked", question->asked.value},
                         {"options", question->options},
                         {"expires_at", question->expires_at}}));
}

std::optional<waiting_question> question_of(const std::optional<std::string>& text) {
  if (!text)
    return std::nullopt;
  const auto j = json::parse(*text, nullptr, false);
  if (!j.is_object())
    return std::nullopt;
  const auto asked = j.find("asked"), options = j.find("options"), expires = j.find("expires_at");
  if (asked == j.end() || !asked->is_string() || options == j.end() || !options->is_array() ||
      expires == j.end() || !expires->is_number_integer())
    return std::nullopt;
  waiting_question out{user_id{asked->get<std::string>()}, {}, expires->get<unix_ms>()};
  for (const auto& option : *options) {
    if (!option.is_string()) // the numbers of those behind it would shift
      return std::nullopt;
    out.options.push_back(option.get<std::string>());
  }
  if (out.asked.empty())
    return std::nullopt;
  return out;
}

} // namespace pb::sqlite
