#include "cli/version.hpp"

#include "cli/commands.hpp"

#include <CLI/CLI.hpp>
#include <caf/config.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <spdlog/version.h>

namespace pb::cli {

int print_version(bool json) {
  const auto caf = std::to_string(CAF_MAJOR_VERSION) + "." + std::to_string(CAF_MINOR_VERSION) +
                   "." + std::to_string(CAF_PATCH_VERSION);
  const auto log = std::to_string(SPDLOG_VER_MAJOR) + "." + std::to_string(SPDLOG_VER_MINOR) + "." +
                   std::to_string(SPDLOG_VER_PATCH);
  nlohmann::ordered_json all{{"version", version},
                             {"commit", commit},
                             {"libraries",
                              {{"caf", caf},
                               {"boost", boost_version},
                               {"sqlite", sqlite_version},
                               {"nlohmann_json", nlohmann::json::meta()["version"]["string"]},
                               {"spdlog", log},
                               {"cli11", CLI11_VERSION}}}};
  if (json) {
    std::cout << all.dump() << '\n';
    return ok;
  }
  std::cout << "patchbay " << version << " (" << commit << ")\n";
  for (const auto& [name, value] : all["libraries"].items())
    std::cout << "  " << name << ' ' << value.get<std::string>() << '\n';
  return ok;
}

} // namespace pb::cli
