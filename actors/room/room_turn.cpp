// The turn: one at a time, in the order of the messages.

#include "actors/crash_point.hpp"
#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "bridges/matrix/text.hpp"

namespace pb {

void room_core::on_batch(const agent_batch& batch) {
  if (!turn_ || turn_->request.id != batch.turn || turn_->over)
    return;
  bool fits = true;
  for (const auto& e : batch.events)
    fits = turn_->fold.add(e) && fits;
  for (const auto& question : turn_->fold.take_confirmations())
    asked(question);
  for (const auto& path : turn_->fold.take_files())
    send_file(path);
  if (!fits && !turn_->stopping) {
    turn_->stopping = true;
    self_->send(turn_->connection, cancel_turn{batch.turn});
    return finish(turn_ending::too_large, {}, true);
  }
  self_->send(turn_->connection, agent_ack{batch.turn, batch.seq});
  arm_stream();
}

void room_core::on_over(const turn_over& over) {
  crash_here(crash_point::agent_ended);
  if (!turn_ || turn_->request.id != over.turn || turn_->over)
    return;
  // It was retired between our question to the directory and our turn: another one may be there.
  if (over.ending == turn_ending::busy && !over.handed &&
      !std::exchange(turn_->asked_again, true)) {
    turn_->connection = nullptr; // it has not got the turn: its end, or a `!stop`, is not about it
    return find_again();
  }
  turn_->decided = std::set<std::string>(over.decided.begin(), over.decided.end());
  turn_->questions_die = over.questions_die;
  finish(over.ending, over.detail, over.handed);
}

void room_core::on_slow(const turn_slow& slow) {
  if (!turn_ || turn_->request.id != slow.turn || std::exchange(turn_->slow_told, true) ||
      !row_.choices.notices)
    return;
  words w{say(lang(), phrase::agent_slow, {turn_->label}), matrix::delivery::notice};
  w.reply_to = answered_event(turn_->what.row.event);
  w.thread = turn_->what.thread;
  w.turn = turn_->request.id;
  w.mention = turn_->request.asker;
  settlement s;
  s.outbox.push_back(message(std::move(w)));
  s.outbox.back().tr = turn_->request.tr;
  commit(std::move(s), {});
}

void room_core::lost_connection() {
  watched_ = {};
  if (turn_ && turn_->connection)
    finish(turn_ending::interrupted, "agent connection actor ended", true);
  else if (turn_)
    turn_->agent.connection = nullptr; // asked for again when the turn is ready
}

void room_core::finish(turn_ending how, const std::string& detail, bool handed) {
  if (!turn_ || turn_->over)
    return;
  // An agent that was told to stop may still end in good order: the person stopped it all the same.
  if (turn_->stopping && how == turn_ending::answered)
    how = turn_ending::cancelled;
  turn_->over = ending{how, detail, handed};
  typing(false);
  if (!await_draft())
    conclude();
}

turn_row room_core::ended_row(const running& r, turn_ending how) const {
  turn_row t;
  t.id = r.request.id;
  t.room = id_;
  t.agent = r.request.agent;
  t.chat = r.request.chat;
  t.inbox_seq = r.what.row.seq;
  t.attempts = std::max(r.attempts, 1);
  t.at = deps_->around.wall();
  t.state = how == turn_ending::answered      ? turn_state::answered
            : how == turn_ending::cancelled   ? turn_state::cancelled
            : how == turn_ending::interrupted ? turn_state::interrupted
                                              : turn_state::failed;
  return t;
}

/// The turn is over and what it showed is known: the rest becomes true at once.
void room_core::conclude() {
  auto r = std::move(*turn_);
  turn_.reset();
  const auto [how, detail, handed] = *r.over;
  if (!r.shown.draft.empty() && r.shown.draft_event.empty())
    stale_drafts_.insert(r.shown.draft); // it comes too late, if it comes
  settlement s;
  // An inbox row keeps its first outcome: that of a message that is sent again stays "told".
  const bool good = how == turn_ending::answered;
  settle_all(r.what,
             how == turn_ending::cancelled ? inbox_outcome::cancelled
             : good                        ? inbox_outcome::answered
                                           : inbox_outcome::told,
             s);
  if (handed || r.attempts > 0)
    s.turn = ended_row(r, how);
  const auto& code = r.fold.error_code();
  const bool blank = r.fold.text().find_first_not_of(" \t\r\n") == std::string::npos;
  std::string tail; // what we add to the agent's words
  if (how == turn_ending::interrupted && r.label.empty())
    tail = say(lang(), phrase::router_interrupted);
  else if (!good || blank)
    tail = closing_words(lang(), how, r.label, how == turn_ending::agent_error ? code : detail);
  const auto add = [&tail](const std::string& sentence) {
    tail += (tail.empty() ? "" : "\n\n") + sentence;
  };
  const auto of_turn = [&](const confirmation_row& c) { return c.turn == r.request.id; };
  end_answers(r, how, s);
  if (r.what.answers)
    end_answer_turn(r, how, s, tail);
  else if (how != turn_ending::interrupted)
    close_questions(s, confirmation_state::dropped, of_turn);
  else if (std::any_of(questions_.begin(), questions_.end(), [&](const confirmation_row& c) {
             return of_turn(c) && c.state == confirmation_state::open;
           })) {
    if (r.questions_die)
      close_questions(s, confirmation_state::orphaned, of_turn);
    add(say(lang(), r.questions_die ? phrase::question_dies : phrase::question_stays));
  }
  if (good) {
    auto used = r.fold.usage();
    used.turns = 1;
    s.used = {id_, used};
    row_.usage.turns += 1;
    row_.usage.input_tokens += used.input_tokens;
    row_.usage.output_tokens += used.output_tokens;
    if (r.what.save)
      add(when_saved(r, s));
  }
  if (r.what.takes_question && row_.question) {
    row_.question.reset();
    s.room = row_;
    s.used.reset(); // the row has it
  }
  // What was stopped before its first word leaves no message: the answer to `!stop` is enough.
  const bool silent =
      row_.state == room_state::left || row_.encrypted ||
      (how == turn_ending::cancelled && r.fold.text().empty() && r.shown.draft_event.empty());
  if (!silent)
    say_answer(r, tail, s);
  for (const auto& stop : r.stops) {
    s.inbox.push_back({stop.seq, inbox_outcome::answered});
    s.outbox.push_back(reply_row(stop, say(lang(), phrase::stopped)));
  }
  for (auto& row : s.outbox)
    row.tr = r.request.tr;
  const log_fields about{{"room", id_},
                         {"agent", r.request.agent},
                         {"turn", r.request.id},
                         {"ending", word_of(how)},
                         {"detail", detail.substr(0, 200)}};
  if (how == turn_ending::cancelled)
    deps_->around.log->info("turn_stopped", r.request.tr, "a turn was stopped", about);
  else if (!good)
    deps_->around.log->warning("turn_failed", r.request.tr, "a turn ended without an answer",
                               about);
  answered_.push_back(r.what.row.event.id);
  if (answered_.size() > 64)
    answered_.erase(answered_.begin());
  starting_ = true; // the next turn begins when this one is on disk
  commit(std::move(s), [this, who = r.request.asker] {
    crash_here(crash_point::after_settle_commit);
    starting_ = false;
    last_active_ = self_->clock().now();
    guard_.answered(who, now());
    if (auto next = std::exchange(after_turn_, {}))
      next();
    pump();
  });
}

/// The first part takes the draft's place, if there is one; the others are messages of their own.
void room_core::say_answer(const running& r, const std::string& tail, settlement& s) {
  words w;
  w.kind = matrix::delivery::final_answer;
  w.reply_to = answered_event(r.what.row.event);
  w.thread = r.what.thread;
  w.turn = r.request.id;
  w.mention = r.request.asker;
  const auto& text = r.fold.text();
  w.markdown = !text.empty();
  auto answer = laid_out(text, tail);
  for (std::size_t i = 0; i < answer.parts.size(); ++i) {
    auto part = w;
    part.text = std::move(answer.parts[i]);
    part.part = static_cast<int>(i);
    if (i == 0)
      part.replaces = r.shown.draft_event;
    s.outbox.push_back(message(std::move(part)));
  }
  if (answer.as_file) {
    file_order order;
    order.path = say(lang(), phrase::answer_file);
    order.text = text;
    order.turn = w.turn;
    order.reply_to = w.reply_to;
    order.thread = w.thread;
    order.part = static_cast<int>(answer.parts.size());
    s.outbox.push_back(file_row(order));
  }
}

void room_core::arm_typing() {
  if (std::exchange(typing_armed_, true))
    return;
  clock_.after(deps_->timing.typing_after, [this] {
    typing_armed_ = false;
    if (!turn_ || turn_->over)
      return;
    if (self_->clock().now() - turn_began_ >= deps_->timing.typing_after)
      typing(true);
    else
      arm_typing();
  });
}

void room_core::typing(bool on) {
  if (on) {
    typing_on_ = true;
    self_->send(deps_->sender, set_typing{id_, true});
    clock_.after(deps_->timing.typing_again, [this, id = turn_->request.id] {
      if (turn_ && turn_->request.id == id && !turn_->over)
        typing(true);
    });
  } else if (std::exchange(typing_on_, false)) {
    self_->send(deps_->sender, set_typing{id_, false});
  }
}

} // namespace pb
