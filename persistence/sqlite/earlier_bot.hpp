#pragma once
// The earlier bot's file, opened for reading only.

#include "messages/values/fault.hpp"
#include "persistence/surfaces.hpp"

#include <string>
#include <vector>

namespace pb {

/// All rows of its table kv. Errors, each with a sentence: configuration (no such file),
/// foreign_file (not that bot's), busy, storage, too_large (more than a million keys).
result<std::vector<surface_entry>> read_earlier_bot(const std::string& path);

} // namespace pb
