// The floor: a router's job without a router's care. See ../README.md.

#include "tests/bench/floor/router.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <map>
#include <sys/resource.h>

int main(int argc, char** argv) {
  using pb::bench::fault;
  pb::bench::floor_settings settings;
  settings.user_id = "@patchbay:bench";
  settings.token = "bench";
  std::string synchronous = "full";
  CLI::App app{"The floor of the benchmarks: one thread, three durable commits a message, nothing "
               "checked, nothing repaired."};
  app.add_option("--port", settings.port, "of the world on 127.0.0.1")->required();
  app.add_option("--database", settings.database, "a file that does not exist yet")->required();
  app.add_option("--synchronous", synchronous)->check(CLI::IsMember({"full", "normal"}));
  const std::map<std::string, fault> faults{{"none", fault::none},   {"lose", fault::lose},
                                            {"twice", fault::twice}, {"alter", fault::alter},
                                            {"again", fault::again}, {"overtake", fault::overtake},
                                            {"stray", fault::stray}};
  app.add_option("--fault", settings.mistake, "a mistake to make, to try the oracle")
      ->transform(CLI::CheckedTransformer(faults));
  app.add_option("--fault-every", settings.mistake_every)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  settings.full = synchronous == "full";

  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  try {
    pb::bench::floor_router(settings).run();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "bench_floor: " << e.what() << std::endl;
    return 70;
  }
}
