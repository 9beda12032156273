// The whole router under random traffic and random faults, seed by seed. docs/simulation.md says
// what is checked.

#include "tests/simulate/runner.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

using namespace pb::simulate;

int main(int argc, char** argv) {
  CLI::App app{
      "Runs the whole router with homeserver, agents, disk and clock in one thread, seed by "
      "seed: random traffic, random faults, then an oracle."};
  sweep what;
  std::uint64_t seed = 0, bound = 60;
  double hours = 0;
  std::string planted;
  bool list = false, find = false;
  what.jobs = std::max(1U, std::thread::hardware_concurrency());
  auto* seeds = app.add_option("--seeds", what.seeds, "how many (default 200)");
  app.add_option("--from", what.from, "the first one (default 1)")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "only this one")->check(CLI::PositiveNumber);
  app.add_option("--jobs", what.jobs, "processes at once (default: cores)")
      ->check(CLI::Range(1, 256));
  app.add_option("--time", what.minutes, "ends after so many minutes");
  app.add_option("--hours", hours, "ends after so many hours");
  app.add_option("--plant", planted, "with this fault of our own in the router");
  app.add_option(
      "--without", what.how.without,
      "switches a fault off, by the name that a report's weather gives it; again for more");
  app.add_option("--bound", bound, "seeds for each plant of --find-plants (default 60)");
  app.add_option("--failures", what.stop_after, "ends after so many failing seeds (default 10)");
  app.add_flag("--find-plants", find, "whether the oracle sees every plant");
  app.add_flag("--list", list, "the plants");
  app.add_flag("--verbose", what.how.aloud, "with --seed: the whole trace");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 64;
  }
  if (list) {
    for (const auto& p : plants())
      std::printf("%-24s %s\n", std::string{p.name}.c_str(), std::string{p.what}.c_str());
    return 0;
  }
  for (const auto& name : what.how.without)
    if (weather any; !any.switch_off(name)) {
      std::fprintf(stderr, "simulate: no fault %s; a failing seed's report names its weather\n",
                   name.c_str());
      return 64;
    }
  if (!planted.empty()) {
    what.how.planted = find_plant(planted);
    if (what.how.planted == nullptr) {
      std::fprintf(stderr, "simulate: no plant %s; --list names them\n", planted.c_str());
      return 64;
    }
  }
  if (find)
    return find_plants(bound, what.jobs) ? 0 : 1;
  if (seed != 0) {
    const auto r = run_seed(seed, what.how);
    if (!r.violations.empty()) {
      std::printf("%s", report(r, what.how).c_str());
      return 1;
    }
    std::printf("seed %llu is well: %zu said, %zu turns, %zu deaths, %llu steps, trace %016llx\n",
                static_cast<unsigned long long>(seed), r.messages, r.turns, r.crashes,
                static_cast<unsigned long long>(r.steps), static_cast<unsigned long long>(r.hash));
    return 0;
  }
  if (hours > 0)
    what.minutes = hours * 60;
  if (what.minutes > 0 && seeds->count() == 0)
    what.seeds = 0;
  const auto all = run_sweep(what);
  const auto number = [](std::uint64_t x) { return static_cast<unsigned long long>(x); };
  std::printf(
      "%llu seeds, %llu failed; %llu deaths of the router, %llu messages, %llu turns; %.0f s, "
      "%.0f seeds a minute, %.0f steps a second\n",
      number(all.seeds), number(all.failed), number(all.crashes), number(all.messages),
      number(all.turns), all.seconds, static_cast<double>(all.seeds) / all.seconds * 60,
      static_cast<double>(all.steps) / all.seconds);
  return all.failed == 0 ? 0 : 1;
}
