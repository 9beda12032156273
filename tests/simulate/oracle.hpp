#pragma once
// Compares what people sent, what agents got and what rooms show.

#include "tests/simulate/chronicle.hpp"
#include "tests/support/sim_world.hpp"

namespace pb::simulate {

/// Adds to the chronicle's violations. `homes`: people who invited the bot and stayed.
void judge(const test::sim_world& world, chronicle& book, const std::vector<std::string>& homes);

} // namespace pb::simulate
