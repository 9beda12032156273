#include "actors/persistence.hpp"
#include "actors/crash_point.hpp"

#include <algorithm>

namespace pb {
namespace {

using writer_ptr = persistence_actor::stateful_pointer<persistence_state>;

/// More writes than this in one transaction only make everybody wait.
constexpr std::size_t group_cap = 1024;

/// Rows that the retention takes away in one transaction.
constexpr std::size_t prune_step = 500;

constexpr auto first_prune = std::chrono::minutes{1};
constexpr auto next_prune = std::chrono::hours{1};
/// Between two steps of a sweep: who waits for a commit meanwhile waits for one step at most.
constexpr auto between_steps = std::chrono::milliseconds{50};

/// What was decided goes to the sender as soon as it is on disk.
void hand_over(writer_ptr self, std::vector<outbox_row> rows) {
  auto& st = self->state;
  if (rows.empty() || !st.sink)
    return;
  outbox_ready message;
  if (!st.sink_behind && rows.size() <= st.sink_credit) {
    st.sink_credit -= rows.size();
    message.rows = std::move(rows);
  } else {
    st.sink_behind = true; // order matters: once behind, everything is read from the disk
    message.more = true;
  }
  self->send(st.sink, std::move(message));
}

void record_later(writer_ptr self) {
  if (!std::exchange(self->state.record_armed, true))
    self->delayed_send(self, std::chrono::seconds(1), store_record{});
}

void finish_group(writer_ptr self) {
  auto& st = self->state;
  if (!st.in_group)
    return;
  st.in_group = false;
  const auto committed = st.disk->commit();
  const auto error = committed ? caf::error{} : to_error(committed.error());
  ++st.commits;
  st.in_this_group = 0;

  auto rows = std::exchange(st.fresh_rows, {});
  // Before the answers: who hears that it is written may end the router, and then the sender has to
  // know of its rows, or they would wait for the next start.
  if (committed)
    hand_over(self, std::move(rows));
  auto recorded = std::exchange(st.recording, {});
  if (!committed && !recorded.empty()) {
    st.unrecorded.insert(st.unrecorded.begin(), std::make_move_iterator(recorded.begin()),
                         std::make_move_iterator(recorded.end()));
    record_later(self);
  }
  auto waiting = std::exchange(st.waiting, {});
  for (auto& answer : waiting)
    answer(error);
  if (committed)
    return;
  st.around.log->error("store_commit_failed", {}, committed.error().cause);
  st.health->database(st.around.wall(), false);
  st.sink_behind = true;
  // A full disk leaves everything as it was before the group. After any other error nobody knows
  // what is on the disk: only a new process may look.
  if (committed.error().code != fault_code::disk_full)
    self->quit(error);
}

/// Runs one write inside the group. What it returns is not true before COMMIT.
template <class Answer, class Write>
result<Answer> run_in_group(writer_ptr self, Write run) {
  auto& st = self->state;
  const auto refuse = [&](const fault& f, const char* event) {
    ++st.failures;
    st.health->database(st.around.wall(), false);
    st.around.log->error(event, {}, f.cause);
    return tl::unexpected(f);
  };
  if (!st.in_group) {
    if (auto begun = st.disk->begin(); !begun)
      return refuse(begun.error(), "store_begin_failed");
    st.in_group = true;
    self->send(self, commit_now{}); // behind everything that waits in the mailbox by now
  }
  result<Answer> outcome = run();
  ++st.writes;
  ++st.in_this_group;
  if (outcome)
    return outcome;
  const auto f = outcome.error();
  if (f.code == fault_code::disk_full || f.code == fault_code::storage)
    return refuse(f, "store_write_failed");
  // Said already, or changed since it was looked at: the answer is the writer's to act on.
  if (f.code == fault_code::conflict) {
    st.around.log->info("store_write_conflict", {}, f.cause);
    return outcome;
  }
  ++st.failures;
  st.around.log->error("store_write_refused", {}, f.cause);
  return outcome;
}

result<done> as_done(result<void> x) {
  if (!x)
    return tl::unexpected(x.error());
  return done{};
}

/// In their order: an outcome that finds no room on the disk keeps back those behind it.
void record_now(writer_ptr self) {
  auto& st = self->state;
  while (!st.unrecorded.empty()) {
    auto& next = st.unrecorded.front();
    const auto ok =
        run_in_group<done>(self, [&] { return as_done(self->state.disk->record(next)); });
    if (ok) {
      st.recording.push_back(std::move(next));
      st.waiting.push_back([](const caf::error& e) {
        if (!e)
          crash_here(crash_point::after_record_commit);
      });
    } else if (ok.error().code == fault_code::disk_full) {
      return record_later(self);
    } else {
      st.records_lost += next.size();
    }
    st.unrecorded.pop_front();
  }
}

/// The same for somebody who waits for the answer: it goes out after COMMIT.
template <class Answer, class Write>
caf::result<Answer> write(writer_ptr self, Write run) {
  auto outcome = run_in_group<Answer>(self, std::move(run));
  if (!outcome)
    return to_error(outcome.error());
  auto promise = self->make_response_promise<Answer>();
  self->state.waiting.push_back(
      [promise, value = std::move(*outcome), self](const caf::error& e) mutable {
        if (e) {
          promise.deliver(e);
        } else {
          promise.deliver(std::move(value));
          self->state.health->database(self->state.around.wall(), true);
        }
      });
  if (self->state.in_this_group >= group_cap)
    finish_group(self);
  return promise;
}

/// One step of the retention; the next one follows soon, or the next sweep in an hour.
void prune(writer_ptr self) {
  auto& st = self->state;
  auto step = run_in_group<pruned>(self, [&] { return st.disk->prune(st.retention, prune_step); });
  auto next = caf::timespan{next_prune};
  if (step) {
    st.waiting.push_back([self, rows = step->rows](const caf::error& e) {
      if (e)
        return; // nothing is gone
      self->state.pruned += rows;
      self->state.pruned_total.add(static_cast<double>(rows));
    });
    if (step->more)
      next = between_steps;
  }
  self->delayed_send(self, next, tick{});
}

template <class Answer, class T, class Make>
caf::result<Answer> read(writer_ptr self, result<T> got, Make make) {
  if (got)
    return make(std::move(*got));
  self->state.around.log->error("store_read_failed", {}, got.error().cause);
  return to_error(got.error());
}

result<loaded_state> load(store& disk) {
  loaded_state all;
  auto take = [](auto& target, auto got) -> result<void> {
    if (!got)
      return tl::unexpected(got.error());
    target = std::move(*got);
    return {};
  };
  for (const auto& step : {take(all.cursor, disk.cursor()), take(all.account, disk.account()),
                           take(all.invites, disk.invites()), take(all.intents, disk.intents()),
                           take(all.rooms_with_work, disk.rooms_with_work()),
                           take(all.topology_known, disk.topology_known()),
                           take(all.last_platform, disk.last_platform_chat_id())})
    if (!step)
      return tl::unexpected(step.error());
  return all;
}

std::string status_json(persistence_state& st) {
  auto counts = st.disk->counts();
  const auto number = [](std::int64_t x) { return std::to_string(x); };
  std::string json = "{\"commits\":" + std::to_string(st.commits) +
                     ",\"writes\":" + std::to_string(st.writes) +
                     ",\"failures\":" + std::to_string(st.failures) +
                     ",\"records_lost\":" + std::to_string(st.records_lost) +
                     ",\"pruned\":" + std::to_string(st.pruned);
  if (counts)
    json += ",\"inbox_pending\":" + number(counts->inbox_pending) +
            ",\"outbox_waiting\":" + number(counts->outbox_waiting) +
            ",\"outbox_dead\":" + number(counts->outbox_dead) +
            ",\"turns_open\":" + number(counts->turns_open) +
            ",\"rooms\":" + number(counts->rooms) + ",\"poison\":" + number(counts->poison) +
            ",\"poison_dropped\":" + number(counts->poison_dropped) +
            ",\"confirmations_open\":" + number(counts->confirmations_open);
  return json + "}";
}

} // namespace

persistence_actor::behavior_type persistence(writer_ptr self, surroundings around,
                                             std::shared_ptr<health_board> health,
                                             std::shared_ptr<store> disk,
                                             std::chrono::milliseconds retention) {
  auto& st = self->state;
  st.around = std::move(around);
  st.health = std::move(health);
  st.disk = std::move(disk);
  st.retention = retention;
  st.pruned_total = st.around.numbers->counter_of(
      "patchbay_pruned_rows_total", "Rows that the retention took out of the database.");
  if (retention.count() > 0)
    self->delayed_send(self, first_prune, tick{});
  self->set_exit_handler([self](caf::exit_msg& m) {
    finish_group(self);
    self->quit(std::move(m.reason));
  });
  return {
      [self](const store_admit& m) {
        return write<admitted>(self, [&]() -> result<admitted> {
          auto got = self->state.disk->admit(*m.batch);
          if (got && !got->fresh.empty())
            crash_here(crash_point::before_admit_commit);
          if (got)
            self->state.fresh_rows.insert(self->state.fresh_rows.end(), got->outbox.begin(),
                                          got->outbox.end());
          return got;
        });
      },
      [self](const store_open_room& m) -> caf::result<room_snapshot> {
        return read<room_snapshot>(self, self->state.disk->open_room(m.room, m.limit),
                                   [](room_snapshot x) { return x; });
      },
      [self](const store_pending& m) -> caf::result<pending_page> {
        return read<pending_page>(
            self, self->state.disk->pending(m.room, m.after, m.limit),
            [](std::vector<inbox_row> rows) { return pending_page{std::move(rows)}; });
      },
      [self](const store_dispatch& m) {
        return write<done>(self, [&] {
          auto marked = as_done(self->state.disk->dispatch(m.turn));
          crash_here(crash_point::before_dispatch_commit);
          return marked;
        });
      },
      [self](const store_settle& m) {
        return write<done>(self, [&]() -> result<done> {
          auto rows = self->state.disk->settle(*m.what);
          if (!rows)
            return tl::unexpected(rows.error());
          if (!m.what->inbox.empty())
            crash_here(crash_point::before_settle_commit);
          auto& fresh = self->state.fresh_rows;
          fresh.insert(fresh.end(), std::make_move_iterator(rows->begin()),
                       std::make_move_iterator(rows->end()));
          return done{};
        });
      },
      [self](const store_record& m) {
        // Nobody waits for it (a promise would answer all the same, and the sender expects no
        // answer), but it is kept until it is on disk.
        self->state.record_armed = self->state.record_armed && !m.outcomes.empty();
        if (!m.outcomes.empty())
          self->state.unrecorded.push_back(m.outcomes);
        record_now(self);
      },
      [self](store_draw_chat_id) {
        return write<platform_chat_id>(self,
                                       [&] { return self->state.disk->draw_platform_chat_id(); });
      },
      [self](store_load) -> caf::result<loaded_state> {
        return read<loaded_state>(self, load(*self->state.disk), [](loaded_state x) { return x; });
      },
      [self](const store_find_user& m) -> caf::result<found_user> {
        return read<found_user>(self, self->state.disk->user(m.user),
                                [](std::optional<user_row> x) { return found_user{std::move(x)}; });
      },
      [self](const store_find_room& m) -> caf::result<found_room> {
        return read<found_room>(self, self->state.disk->room(m.room),
                                [](std::optional<room_row> x) { return found_room{std::move(x)}; });
      },
      [self](store_rooms) -> caf::result<room_list> {
        return read<room_list>(self, self->state.disk->rooms(),
                               [](std::vector<room_row> x) { return room_list{std::move(x)}; });
      },
      [self](const store_chats& m) -> caf::result<room_list> {
        return read<room_list>(self, self->state.disk->chats(m.after, m.limit, m.agent, m.owner),
                               [](std::vector<room_row> x) { return room_list{std::move(x)}; });
      },
      [self](const store_outbox& m) -> caf::result<outbox_page> {
        finish_group(self); // a row leaves only after its COMMIT
        // Whoever reads up to the end is no longer behind.
        auto rows = self->state.disk->outbox(m.after, m.limit);
        if (rows && rows->size() < m.limit && self->state.sink_behind) {
          self->state.sink_behind = false;
        }
        return read<outbox_page>(self, std::move(rows), [](std::vector<outbox_row> x) {
          return outbox_page{std::move(x)};
        });
      },
      [self](const store_save_account& m) {
        return write<done>(self,
                           [&] { return as_done(self->state.disk->save_account(m.account)); });
      },
      [self](const store_known& m) -> caf::result<known_answer> {
        return read<known_answer>(self, self->state.disk->known(m.room, m.events),
                                  [](known_answer x) { return x; });
      },
      [self](const store_interrupted& m) -> caf::result<interrupted_message> {
        return read<interrupted_message>(
            self, self->state.disk->interrupted(m.room),
            [](std::optional<inbox_row> x) { return interrupted_message{std::move(x)}; });
      },
      [self](store_users) -> caf::result<user_list> {
        return read<user_list>(self, self->state.disk->users(),
                               [](std::vector<user_row> x) { return user_list{std::move(x)}; });
      },
      [self](store_raise_chat_id m) {
        return write<done>(
            self, [&] { return as_done(self->state.disk->raise_platform_chat_id(m.seen)); });
      },
      [self](const store_poison& m) -> caf::result<poison_page> {
        return read<poison_page>(
            self, self->state.disk->poison(m.before, m.limit),
            [](std::vector<poison_row> x) { return poison_page{std::move(x)}; });
      },
      [self](const store_dead& m) -> caf::result<outbox_page> {
        return read<outbox_page>(
            self, self->state.disk->dead(m.before, m.limit),
            [](std::vector<outbox_row> x) { return outbox_page{std::move(x)}; });
      },
      [self](const store_saved& m) -> caf::result<saved_list> {
        return read<saved_list>(
            self, self->state.disk->saved_contexts(), [&](std::vector<saved_context> x) {
              std::erase_if(x, [&](const auto& s) { return s.owner != m.owner; });
              std::stable_sort(x.begin(), x.end(),
                               [](const auto& a, const auto& b) { return a.at > b.at; });
              return saved_list{std::move(x)};
            });
      },
      [self](const store_find_chat& m) -> caf::result<found_room> {
        return read<found_room>(self, self->state.disk->room_of_chat(m.chat),
                                [](std::optional<room_row> x) { return found_room{std::move(x)}; });
      },
      [self](const store_confirmations& m) -> caf::result<confirmation_page> {
        return read<confirmation_page>(
            self, self->state.disk->confirmations(m.open_only, m.before, m.limit),
            [](std::vector<confirmation_row> x) { return confirmation_page{std::move(x)}; });
      },
      [self](const store_freeze& m) {
        return write<done>(self, [&] { return as_done(self->state.disk->freeze(m.row, m.body)); });
      },
      [self](const store_remember& m) {
        return write<done>(
            self, [&] { return as_done(self->state.disk->remember(m.agent, m.chat, m.memory)); });
      },
      [self](const store_recall& m) -> caf::result<recalled_memory> {
        return read<recalled_memory>(self, self->state.disk->recall(m.agent, m.chat),
                                     [](std::string x) { return recalled_memory{std::move(x)}; });
      },
      [self](const session_renewed& m) { self->state.disk->set_scope(m.session.scope()); },
      [self](tick) { prune(self); },
      [self](outbox_subscribe& m) {
        auto& s = self->state;
        s.sink = std::move(m.sink);
        s.sink_credit = m.credit;
        s.sink_behind = true; // what is waiting on disk comes first
        self->send(s.sink, outbox_ready{{}, true});
      },
      [self](outbox_credit m) { self->state.sink_credit += m.rows; },
      [self](commit_now) { finish_group(self); },
      [self](get_status) {
        return status_report{persistence_state::name, status_json(self->state)};
      }};
}

} // namespace pb
