#pragma once
// A store that can be cut off: what a killed process would still have written never reaches the
// disk.

#include "persistence/store.hpp"

#include <memory>
#include <utility>

namespace pb::test {

class mortal_store final : public store {
public:
  explicit mortal_store(std::shared_ptr<store> real) : real_(std::move(real)) {}
  /// From now on nothing is read or written; what was not committed is gone.
  void die() {
    dead_ = true;
    real_->rollback();
  }

  result<void> begin() override {
    return at([&] { return real_->begin(); });
  }
  result<void> commit() override {
    return at([&] { return real_->commit(); });
  }
  void rollback() override {
    if (!dead_)
      real_->rollback();
  }
  result<std::optional<std::string>> cursor() override {
    return at([&] { return real_->cursor(); });
  }
  result<std::optional<account_row>> account() override {
    return at([&] { return real_->account(); });
  }
  result<room_snapshot> open_room(const room_id& room, std::size_t limit) override {
    return at([&] { return real_->open_room(room, limit); });
  }
  result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                         std::size_t limit) override {
    return at([&] { return real_->pending(room, after, limit); });
  }
  result<std::vector<room_id>> rooms_with_work() override {
    return at([&] { return real_->rooms_with_work(); });
  }
  result<std::vector<room_row>> rooms() override {
    return at([&] { return real_->rooms(); });
  }
  result<std::vector<room_row>> chats(const room_id& after, std::size_t limit,
                                      const agent_id& agent, const user_id& owner) override {
    return at([&] { return real_->chats(after, limit, agent, owner); });
  }
  result<std::optional<room_row>> room(const room_id& room) override {
    return at([&] { return real_->room(room); });
  }
  result<std::optional<user_row>> user(const user_id& user) override {
    return at([&] { return real_->user(user); });
  }
  result<std::vector<invite_row>> invites() override {
    return at([&] { return real_->invites(); });
  }
  void set_scope(device_id scope) override { real_->set_scope(std::move(scope)); }
  result<std::vector<user_row>> users() override {
    return at([&] { return real_->users(); });
  }
  result<bool> topology_known() override {
    return at([&] { return real_->topology_known(); });
  }
  result<platform_chat_id> last_platform_chat_id() override {
    return at([&] { return real_->last_platform_chat_id(); });
  }
  result<known_answer> known(const room_id& room, const std::vector<event_id>& events) override {
    return at([&] { return real_->known(room, events); });
  }
  result<std::optional<inbox_row>> interrupted(const room_id& room) override {
    return at([&] { return real_->interrupted(room); });
  }
  result<std::vector<poison_row>> poison(std::int64_t before, std::size_t limit) override {
    return at([&] { return real_->poison(before, limit); });
  }
  result<std::vector<outbox_row>> dead(std::int64_t before, std::size_t limit) override {
    return at([&] { return real_->dead(before, limit); });
  }
  result<void> raise_platform_chat_id(platform_chat_id seen) override {
    return at([&] { return real_->raise_platform_chat_id(seen); });
  }
  result<pruned> prune(std::chrono::milliseconds keep, std::size_t limit) override {
    return at([&] { return real_->prune(keep, limit); });
  }
  result<std::vector<saved_context>> saved_contexts() override {
    return at([&] { return real_->saved_contexts(); });
  }
  result<std::optional<room_row>> room_of_chat(platform_chat_id chat) override {
    return at([&] { return real_->room_of_chat(chat); });
  }
  result<std::vector<confirmation_row>> confirmations(bool open_only, std::int64_t before,
                                                      std::size_t limit) override {
    return at([&] { return real_->confirmations(open_only, before, limit); });
  }
  result<void> freeze(const outbox_id& row, const std::string& body) override {
    return at([&] { return real_->freeze(row, body); });
  }
  result<std::string> recall(const agent_id& agent, platform_chat_id chat) override {
    return at([&] { return real_->recall(agent, chat); });
  }
  result<void> remember(const agent_id& agent, platform_chat_id chat,
                        const std::string& memory) override {
    return at([&] { return real_->remember(agent, chat, memory); });
  }
  [[nodiscard]] bool was_restored() const override { return real_->was_restored(); }
  result<std::vector<intent_row>> intents() override {
    return at([&] { return real_->intents(); });
  }
  result<std::vector<outbox_row>> outbox(std::int64_t after, std::size_t limit) override {
    return at([&] { return real_->outbox(after, limit); });
  }
  result<store_counts> counts() override {
    return at([&] { return real_->counts(); });
  }
  result<void> save_account(const account_row& account) override {
    return at([&] { return real_->save_account(account); });
  }
  result<admitted> admit(const admission& batch) override {
    return at([&] { return real_->admit(batch); });
  }
  result<void> dispatch(const turn_row& turn) override {
    return at([&] { return real_->dispatch(turn); });
  }
  result<std::vector<outbox_row>> settle(const settlement& what) override {
    return at([&] { return real_->settle(what); });
  }
  result<void> record(const std::vector<send_outcome>& outcomes) override {
    return at([&] { return real_->record(outcomes); });
  }
  result<platform_chat_id> draw_platform_chat_id() override {
    return at([&] { return real_->draw_platform_chat_id(); });
  }

private:
  static tl::unexpected<fault> gone() { return fail(fault_code::bug, "the process is dead"); }
  template <class F>
  auto at(F f) -> decltype(f()) {
    if (dead_)
      return gone();
    return f();
  }
  std::shared_ptr<store> real_;
  bool dead_ = false;
};

} // namespace pb::test
