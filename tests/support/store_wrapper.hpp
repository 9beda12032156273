#pragma once
// A store that hands everything on: what tests put around another one override what they change.

#include "persistence/store.hpp"

#include <memory>
#include <utility>

namespace pb::test {

class store_wrapper : public store {
public:
  explicit store_wrapper(std::shared_ptr<store> real) : real_(std::move(real)) {}

  result<void> begin() override { return real_->begin(); }
  result<void> commit() override { return real_->commit(); }
  void rollback() override { real_->rollback(); }
  result<std::optional<std::string>> cursor() override { return real_->cursor(); }
  result<std::optional<account_row>> account() override { return real_->account(); }
  result<room_snapshot> open_room(const room_id& room, std::size_t limit) override {
    return real_->open_room(room, limit);
  }
  result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                         std::size_t limit) override {
    return real_->pending(room, after, limit);
  }
  result<std::vector<room_id>> rooms_with_work() override { return real_->rooms_with_work(); }
  result<std::vector<room_row>> rooms() override { return real_->rooms(); }
  result<std::vector<room_row>> chats(const room_id& after, std::size_t limit,
                                      const agent_id& agent, const user_id& owner) override {
    return real_->chats(after, limit, agent, owner);
  }
  result<std::optional<room_row>> room(const room_id& room) override { return real_->room(room); }
  result<std::optional<user_row>> user(const user_id& user) override { return real_->user(user); }
  result<std::vector<invite_row>> invites() override { return real_->invites(); }
  void set_scope(device_id scope) override { real_->set_scope(std::move(scope)); }
  result<std::vector<user_row>> users() override { return real_->users(); }
  result<bool> topology_known() override { return real_->topology_known(); }
  result<platform_chat_id> last_platform_chat_id() override {
    return real_->last_platform_chat_id();
  }
  result<known_answer> known(const room_id& room, const std::vector<event_id>& events) override {
    return real_->known(room, events);
  }
  result<std::optional<inbox_row>> interrupted(const room_id& room) override {
    return real_->interrupted(room);
  }
  result<std::vector<poison_row>> poison(std::int64_t before, std::size_t limit) override {
    return real_->poison(before, limit);
  }
  result<std::vector<outbox_row>> dead(std::int64_t before, std::size_t limit) override {
    return real_->dead(before, limit);
  }
  result<void> raise_platform_chat_id(platform_chat_id seen) override {
    return real_->raise_platform_chat_id(seen);
  }
  result<pruned> prune(std::chrono::milliseconds keep, std::size_t limit) override {
    return real_->prune(keep, limit);
  }
  result<std::vector<saved_context>> saved_contexts() override { return real_->saved_contexts(); }
  result<std::optional<room_row>> room_of_chat(platform_chat_id chat) override {
    return real_->room_of_chat(chat);
  }
  result<std::vector<confirmation_row>> confirmations(bool open_only, std::int64_t before,
                                                      std::size_t limit) override {
    return real_->confirmations(open_only, before, limit);
  }
  result<void> freeze(const outbox_id& row, const std::string& body) override {
    return real_->freeze(row, body);
  }
  result<std::string> recall(const agent_id& agent, platform_chat_id chat) override {
    return real_->recall(agent, chat);
  }
  result<void> remember(const agent_id& agent, platform_chat_id chat,
                        const std::string& memory) override {
    return real_->remember(agent, chat, memory);
  }
  [[nodiscard]] bool was_restored() const override { return real_->was_restored(); }
  result<std::vector<intent_row>> intents() override { return real_->intents(); }
  result<std::vector<outbox_row>> outbox(std::int64_t after, std::size_t limit) override {
    return real_->outbox(after, limit);
  }
  result<store_counts> counts() override { return real_->counts(); }
  result<void> save_account(const account_row& account) override {
    return real_->save_account(account);
  }
  result<admitted> admit(const admission& batch) override { return real_->admit(batch); }
  result<void> dispatch(const turn_row& turn) override { return real_->dispatch(turn); }
  result<std::vector<outbox_row>> settle(const settlement& what) override {
    return real_->settle(what);
  }
  result<void> record(const std::vector<send_outcome>& outcomes) override {
    return real_->record(outcomes);
  }
  result<platform_chat_id> draw_platform_chat_id() override {
    return real_->draw_platform_chat_id();
  }

protected:
  std::shared_ptr<store> real_;
};

} // namespace pb::test
