#pragma once
// The port on SQLite: its transactions here, the rows in their tables.

#include "persistence/sqlite/confirmation_table.hpp"
#include "persistence/sqlite/inbox_table.hpp"
#include "persistence/sqlite/memory_table.hpp"
#include "persistence/sqlite/meta_table.hpp"
#include "persistence/sqlite/outbox_table.hpp"
#include "persistence/sqlite/poison_table.hpp"
#include "persistence/sqlite/retention.hpp"
#include "persistence/sqlite/room_table.hpp"
#include "persistence/sqlite/saved_table.hpp"
#include "persistence/sqlite/seen_table.hpp"
#include "persistence/sqlite/topology_tables.hpp"
#include "persistence/sqlite/turn_table.hpp"
#include "persistence/store.hpp"

#include <functional>

namespace pb::sqlite {

class sqlite_store final : public store {
public:
  /// `db` is open, migrated and configured. `restored`: it is a backup that was brought back.
  sqlite_store(database db, std::function<unix_ms()> now, bool restored);
  /// A statement that could not be prepared: the schema is not what it claims to be.
  [[nodiscard]] const std::optional<fault>& trouble() const { return db_.trouble(); }

  result<void> begin() override;
  result<void> commit() override;
  void rollback() override;

  result<std::optional<std::string>> cursor() override { return meta_.cursor(); }
  result<std::optional<account_row>> account() override { return meta_.account(); }
  result<room_snapshot> open_room(const room_id& room, std::size_t limit) override;
  result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                         std::size_t limit) override;
  result<std::vector<room_id>> rooms_with_work() override;
  result<std::vector<room_row>> rooms() override { return rooms_.all(); }
  result<std::vector<room_row>> chats(const room_id& after, std::size_t limit,
                                      const agent_id& agent, const user_id& owner) override {
    return rooms_.chats(after, limit, agent, owner);
  }
  result<std::optional<room_row>> room(const room_id& id) override { return rooms_.find(id); }
  result<std::optional<user_row>> user(const user_id& id) override { return users_.find(id); }
  result<std::vector<invite_row>> invites() override { return invites_.all(); }
  result<std::vector<intent_row>> intents() override { return intents_.all(); }
  result<std::vector<outbox_row>> outbox(std::int64_t after_seq, std::size_t limit) override;
  result<store_counts> counts() override;
  result<std::vector<user_row>> users() override { return users_.all(); }
  result<bool> topology_known() override;
  result<platform_chat_id> last_platform_chat_id() override { return meta_.last(); }
  result<known_answer> known(const room_id& room, const std::vector<event_id>& events) override;
  result<std::optional<inbox_row>> interrupted(const room_id& room) override {
    return inbox_.interrupted(room);
  }
  result<std::vector<poison_row>> poison(std::int64_t before, std::size_t limit) override;
  result<std::vector<outbox_row>> dead(std::int64_t before, std::size_t limit) override;
  result<std::vector<saved_context>> saved_contexts() override { return saved_.all(); }
  result<std::optional<room_row>> room_of_chat(platform_chat_id chat) override {
    return rooms_.find(chat);
  }
  result<std::vector<confirmation_row>> confirmations(bool open_only, std::int64_t before,
                                                      std::size_t limit) override;
  result<std::string> recall(const agent_id& agent, platform_chat_id chat) override {
    return memories_.find(agent, chat);
  }
  [[nodiscard]] bool was_restored() const override { return restored_; }

  void set_scope(device_id scope) override { scope_ = std::move(scope); }
  result<void> save_account(const account_row& account) override;
  result<admitted> admit(const admission& batch) override;
  result<void> dispatch(const turn_row& turn) override;
  result<std::vector<outbox_row>> settle(const settlement& what) override;
  result<void> record(const std::vector<send_outcome>& outcomes) override;
  result<void> freeze(const outbox_id& row, const std::string& body) override;
  result<platform_chat_id> draw_platform_chat_id() override;
  result<void> raise_platform_chat_id(platform_chat_id seen) override;
  result<void> remember(const agent_id& agent, platform_chat_id chat,
                        const std::string& memory) override;
  result<pruned> prune(std::chrono::milliseconds keep, std::size_t limit) override;

private:
  result<void> writable() const;
  /// After a failure inside the group: notices when SQLite has ended the whole transaction.
  void after_failure(const fault& why);
  /// Runs an operation of which only the first change can be refused for what it says. After a
  /// later failure (the disk, the memory) the whole group is given up: that needs no savepoint,
  /// which would double what a message costs.
  template <class F>
  auto light(F&& op) -> decltype(op());
  /// Runs an operation that can be refused in its middle: it alone is taken back.
  template <class F>
  auto whole(F&& op) -> decltype(op());

  result<void> apply(const admission& batch, admitted& out);
  result<void> apply(const settlement& what, std::vector<outbox_row>& out);
  result<void> put_room(const settlement& what);
  /// Error conflict: the row was there once, though its table does not know any more.
  result<void> never_said(const outbox_row& row);
  /// Rows of the outbox, each with its seq and a device, go to `out` as well.
  result<void> say(const std::vector<outbox_row>& rows, std::vector<outbox_row>& out);
  /// The event was admitted or set aside before, and maybe pruned since.
  result<bool> is_known(const event_id& event);
  /// Copies the log into the file; false: nothing can be written any more.
  bool checkpoint();

  database db_; // before the tables: their statements must go first
  std::function<unix_ms()> now_;
  device_id scope_;      ///< for outbox rows that name none
  bool grouped_ = false; ///< between begin and commit
  bool tight_ = false;   ///< the last commit found no space
  bool swept_ = false;   ///< the retention came to its end in this group
  bool restored_ = false;
  std::optional<fault> lost_;   ///< why the open group cannot be committed any more
  std::optional<fault> broken_; ///< why nothing can be written any more
  statement begin_, commit_, rollback_, savepoint_, release_, back_, work_, counts_;
  meta_table meta_;
  inbox_table inbox_;
  turn_table turns_;
  outbox_table outbox_;
  seen_table seen_; // before those that remember in it
  poison_table poison_;
  retention retention_;
  confirmation_table confirmations_;
  saved_table saved_;
  memory_table memories_;
  room_table rooms_;
  user_table users_;
  invite_table invites_;
  intent_table intents_;
};

} // namespace pb::sqlite
