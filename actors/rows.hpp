#pragma once
// What an actor decides to say, as rows of the outbox: an id by chance, the bytes frozen. The store
// adds the scope of the transaction id.

#include "actors/chance.hpp"
#include "bridges/matrix/compose.hpp"
#include "messages/values/outbox.hpp"

namespace pb {

/// A message of ours. Its row is named by chance, unless `what.row` is set: what must be said once
/// whoever decides it is named after its cause, and the store refuses it the second time.
outbox_row message_row(random_bits engine, unix_ms now, const room_id& room,
                       matrix::message_draft what);

/// A state event: idempotent by its content.
outbox_row state_row(random_bits engine, unix_ms now, const room_id& room, std::string_view type,
                     std::string key, std::string body);

/// 32 hex digits that depend on the text alone.
std::string name_after(std::string_view text);

} // namespace pb
