#pragma once
// Takes away what ended long ago, a little at each call.
//
// A sweep goes through the tables from their oldest row and stops at the first young one. What it
// passes and must keep (a room's newest message, rows that still wait) is looked at once per sweep,
// because the next call goes on behind it.

#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/poison_table.hpp"
#include "persistence/sqlite/seen_table.hpp"
#include "persistence/store.hpp"

namespace pb::sqlite {

class retention {
public:
  retention(database& db, seen_table& seen, poison_table& poison);

  /// Inside a transaction. `more`: the sweep is not at its end.
  result<pruned> run(unix_ms now, std::chrono::milliseconds keep, std::size_t limit);

private:
  struct candidate {
    std::int64_t seq = 0;
    room_id room;
    std::string name; ///< of the event, or of the outbox row if it has to stay known
    unix_ms made_at = 0;
    bool old = false; ///< ended longer than `keep` ago, and nothing needs it any more
  };
  /// The next rows of a table behind `position`; true: the table's sweep is at its end. Each old
  /// row goes to `take`, as long as there is room in `budget`.
  template <class Take>
  result<bool> sweep(statement& next, std::int64_t& position, unix_ms now, unix_ms until,
                     std::size_t limit, std::size_t& budget, Take take);
  /// `memory`: what was made before need not be known any more.
  result<void> forget_sent(const candidate& c, unix_ms memory);
  result<void> forget_message(const candidate& c, std::size_t& turns);

  database& db_;
  seen_table& seen_;
  poison_table& poison_;
  std::int64_t inbox_position_ = 0, outbox_position_ = 0, confirmation_position_ = 0,
               memory_position_ = 0;
  statement old_messages_, forget_turns_, forget_message_, old_sent_, forget_sent_,
      old_confirmations_, forget_confirmation_, old_memories_, forget_memory_;
};

} // namespace pb::sqlite
