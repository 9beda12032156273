#pragma once
// What could not be understood, for the operator: the newest of it.

#include "messages/values/event.hpp"
#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/seen_table.hpp"

#include <vector>

namespace pb::sqlite {

class poison_table {
public:
  static constexpr std::int64_t cap = 1'000;     ///< rows
  static constexpr std::size_t text_cap = 4'096; ///< bytes of `raw`, and of `reason`

  poison_table(database& db, seen_table& seen);

  /// Once per event id; the oldest rows past the cap go. True: it is new.
  result<bool> add(const poison_row& p, unix_ms now);
  result<bool> has(const event_id& event);
  /// Before `before` (0: from the end), newest first.
  result<std::vector<poison_row>> page(std::int64_t before, std::int64_t limit);
  /// Those of `until` and earlier, at most `limit`; how many it was. Their events stay known.
  result<std::size_t> prune(unix_ms until, std::int64_t limit);

private:
  template <class... T>
  result<std::size_t> forget(statement& which, const T&... values);

  database& db_;
  seen_table& seen_;
  statement add_, over_, old_, gone_, dropped_, has_, page_;
};

} // namespace pb::sqlite
