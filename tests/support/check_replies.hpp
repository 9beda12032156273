#pragma once
// The oracle of most simulations.

#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

namespace pb::test {

/// Every message of the person has exactly one reply.
inline void check_each_once(const sim_world& w, const std::string& chat,
                            const std::vector<std::string>& asked) {
  for (std::size_t i = 0; i < asked.size(); ++i) {
    INFO("message " << i);
    CHECK(w.replies_to(chat, asked[i]).size() == 1);
  }
}

} // namespace pb::test
