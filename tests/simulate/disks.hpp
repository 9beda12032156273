#pragma once
// Layers of the store in a run: next to the disk one that remembers what was committed, above it
// one that fails.

#include "tests/simulate/chronicle.hpp"
#include "tests/simulate/dice.hpp"
#include "tests/support/store_wrapper.hpp"

namespace pb::simulate {

/// Remembers which events are really on the disk.
class witness_store final : public test::store_wrapper {
public:
  witness_store(std::shared_ptr<store> real, chronicle& book)
      : store_wrapper(std::move(real)), book_(book) {}
  result<admitted> admit(const admission& batch) override {
    auto got = real_->admit(batch);
    if (got)
      for (const auto& e : batch.events)
        group_.push_back(e.event.id.value.substr(0, e.event.id.value.find('#')));
    book_.admission_open = book_.admission_open || !batch.events.empty();
    return got;
  }
  result<void> commit() override {
    auto ok = real_->commit();
    if (ok)
      book_.admitted.insert(group_.begin(), group_.end());
    group_.clear();
    book_.admission_open = false;
    return ok;
  }
  void rollback() override {
    group_.clear();
    book_.admission_open = false;
    real_->rollback();
  }

private:
  chronicle& book_;
  std::vector<std::string> group_;
};

struct disk_mood {
  double full = 0, broken = 0;
  bool broke = false; ///< an error was given since the last start
  dice luck;
};

/// No space now and then; and commits of which nobody knows whether they happened, after which
/// nothing works until the next process.
class moody_store final : public test::store_wrapper {
public:
  moody_store(std::shared_ptr<store> real, disk_mood& mood)
      : store_wrapper(std::move(real)), mood_(mood) {
    mood_.broke = false;
  }
  result<void> begin() override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->begin();
  }
  result<void> commit() override {
    if (broken_)
      return tl::unexpected(*trouble());
    if (mood_.luck.chance(mood_.broken)) {
      if (mood_.luck.chance(0.5))
        (void)real_->commit();
      else
        real_->rollback();
      broken_ = mood_.broke = true;
      return tl::unexpected(*trouble());
    }
    if (mood_.luck.chance(mood_.full)) {
      real_->rollback();
      return tl::unexpected(no_space());
    }
    return real_->commit();
  }
  result<admitted> admit(const admission& batch) override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->admit(batch);
  }
  result<void> dispatch(const turn_row& turn) override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->dispatch(turn);
  }
  result<std::vector<outbox_row>> settle(const settlement& what) override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->settle(what);
  }
  result<void> record(const std::vector<send_outcome>& outcomes) override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->record(outcomes);
  }
  result<void> remember(const agent_id& agent, platform_chat_id chat,
                        const std::string& memory) override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->remember(agent, chat, memory);
  }
  result<platform_chat_id> draw_platform_chat_id() override {
    if (auto f = trouble())
      return tl::unexpected(*f);
    return real_->draw_platform_chat_id();
  }

private:
  static fault no_space() { return {fault_code::disk_full, "simulated: no space", "No space."}; }
  std::optional<fault> trouble() {
    if (broken_)
      return fault{fault_code::storage, "simulated: the disk failed", "The disk failed."};
    if (mood_.luck.chance(mood_.full))
      return no_space();
    return std::nullopt;
  }
  disk_mood& mood_;
  bool broken_ = false;
};

} // namespace pb::simulate
