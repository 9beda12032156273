// The person's chats and agents: lists, names, the archive, the choice for new chats.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/url.hpp"

namespace pb {

namespace {

constexpr std::size_t chats_shown = 100; ///< lines of one answer

std::string link_to(const room_id& room, const user_id& bot) {
  return matrix::room_link(room, {matrix::server_of(bot)});
}

/// "7" and "c7" are C7, too.
bool is_chat(const room_row& room, std::string_view name) {
  const auto number = matrix::chat_number(room.chat);
  if (!name.empty() && (name.front() == 'c' || name.front() == 'C'))
    name.remove_prefix(1);
  return number && std::to_string(*number) == name;
}

} // namespace

void room_core::list_chats(const inbox_row& row) {
  self_->request(deps_->agents, in_house, agents_of_user{row.event.sender, true})
      .then(
          [this, row](const agent_options& known) {
            std::map<agent_id, std::string> labels;
            for (const auto& a : known.agents)
              labels[a.id] = a.label;
            list_chats(row, std::move(labels));
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::list_chats(const inbox_row& row, std::map<agent_id, std::string> labels) {
  self_->request(deps_->store, in_house, store_rooms{})
      .then(
          [this, row, labels = std::move(labels)](room_list& all) {
            std::erase_if(all.rooms, [&](const room_row& r) {
              return r.kind != room_kind::chat || r.owner != row.event.sender;
            });
            std::sort(all.rooms.begin(), all.rooms.end(), [](const auto& a, const auto& b) {
              return matrix::chat_number(a.chat) < matrix::chat_number(b.chat);
            });
            if (all.rooms.empty())
              return reply(row, say(lang(), phrase::chats_none), inbox_outcome::answered);
            std::string lines;
            std::size_t n = 0;
            for (const auto& r : all.rooms) {
              if (++n > chats_shown) {
                lines += "…\n";
                break;
              }
              const auto label = labels.find(r.agent);
              lines += r.chat + " · " + r.title + " · " +
                       (label == labels.end() ? r.agent.value : label->second);
              if (r.id == id_)
                lines += " · " + say(lang(), phrase::chat_is_here);
              if (r.state == room_state::archived)
                lines += " · " + say(lang(), phrase::chat_is_archived);
              if (r.state == room_state::left)
                lines += " · " + say(lang(), phrase::chat_was_left);
              else
                lines += " · " + link_to(r.id, deps_->rules.bot);
              lines += "\n";
            }
            lines.pop_back();
            reply(row, say(lang(), phrase::chats_list, {lines}), inbox_outcome::answered);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::rename(const inbox_row& row, const std::string& title) {
  if (title.empty())
    return reply(row, say(lang(), phrase::usage_of, {"!rename", "!rename Recipes"}),
                 inbox_outcome::told);
  row_.title = std::string{matrix::cut_utf8(title.substr(0, title.find('\n')), 255)};
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::answered});
  s.room = row_;
  s.outbox.push_back(state_row(engine_, deps_->around.wall(), id_, "m.room.name", "",
                               matrix::compose_room_name(row_.title)));
  s.outbox.push_back(reply_row(row, say(lang(), phrase::renamed, {row_.title})));
  commit(std::move(s), {});
}

/// Out of the Space and no longer routed. What runs ends, what waits is refused.
void room_core::archive(const inbox_row& row) {
  if (row_.state == room_state::archived)
    return reply(row, say(lang(), phrase::archived_already, {row_.chat}), inbox_outcome::answered);
  when_quiet([this, row] {
    row_.state = room_state::archived;
    row_.question.reset();
    view_.questioned = {};
    view_.archived = true;
    settlement s;
    s.inbox.push_back({row.seq, inbox_outcome::answered});
    close_questions(s, confirmation_state::dropped, [](const auto&) { return true; });
    s.room = row_;
    s.outbox.push_back(marker_row(row_));
    if (!row_.space.empty())
      s.outbox.push_back(
          state_row(engine_, deps_->around.wall(), row_.space, "m.space.child", id_.value, "{}"));
    for (const auto& w : std::exchange(queue_, {})) {
      settle_all(w, inbox_outcome::told, s);
      s.outbox.push_back(reply_row(w.row, say(lang(), phrase::in_archive, {row_.chat})));
    }
    s.outbox.push_back(reply_row(row, say(lang(), phrase::archived, {row_.chat})));
    commit(std::move(s), {});
  });
}

/// The chat that comes back does it itself; the answer is given here.
void room_core::ask_restore(const inbox_row& row, std::string chat) {
  if (chat.empty()) {
    if (row_.state != room_state::archived)
      return reply(row, say(lang(), phrase::usage_of, {"!restore", "!restore C7"}),
                   inbox_outcome::told);
    chat = row_.chat;
  }
  self_->request(deps_->store, in_house, store_rooms{})
      .then(
          [this, row, chat](const room_list& all) {
            const auto& who = row_.kind == room_kind::chat ? row_.owner : row.event.sender;
            for (const auto& r : all.rooms) {
              if (r.kind != room_kind::chat || r.owner != who || !is_chat(r, chat))
                continue;
              if (r.state == room_state::left)
                return reply(row, say(lang(), phrase::chat_left, {r.chat}), inbox_outcome::told);
              restore_chat wish{r.id, row, lang()};
              if (r.id == id_)
                return restore(wish);
              if (auto to = caf::actor_cast<room_directory_actor>(directory_.lock()))
                self_->send(to, std::move(wish));
              return;
            }
            reply(row, say(lang(), phrase::no_such_chat, {chat.substr(0, 32)}),
                  inbox_outcome::told);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::restore(const restore_chat& wish) {
  if (!known_)
    return; // the command stays open on the disk, and is read again there
  settlement s;
  s.inbox.push_back({wish.cause.seq, inbox_outcome::answered});
  std::string text;
  if (row_.state == room_state::archived) {
    row_.state = room_state::active;
    view_.archived = false;
    s.room = row_;
    s.outbox.push_back(marker_row(row_));
    if (!row_.space.empty())
      s.outbox.push_back(
          state_row(engine_, deps_->around.wall(), row_.space, "m.space.child", id_.value,
                    matrix::compose_space_child(matrix::server_of(deps_->rules.bot))));
    text = say(wish.lang, phrase::restored, {row_.chat, link_to(id_, deps_->rules.bot)});
  } else {
    text = say(wish.lang, phrase::not_archived, {row_.chat});
  }
  auto said = reply_row(wish.cause, text);
  said.room = wish.cause.event.room;
  s.outbox.push_back(std::move(said));
  commit(std::move(s), [this] { pump(); });
}

void room_core::agents(const inbox_row& row, const std::string& choice) {
  const auto& ops = deps_->rules.operators;
  const bool all = std::find(ops.begin(), ops.end(), row.event.sender) != ops.end();
  self_->request(deps_->agents, in_house, agents_of_user{row.event.sender, all})
      .then(
          [this, row, choice](const agent_options& options) {
            if (options.agents.empty())
              return reply(row, say(lang(), phrase::no_agent), inbox_outcome::told);
            for (std::size_t i = 0; i < options.agents.size(); ++i)
              if (const auto& a = options.agents[i];
                  choice == a.id.value || choice == a.label || choice == std::to_string(i + 1))
                return choose_agent(row, a);
            const auto before =
                choice.empty()
                    ? std::string{}
                    : say(lang(), phrase::no_such_agent, {choice.substr(0, 64)}) + "\n\n";
            self_->request(deps_->store, in_house, store_find_user{row.event.sender})
                .then(
                    [this, row, options, before](const found_user& found) {
                      auto chosen = options.agents.front().id;
                      if (found.user && !found.user->agent.empty())
                        chosen = found.user->agent;
                      std::string lines;
                      for (std::size_t i = 0; i < options.agents.size(); ++i) {
                        const auto& a = options.agents[i];
                        lines += (i == 0 ? "" : "\n") + std::to_string(i + 1) + ". " +
                                 (a.id == chosen ? "→ " : "") + a.label +
                                 (a.label == a.id.value ? "" : " (" + a.id.value + ")") +
                                 (a.enabled ? "" : " · " + say(lang(), phrase::agent_off));
                      }
                      reply(row, before + say(lang(), phrase::agents_list, {lines}),
                            before.empty() ? inbox_outcome::answered : inbox_outcome::told);
                    },
                    [this](caf::error& e) { self_->quit(std::move(e)); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::choose_agent(const inbox_row& row, const agent_option& choice) {
  person_choice wish;
  wish.user = row.event.sender;
  wish.agent = choice.id;
  wish.inbox_seq = row.seq;
  wish.answer = reply_row(row, say(lang(), phrase::agent_chosen, {choice.label}));
  self_->request(deps_->topology, caf::infinite, std::move(wish))
      .then([this, seq = row.seq](done) { owed_.erase(seq); },
            [this, row](caf::error& e) {
              if (to_fault(e).code != fault_code::not_found)
                return self_->quit(std::move(e));
              reply(row, say(lang(), phrase::no_home), inbox_outcome::told);
            });
}

} // namespace pb
