#pragma once
// Lists in a room's row, as JSON text. What cannot be understood reads as nothing: nobody more is
// allowed to speak, and no question waits.

#include "messages/values/room.hpp"

#include <string_view>

namespace pb::sqlite {

std::string text_of(const std::vector<user_id>& people);
std::vector<user_id> people_of(std::string_view text);

/// Nothing: NULL.
std::optional<std::string> text_of(const std::optional<waiting_question>& question);
std::optional<waiting_question> question_of(const std::optional<std::string>& text);

} // namespace pb::sqlite
