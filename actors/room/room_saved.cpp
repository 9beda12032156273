// Conversations that the agent writes down in its workspace, and reads back: each is a turn.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "bridges/files/beneath.hpp"
#include "bridges/files/names.hpp"

#include <array>
#include <ctime>

namespace pb {

namespace {

constexpr std::size_t name_cap = 64;    ///< bytes
constexpr std::size_t names_shown = 50; ///< lines of one answer
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 40;

/// Part of a path: what a person may write as a name.
bool is_name(std::string_view name) {
  if (name.empty() || name.size() > name_cap || name.front() == '.' || name.front() == ' ' ||
      name.back() == ' ')
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == ' ' || c == '.' || c == '_' || c == '-';
  });
}

/// "2026-11-26 14:05"
std::string day_of(unix_ms t, const char* form) {
  const std::time_t seconds = t / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), form, &utc);
  return text.data();
}

} // namespace

/// Of this person with the room's agent, newest first.
void room_core::with_saved(const user_id& who,
                           std::function<void(std::vector<saved_context>)> then) {
  self_->request(deps_->store, in_house, store_saved{who})
      .then(
          [this, then = std::move(then)](saved_list& got) {
            std::erase_if(got.saved, [&](const saved_context& s) { return s.agent != row_.agent; });
            if (got.saved.size() > names_shown)
              got.saved.resize(names_shown);
            then(std::move(got.saved));
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::save(const inbox_row& row, std::string title, origin from) {
  if (title.empty())
    title = row_.chat + " " + day_of(deps_->around.wall(), "%Y-%m-%d %H-%M");
  if (!is_name(title))
    return reply(row, say(lang(), phrase::bad_name, {title.substr(0, 64)}), inbox_outcome::told);
  with_agent([this, row, title, from](const found_agent& agent) {
    if (agent.workspace.empty())
      return reply(row, say(lang(), phrase::no_workspace, {agent.label}), inbox_outcome::told);
    waiting w{row, {}};
    w.save = saving{title, "saved/" + title + ".md"};
    w.text = say(lang(), phrase::save_ask, {w.save->path});
    w.thread = thread_of(row.event);
    enqueue(std::move(w), from);
    pump();
  });
}

/// The agent says that it is done: whether the file is there decides.
std::string room_core::when_saved(const running& r, settlement& s) {
  const auto& [title, path] = *r.what.save;
  const auto root = files::workspace_for(r.workspace, r.request.asker);
  const auto folder = files::open_folder(root);
  const auto there = folder ? files::open_beneath(folder->get(), path, most_bytes)
                            : tl::unexpected<fault>(folder.error());
  if (!there) {
    deps_->around.log->warning("not_saved", r.request.tr,
                               "a saved conversation is not there: " + there.error().cause,
                               {{"room", id_}, {"agent", r.request.agent}});
    return say(lang(), phrase::not_saved, {path});
  }
  s.saved.push_back({r.request.asker, r.request.agent, id_, title, path, deps_->around.wall()});
  return say(lang(), phrase::saved, {title});
}

void room_core::load(const inbox_row& row, const std::string& choice, origin from) {
  with_saved(row.event.sender, [this, row, choice, from](const std::vector<saved_context>& saved) {
    if (saved.empty())
      return reply(row, say(lang(), phrase::load_none), inbox_outcome::answered);
    for (std::size_t i = 0; i < saved.size(); ++i)
      if (choice == saved[i].name || choice == std::to_string(i + 1))
        return load_one(row, saved[i], false, from);
    if (!choice.empty())
      return reply(row, say(lang(), phrase::no_such_saved, {choice.substr(0, 64)}),
                   inbox_outcome::told);
    waiting_question q;
    q.asked = row.event.sender;
    q.expires_at = deps_->around.wall() + deps_->timing.question.count();
    std::string lines;
    for (const auto& s : saved) {
      q.options.push_back(s.name);
      lines += (lines.empty() ? "" : "\n") + std::to_string(q.options.size()) + ". " + s.name +
               " · " + day_of(s.at, "%Y-%m-%d %H:%M") + " UTC";
    }
    row_.question = std::move(q);
    view_.questioned = row.event.sender;
    keep_choice(row, say(lang(), phrase::load_list, {lines}));
  });
}

/// The answer to the list, or, when its time has passed, words for the agent like any others.
void room_core::load_number(const inbox_row& row, std::size_t n, origin from) {
  const auto question = row_.question;
  if (!question || question->expires_at <= deps_->around.wall()) {
    row_.question.reset();
    view_.questioned = {};
    settlement s;
    s.room = row_;
    commit(std::move(s), {});
    auto w = waiting_of(row); // nobody is asked any more: it is text
    if (!w)
      return settle_ignored(row, inbox_outcome::ignored);
    enqueue(std::move(*w), from);
    return pump();
  }
  if (n == 0 || n > question->options.size())
    return reply(row,
                 say(lang(), phrase::no_such_number,
                     {std::to_string(n), std::to_string(question->options.size())}),
                 inbox_outcome::told);
  with_saved(row.event.sender, [this, row, title = question->options[n - 1],
                                from](const std::vector<saved_context>& saved) {
    for (const auto& s : saved)
      if (s.name == title)
        return load_one(row, s, true, from);
    reply(row, say(lang(), phrase::no_such_saved, {title}), inbox_outcome::told);
  });
}

void room_core::load_one(const inbox_row& row, const saved_context& saved, bool answers_question,
                         origin from) {
  waiting w{row, say(lang(), phrase::load_ask, {saved.path})};
  w.thread = thread_of(row.event);
  w.takes_question = answers_question;
  if (answers_question)
    view_.questioned = {}; // the next number is words again; on disk when the turn is over
  enqueue(std::move(w), from);
  pump();
}

} // namespace pb
