#pragma once
// What is told of thoughts that are not part of an answer: that there are some, so that a model
// that thinks for minutes is not taken for a silent one. Pure.

#include "messages/values/agent_event.hpp"

#include <cstddef>
#include <optional>

namespace pb {

class sign_of_life {
public:
  /// For every piece of thought: the first one, and one in `every` of the later ones, is told.
  std::optional<agent_event> sign() {
    if (pieces_++ == 0)
      return agent_says::status{"thinking"};
    if (pieces_ % every == 0)
      return agent_says::custom_update{"thinking", "null"};
    return std::nullopt;
  }

private:
  static constexpr std::size_t every = 64;
  std::size_t pieces_ = 0;
};

} // namespace pb
