// Questions of the agent: each is a prompt in the room, a row on the disk, and answered once.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "bridges/matrix/text.hpp"

namespace pb {

namespace {
constexpr std::size_t prompt_cap = 8'000; ///< bytes, and so many as JSON
constexpr unsigned shown_tries = 5;
constexpr std::size_t early_cap = 16;
constexpr std::chrono::milliseconds longest_nap = std::chrono::hours(1);
} // namespace

confirmation_row* room_core::question(const outbox_id& id) {
  const auto i = std::find_if(questions_.begin(), questions_.end(),
                              [&](const confirmation_row& c) { return c.id == id; });
  return i == questions_.end() ? nullptr : &*i;
}

std::size_t room_core::open_questions() const {
  return static_cast<std::size_t>(
      std::count_if(questions_.begin(), questions_.end(),
                    [](const confirmation_row& c) { return c.state == confirmation_state::open; }));
}

void room_core::asked(const agent_says::confirm& q) {
  if (!turn_->asked.insert(q.id).second)
    return; // said twice; a turn that is sent again asks again
  if (open_questions() >= open_question_cap) {
    self_->send(turn_->connection, answer_confirm{turn_->request.id, q.id, false});
    if (!std::exchange(turn_->too_many_told, true)) {
      words w{say(lang(), phrase::confirm_too_many, {std::to_string(open_question_cap)}),
              matrix::delivery::notice};
      w.reply_to = turn_->what.row.event.id;
      w.thread = turn_->what.thread;
      w.turn = turn_->request.id;
      settlement s;
      s.outbox.push_back(message(std::move(w)));
      commit(std::move(s), {});
    }
    deps_->around.log->warning("too_many_questions", turn_->request.tr,
                               "the agent asks too many questions at once; answered with no",
                               {{"room", id_}, {"agent", turn_->request.agent}});
    return;
  }
  if (questions_.size() >= known_question_cap)
    if (const auto old = std::find_if(questions_.begin(), questions_.end(),
                                      [](const confirmation_row& c) {
                                        const bool answered = c.state == confirmation_state::yes ||
                                                              c.state == confirmation_state::no;
                                        return answered ? c.delivered
                                                        : c.state != confirmation_state::open;
                                      });
        old != questions_.end())
      questions_.erase(old);
  confirmation_row c;
  c.id = outbox_id{random_id(engine_)};
  c.room = id_;
  c.turn = turn_->request.id;
  c.agent = turn_->request.agent;
  c.chat = turn_->request.chat;
  c.name = q.id;
  for (const auto& other : questions_)
    c.number = std::max(c.number, other.number);
  ++c.number;
  c.prompt = std::string{matrix::cut_text(q.prompt, prompt_cap, prompt_cap)};
  if (c.prompt.size() < q.prompt.size())
    c.prompt += " …";
  c.asker = turn_->request.asker;
  c.inbox_seq = turn_->what.row.seq;
  c.made_at = deps_->around.wall();
  auto life = std::chrono::milliseconds(deps_->confirmation_ttl);
  if (q.expires_in)
    life = std::min<std::chrono::milliseconds>(life, *q.expires_in);
  c.expires_at = c.made_at + life.count();

  const auto number = std::to_string(c.number);
  const auto minutes = std::to_string(std::max<std::int64_t>(1, (life.count() + 59'999) / 60'000));
  words w{c.prompt + "\n\n" + say(lang(), phrase::confirm_how, {number, minutes}),
          matrix::delivery::notice};
  w.row = c.id;
  w.reply_to = turn_->what.row.event.id;
  w.thread = turn_->what.thread;
  w.turn = c.turn;
  w.mention = c.asker;
  w.markdown = true;
  w.confirmation = matrix::confirmation_mark{number, c.expires_at};
  settlement s;
  s.outbox.push_back(message(std::move(w)));
  s.outbox.back().notify = true;
  s.outbox.back().tr = turn_->request.tr;
  s.confirmations.push_back(c);
  questions_.push_back(std::move(c));
  commit(std::move(s), {});
  arm_expiry();
}

/// When the homeserver says that the prompt is in the room, and since when by its clock; or that it
/// will never be there.
void room_core::prompt_sent(const send_outcome& outcome) {
  auto* c = question(outcome.id);
  if (outcome.state != outbox_state::sent && c->state == confirmation_state::open) {
    c->state = confirmation_state::dropped; // nobody can see it
    if (turn_ && turn_->connection && turn_->request.id == c->turn)
      self_->send(turn_->connection, answer_confirm{c->turn, c->name, false});
  } else if (outcome.state == outbox_state::sent) {
    c->prompt_event = outcome.event;
    ask_when_shown(outcome.id, outcome.event);
  }
  settlement s;
  s.confirmations.push_back(*c);
  commit(std::move(s), {});
  for (const auto& [row, how] : std::exchange(early_, {}))
    answer(row, how);
}

void room_core::ask_when_shown(const outbox_id& prompt_id, const event_id& prompt, unsigned tries) {
  self_->request(deps_->media, std::chrono::seconds(10), fetch_event{id_, prompt})
      .then(
          [this, id = prompt_id](const fetched_event& got) {
            if (auto* mine = question(id)) {
              mine->shown_at = got.event.sent_at;
              settlement seen;
              seen.confirmations.push_back(*mine);
              commit(std::move(seen), {});
            }
          },
          [this, id = prompt_id, prompt, tries](caf::error&) {
            if (tries < shown_tries)
              clock_.after(
                  backoff(engine_, tries, std::chrono::seconds(1), std::chrono::seconds(30)),
                  [this, id, prompt, tries] { ask_when_shown(id, prompt, tries + 1); });
          });
}

void room_core::answer(const inbox_row& row, confirm_answer how) {
  if (auto w = waiting_of(row)) { // decided before our birth, and not handed over
    queue_.push_back(std::move(*w));
    return pump();
  }
  const auto choice =
      choose_confirmation(questions_, how, row, is_master(row.event.sender, view_, deps_->rules));
  if (choice.verdict != confirm_verdict::good)
    return not_counted(row, how, choice);
  auto* c = question(choice.which_one->id);
  if (c->expires_at <= deps_->around.wall()) {
    expire();
    return reply(row, say(lang(), phrase::confirm_was_late, {std::to_string(c->number)}),
                 inbox_outcome::told);
  }
  pass_on(row, *c, how.yes, !how.exact);
}

void room_core::not_counted(const inbox_row& row, const confirm_answer& how,
                            const confirm_choice& choice) {
  const auto* c = choice.which_one;
  const auto number = c ? std::to_string(c->number) : how.named.substr(0, 64);
  std::string text;
  switch (choice.verdict) {
  case confirm_verdict::good:
    return;
  case confirm_verdict::none_open:
    if (how.exact && early_.size() < early_cap &&
        std::any_of(questions_.begin(), questions_.end(), [](const confirmation_row& q) {
          return q.state == confirmation_state::open && q.prompt_event.empty();
        })) { // faster than the word that the prompt is in the room
      early_.emplace_back(row, how);
      return;
    }
    if (how.exact) // a reaction to any other message
      return settle_ignored(row, inbox_outcome::ignored);
    text = say(lang(), phrase::confirm_none);
    break;
  case confirm_verdict::which: {
    std::string numbers;
    for (const auto& q : questions_)
      if (q.state == confirmation_state::open)
        numbers += (numbers.empty() ? "" : ", ") + std::to_string(q.number);
    text = say(lang(), phrase::confirm_which, {numbers});
    break;
  }
  case confirm_verdict::unknown:
    text = say(lang(), phrase::confirm_unknown, {number});
    break;
  case confirm_verdict::too_old:
    text = say(lang(), phrase::confirm_older, {number});
    break;
  case confirm_verdict::not_yours:
    text = say(lang(), phrase::confirm_not_yours, {number});
    break;
  case confirm_verdict::closed:
    switch (c->state) {
    case confirmation_state::yes:
    case confirmation_state::no:
      text = say(lang(), phrase::confirm_answered,
                 {number,
                  say(lang(),
                      c->state == confirmation_state::yes ? phrase::answer_yes : phrase::answer_no),
                  c->answered_by.value});
      break;
    case confirmation_state::expired:
      text = say(lang(), phrase::confirm_was_late, {number});
      break;
    case confirmation_state::orphaned:
      return self_->request(deps_->agents, in_house, find_agent{c->agent})
          .then(
              [this, row, number](const found_agent& agent) {
                reply(row, say(lang(), phrase::confirm_orphaned, {number, agent.label}),
                      inbox_outcome::told);
              },
              [this](caf::error& e) { self_->quit(std::move(e)); });
    default:
      text = say(lang(), phrase::confirm_dropped, {number});
    }
  }
  reply(row, text, inbox_outcome::told);
}

/// On disk before the agent hears of it. When its turn is over the answer is a turn of its own.
void room_core::pass_on(const inbox_row& row, confirmation_row& c, bool yes, bool tell) {
  c.state = yes ? confirmation_state::yes : confirmation_state::no;
  c.answered_by = row.event.sender;
  c.answer_seq = row.seq;
  const auto live = [this](const turn_id& turn) {
    return turn_ && !turn_->over && turn_->connection && turn_->request.id == turn;
  };
  settlement s;
  s.confirmations.push_back(c);
  if (!live(c.turn)) {
    waiting w{row, {}};
    w.thread = thread_of(row.event);
    w.answers = c.id;
    w.undecided = true;
    queue_.push_back(std::move(w)); // its place is that of its message
    return commit(std::move(s), [this, id = c.id] {
      for (auto& mine : queue_)
        if (mine.answers == id)
          mine.undecided = false;
      pump();
    });
  }
  s.inbox.push_back({row.seq, inbox_outcome::answered});
  if (tell)
    s.outbox.push_back(reply_row(row, say(lang(), yes ? phrase::confirm_yes : phrase::confirm_no,
                                          {std::to_string(c.number)})));
  commit(std::move(s), [this, row, turn = c.turn, name = c.name, yes, live, id = c.id] {
    if (live(turn))
      return self_->send(turn_->connection, answer_confirm{turn, name, yes});
    // Its turn ended meanwhile, and end_answers() has said so unless the agent did not wait.
    const auto* mine = question(id);
    if (!mine || mine->state == confirmation_state::open)
      return;
    settlement late;
    late.outbox.push_back(
        reply_row(row, say(lang(), phrase::confirm_dropped, {std::to_string(mine->number)})));
    commit(std::move(late), {});
  });
}

/// Nobody has heard the answer: the question is open as before.
void room_core::ask_again(confirmation_row& c) {
  c.state = confirmation_state::open;
  c.answered_by = {};
  c.answer_seq = 0;
}

/// The turn in which the agent asked is over. An answer that certainly never reached the socket,
/// because the connection broke first, does not count: the question is open again. Where nobody can
/// tell (we or the connection's actor died) it may have been heard, and is not said twice.
void room_core::end_answers(const running& r, turn_ending how, settlement& s) {
  for (auto& c : questions_) {
    if (c.turn != r.request.id || c.delivered ||
        (c.state != confirmation_state::yes && c.state != confirmation_state::no))
      continue;
    const auto waits = std::find_if(queue_.begin(), queue_.end(),
                                    [&](const waiting& w) { return w.answers == c.id; });
    if (waits != queue_.end()) {
      if (how == turn_ending::interrupted && !r.questions_die)
        continue; // a turn of its own carries it
      settle_all(*waits, inbox_outcome::told, s);
      s.outbox.push_back(
          reply_row(waits->row, say(lang(), phrase::confirm_dropped, {std::to_string(c.number)})));
      queue_.erase(waits);
    }
    if (how != turn_ending::interrupted || !r.decided || r.decided->contains(c.name)) {
      c.delivered = true;
    } else if (r.questions_die) {
      c.state = confirmation_state::orphaned;
      c.delivered = true;
    } else {
      ask_again(c);
      words w{say(lang(), phrase::confirm_unreachable, {std::to_string(c.number), r.label}),
              matrix::delivery::notice};
      w.reply_to = c.prompt_event;
      w.turn = c.turn;
      w.mention = c.asker;
      s.outbox.push_back(message(std::move(w)));
    }
    s.confirmations.push_back(c);
  }
  arm_expiry();
}

void room_core::close_questions(settlement& s, confirmation_state state,
                                const std::function<bool(const confirmation_row&)>& which) {
  for (auto& c : questions_)
    if (c.state == confirmation_state::open && which(c)) {
      c.state = state;
      s.confirmations.push_back(c);
    }
}

/// The turn that carried an answer is over: what the agent made of it.
void room_core::end_answer_turn(const running& r, turn_ending how, settlement& s,
                                std::string& tail) {
  auto* c = question(*r.what.answers);
  if (!c)
    return;
  const auto number = std::to_string(c->number);
  const bool spoke = !r.fold.text().empty();
  switch (how) {
  case turn_ending::unreachable:
  case turn_ending::rejected:
  case turn_ending::disabled:
  case turn_ending::busy:
  case turn_ending::storage:
    ask_again(*c); // nothing was handed over
    tail = say(lang(), phrase::confirm_unreachable, {number, r.label});
    arm_expiry();
    break;
  case turn_ending::agent_error:
  case turn_ending::idle:
  case turn_ending::malformed:
    if (!spoke) {
      c->state = confirmation_state::orphaned;
      tail = say(lang(), phrase::confirm_orphaned, {number, r.label});
    }
    c->delivered = true;
    break;
  case turn_ending::cancelled:
    c->state = confirmation_state::dropped;
    c->delivered = true;
    break;
  default:
    c->delivered = true;
  }
  s.confirmations.push_back(*c);
}

void room_core::arm_expiry() {
  std::optional<unix_ms> first;
  for (const auto& c : questions_)
    if (c.state == confirmation_state::open && (!first || c.expires_at < *first))
      first = c.expires_at;
  if (!first || (expiry_armed_ && *expiry_armed_ <= *first))
    return;
  expiry_armed_ = first;
  const std::chrono::milliseconds wait(std::max<unix_ms>(0, *first - deps_->around.wall()));
  clock_.after(std::min(wait, longest_nap), [this, at = *first] {
    if (expiry_armed_ != at)
      return;
    expiry_armed_.reset();
    expire();
    arm_expiry();
  });
}

void room_core::expire() {
  const auto wall = deps_->around.wall();
  settlement s;
  for (auto& c : questions_) {
    if (c.state != confirmation_state::open || c.expires_at > wall)
      continue;
    c.state = confirmation_state::expired;
    s.confirmations.push_back(c);
    const bool heard = turn_ && turn_->connection && turn_->request.id == c.turn;
    if (heard)
      self_->send(turn_->connection, answer_confirm{c.turn, c.name, false});
    words w{say(lang(), heard ? phrase::confirm_expired : phrase::confirm_expired_alone,
                {std::to_string(c.number)}),
            matrix::delivery::notice};
    w.reply_to = c.prompt_event;
    w.turn = c.turn;
    w.mention = c.asker;
    s.outbox.push_back(message(std::move(w)));
  }
  if (!s.confirmations.empty())
    commit(std::move(s), {});
}

} // namespace pb
