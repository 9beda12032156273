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
  command_name name;
  bool masters_only = false; ///< guests may not
};

constexpr std::array commands{known_command{"help", command_name::help},
                              known_command{"start", command_name::start, true},
                              known_command{"new", command_name::new_chat, true},
                              known_command{"chats", command_name::chats},
                              known_command{"rename", command_name::rename, true},
                              known_command{"archive", command_name::archive, true},
                              known_command{"restore", command_name::restore, true},
                              known_command{"agent", command_name::agent},
                              known_command{"clear", command_name::clear},
                              known_command{"reset", command_name::clear},
                              known_command{"context", command_name::context},
                              known_command{"save", command_name::save},
                              known_command{"load", command_name::load},
                              known_command{"settings", command_name::settings},
                              known_command{"set", command_name::set, true},
                              known_command{"allow", command_name::allow, true},
                              known_command{"deny", command_name::deny, true},
                              known_command{"yes", command_name::yes},
                              known_command{"no", command_name::no},
                              known_command{"stop", command_name::stop},
                              known_command{"cancel", command_name::stop},
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

bool is_command(std::string_view text) {
  return text.size() > 1 && text[0] == '!' &&
         ((text[1] >= 'a' && text[1] <= 'z') || (text[1] >= 'A' && text[1] <= 'Z'));
}

verdict command_of(std::string_view text, const user_id& who, const room_view& room,
                   const room_rules& rules, const event_id& replies_to) {
  const auto end = std::min(text.find_first_of(" \t\r\n"), text.size());
  const auto word = lower(text.substr(1, end - 1));
  const auto shown = "!" + word.substr(0, 32);
  for (const auto& c : commands) {
    if (c.word != word)
      continue;
    if (c.masters_only && !is_master(who, room, rules))
      return asks::refusal{say(room.lang, phrase::owner_only, {shown})};
    return asks::command{c.name, std::string{trim(text.substr(end))}, replies_to};
  }
  if (const auto near = nearest_command(word); !near.empty())
    return asks::refusal{say(room.lang, phrase::unknown_command, {shown, "!" + near})};
  return asks::refusal{say(room.lang, phrase::no_such_command, {shown})};
}

verdict too_long(std::size_t bytes, const room_view& room, const room_rules& rules) {
  return asks::refusal{say(room.lang, phrase::text_too_long,
                           {std::to_string(bytes), std::to_string(rules.max_message_bytes)})};
}

/// What the agent gets, or why it does not.
verdict for_agent(asks::turn ask, const room_view& room, const room_rules& rules) {
  if (room.kind != room_kind::chat)
    return asks::refusal{say(room.lang, phrase::lobby_help)};
  if (room.archived)
    return asks::refusal{say(room.lang, phrase::in_archive, {room.chat})};
  if (ask.text.size() > rules.max_message_bytes)
    return too_long(ask.text.size(), room, rules);
  return ask;
}

std::optional<std::size_t> number_alone(std::string_view text) {
  if (text.empty() || text.size() > 4 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  std::size_t n = 0;
  for (const char c : text)
    n = n * 10 + static_cast<std::size_t>(c - '0');
  return n;
}

verdict text_of(const matrix::message_content& m, const user_id& who, const room_view& room,
                const room_rules& rules) {
  const auto body = m.in_reply_to ? matrix::split_reply(m.body) : matrix::reply_body{{}, m.body};
  const auto text = trim(body.text);
  if (text.empty())
    return asks::nothing{"empty"};
  // In a thread every message names the one before: that is no reply that a person chose.
  const bool reply = m.in_reply_to && (!m.thread_root || !m.falls_back);
  const auto target = reply ? *m.in_reply_to : event_id{};
  if (is_command(text))
    return command_of(text, who, room, rules, target);
  if (!room.questioned.empty() && room.questioned == who)
    if (const auto n = number_alone(text))
      return asks::number{*n};
  asks::turn ask{std::string{text}};
  if (m.msgtype == "m.emote")
    ask.text = "* " + who.value.substr(1, who.value.find(':') - 1) + " " + ask.text;
  ask.quotes = target;
  ask.quoted = std::string{trim(body.quoted)};
  return for_agent(std::move(ask), room, rules);
}

verdict file_of(const matrix_event& event, const matrix::message_content& m, const room_view& room,
                const room_rules& rules) {
  auto file = matrix::parse_file(event.content);
  if (!file)
    return asks::refusal{say(room.lang, phrase::file_refused,
                             {m.body.substr(0, 200), say(room.lang, phrase::why_file_encrypted)})};
  asks::turn ask{std::string{trim(matrix::caption_of(m))}};
  ask.file = std::move(*file);
  return for_agent(std::move(ask), room, rules);
}

/// Kinds of messages that become words.
std::optional<std::string> in_words(const matrix_event& event, const matrix::message_content& m,
                                    language lang) {
  if (event.type == "m.sticker")
    return say(lang, phrase::sticker_is, {m.body});
  if (event.type == "m.room.message" && m.msgtype == "m.location")
    return say(lang, phrase::location_is, {matrix::parse_geo(event.content), m.body});
  if (const auto poll = matrix::parse_poll(event.content);
      poll && event.type.ends_with("poll.start")) {
    std::string answers;
    for (std::size_t i = 0; i < poll->answers.size(); ++i)
      answers += std::to_string(i + 1) + ". " + poll->answers[i] + "\n";
    return say(lang, phrase::poll_is, {poll->question, answers});
  }
  return std::nullopt;
}

/// In a room with several people: words for somebody else are not for us.
bool is_for_others(const matrix::message_content& m, const room_view& room, const user_id& bot) {
  if (room.allowed.empty() || !m.mentions || m.mentions->users.empty())
    return false;
  const auto& users = m.mentions->users;
  return std::find(users.begin(), users.end(), bot) == users.end();
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

bool is_master(const user_id& who, const room_view& room, const room_rules& rules) {
  return who == room.owner ||
         std::find(rules.operators.begin(), rules.operators.end(), who) != rules.operators.end();
}

event_id answered_event(const matrix_event& event) {
  if (event.type == "m.reaction")
    if (auto target = matrix::parse_message(event.content).reacts_to)
      return *std::move(target);
  return event.id;
}

event_id thread_of(const matrix_event& event) {
  return matrix::parse_message(event.content).thread_root.value_or(event_id{});
}

verdict classify(const matrix_event& event, const room_view& room, const room_rules& rules) {
  if (event.sender == rules.bot)
    return asks::nothing{"our own"};
  if (event.type == "m.room.encrypted")
    return asks::encrypted{};
  const bool may =
      is_master(event.sender, room, rules) ||
      std::find(room.allowed.begin(), room.allowed.end(), event.sender) != room.allowed.end();
  if (!may)
    return asks::nothing{"sender may not speak here"};
  if (event.type == "m.room.redaction") {
    const auto target = matrix::redaction_target(event.content);
    if (!target)
      return asks::nothing{"redaction of nothing"};
    return asks::redaction{*target};
  }
  const auto message = matrix::parse_message(event.content);
  if (event.type == "m.reaction") {
    const bool yes = message.reaction == "✅";
    if (!message.reacts_to || (!yes && message.reaction != "❌"))
      return asks::nothing{"a reaction that asks nothing"};
    return asks::reaction{*message.reacts_to, yes};
  }
  if (auto words = in_words(event, message, room.lang))
    return for_agent({std::move(*words)}, room, rules);
  if (event.type != "m.room.message")
    return asks::nothing{"type is not acted on"};
  if (message.msgtype == "m.notice")
    return asks::nothing{"notices are never answered"};
  if (message.replaces) {
    const auto text = trim(message.new_content ? message.new_content->body : message.body);
    if (text.empty())
      return asks::nothing{"empty"};
    if (text.size() > rules.max_message_bytes)
      return too_long(text.size(), room, rules);
    return asks::edit{*message.replaces, std::string{text}};
  }
  if (is_for_others(message, room, rules.bot))
    return asks::nothing{"for somebody else"};
  if (message.msgtype == "m.text" || message.msgtype == "m.emote")
    return text_of(message, event.sender, room, rules);
  if (message.msgtype == "m.image" || message.msgtype == "m.file" || message.msgtype == "m.audio" ||
      message.msgtype == "m.video")
    return file_of(event, message, room, rules);
  if (message.msgtype.empty())
    return asks::nothing{"redacted, or not a message"};
  return asks::refusal{say(room.lang, phrase::no_kind, {message.msgtype.substr(0, 64)})};
}

} // namespace pb
