// What people ask of the router itself.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

void room_core::run_command(const inbox_row& row, const asks::command& command) {
  switch (command.name) {
  case command_name::help:
    return reply(row, say(lang(), row_.kind == room_kind::chat ? phrase::help : phrase::lobby_help),
                 inbox_outcome::answered);
  // The answer may take as long as an outage: who gave up waiting would say that it failed, and
  // later it would be done.
  case command_name::start:
    self_->request(deps_.topology, caf::infinite, find_home{row.event.sender, row.tr, row})
        .then([](done) {}, [this](caf::error& e) { self_->quit(std::move(e)); });
    return;
  case command_name::new_chat:
    self_->request(deps_.topology, caf::infinite, new_chat{row, row_.owner, command.argument})
        .then([](done) {},
              [this, row](caf::error& e) {
                const auto f = to_fault(e);
                if (f.code != fault_code::refused && f.code != fault_code::busy)
                  return self_->quit(std::move(e)); // the disk knows whether it is on its way
                const auto why =
                    f.sentence.empty() ? say(lang(), phrase::storage_trouble) : f.sentence;
                reply(row, say(lang(), phrase::new_chat_failed, {why}), inbox_outcome::told);
              });
    return;
  case command_name::clear:
    if (row_.kind != room_kind::chat)
      return reply(row, say(lang(), phrase::lobby_help), inbox_outcome::told);
    if (!turn_ && !starting_)
      return clear(row);
    // The running turn ends first, as by `!stop`; what waits goes to the new context.
    after_turn_ = [this, row, before = std::move(after_turn_)] {
      if (before)
        before();
      clear(row);
    };
    if (turn_) {
      turn_->stopping = true;
      self_->send(turn_->connection, cancel_turn{turn_->request.id});
    }
    return;
  case command_name::stop:
    return stop_turn(row);
  case command_name::retry:
    return retry(row);
  }
}

/// The last interrupted message again, as a new turn. Its `!retry` stays open with it.
void room_core::retry(const inbox_row& row) {
  if (row_.kind != room_kind::chat)
    return reply(row, say(lang(), phrase::lobby_help), inbox_outcome::told);
  self_->request(deps_.store, deps_.timing.store_timeout, store_interrupted{id_})
      .then(
          [this, row](const interrupted_message& last) {
            const auto same = [&](const waiting& w) {
              return last.row && w.row.seq == last.row->seq;
            };
            const bool under_way =
                (turn_ && same(turn_->what)) || std::any_of(queue_.begin(), queue_.end(), same);
            const auto asked = last.row ? classify(last.row->event, view_, deps_.rules) : verdict{};
            const auto* ask = std::get_if<asks::turn>(&asked);
            if (!ask || under_way)
              return reply(row, say(lang(), phrase::nothing_to_retry), inbox_outcome::answered);
            queue_.push_front({*last.row, ask->text, {}, {row.seq}});
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
      const auto asked = classify(r.event, view_, deps_.rules);
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
    s.outbox.push_back(message(say(lang(), phrase::router_interrupted),
                               matrix::delivery::final_answer, command->event.id, t->id,
                               command->event.sender));
    s.outbox.back().tr = command->tr;
    last_seq_ = std::max(last_seq_, command->seq);
    pending.erase(command);
    t = orphans.erase(t);
    commit(std::move(s), {});
  }
}

void room_core::clear(const inbox_row& row) {
  marker_waits_ = true; // no turn begins between two contexts
  self_->request(deps_.topology, caf::infinite, draw_chat_id{})
      .then(
          [this, row](platform_chat_id fresh) {
            auto changed = row_;
            changed.platform = fresh;
            ++changed.epoch;
            auto marker = state_row(engine_, deps_.around.wall(), id_, matrix::chat_marker_type, "",
                                    matrix::compose_chat_marker(
                                        {changed.owner, changed.chat, changed.platform,
                                         changed.agent, "active", changed.epoch, changed.intent}));
            marker_ = marker.id;
            settlement s;
            s.inbox.push_back({row.seq, inbox_outcome::answered});
            s.room = changed;
            s.outbox.push_back(std::move(marker));
            s.outbox.push_back(message(say(lang(), phrase::context_cleared),
                                       matrix::delivery::reply, row.event.id, {},
                                       row.event.sender));
            for (auto& said : s.outbox)
              said.tr = row.tr;
            row_ = changed;
            commit(std::move(s), {});
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::stop_turn(const inbox_row& row) {
  if (!turn_)
    return reply(row, say(lang(), phrase::nothing_runs), inbox_outcome::answered);
  after_turn_ = [this, row, before = std::move(after_turn_)] {
    if (before)
      before();
    reply(row, say(lang(), phrase::stopped), inbox_outcome::answered);
  };
  if (!std::exchange(turn_->stopping, true))
    self_->send(turn_->connection, cancel_turn{turn_->request.id});
}

void room_core::edit(const inbox_row& row, const asks::edit& change) {
  for (auto& w : queue_)
    if (w.row.event.id == change.target && w.row.event.sender == row.event.sender && !w.resumed) {
      w.text = change.text;      // as text: an edit never becomes a command
      w.also.push_back(row.seq); // open until then: after a crash both are read again
      return;
    }
  const bool runs = turn_ && turn_->what.row.event.id == change.target;
  if (!runs || !told_late_edit_.insert(change.target).second)
    return settle_ignored(row, inbox_outcome::ignored);
  if (told_late_edit_.size() > 256)
    told_late_edit_.erase(told_late_edit_.begin());
  reply(row, say(lang(), phrase::edit_too_late), inbox_outcome::told);
}

void room_core::redact(const inbox_row& row, const asks::redaction& what) {
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::answered});
  for (auto i = queue_.begin(); i != queue_.end(); ++i)
    if (i->row.event.id == what.target) {
      s.inbox.push_back({i->row.seq, inbox_outcome::cancelled});
      for (const auto seq : i->also)
        s.inbox.push_back({seq, inbox_outcome::cancelled});
      queue_.erase(i);
      break;
    }
  if (turn_ && turn_->what.row.event.id == what.target && !std::exchange(turn_->stopping, true))
    self_->send(turn_->connection, cancel_turn{turn_->request.id});
  commit(std::move(s), {});
}

void room_core::tell_encrypted(const inbox_row& row) {
  if (row_.encrypted_told)
    return settle_ignored(row, inbox_outcome::ignored);
  deps_.around.log->warning("room_encrypted", row.tr,
                            "a room is encrypted, which is not supported: its owner was told once",
                            {{"room", id_}});
  row_.encrypted = row_.encrypted_told = true;
  settlement s;
  s.inbox.push_back({row.seq, inbox_outcome::told});
  s.room = row_;
  s.outbox.push_back(
      message(say(lang(), phrase::encrypted_room), matrix::delivery::notice, {}, {}, {}));
  s.outbox.back().tr = row.tr;
  commit(std::move(s), {});
}

} // namespace pb
