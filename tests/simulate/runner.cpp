#include "tests/simulate/runner.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pb::simulate {
namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point t) {
  return std::chrono::duration<double>(steady::now() - t).count();
}

bool write_all(int fd, const void* data, std::size_t size) {
  const auto* p = static_cast<const char*>(data);
  while (size > 0) {
    const auto n = ::write(fd, p, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    p += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// What a worker says: which seed it begins, and how that ended.
struct message {
  std::uint64_t seed = 0, crashes = 0, messages = 0, turns = 0, steps = 0, text = 0;
  bool begins = false, failed = false;
};

void work(int fd, const sweep& what, unsigned mine, steady::time_point began) {
  for (auto seed = what.from + mine; what.seeds == 0 || seed < what.from + what.seeds;
       seed += what.jobs) {
    if (what.minutes > 0 && seconds_since(began) > what.minutes * 60)
      return;
    message m;
    m.seed = seed;
    m.begins = true;
    if (!write_all(fd, &m, sizeof m))
      return;
    auto r = run_seed(seed, what.how);
    // Now and then a second time: the same seed has to be the same run.
    if (seed % 20 == 0 && r.violations.empty())
      if (const auto again = run_seed(seed, what.how); again.hash != r.hash)
        r.violations.push_back({"D1 the same seed gives the same run", {}, "two traces differ"});
    m.begins = false;
    m.failed = !r.violations.empty();
    m.crashes = r.crashes;
    m.messages = r.messages;
    m.turns = r.turns;
    m.steps = r.steps;
    const auto text = m.failed ? report(r, what.how) : std::string{};
    m.text = text.size();
    if (!write_all(fd, &m, sizeof m) || !write_all(fd, text.data(), text.size()))
      return;
  }
}

struct worker {
  pid_t pid = 0;
  int fd = -1;
  unsigned number = 0;
  std::string in;
  std::uint64_t seed = 0; ///< under way; 0: none
};

worker fork_one(const sweep& what, unsigned mine, steady::time_point began) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw std::runtime_error("pipe: " + std::string{std::strerror(errno)});
  std::fflush(nullptr);
  const auto pid = ::fork();
  if (pid < 0)
    throw std::runtime_error("fork: " + std::string{std::strerror(errno)});
  if (pid == 0) {
    ::close(ends[0]);
    work(ends[1], what, mine, began);
    std::fflush(nullptr);
    ::_exit(0);
  }
  ::close(ends[1]);
  worker w;
  w.pid = pid;
  w.fd = ends[0];
  w.number = mine;
  return w;
}

void take(worker& w, tally& all) {
  while (w.in.size() >= sizeof(message)) {
    message m;
    std::memcpy(&m, w.in.data(), sizeof m);
    if (w.in.size() < sizeof m + m.text)
      return;
    const auto text = w.in.substr(sizeof m, m.text);
    w.in.erase(0, sizeof m + m.text);
    if (m.begins) {
      w.seed = m.seed;
      continue;
    }
    w.seed = 0;
    ++all.seeds;
    all.crashes += m.crashes;
    all.messages += m.messages;
    all.turns += m.turns;
    all.steps += m.steps;
    if (m.failed) {
      ++all.failed;
      std::printf("%s\n", text.c_str());
      std::fflush(stdout);
    }
  }
}

} // namespace

std::string report(const run_result& r, const run_options& how) {
  std::string out = "seed " + std::to_string(r.seed) +
                    " FAILED: " + std::to_string(r.violations.size()) + " violation(s)\n";
  for (std::size_t i = 0; i < r.violations.size() && i < 5; ++i) {
    const auto& v = r.violations[i];
    out +=
        "  " + v.check + "\n    " + (v.room.empty() ? "" : "room " + v.room + ": ") + v.what + "\n";
  }
  out += "  weather: " + r.sky + "\n  the last of the trace:\n";
  for (const auto& line : r.lines)
    out += "    " + line.substr(0, 220) + "\n";
  out += "  again: scripts/simulate --seed " + std::to_string(r.seed) + " --verbose";
  if (how.planted)
    out += " --plant " + std::string{how.planted->name};
  for (const auto& name : how.without)
    out += " --without " + name;
  return out + "\n";
}

tally run_sweep(const sweep& what) {
  const auto began = steady::now();
  tally all;
  std::vector<worker> crew;
  for (unsigned i = 0; i < what.jobs; ++i)
    crew.push_back(fork_one(what, i, began));
  while (!crew.empty()) {
    std::vector<pollfd> fds;
    for (const auto& w : crew)
      fds.push_back({w.fd, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
      break;
    for (std::size_t i = crew.size(); i-- > 0;) {
      if ((fds[i].revents & (POLLIN | POLLHUP)) == 0)
        continue;
      auto& w = crew[i];
      char buffer[65536];
      const auto n = ::read(w.fd, buffer, sizeof buffer);
      if (n > 0) {
        w.in.append(buffer, static_cast<std::size_t>(n));
        take(w, all);
        continue;
      }
      ::close(w.fd);
      int status = 0;
      ::waitpid(w.pid, &status, 0);
      if (w.seed != 0) { // it died in the middle of a seed
        ++all.seeds;
        ++all.failed;
        std::printf("seed %llu FAILED: the simulation itself ended (%s %d)\n  again: "
                    "scripts/simulate --seed %llu --verbose\n",
                    static_cast<unsigned long long>(w.seed),
                    WIFSIGNALED(status) ? "signal" : "exit",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                    static_cast<unsigned long long>(w.seed));
        // The rest of its seeds is given to another one.
        auto rest = what;
        const auto next = w.seed + what.jobs;
        rest.from = next;
        if (what.seeds == 0 || next < what.from + what.seeds) {
          rest.seeds = what.seeds == 0 ? 0 : what.from + what.seeds - next;
          const auto number = w.number;
          crew.erase(crew.begin() + static_cast<std::ptrdiff_t>(i));
          crew.push_back(fork_one(rest, 0, began));
          crew.back().number = number;
          continue;
        }
      }
      crew.erase(crew.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (all.failed >= what.stop_after) {
      for (const auto& w : crew)
        ::kill(w.pid, SIGKILL);
      for (const auto& w : crew) {
        ::waitpid(w.pid, nullptr, 0);
        ::close(w.fd);
      }
      break;
    }
  }
  all.seconds = seconds_since(began);
  return all;
}

bool find_plants(std::uint64_t bound, unsigned jobs) {
  std::vector<pid_t> crew;
  std::fflush(nullptr);
  for (unsigned mine = 0; mine < jobs; ++mine) {
    const auto pid = ::fork();
    if (pid < 0)
      throw std::runtime_error("fork: " + std::string{std::strerror(errno)});
    if (pid > 0) {
      crew.push_back(pid);
      continue;
    }
    bool good = true;
    for (std::size_t i = mine; i < plants().size(); i += jobs) {
      const auto& p = plants()[i];
      bool seen = false;
      for (std::uint64_t seed = 1; seed <= bound && !seen; ++seed) {
        const auto r = run_seed(seed, {&p, {}, false});
        if (r.violations.empty() || !run_seed(seed, {}).violations.empty())
          continue;
        seen = true;
        std::printf("%-24s seed %3llu  %s\n", std::string{p.name}.c_str(),
                    static_cast<unsigned long long>(seed), r.violations.front().check.c_str());
      }
      if (!seen)
        std::printf("%-24s NOT SEEN in %llu seeds\n", std::string{p.name}.c_str(),
                    static_cast<unsigned long long>(bound));
      std::fflush(stdout);
      good = good && seen;
    }
    ::_exit(good ? 0 : 1);
  }
  bool good = true;
  for (const auto pid : crew) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return good;
}

} // namespace pb::simulate
