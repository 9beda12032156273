#pragma once
// Which keys of patchbay.yaml differ between what runs and what was read again.

#include "messages/values/settings.hpp"

#include <string_view>
#include <vector>

namespace pb::config {

/// The paths of the keys, in the order of process_keys().
std::vector<std::string_view> differing_keys(const settings& a, const settings& b);

} // namespace pb::config
