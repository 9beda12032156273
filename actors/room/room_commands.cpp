// What people ask of the router itself.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

namespace {

/// What a room must be for a command to make sense in it.
enum class needs { any_room, a_chat, an_active_chat };

needs needs_of(command_name name) {
  switch (name) {
  case command_name::help:
  case command_name::start:
  case command_name::new_chat:
  case command_name::chats:
  case command_name::agent:
  case command_name::restore:
  case command_name::stop:
    return needs::any_room;
  case command_name::archive:
  case command_name::settings:
  case command_name::set:
  case command_name::allow:
  case command_name::deny:
    return needs::a_chat;
  default:
    return needs::an_active_chat;
  }
}

/// `3 please` → "3"
std::string first_word(const std::string& text) {
  return text.substr(0, std::min(text.find_first_of(" \t\r\n"), text.size()));
}

} // namespace

void room_core::run_command(const inbox_row& row, const asks::command& command, origin from) {
  const auto need = needs_of(command.name);
  if (need != needs::any_room && row_.kind != room_kind::chat)
    return reply(row, say(lang(), phrase::lobby_help), inbox_outcome::told);
  if (need == needs::an_active_chat && row_.state == room_state::archived)
    return reply(row, say(lang(), phrase::in_archive, {row_.chat}), inbox_outcome::told);
  const auto& argument = command.argument;
  switch (command.name) {
  case command_name::help:
    return reply(row, say(lang(), row_.kind == room_kind::chat ? phrase::help : phrase::lobby_help),
                 inbox_outcome::answered);
  case command_name::start:
  case command_name::new_chat:
    return start_chat(row, command);
  case command_name::chats:
    return list_chats(row);
  case command_name::rename:
    return rename(row, argument);
  case command_name::archive:
    return archive(row);
  case command_name::restore:
    return ask_restore(row, argument);
  case command_name::agent:
    return agents(row, argument);
  case command_name::clear:
    stop_resumed(row);
    return when_quiet([this, row] { clear(row); });
  case command_name::context:
    return show_context(row);
  case command_name::save:
    return save(row, argument, from);
  case command_name::load:
    return load(row, argument, from);
  case command_name::settings:
    return show_settings(row);
  case command_name::set:
    return set(row, argument);
  case command_name::allow:
  case command_name::deny:
    return allow(row, first_word(argument), command.name == command_name::allow);
  case command_name::yes:
  case command_name::no:
    return answer(
        row, {command.name == command_name::yes, first_word(argument), command.replies_to, false});
  case command_name::stop:
    return stop_turn(row);
  case command_name::retry:
    return retry(row);
  }
}

/// The answer may take as long as an outage: who gave up waiting would say that it failed, and
/// later it would be done.
void room_core::start_chat(const inbox_row& row, const asks::command& command) {
  if (command.name == command_name::start) {
    self_->request(deps_->topology, caf::infinite, find_home{row.event.sender, row.tr, row})
        .then([this, seq = row.seq](done) { owed_.erase(seq); },
              [this](caf::error& e) { self_->quit(std::move(e)); });
    return;
  }
  self_->request(deps_->topology, caf::infinite, new_chat{row, row_.owner, command.argument})
      .then([this, seq = row.seq](done) { owed_.erase(seq); },
            [this, row](caf::error& e) {
              const auto f = to_fault(e);
              if (f.code != fault_code::refused && f.code != fault_code::busy)
                return self_->quit(std::move(e)); // the disk knows whether it is on its way
              const auto why =
                  f.sentence.empty() ? say(lang(), phrase::storage_trouble) : f.sentence;
              reply(row, say(lang(), phrase::new_chat_failed, {why}), inbox_outcome::told);
            });
}

/// The running turn ends first, as by `!stop`; what waits goes on after `then`.
void room_core::when_quiet(next_step then) {
  if (!turn_ && !starting_)
    return then();
  after_turn_ = [before = std::move(after_turn_), then = std::move(then)] {
    if (before)
      before();
    then();
  };
  cancel_running();
}

/// While we are born the turn that ran waits in the queue, to be begun again or closed: a command
/// behind it that ends what runs means it, too.
bool room_core::stop_resumed(const inbox_row& row) {
  bool any = false;
  for (auto& w : queue_)
    if (w.under_way && w.row.seq < row.seq)
      w.stopped = any = true;
  return any;
}

