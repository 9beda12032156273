#include "tests/simulate/plants.hpp"

#include "tests/simulate/plants_http.hpp"
#include "tests/support/store_wrapper.hpp"

#include <algorithm>

namespace pb::simulate {
namespace {

using test::store_wrapper;

/// The position is committed, and only then the events are written.
class cursor_early final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<admitted> admit(const admission& batch) override {
    if (batch.events.empty() && batch.invites.empty())
      return real_->admit(batch);
    admission position, rest = batch;
    position.cursor = batch.cursor;
    rest.cursor.clear();
    if (auto ok = real_->admit(position); !ok)
      return ok;
    if (auto ok = real_->commit(); !ok)
      return tl::unexpected(ok.error());
    if (auto ok = real_->begin(); !ok)
      return tl::unexpected(ok.error());
    return real_->admit(rest);
  }
};

/// Every event is stored under a name of its own, so that a repeat is no repeat.
class no_dedupe final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<admitted> admit(const admission& batch) override {
    auto strange = batch;
    for (auto& row : strange.events)
      row.event.id.value += '#' + std::to_string(++last_);
    auto got = real_->admit(strange);
    if (got)
      clean(got->fresh);
    return got;
  }
  result<room_snapshot> open_room(const room_id& room, std::size_t limit) override {
    auto got = real_->open_room(room, limit);
    if (got)
      clean(got->pending);
    return got;
  }
  result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                         std::size_t limit) override {
    auto got = real_->pending(room, after, limit);
    if (got)
      clean(*got);
    return got;
  }

private:
  static void clean(std::vector<inbox_row>& rows) {
    for (auto& row : rows)
      row.event.id.value.resize(std::min(row.event.id.value.find('#'), row.event.id.value.size()));
  }
  static inline std::uint64_t last_ = 0; // never the same again, also in the next process
};

/// An event in seven is not written, though its batch's position is.
class no_inbox final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<admitted> admit(const admission& batch) override {
    auto fewer = batch;
    std::erase_if(fewer.events, [this](const inbox_row&) { return ++seen_ % 7 == 0; });
    return real_->admit(fewer);
  }

private:
  std::size_t seen_ = 0;
};

class no_dispatched_mark final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<void> dispatch(const turn_row&) override { return {}; }
};

/// The mark is told as written, and is written a group later.
class mark_without_disk final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<void> begin() override {
    auto ok = real_->begin();
    if (ok)
      for (const auto& turn : std::exchange(late_, {}))
        (void)real_->dispatch(turn);
    return ok;
  }
  result<void> dispatch(const turn_row& turn) override {
    late_.push_back(turn);
    return {};
  }

private:
  std::vector<turn_row> late_;
};

/// A settlement in five is written without its last row.
class lost_outbox_row final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<outbox_row>> settle(const settlement& what) override {
    if (what.outbox.empty() || ++seen_ % 5 != 0)
      return real_->settle(what);
    auto fewer = what;
    fewer.outbox.pop_back();
    return real_->settle(fewer);
  }

private:
  std::size_t seen_ = 0;
};

/// The answer is written, that its message is done is not.
class lost_settlement final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<outbox_row>> settle(const settlement& what) override {
    auto half = what;
    if (!half.outbox.empty() && ++seen_ % 5 == 0)
      half.inbox.clear();
    return real_->settle(half);
  }

private:
  std::size_t seen_ = 0;
};

/// COMMIT returns before it is one: what came last is gone after a kill.
class commit_not_durable final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<void> begin() override {
    if (std::exchange(open_, false))
      if (auto ok = real_->commit(); !ok)
        return ok;
    return real_->begin();
  }
  result<void> commit() override {
    open_ = true;
    return {};
  }
  void rollback() override {
    open_ = false;
    real_->rollback();
  }

private:
  bool open_ = false;
};

/// A row counts as sent as soon as it is made.
class sent_before_send final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<outbox_row>> settle(const settlement& what) override {
    auto rows = real_->settle(what);
    if (rows)
      for (const auto& row : *rows)
        (void)real_->record({{row.id, outbox_state::sent, event_id{"$none"}, {}}});
    return rows;
  }
};

class outbox_reversed final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<outbox_row>> outbox(std::int64_t after, std::size_t limit) override {
    auto rows = real_->outbox(after, limit);
    if (rows) {
      std::vector<std::int64_t> places;
      for (const auto& row : *rows)
        places.push_back(row.seq);
      std::reverse(rows->begin(), rows->end());
      for (std::size_t i = 0; i < places.size(); ++i)
        (*rows)[i].seq = places[i];
    }
    return rows;
  }
};

