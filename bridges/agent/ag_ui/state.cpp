#include "bridges/agent/ag_ui/state.hpp"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

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

/// One operation. The library asserts that something is put into an object or an array only, so
/// that is looked at before. A move is its two halves: what is left after the first one counts.
json applied(json state, json operation) {
  if (operation.at("op") == "move") {
    const auto from = operation.at("from").get<std::string>();
    json moved = state.at(json::json_pointer(from));
    state = state.patch(json::array({json{{"op", "remove"}, {"path", from}}}));
    operation = json{{"op", "add"}, {"path", operation.at("path")}, {"value", std::move(moved)}};
  }
  const json::json_pointer path(operation.at("path").get<std::string>());
  if (!path.empty()) {
    const json& parent = std::as_const(state).at(path.parent_pointer());
    if (!parent.is_structured() && !parent.is_null())
      throw std::invalid_argument("a value has no fields");
  }
  return state.patch(json::array({std::move(operation)}));
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
      now = applied(std::move(now), operation);
      if (deeper_than(now, state_depth) || now.dump().size() > state_limit)
        return std::nullopt;
    }
    return now.dump();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

} // namespace pb::ag_ui
