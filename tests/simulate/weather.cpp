#include "tests/simulate/weather.hpp"

#include <algorithm>
#include <iterator>

namespace pb::simulate {

weather weather::drawn(std::uint64_t seed) {
  dice d(seed, 1);
  weather w;
  // Every tenth seed is fair weather: what fails there needs no fault at all.
  const double wild = d.chance(0.1) ? 0 : d.chance(0.3) ? 0.8 : 0.35;
  const auto maybe = [&](double most) {
    const bool on = d.chance(wild);
    const auto share = static_cast<double>(d.between(5, 100)) / 100;
    return on ? most * share : 0.0;
  };
  w.slow = maybe(0.3);
  w.lost = maybe(0.3);
  w.cut = maybe(0.3);
  w.twice = maybe(0.2);
  w.undead = maybe(0.5);
  w.limited = maybe(0.2);
  w.server_error = maybe(0.2);
  w.junk = maybe(0.1);
  w.cut_short = maybe(0.1);
  w.doubled_events = maybe(0.3);
  w.says_limited = maybe(0.3);
  w.timeline_limit = d.chance(wild) ? static_cast<int>(d.between(1, 8)) : 50;
  w.buckets = d.chance(wild / 3);
  w.refuses = maybe(0.4);
  w.rejects = maybe(0.2);
  w.never_opens = maybe(0.2);
  w.dies = maybe(0.3);
  w.hangs = maybe(0.1);
  w.reports = maybe(0.2);
  w.malformed = maybe(0.1);
  w.odd = maybe(0.5);
  w.asks = maybe(0.2);
  w.disk_full = maybe(0.05);
  w.commit_error = maybe(0.004);
  w.outage = maybe(0.1);
  w.kill = maybe(0.3);
  w.stop = maybe(0.1);
  w.new_token = maybe(0.08);
  w.expel = maybe(0.04);
  w.queue_limit = d.chance(wild / 2) ? static_cast<std::uint32_t>(d.between(2, 6)) : 32;
  w.people = static_cast<int>(d.between(1, 4));
  w.acts = static_cast<int>(d.between(15, 80));
  w.restless = d.chance(0.4) ? 1 : 0;
  return w;
}

namespace {

struct named {
  const char* name;
  double weather::*chance;
};

constexpr named faults[] = {
    {"slow", &weather::slow},
    {"lost", &weather::lost},
    {"cut", &weather::cut},
    {"twice", &weather::twice},
    {"undead", &weather::undead},
    {"429", &weather::limited},
    {"5xx", &weather::server_error},
    {"junk", &weather::junk},
    {"cut_short", &weather::cut_short},
    {"doubled_events", &weather::doubled_events},
    {"says_limited", &weather::says_limited},
    {"refuses", &weather::refuses},
    {"rejects", &weather::rejects},
    {"never_opens", &weather::never_opens},
    {"dies", &weather::dies},
    {"hangs", &weather::hangs},
    {"reports", &weather::reports},
    {"malformed", &weather::malformed},
    {"odd", &weather::odd},
    {"asks", &weather::asks},
    {"disk_full", &weather::disk_full},
    {"commit_error", &weather::commit_error},
    {"outage", &weather::outage},
    {"kill", &weather::kill},
    {"stop", &weather::stop},
    {"new_token", &weather::new_token},
    {"expel", &weather::expel},
    {"restless", &weather::restless},
};

} // namespace

bool weather::switch_off(const std::string& name) {
  if (name == "short_timelines")
    timeline_limit = 50;
  else if (name == "buckets")
    buckets = false;
  else if (name == "short_queues")
    queue_limit = 32;
  else if (const auto* f = std::find_if(std::begin(faults), std::end(faults),
                                        [&](const named& x) { return name == x.name; });
           f != std::end(faults))
    this->*(f->chance) = 0;
  else
    return false;
  return true;
}

std::string weather::text() const {
  std::string out = std::to_string(people) + " people, " + std::to_string(acts) + " acts";
  for (const auto& f : faults)
    if (this->*f.chance > 0)
      out += std::string{", "} + f.name + " " + std::to_string(this->*f.chance).substr(0, 5);
  if (timeline_limit < 50)
    out += ", short_timelines of " + std::to_string(timeline_limit);
  if (buckets)
    out += ", buckets";
  if (queue_limit < 32)
    out += ", short_queues of " + std::to_string(queue_limit);
  return out;
}

} // namespace pb::simulate