class platform_id_reused final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<platform_chat_id> draw_platform_chat_id() override {
    if (before_ && ++drawn_ % 3 == 0)
      return *before_;
    auto got = real_->draw_platform_chat_id();
    if (got)
      before_ = *got;
    return got;
  }

private:
  std::optional<platform_chat_id> before_;
  std::size_t drawn_ = 0;
};

class open_turns_hidden final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<room_snapshot> open_room(const room_id& room, std::size_t limit) override {
    auto got = real_->open_room(room, limit);
    if (got)
      got->open_turns.clear();
    return got;
  }
};

class intents_forgotten final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<intent_row>> intents() override { return std::vector<intent_row>{}; }
};

class invites_forgotten final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<invite_row>> invites() override { return std::vector<invite_row>{}; }
};

/// After a start nobody looks into the inbox.
class work_forgotten final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<std::vector<room_id>> rooms_with_work() override { return std::vector<room_id>{}; }
};

/// Rows of another device are taken for our own: their transaction ids count as known.
class device_ignored final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  void set_scope(device_id scope) override {
    scope_ = scope;
    real_->set_scope(std::move(scope));
  }
  result<std::vector<outbox_row>> outbox(std::int64_t after, std::size_t limit) override {
    auto rows = real_->outbox(after, limit);
    if (rows && !scope_.empty())
      for (auto& row : *rows)
        row.device = scope_;
    return rows;
  }

private:
  device_id scope_;
};

class sent_mark_lost final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<void> record(const std::vector<send_outcome>& outcomes) override {
    return ++seen_ % 5 == 0 ? result<void>{} : real_->record(outcomes);
  }

private:
  std::size_t seen_ = 0;
};

template <class Layer>
plant on_disk(std::string_view name, std::string_view what) {
  return {name,
          what,
          [](std::shared_ptr<store> real) { return std::make_shared<Layer>(std::move(real)); },
          {},
          {}};
}

template <class Layer>
plant on_wire(std::string_view name, std::string_view what) {
  return {name,
          what,
          {},
          [](std::shared_ptr<http_client> real, virtual_timers& clock) {
            return std::make_shared<Layer>(std::move(real), clock);
          },
          {}};
}

} // namespace

const std::vector<plant>& plants() {
  static const std::vector<plant> all{
      on_disk<cursor_early>("cursor_early", "the position is committed before its events"),
      on_disk<no_dedupe>("no_dedupe", "a repeated event counts as new"),
      on_disk<no_inbox>("no_inbox", "an admitted event is not written"),
      on_wire<bytes_changed_on_retry>("bytes_changed_on_retry",
                                      "other bytes under the same transaction id"),
      on_wire<txn_changed_on_retry>("txn_changed_on_retry", "a retry has a new transaction id"),
      on_disk<no_dispatched_mark>("no_dispatched_mark",
                                  "nothing is marked before the frame leaves"),
      on_disk<mark_without_disk>("mark_without_disk", "the mark is told before it is on disk"),
      on_disk<lost_outbox_row>("lost_outbox_row", "a settlement without one of its rows"),
      on_disk<lost_settlement>("lost_settlement", "the answer without its message's end"),
      on_disk<commit_not_durable>("commit_not_durable",
                                  "the last commit vanishes with the process"),
      on_disk<sent_before_send>("sent_before_send", "rows count as sent when they are made"),
      on_disk<outbox_reversed>("outbox_reversed", "what is read from the outbox is backwards"),
      on_disk<platform_id_reused>("platform_id_reused", "a platform_chat_id is given out twice"),
      on_disk<open_turns_hidden>("open_turns_hidden", "a start does not see turns under way"),
      on_disk<intents_forgotten>("intents_forgotten", "a start does not go on with creations"),
      on_disk<invites_forgotten>("invites_forgotten", "a start does not go on with invitations"),
      on_disk<work_forgotten>("work_forgotten", "a start does not look into the inbox"),
      on_disk<device_ignored>("device_ignored", "old rows go out under a new device unseen"),
      on_disk<sent_mark_lost>("sent_mark_lost", "that a row was sent is not written"),
      on_wire<gap_ignored>("gap_ignored", "a limited timeline is taken for a whole one"),
      on_wire<pause_ignored>("sender_forgets_429", "the pause that a 429 asks for is not kept"),
      on_wire<answer_believed>("answer_believed", "an error of the server counts as sent"),
      {"frame_twice", "an agent gets each frame twice", {}, {}, twice_dialer},
  };
  return all;
}

const plant* find_plant(std::string_view name) {
  for (const auto& p : plants())
    if (p.name == name)
      return &p;
  return nullptr;
}

} // namespace pb::simulate