void room_core::cancel_running() {
  if (!turn_ || turn_->over || std::exchange(turn_->stopping, true))
    return;
  if (turn_->connection)
    self_->send(turn_->connection, cancel_turn{turn_->request.id});
  else
    finish(turn_ending::cancelled, {}, false); // the agent has not heard of it
}

/// The last interrupted message again, as a new turn. Its `!retry` stays open with it.
void room_core::retry(const inbox_row& row) {
  self_->request(deps_->store, in_house, store_interrupted{id_})
      .then(
          [this, row](const interrupted_message& last) {
            const auto same = [&](const waiting& w) {
              return last.row && w.row.seq == last.row->seq;
            };
            const bool under_way =
                (turn_ && same(turn_->what)) || std::any_of(queue_.begin(), queue_.end(), same);
            auto again = last.row ? waiting_of(*last.row) : std::nullopt;
            if (!again || again->answers || under_way)
              return reply(row, say(lang(), phrase::nothing_to_retry), inbox_outcome::answered);
            again->also.push_back(row.seq);
            queue_.push_front(std::move(*again));
            pump();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// A turn whose message is settled was begun by a `!retry` that is still open: it is not begun once
/// more by itself, because nobody knows what became of it. The person is told, as after any crash.
void room_core::close_retried(std::vector<turn_row>& orphans, std::vector<inbox_row>& pending) {
  for (auto t = orphans.begin(); t != orphans.end();) {
    const auto of_turn = [&](const inbox_row& r) { return r.seq == t->inbox_seq; };
    const auto command = std::find_if(pending.begin(), pending.end(), [&](const inbox_row& r) {
      const auto asked = classify(r.event, view_, deps_->rules);
      const auto* c = std::get_if<asks::command>(&asked);
      return c && c->name == command_name::retry;
    });
    if (std::any_of(pending.begin(), pending.end(), of_turn) || command == pending.end()) {
      ++t;
      continue;
    }
    t->state = turn_state::interrupted;
    settlement s;
    s.turn = *t;
    s.inbox.push_back({command->seq, inbox_outcome::told});
    words w{say(lang(), phrase::router_interrupted), matrix::delivery::final_answer};
    w.reply_to = command->event.id;
    w.thread = thread_of(command->event);
    w.turn = t->id;
    w.mention = command->event.sender;
    s.outbox.push_back(message(std::move(w)));
    s.outbox.back().tr = command->tr;
    last_seq_ = std::max(last_seq_, command->seq);
    pending.erase(command);
    t = orphans.erase(t);
    commit(std::move(s), {});
  }
}

void room_core::clear(const inbox_row& row) {
  new_context([this, row](platform_chat_id fresh) {
    settlement s;
    begin_context(fresh, s);
    s.inbox.push_back({row.seq, inbox_outcome::answered});
    s.outbox.push_back(reply_row(row, say(lang(), phrase::context_cleared)));
    s.outbox.front().tr = row.tr;
    commit(std::move(s), {});
  });
}

/// No turn begins from here until the marker of the new context is sent. One after the other: a
/// turn of the first new context would run when the second one ends its questions.
void room_core::new_context(std::function<void(platform_chat_id)> then) {
  if (marker_waits_ && !marker_.empty()) {
    after_marker_ = [this, before = std::move(after_marker_), then = std::move(then)] {
      if (before)
        before();
      new_context(then);
    };
    return;
  }
  marker_waits_ = true;
  marker_ = outbox_id{random_id(engine_)}; // of no row: nothing but ours ends the wait
  self_->request(deps_->topology, caf::infinite, draw_chat_id{})
      .then([then = std::move(then)](platform_chat_id fresh) { then(fresh); },
            [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::marker_sent() {
  marker_waits_ = false;
  if (auto next = std::exchange(after_marker_, {}))
    next();
  pump();
}

/// The room under a new number: the marker goes before everything of the new context.
void room_core::begin_context(platform_chat_id fresh, settlement& s) {
  row_.platform = fresh;
  ++row_.epoch;
  row_.usage = {};
  row_.question.reset();
  view_.questioned = {};
  auto marker = marker_row(row_);
  marker_ = marker.id;
  marker_waits_ = true;
  close_questions(s, confirmation_state::dropped, [](const auto&) { return true; });
  s.room = row_;
  s.outbox.push_back(std::move(marker));
}

/// Ends what runs, and every question that is open: the agent's and ours.
void room_core::stop_turn(const inbox_row& row) {
  settlement s;
  const auto of_running = [this](const confirmation_row& c) {
    return !turn_ || c.turn != turn_->request.id; // those close with their turn
  };
  close_questions(s, confirmation_state::dropped, of_running);
  const bool ended = stop_resumed(row);
  const bool asked = ended || row_.question.has_value() || !s.confirmations.empty();
  if (row_.question) {
    row_.question.reset();
    view_.questioned = {};
    s.room = row_;
  }
  if (!turn_ || turn_->over) {
    s.inbox.push_back({row.seq, inbox_outcome::answered});
    s.outbox.push_back(reply_row(row, say(lang(), asked ? phrase::stopped : phrase::nothing_runs)));
    return commit(std::move(s), {});
  }
  if (asked)
    commit(std::move(s), {});
  // On the disk with the turn that it ends: after a crash in between it would end the next one,
  // too.
  guard_.answered(row.event.sender, now());
  turn_->stops.push_back(row);
  cancel_running();
}

void room_core::edit(const inbox_row& row, const asks::edit& change) {
  for (auto& w : queue_)
    if (w.row.event.id == change.target && w.row.event.sender == row.event.sender && !w.resumed &&
        !w.answers && !w.save) {
      w.text = change.text;      // as text: an edit never becomes a command
      w.also.push_back(row.seq); // open until then: after a crash both are read again
      return;
    }
  const bool known =
      (turn_ && turn_->what.row.event.id == change.target) ||
      std::find(answered_.begin(), answered_.end(), change.target) != answered_.end();
  if (!known || !told_late_edit_.insert(change.target).second)
    return settle_ignored(row, inbox_outcome::ignored);
  if (told_late_edit_.size() > 256)
    told_late_edit_.erase(told_late_edit_.begin());
  words w{say(lang(), phrase::edit_too_late), matrix::delivery::notice};
  w.reply_to = change.target; // clients show edits in the place of what they change
  w.thread = thread_of(row.event);
  w.mention = row.event.sender;
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::told});
  s.outbox.push_back(message(std::move(w)));
  s.outbox.back().tr = row.tr;
  commit(std::move(s), {});
}

void room_core::redact(const inbox_row& row, const asks::redaction& what) {
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::answered});
  for (auto i = queue_.begin(); i != queue_.end(); ++i) {
    if (i->files.size() > 1) { // one of several files: the others stay
      const auto f = std::find_if(i->files.begin(), i->files.end(), [&](const waiting_file& x) {
        return x.row.event.id == what.target;
      });
      if (f == i->files.end())
        continue;
      s.inbox.push_back({f->row.seq, inbox_outcome::cancelled});
      i->files.erase(f);
      i->row = i->files.front().row;
      i->text = i->files.front().caption;
      break;
    }
    if (i->row.event.id == what.target) {
      settle_all(*i, inbox_outcome::cancelled, s);
      if (auto* c = i->answers ? question(*i->answers) : nullptr) {
        ask_again(*c);
        s.confirmations.push_back(*c);
      }
      queue_.erase(i);
      break;
    }
  }
  if (turn_ && turn_->what.row.event.id == what.target)
    cancel_running();
  commit(std::move(s), {});
}

void room_core::tell_encrypted(const inbox_row& row) {
  if (row_.encrypted_told)
    return settle_ignored(row, inbox_outcome::ignored);
  deps_->around.log->warning("room_encrypted", row.tr,
                             "a room is encrypted, which is not supported: its owner was told once",
                             {{"room", id_}});
  row_.encrypted = row_.encrypted_told = true;
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::told});
  s.room = row_;
  s.outbox.push_back(message({say(lang(), phrase::encrypted_room), matrix::delivery::notice}));
  s.outbox.back().tr = row.tr;
  commit(std::move(s), {});
}

} // namespace pb
