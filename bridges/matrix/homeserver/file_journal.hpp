#pragma once
// The journal in a folder: journal.jsonl and media/, readable by their owner alone.

#include "bridges/matrix/homeserver/journal.hpp"
#include "messages/values/fault.hpp"

#include <memory>
#include <string>

namespace pb {

/// Opens or makes `folder` (0700) with its files (0600).
result<std::unique_ptr<journal>> open_file_journal(const std::string& folder);

} // namespace pb
