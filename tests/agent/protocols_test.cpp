// The table of protocols, and the names that the configuration takes.

#include "bridges/agent/session.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace pb;

TEST_CASE("the configuration takes the names of the protocols that there are, and no others") {
  std::vector<std::string_view> table, known(protocol_names.begin(), protocol_names.end());
  for (const auto& p : agent_protocols())
    table.push_back(p.name);
  std::sort(table.begin(), table.end());
  std::sort(known.begin(), known.end());
  CHECK(table == known);
}
