#pragma once
// Faults of our own, planted one at a time around a port: what the router would do wrong if a line
// of it were missing. The oracle has to notice each of them.

#include "bridges/link.hpp"
#include "persistence/store.hpp"
#include "tests/support/virtual_timers.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace pb::simulate {

struct plant {
  std::string_view name, what;
  std::function<std::shared_ptr<store>(std::shared_ptr<store>)> disk;
  std::function<std::shared_ptr<http_client>(std::shared_ptr<http_client>, virtual_timers&)> http;
  std::function<std::shared_ptr<dialer>(std::shared_ptr<dialer>)> dial;
};

const std::vector<plant>& plants();
const plant* find_plant(std::string_view name);

} // namespace pb::simulate
