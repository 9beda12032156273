#pragma once
// What there is once: the sync cursor, the account, the platform's sequence of chats.

#include "persistence/sqlite/database.hpp"
#include "persistence/store.hpp"

namespace pb::sqlite {

class meta_table {
public:
  explicit meta_table(database& db);

  result<std::optional<std::string>> cursor();
  result<void> set_cursor(const std::string& cursor);

  result<std::optional<account_row>> account();
  result<void> save_account(const account_row& account);

  /// The next id; past 2^53-1, which JSON cannot carry, the sequence is at its end.
  result<platform_chat_id> draw();
  /// No id up to `seen` is drawn from now on.
  result<void> raise(platform_chat_id seen);
  /// The highest that was drawn or seen.
  result<platform_chat_id> last();

  /// Small facts of the whole database, by name.
  result<void> mark(const std::string& key, const std::string& value);
  result<std::optional<std::string>> marked(const std::string& key);

private:
  std::int64_t drawn_ = 0; ///< so that a rolled back draw is not repeated either
  statement cursor_, set_cursor_, account_, save_account_, draw_, raise_, last_, mark_, marked_;
};

} // namespace pb::sqlite
