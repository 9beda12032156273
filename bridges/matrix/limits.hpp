#pragma once
// Limits of the Matrix specification that more than one part knows.

#include <cstddef>
#include <cstdint>

namespace pb::matrix {

inline constexpr std::size_t id_bytes = 255; ///< of a user, room or event id
/// Of canonical JSON (appendices, "Canonical JSON").
inline constexpr std::int64_t canonical_integer = (std::int64_t{1} << 53) - 1;

} // namespace pb::matrix
