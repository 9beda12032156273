#include "actors/room/classify_logic.hpp"

#include "actors/phrases.hpp"
#include "bridges/matrix/content.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

namespace pb {
namespace {

struct known_command {
  std::string_view word;
  std::optional<command_name> name; ///< nothing: of a later version
};

constexpr std::array commands{known_command{"help", command_name::help},
                              known_command{"start", command_name::start},
                              known_command{"new", command_name::new_chat},
                              known_command{"clear", command_name::clear},
                              known_command{"reset", command_name::clear},
                              known_command{"stop", command_name::stop},
                              known_command{"cancel", command_name::stop},
                              known_command{"chats", {}},
                              known_command{"rename", {}},
                              known_command{"archive", {}},
                              known_command{"restore", {}},
                              known_command{"agent", {}},
                              known_command{"context", {}},
                              known_command{"save", {}},
                              known_command{"load", {}},
                              known_command{"settings", {}},
                              known_command{"set", {}},
                              known_command{"allow", {}},
                              known_command{"deny", {}},
                              known_command{"yes", {}},
                              known_command{"no", {}},
                              known_command{"retry", command_name::retry}};

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view trim(std::string_view s) {
  const auto from = s.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos)
    return {};
  return s.substr(from, s.find_last_not_of(" \t\r\n") - from + 1);
}

std::string lower(std::string_view s) {
  std::string out{s};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Clients before version 1.13 of the specification quote what is replied to in front of the text.
std::string_view without_reply_fallback(std::string_view body) {
  if (body.substr(0, 2) != "> ")
    return body;
  while (!body.empty() && body.front() == '>') {
    const auto end = body.find('\n');
    if (end == std::string_view::npos)
      return body;
    body.remove_prefix(end + 1);
  }
  return !body.empty() && body.front() == '\n' ? body.substr(1) : body;
}

bool is_command(std::string_view text) {
  return text.size() > 1 && text[0] == '!' &&
         ((text[1] >= 'a' && text[1] <= 'z') || (text[1] >= 'A' && text[1] <= 'Z'));
}

verdict command_of(std::string_view text, const room_view& room) {
  const auto end = std::min(text.find_first_of(" \t\r\n"), text.size());
  const auto word = lower(text.substr(1, end - 1));
  const auto shown = "!" + word.substr(0, 32);
  for (const auto& c : commands) {
    if (c.word != word)
      continue;
    if (!c.name)
      return asks::refusal{say(room.lang, phrase::not_there_yet, {shown})};
    return asks::command{*c.name, std::string{trim(text.substr(end))}};
  }
  if (const auto near = nearest_command(word); !near.empty())
    return asks::refusal{say(room.lang, phrase::unknown_command, {shown, "!" + near})};
  return asks::refusal{say(room.lang, phrase::no_such_command, {shown})};
}

verdict text_of(std::string_view body, const room_view& room, const room_rules& rules) {
  const auto text = trim(body);
  if (text.empty())
    return asks::nothing{"empty"};
  if (is_command(text))
    return command_of(text, room);
  if (room.kind != room_kind::chat)
    return asks::refusal{say(room.lang, phrase::lobby_help)};
  if (text.size() > rules.max_message_bytes)
    return asks::refusal{
        say(room.lang, phrase::text_too_long,
            {std::to_string(text.size()), std::to_string(rules.max_message_bytes)})};
  return asks::turn{std::string{text}};
}

} // namespace

std::string nearest_command(std::string_view word) {
  std::string_view best;
  std::size_t least = 3; // two typing errors at most
  for (const auto& c : commands)
    if (const auto d = distance(word, c.word);
        d < least && d < std::max<std::size_t>(c.word.size(), 2)) {
      least = d;
      best = c.word;
    }
  return std::string{best};
}

verdict classify(const matrix_event& event, const room_view& room, const room_rules& rules) {
  if (event.sender == rules.bot)
    return asks::nothing{"our own"};
  const bool may = event.sender == room.owner ||
                   std::find(rules.operators.begin(), rules.operators.end(), event.sender) !=
                       rules.operators.end();
  if (event.type == "m.room.encrypted")
    return asks::encrypted{};
  if (!may)
    return asks::nothing{"sender may not speak here"};
  if (event.type == "m.room.redaction") {
    const auto target = matrix::redaction_target(event.content);
    if (!target)
      return asks::nothing{"redaction of nothing"};
    return asks::redaction{*target};
  }
  if (event.type != "m.room.message")
    return asks::nothing{"type is not acted on"};
  const auto message = matrix::parse_message(event.content);
  if (message.msgtype == "m.notice")
    return asks::nothing{"notices are never answered"};
  if (message.replaces) {
    const auto text = trim(message.new_content ? message.new_content->body : message.body);
    return asks::edit{*message.replaces, std::string{text}};
  }
  if (message.msgtype == "m.text" || message.msgtype == "m.emote")
    return text_of(message.in_reply_to ? without_reply_fallback(message.body) : message.body, room,
                   rules);
  if (room.kind != room_kind::chat)
    return asks::refusal{say(room.lang, phrase::lobby_help)};
  if (message.msgtype == "m.image" || message.msgtype == "m.file" || message.msgtype == "m.audio" ||
      message.msgtype == "m.video")
    return asks::refusal{say(room.lang, phrase::no_files_yet)};
  if (message.msgtype.empty())
    return asks::nothing{"redacted, or not a message"};
  return asks::refusal{say(room.lang, phrase::no_kind_yet, {message.msgtype.substr(0, 64)})};
}

} // namespace pb
