// What is true of this room, and what a person may change.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "bridges/matrix/url.hpp"

#include <sstream>

namespace pb {

namespace {

const char* name_of(language l) { return l == language::ru ? "ru" : "en"; }
const char* name_of(streaming_mode m) { return m == streaming_mode::edits ? "edits" : "final"; }
const char* name_of(bool on) { return on ? "on" : "off"; }

} // namespace

void room_core::with_agent(std::function<void(const found_agent&)> then) {
  self_->request(deps_->agents, in_house, find_agent{row_.agent})
      .then([then = std::move(then)](const found_agent& agent) { then(agent); },
            [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::show_context(const inbox_row& row) {
  with_saved(row.event.sender, [this, row](const std::vector<saved_context>& saved) {
    std::string names;
    for (const auto& s : saved)
      names += (names.empty() ? "" : ", ") + s.name;
    if (names.empty())
      names = "–";
    with_agent([this, row, names](const found_agent& agent) {
      const auto& u = row_.usage;
      const auto waits =
          say(lang(), phrase::context_waiting,
              {std::to_string(queue_.size() + (turn_ ? 1 : 0)), std::to_string(open_questions())});
      reply(row,
            say(lang(), phrase::context_is,
                {agent.label, std::to_string(row_.platform.value), std::to_string(u.turns),
                 std::to_string(u.input_tokens), std::to_string(u.output_tokens), waits, names}),
            inbox_outcome::answered);
    });
  });
}

void room_core::show_settings(const inbox_row& row) {
  with_agent([this, row](const found_agent& agent) {
    std::string guests;
    for (const auto& g : row_.choices.allowed)
      guests += (guests.empty() ? "" : ", ") + g.value;
    reply(row,
          say(lang(), phrase::settings_are,
              {agent.label, name_of(lang()),
               name_of(row_.choices.streaming.value_or(deps_->streaming.mode)),
               name_of(row_.choices.notices),
               guests.empty() ? say(lang(), phrase::nobody_else) : guests,
               std::to_string(deps_->rules.queue_limit),
               std::to_string(deps_->rules.max_message_bytes),
               std::to_string(deps_->streaming.max_edits), deps_->version}),
          inbox_outcome::answered);
  });
}

void room_core::keep_choice(const inbox_row& row, const std::string& text) {
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::answered});
  s.room = row_;
  s.outbox.push_back(reply_row(row, text));
  commit(std::move(s), {});
}

void room_core::set(const inbox_row& row, const std::string& argument) {
  std::istringstream pieces(argument);
  std::string what, value;
  pieces >> what >> value;
  auto& choices = row_.choices;
  if (what == "language" && (value == "en" || value == "ru"))
    return set_language(row, value);
  if (what == "streaming" && (value == "edits" || value == "final" || value == "default")) {
    choices.streaming.reset();
    if (value != "default")
      choices.streaming = value == "edits" ? streaming_mode::edits : streaming_mode::final_only;
    value = name_of(choices.streaming.value_or(deps_->streaming.mode));
  } else if (what == "notices" && (value == "on" || value == "off")) {
    choices.notices = value == "on";
  } else {
    auto text = say(lang(), phrase::set_usage);
    if (!argument.empty())
      text = say(lang(), phrase::no_such_setting, {argument.substr(0, 64)}) + text;
    return reply(row, text, inbox_outcome::told);
  }
  keep_choice(row, say(lang(), phrase::set_done, {what, value}));
}

/// Of this room; from its owner also of the chats that come.
void room_core::set_language(const inbox_row& row, const std::string& value) {
  const auto chosen = value == "ru" ? language::ru : language::en;
  row_.choices.lang = chosen;
  view_.lang = chosen;
  if (row.event.sender == row_.owner) {
    person_choice wish;
    wish.user = row_.owner;
    wish.lang = chosen;
    self_->request(deps_->topology, caf::infinite, std::move(wish))
        .then([](done) {}, [](caf::error&) {}); // without a Space there is no later chat to name
  }
  keep_choice(row, say(lang(), phrase::set_done, {"language", value}));
}

void room_core::allow(const inbox_row& row, const std::string& user, bool yes) {
  if (!matrix::is_identifier(user, '@'))
    return reply(row,
                 user.empty() ? say(lang(), phrase::usage_of,
                                    {yes ? "!allow" : "!deny",
                                     yes ? "!allow @name:server" : "!deny @name:server"})
                              : say(lang(), phrase::not_a_user, {user.substr(0, 255)}),
                 inbox_outcome::told);
  const user_id who{user};
  auto& guests = row_.choices.allowed;
  const auto there = std::find(guests.begin(), guests.end(), who);
  const bool may = there != guests.end() || is_master(who, view_, deps_->rules);
  if (yes && (may || who == deps_->rules.bot))
    return reply(row, say(lang(), phrase::allowed_already, {user}), inbox_outcome::answered);
  if (!yes && there == guests.end())
    return reply(row, say(lang(), phrase::denied_already, {user}), inbox_outcome::answered);
  if (yes && guests.size() >= allowed_cap)
    return reply(row, say(lang(), phrase::allowed_full, {std::to_string(allowed_cap)}),
                 inbox_outcome::told);
  if (yes) {
    guests.push_back(who);
    self_->send(deps_->topology, invite_guest{id_, who});
  } else {
    guests.erase(there);
  }
  view_.allowed = guests;
  keep_choice(row, say(lang(), yes ? phrase::allowed : phrase::denied, {user}));
}

} // namespace pb
