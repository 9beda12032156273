#include "bridges/agent/ag_ui/state.hpp"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

namespace pb::ag_ui {
namespace {

using nlohmann::json;

bool deeper_than(const json& value, std::size_t levels) {
  if (!value.is_structured())
    return false;
  if (levels == 0)
    return true;
  return std::any_of(value.begin(), value.end(),
                     [&](const json& item) { return deeper_than(item, levels - 1); });
}

} // namespace

/// One operation after the other: each may only grow the state by what is in it, but for a copy,
/// which can double it, so the size is looked at every time.
std::optional<std::string> patched(std::string_view state, std::string_view patch) {
  auto now = json::parse(state, nullptr, false);
  const auto operations = json::parse(patch, nullptr, false);
  if (now.is_discarded() || !operations.is_array() || operations.size() > patch_limit)
    return std::nullopt;
  try {
    for (const auto& operation : operations) {
      now = now.patch(json::array({operation}));
      if (deeper_than(now, state_depth) || now.dump().size() > state_limit)
        return std::nullopt;
    }
    return now.dump();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

} // namespace pb::ag_ui
