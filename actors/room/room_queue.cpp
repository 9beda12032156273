// What waits for its turn, and what a turn needs before the agent is asked: the words that are
// replied to, the files that came along.

#include "actors/crash_point.hpp"
#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "bridges/matrix/content.hpp"
#include "bridges/matrix/text.hpp"

namespace pb {

namespace {

constexpr unsigned fetch_tries = 5;
constexpr std::size_t quote_cap = 1'000; ///< bytes

/// Every line with "> " before it.
std::string as_quote(const std::string& who, std::string_view words) {
  std::string out = who + "\n> ";
  for (const char c : matrix::cut_utf8(words, quote_cap)) {
    out.push_back(c);
    if (c == '\n')
      out += "> ";
  }
  return out + "\n\n";
}

} // namespace

void room_core::settle_all(const waiting& what, inbox_outcome outcome, settlement& s) {
  s.inbox.push_back({what.row.seq, outcome});
  for (const auto seq : what.also)
    s.inbox.push_back({seq, outcome});
  for (const auto& f : what.files)
    if (f.row.seq != what.row.seq)
      s.inbox.push_back({f.row.seq, outcome});
}

/// A message as it waits; nothing: it is not for the agent.
std::optional<room_core::waiting> room_core::waiting_of(const inbox_row& row) {
  auto ask = classify(row.event, view_, deps_->rules);
  waiting w{row, {}};
  w.thread = thread_of(row.event);
  if (auto* turn = std::get_if<asks::turn>(&ask)) {
    w.text = std::move(turn->text);
    w.quotes = std::move(turn->quotes);
    w.quoted = std::move(turn->quoted);
    if (turn->file)
      w.files.push_back({std::move(*turn->file), row, w.text});
    return w;
  }
  for (const auto& c : questions_)
    if (c.answer_seq == row.seq && !c.delivered &&
        (c.state == confirmation_state::yes || c.state == confirmation_state::no)) {
      w.answers = c.id;
      return w;
    }
  return std::nullopt;
}

/// Files of one person that come close together, no text between, are one turn.
bool room_core::joins_files(waiting& what) {
  if (what.files.empty() || queue_.empty())
    return false;
  auto& last = queue_.back();
  if (last.files.empty() || last.files.size() >= files_cap ||
      last.row.event.sender != what.row.event.sender || last.thread != what.thread ||
      what.row.event.sent_at - last.files.back().row.event.sent_at >
          deps_->timing.files_together.count())
    return false;
  last.files.push_back(std::move(what.files.front()));
  last.more_until = self_->clock().now() + deps_->timing.files_together;
  return true;
}

void room_core::enqueue(waiting what, origin from) {
  const auto& row = what.row;
  if (joins_files(what))
    return;
  if (!row.backlog) {
    const auto live = static_cast<std::size_t>(std::count_if(
        queue_.begin(), queue_.end(), [](const waiting& w) { return !w.row.backlog; }));
    // When we are born, the one that ran without a mark on the disk waits again.
    if (live >= deps_->rules.queue_limit + (from == origin::birth ? 1 : 0))
      return reply(row, say(lang(), phrase::queue_full, {std::to_string(deps_->rules.queue_limit)}),
                   inbox_outcome::told);
  }
  if (!what.files.empty())
    what.more_until = self_->clock().now() + deps_->timing.files_together;
  queue_.push_back(std::move(what));
}

void room_core::pump() {
  if (turn_ || starting_ || draining_ || marker_waits_ || !known_ || after_turn_)
    return rest();
  if (queue_.empty()) {
    load_more();
    return rest();
  }
  const auto& next = queue_.front();
  if (next.undecided)
    return rest();
  const auto at = self_->clock().now();
  if (queue_.size() == 1 && !next.files.empty() && !next.resumed && at < next.more_until) {
    if (!std::exchange(files_armed_, true))
      clock_.after(std::chrono::ceil<std::chrono::milliseconds>(next.more_until - at), [this] {
        files_armed_ = false;
        pump();
      });
    return rest();
  }
  starting_ = true;
  // Asked anew for each turn: the registry may be another one by now.
  self_->request(deps_->agents, in_house, find_agent{row_.agent, row_.owner})
      .then([this](found_agent& agent) { begin(agent); },
            [this](caf::error& e) { self_->quit(std::move(e)); });
}

void room_core::begin(found_agent& agent) {
  starting_ = false;
  if (draining_ && !after_turn_)
    return rest();
  if (queue_.empty() || after_turn_) { // taken back meanwhile
    if (auto next = std::exchange(after_turn_, {}))
      next();
    return pump();
  }
  auto what = std::move(queue_.front());
  queue_.pop_front();
  const auto resumed = what.resumed;
  running r{std::move(what)};
  r.label = agent.label.empty() ? row_.agent.value : agent.label;
  r.workspace = agent.workspace;
  r.agent = agent;
  auto& q = r.request;
  q.tr = r.what.row.tr;
  q.id = resumed ? resumed->id : turn_id{"t" + random_id(engine_)};
  q.room = id_;
  q.agent = row_.agent;
  q.chat = row_.platform;
  q.asker = r.what.row.event.sender;
  r.attempts = resumed ? resumed->attempts : 0;
  auto rules = deps_->streaming;
  rules.mode = row_.choices.streaming.value_or(rules.mode);
  // What was shown of a turn before our birth stays; a second draft beside it would be one too
  // many.
  if (resumed)
    rules.mode = streaming_mode::final_only;
  r.shown.plan = stream_plan{rules};
  const bool nothing_to_say =
      r.what.text.empty() && r.what.files.empty() && !r.what.answers; // as after a crash of `!save`
  turn_.emplace(std::move(r));
  turn_began_ = self_->clock().now();
  if (resumed && (!agent.connection || !agent.idempotent || resumed->attempts >= 3 ||
                  nothing_to_say || turn_->what.answers || turn_->what.stopped)) {
    // The agent may have done its work already: asking again could do it twice.
    if (agent.connection) // whatever still runs there speaks to a room that died
      self_->send(agent.connection, cancel_turn{turn_->request.id});
    turn_->label.clear();
    return finish(turn_->what.stopped ? turn_ending::cancelled : turn_ending::interrupted,
                  "router restarted", true);
  }
  if (!may_use(agent)) {
    if (turn_->what.answers)
      return finish(turn_ending::disabled, {}, false);
    return refuse_turn(say(lang(), phrase::agent_taken, {turn_->label}));
  }
  if (!agent.connection)
    return finish(turn_ending::disabled, {}, false);
  if (resumed) { // asked again, the agent asks its questions again
    settlement s;
    close_questions(s, confirmation_state::dropped,
                    [&](const confirmation_row& c) { return c.turn == turn_->request.id; });
    if (!s.confirmations.empty())
      commit(std::move(s), {});
  }
  watch(agent.connection);
  crash_here(crash_point::turn_begun);
  prepare();
}

void room_core::watch(const agent_connection_actor& connection) {
  const auto address = connection.address();
  if (watched_ == address)
    return;
  if (watched_)
    self_->demonitor(watched_);
  watched_ = address;
  self_->monitor(connection);
}

/// Whether the registry in force leaves this room to its agent.
bool room_core::may_use(const found_agent& agent) const {
  const auto& ops = deps_->rules.operators;
  const bool everything = std::find(ops.begin(), ops.end(), row_.owner) != ops.end();
  // Whoever is admitted without being listed has got the agent by what was the default then.
  const bool unlisted = !agent.listed && !deps_->rules.only_listed;
  // An agent that is gone altogether has words of its own.
  return !agent.known || agent.theirs || unlisted || everything || row_.granted;
}

void room_core::prepare() {
  const auto& w = turn_->what;
  if (!w.quoted.empty())
    turn_->what.quoted = as_quote(say(lang(), phrase::me_quoted), w.quoted);
  else if (!w.quotes.empty())
    return quote();
  fetch_next(0, 0);
}

void room_core::quote() {
  self_->request(deps_->media, std::chrono::seconds(10), fetch_event{id_, turn_->what.quotes})
      .then(
          [this, turn = turn_->request.id](const fetched_event& got) {
            if (!turn_ || turn_->request.id != turn || turn_->over)
              return;
            const auto body =
                matrix::split_reply(matrix::parse_message(got.event.content).body).text;
            const auto& who = got.event.sender;
            if (!body.empty())
              turn_->what.quoted =
                  as_quote(who == deps_->rules.bot ? say(lang(), phrase::me_quoted)
                                                   : say(lang(), phrase::quote_of, {who.value}),
                           body);
            fetch_next(0, 0);
          },
          [this, turn = turn_->request.id](caf::error&) { // without it, then
            if (turn_ && turn_->request.id == turn && !turn_->over)
              fetch_next(0, 0);
          });
}

void room_core::fetch_next(std::size_t index, unsigned tries) {
  const auto& files = turn_->what.files;
  if (index >= files.size())
    return dispatch();
  if (turn_->workspace.empty() || !turn_->agent.features.contains(agent_feature::files))
    return file_failed({fault_code::refused, "the agent takes no files", {}}, index, fetch_tries);
  self_
      ->request(deps_->media, std::chrono::minutes(120),
                fetch_file{turn_->request.tr, files[index].file, turn_->workspace,
                           turn_->request.asker, turn_->request.chat})
      .then(
          [this, turn = turn_->request.id, index](const staged_file& got) {
            if (!turn_ || turn_->request.id != turn || turn_->over)
              return;
            const auto& f = turn_->what.files[index].file;
            turn_->request.attachments.push_back(got.path);
            turn_->file_lines +=
                (turn_->file_lines.empty() ? "" : "\n") +
                say(lang(), phrase::file_line,
                    {f.name, f.mimetype.empty() ? "application/octet-stream" : f.mimetype,
                     std::to_string(got.size), got.path});
            fetch_next(index + 1, 0);
          },
          [this, turn = turn_->request.id, index, tries](caf::error& e) {
            if (turn_ && turn_->request.id == turn && !turn_->over)
              file_failed(to_fault(e), index, tries);
          });
}

void room_core::file_failed(const fault& why, std::size_t index, unsigned tries) {
  if (!is_final(why.code) && tries + 1 < fetch_tries) {
    clock_.after(backoff(engine_, tries, std::chrono::seconds(1), std::chrono::seconds(30)),
                 [this, turn = turn_->request.id, index, tries] {
                   if (turn_ && turn_->request.id == turn && !turn_->over)
                     fetch_next(index, tries + 1);
                 });
    return;
  }
  const auto& source = turn_->what.files[index];
  deps_->around.log->warning("file_not_fetched", turn_->request.tr,
                             "a file was not passed on: " + why.cause, {{"room", id_}});
  const auto reason = why.code == fault_code::refused
                          ? say(lang(), phrase::why_no_files, {turn_->label})
                      : why.code == fault_code::too_large ? say(lang(), phrase::why_file_large)
                      : why.code == fault_code::not_found || why.code == fault_code::malformed
                          ? say(lang(), phrase::why_file_gone)
                          : say(lang(), phrase::why_file_trouble);
  const auto sentence = say(lang(), phrase::file_refused, {source.file.name, reason});
  const bool last = index + 1 >= turn_->what.files.size();
  const bool captions = std::any_of(turn_->what.files.begin(), turn_->what.files.end(),
                                    [](const waiting_file& f) { return !f.caption.empty(); });
  if (last && turn_->request.attachments.empty() && !captions)
    return refuse_turn(sentence); // nothing is left to ask
  words w{sentence, matrix::delivery::notice};
  w.reply_to = source.row.event.id;
  w.thread = turn_->what.thread;
  w.turn = turn_->request.id;
  w.mention = turn_->request.asker;
  settlement s;
  s.outbox.push_back(message(std::move(w)));
  commit(std::move(s), {});
  fetch_next(index + 1, 0);
}

/// The turn ends before the agent heard of it.
void room_core::refuse_turn(const std::string& sentence) {
  auto r = std::move(*turn_);
  turn_.reset();
  settlement s;
  settle_all(r.what, inbox_outcome::told, s);
  if (r.attempts > 0)
    s.turn = ended_row(r, turn_ending::agent_error);
  s.outbox.push_back(reply_row(r.what.row, sentence));
  starting_ = true;
  commit(std::move(s), [this] {
    starting_ = false;
    if (auto next = std::exchange(after_turn_, {}))
      next();
    pump();
  });
}

void room_core::dispatch() {
  auto& t = *turn_;
  auto& w = t.what;
  if (!t.agent.connection)
    return find_again(); // it ended, or another one was bound, while files were fetched
  if (w.answers) {
    const auto* c = question(*w.answers);
    if (!c || (c->state != confirmation_state::yes && c->state != confirmation_state::no))
      return refuse_turn(say(lang(), phrase::confirm_none));
    t.request.answer = turn_answer{c->name, c->state == confirmation_state::yes};
    t.request.chat = c->chat;
  } else {
    if (!w.files.empty()) { // an edit has changed the text of the first one
      std::string captions = w.text;
      for (std::size_t i = 1; i < w.files.size(); ++i)
        if (!w.files[i].caption.empty())
          captions += (captions.empty() ? "" : "\n") + w.files[i].caption;
      if (captions.empty())
        captions = say(lang(), phrase::files_sent);
      t.request.text = captions + (t.file_lines.empty() ? "" : "\n\n" + t.file_lines);
    } else {
      t.request.text = w.text;
    }
    t.request.text = w.quoted + t.request.text;
  }
  t.connection = t.agent.connection;
  self_->send(t.connection,
              run_turn{t.request, w.row.seq, t.attempts,
                       caf::actor_cast<turn_sink>(caf::strong_actor_ptr(self_->ctrl()))});
  arm_typing();
}

void room_core::find_again() {
  self_->request(deps_->agents, in_house, find_agent{turn_->request.agent})
      .then(
          [this, turn = turn_->request.id](const found_agent& agent) {
            if (!turn_ || turn_->request.id != turn || turn_->over)
              return;
            if (!agent.connection)
              return finish(turn_ending::disabled, {}, false);
            if (agent.connection == turn_->agent.connection) // it really is busy
              return finish(turn_ending::busy, {}, false);
            turn_->agent = agent;
            watch(agent.connection);
            dispatch();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

} // namespace pb
