#pragma once
// The port on SQLite: its transactions here, the rows in their tables.

#include "persistence/sqlite/inbox_table.hpp"
#include "persistence/sqlite/meta_table.hpp"
#include "persistence/sqlite/outbox_table.hpp"
#include "persistence/sqlite/room_table.hpp"
#include "persistence/sqlite/topology_tables.hpp"
#include "persistence/sqlite/turn_table.hpp"
#include "persistence/store.hpp"

#include <functional>

namespace pb::sqlite {

class sqlite_store final : public store {
public:
  /// `db` is open, migrated and configured.
  sqlite_store(database db, std::function<unix_ms()> now);
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
  result<std::optional<room_row>> room(const room_id& id) override { return rooms_.find(id); }
  result<std::optional<user_row>> user(const user_id& id) override { return users_.find(id); }
  result<std::vector<invite_row>> invites() override { return invites_.all(); }
  result<std::vector<intent_row>> intents() override { return intents_.all(); }
  result<std::vector<outbox_row>> outbox(std::int64_t after_seq, std::size_t limit) override;
  result<store_counts> counts() override;
  result<std::vector<user_row>> users() override;
  result<bool> topology_known() override;
  result<platform_chat_id> last_platform_chat_id() override;
  result<known_answer> known(const room_id& room, const std::vector<event_id>& events) override;
  result<std::optional<inbox_row>> interrupted(const room_id& room) override;
  result<std::vector<poison_row>> poison(std::int64_t before, std::size_t limit) override;
  result<std::vector<outbox_row>> dead(std::int64_t before, std::size_t limit) override;

  void set_scope(device_id scope) override { scope_ = std::move(scope); }
  result<void> save_account(const account_row& account) override;
  result<admitted> admit(const admission& batch) override;
  result<void> dispatch(const turn_row& turn) override;
  result<std::vector<outbox_row>> settle(const settlement& what) override;
  result<void> record(const std::vector<send_outcome>& outcomes) override;
  result<platform_chat_id> draw_platform_chat_id() override;
  result<void> raise_platform_chat_id(platform_chat_id seen) override;
  result<std::size_t> prune(std::chrono::milliseconds keep, std::size_t limit) override;

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
  result<void> put_room(const room_row& room);

  database db_; // before the tables: their statements must go first
  std::function<unix_ms()> now_;
  device_id scope_; ///< for outbox rows that name none
  bool grouped_ = false;        ///< between begin and commit
  bool tight_ = false;          ///< the last commit found no space
  std::optional<fault> lost_;   ///< why the open group cannot be committed any more
  std::optional<fault> broken_; ///< why nothing can be written any more
  statement begin_, commit_, rollback_, savepoint_, release_, back_, work_, counts_;
  meta_table meta_;
  inbox_table inbox_;
  turn_table turns_;
  outbox_table outbox_;
  room_table rooms_;
  user_table users_;
  invite_table invites_;
  intent_table intents_;
};

} // namespace pb::sqlite
