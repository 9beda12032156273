#include "cli/registry_keeper.hpp"

#include "config/differences.hpp"

#include <algorithm>
#include <unistd.h>

namespace pb::cli {

registry_keeper::registry_keeper(wiring w) : w_(std::move(w)), files_(w_.process.registry) {
  const auto count = [this](const char* result) {
    return w_.numbers->counter_of(
        "patchbay_registry_reloads_total",
        "How often the agent registry was read again, and what came of it", {{"result", result}});
  };
  good_ = count("applied");
  failed_ = count("failed");
  unchanged_ = count("unchanged");
  registry_view first;
  first.agents = w_.in_force;
  first.file = w_.process.registry;
  first.in_force_since = w_.wall();
  if (!first.file.empty())
    first.sources = config::read_registry(first.file, {first.file, 0, 0}, environment()).sources;
  put(std::move(first));
  thread_ = std::thread([this] { run(); });
}

registry_keeper::~registry_keeper() { stop(); }

void registry_keeper::stop() {
  {
    std::lock_guard lock{m_};
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

std::shared_ptr<const registry_view> registry_keeper::view() const {
  std::lock_guard lock{m_};
  return view_;
}

void registry_keeper::put(registry_view next) {
  auto shared = std::make_shared<const registry_view>(std::move(next));
  std::lock_guard lock{m_};
  view_ = std::move(shared);
}

void registry_keeper::reload() {
  {
    std::lock_guard lock{m_};
    reload_ = true;
  }
  wake_.notify_one();
}

void registry_keeper::change(agent_change what, std::function<void(change_outcome)> done) {
  {
    std::lock_guard lock{m_};
    if (!stop_ && jobs_.size() < change_cap) {
      jobs_.push_back({std::move(what), std::move(done)});
      done = nullptr;
    }
  }
  if (!done)
    return wake_.notify_one();
  change_outcome out;
  out.what = change_outcome::kind::busy;
  done(std::move(out));
}

void registry_keeper::run() {
  std::unique_lock lock{m_};
  while (!stop_) {
    wake_.wait_for(lock, pause, [this] { return stop_ || reload_ || !jobs_.empty(); });
    if (stop_)
      break;
    auto jobs = std::exchange(jobs_, {});
    const bool again = std::exchange(reload_, false);
    lock.unlock();
    for (auto& j : jobs)
      carry_out(j);
    if (again) {
      compare_process();
      read_again(why::signalled, {});
    }
    look();
    lock.lock();
  }
  auto jobs = std::exchange(jobs_, {});
  lock.unlock();
  for (auto& j : jobs) {
    change_outcome out;
    out.what = change_outcome::kind::busy;
    j.done(std::move(out));
  }
}

config::environment registry_keeper::environment() const {
  std::vector<config::problem> ignored; // told at the start, and again by compare_process()
  return config::read_environment(w_.given.env_file, environ, ignored);
}

/// A content counts when it was seen twice: half a file must not take half of the agents away.
void registry_keeper::look() {
  if (w_.process.registry.empty())
    return;
  const auto now = files_.look();
  if (now == handled_) {
    candidate_.reset();
  } else if (candidate_ == now) {
    read_again(why::watched, {});
  } else {
    candidate_ = now;
  }
}

void registry_keeper::read_again(why reason, answer then) {
  candidate_.reset();
  const auto& file = w_.process.registry;
  if (!file.empty()) {
    handled_ = files_.look(); // before: what is written while we read is seen at the next look
    return take(config::read_registry(file, {file, 0, 0}, environment()), reason, std::move(then));
  }
  // AGENT_BASE_URL may be another one in the .env file.
  if (!w_.fallback)
    take(config::registry_from(environment()), reason, std::move(then));
}

void registry_keeper::take(config::registry_outcome found, why reason, answer then) {
  if (!then)
    then = [](bool) {};
  if (!found.ok()) {
    refuse(found);
    return then(false);
  }
  if (found.value.agents.empty() && w_.fallback)
    found.value = *w_.fallback;
  auto next = *view();
  const bool same = next.agents == found.value;
  const bool was_bad = !std::exchange(next.good, true);
  next.problems.clear();
  next.sources = std::move(found.sources);
  if (same) {
    put(std::move(next));
    if (reason == why::signalled || was_bad) {
      unchanged_.inc();
      w_.log->info("registry_unchanged", {}, "the registry was read again and is as it was");
    }
    return then(true);
  }
  next.agents = found.value;
  next.in_force_since = w_.wall();
  ++next.reloads;
  put(std::move(next));
  good_.inc();
  for (const auto& p : found.problems)
    w_.log->warning("registry_warning", {}, to_string(p));
  w_.apply(std::move(found.value), [then = std::move(then)] { then(true); });
}

void registry_keeper::refuse(const config::registry_outcome& found) {
  auto next = *view();
  next.good = false;
  next.problems.clear();
  std::size_t faults = 0;
  std::string first;
  for (const auto& p : found.problems) {
    if (p.warning)
      continue;
    if (faults++ == 0)
      first = to_string(p);
    if (next.problems.size() < registry_view::problem_cap)
      next.problems.push_back(to_string(p));
  }
  put(std::move(next));
  failed_.inc();
  w_.log->error("registry_refused", {},
                "the registry has faults, the last good one stays in force: " + first,
                {{"faults", faults}});
}

/// Nothing of patchbay.yaml changes while the router runs: what differs is told.
void registry_keeper::compare_process() {
  std::vector<config::problem> early;
  const auto env = config::read_environment(w_.given.env_file, environ, early);
  const auto now = config::load(w_.given, env);
  const auto folder = config::below(config::folder_of(w_.process.registry), "agents.d");
  for (const auto& p : now.problems)
    if (!p.warning && p.file != w_.process.registry && !p.file.starts_with(folder))
      return w_.log->error("configuration_refused", {},
                           "patchbay.yaml has faults and was not compared: " + to_string(p));
  const auto keys = config::differing_keys(w_.process, now.process);
  std::string names;
  for (const auto key : keys)
    names += (names.empty() ? "" : ", ") + std::string{key};
  if (keys.empty())
    w_.log->info("configuration_unchanged", {}, "patchbay.yaml is as it was");
  else
    w_.log->warning("configuration_needs_restart", {},
                    "these keys of patchbay.yaml changed and count after a restart: " + names);
}

void registry_keeper::carry_out(job& j) {
  auto out =
      change_registry(w_.process.registry, j.what, environment(), config::real_disk(), write_whole);
  if (out.what != change_outcome::kind::done || !out.changed || j.what.dry_run)
    return j.done(std::move(out));
  w_.log->info("registry_changed", {}, "the admin API changed an agent",
               {{"agent", j.what.id}, {"file", out.file}});
  read_again(why::changed, [done = std::move(j.done), out](bool good) mutable {
    if (!good) // somebody else wrote a fault meanwhile
      out.what = change_outcome::kind::registry_bad;
    done(std::move(out));
  });
}

} // namespace pb::cli
