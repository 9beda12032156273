#pragma once
// "Did you mean": the nearest of the names that are known.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::config {

/// The known name that `name` most likely stands for; nothing when none is near. Near: a third of
/// the letters may differ, or one name begins or ends the other.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known);

/// "did you mean 'x'?", or the list of what is known here.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

} // namespace pb::config
