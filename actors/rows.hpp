#pragma once
// What an actor decides to say, as rows of the outbox: an id by chance, the bytes frozen. The store
// adds the scope of the transaction id.

#include "bridges/matrix/compose.hpp"
#include "messages/values/outbox.hpp"

#include <random>

namespace pb {

/// A message of ours; `what.row` is set here, so that the room itself can tell that it was sent.
outbox_row message_row(std::mt19937_64& engine, unix_ms now, const room_id& room,
                       matrix::message_draft what);

/// A state event: idempotent by its content.
outbox_row state_row(std::mt19937_64& engine, unix_ms now, const room_id& room,
                     std::string_view type, std::string key, std::string body);

} // namespace pb
