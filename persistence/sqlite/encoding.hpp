#pragma once
// How enumerations stand in columns: as numbers that never change their meaning.

#include "messages/values/confirmation.hpp"
#include "messages/values/event.hpp"
#include "messages/values/outbox.hpp"
#include "messages/values/room.hpp"
#include "messages/values/turn.hpp"

namespace pb::sqlite {

/// The last value of an enumeration that is kept in a column: a number past it is damage.
template <class E>
inline constexpr E last_of = E::none_given;

template <>
inline constexpr auto last_of<room_kind> = room_kind::space;
template <>
inline constexpr auto last_of<room_state> = room_state::left;
template <>
inline constexpr auto last_of<language> = language::ru;
template <>
inline constexpr auto last_of<intent_row::kind_t> = intent_row::kind_t::chat;
template <>
inline constexpr auto last_of<intent_row::step_t> = intent_row::step_t::link_wanted;
template <>
inline constexpr auto last_of<turn_state> = turn_state::cancelled;
template <>
inline constexpr auto last_of<outbox_kind> = outbox_kind::file;
template <>
inline constexpr auto last_of<send_class> = send_class::progress;
template <>
inline constexpr auto last_of<outbox_state> = outbox_state::dropped;
template <>
inline constexpr auto last_of<inbox_outcome> = inbox_outcome::cancelled;
template <>
inline constexpr auto last_of<streaming_mode> = streaming_mode::final_only;
template <>
inline constexpr auto last_of<confirmation_state> = confirmation_state::dropped;

// Queries and partial indexes name these numbers. A value may be added at the end, by a migration
// that widens its CHECK; none may move.
static_assert(int(room_kind::chat) == 0 && int(room_kind::lobby) == 1);
static_assert(int(room_kind::space) == 2);
static_assert(int(room_state::active) == 0 && int(room_state::archived) == 1);
static_assert(int(room_state::left) == 2);
static_assert(int(language::en) == 0 && int(language::ru) == 1);
static_assert(int(intent_row::kind_t::onboard) == 0 && int(intent_row::kind_t::chat) == 1);
static_assert(int(intent_row::step_t::space_wanted) == 0);
static_assert(int(intent_row::step_t::space_calling) == 1);
static_assert(int(intent_row::step_t::chat_wanted) == 2);
static_assert(int(intent_row::step_t::chat_calling) == 3);
static_assert(int(intent_row::step_t::link_wanted) == 4);
static_assert(int(turn_state::dispatched) == 0 && int(turn_state::answered) == 1);
static_assert(int(turn_state::failed) == 2 && int(turn_state::interrupted) == 3);
static_assert(int(turn_state::cancelled) == 4);
static_assert(int(outbox_kind::message) == 0 && int(outbox_kind::state) == 1);
static_assert(int(outbox_kind::file) == 2 && int(outbox_kind::redact) == 3);
static_assert(int(send_class::final_answer) == 0 && int(send_class::state) == 1);
static_assert(int(send_class::progress) == 2);
static_assert(int(outbox_state::waiting) == 0 && int(outbox_state::sent) == 1);
static_assert(int(outbox_state::dead) == 2 && int(outbox_state::dropped) == 3);
static_assert(int(inbox_outcome::answered) == 0 && int(inbox_outcome::told) == 1);
static_assert(int(inbox_outcome::ignored) == 2 && int(inbox_outcome::cancelled) == 3);
static_assert(int(streaming_mode::edits) == 0 && int(streaming_mode::final_only) == 1);
static_assert(int(confirmation_state::open) == 0 && int(confirmation_state::yes) == 1);
static_assert(int(confirmation_state::no) == 2 && int(confirmation_state::expired) == 3);
static_assert(int(confirmation_state::orphaned) == 4 && int(confirmation_state::dropped) == 5);

} // namespace pb::sqlite
