// A disk that is full or fails: said plainly, nothing half, and usable again where that is safe.

#include "support.hpp"

#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace pb;
using namespace pb::test;
namespace fs = std::filesystem;

namespace {

/// While it lives, the open file whose name ends so is another one: its writes go there.
class swapped {
public:
  swapped(const std::string& path, int with) {
    for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
      std::error_code gone;
      if (fs::read_symlink(entry.path(), gone) == path)
        fd_ = std::stoi(entry.path().filename().string());
    }
    if (fd_ < 0)
      throw std::runtime_error("not open: " + path);
    kept_ = ::dup(fd_);
    ::dup2(with, fd_);
    ::close(with);
  }
  swapped(const swapped&) = delete;
  swapped& operator=(const swapped&) = delete;
  ~swapped() {
    ::dup2(kept_, fd_);
    ::close(kept_);
  }

private:
  int fd_ = -1, kept_ = -1;
};

result<admitted> admit(store& s, int n, std::size_t size = 2'000) {
  const auto id = std::to_string(n);
  return s.admit(batch("s" + id, {event("$" + id, "!r:x", std::string(size, 'x'))}));
}

std::int64_t pending(store& s) { return need(s.counts()).inbox_pending; }

} // namespace

TEST_CASE("After a failed write nothing is written any more until the next start", "[store]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  need(alone(*s, [&] { return admit(*s, 1); }));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    const swapped broken{dir.file() + "-wal", ends[0]}; // cannot be written at an offset
    need(s->begin());
    need(admit(*s, 2));
    const auto why = refused(s->commit());
    CHECK(why.code == fault_code::storage);
    CHECK_FALSE(why.sentence.empty());
  }
  ::close(ends[1]);
  CHECK(refused(s->begin()).code == fault_code::storage); // the disk is back: still no
  CHECK(refused(admit(*s, 2)).code == fault_code::storage);
  CHECK(pending(*s) == 1);
  s.reset();
  s = open_at(dir.file());
  CHECK(pending(*s) == 1);
  need(alone(*s, [&] { return admit(*s, 2); }));
}

TEST_CASE("Space that runs out in the middle of a group gives up the group alone", "[store]") {
  const temp_dir dir;
  auto s = need(open_store({dir.file(), synchronous_mode::normal, {}, 60}));
  int committed = 0;
  std::optional<fault> why;
  for (int i = 0; i < 1'000 && !why; i += 2) {
    need(s->begin());
    auto one = admit(*s, i);
    auto two = one ? admit(*s, i + 1) : one;
    if (!one || !two) {
      why = one ? two.error() : one.error();
      // What SQLite has undone by itself must not look committed.
      CHECK(refused(admit(*s, 5'000)).code == fault_code::disk_full);
      CHECK(refused(s->commit()).code == fault_code::disk_full);
    } else {
      need(s->commit());
      committed += 2;
    }
  }
  REQUIRE(why);
  CHECK(why->code == fault_code::disk_full);
  CHECK(committed > 10);
  CHECK(pending(*s) == committed);
  // Small things that need no new page still go through.
  settlement what;
  what.inbox = {{1, inbox_outcome::told}};
  need(alone(*s, [&] { return s->settle(what); }));
  CHECK(pending(*s) == committed - 1);
}

namespace {

/// Runs in a process of its own, whose files may not grow past a limit: writes fail in commits, in
/// checkpoints and in the middle of pages. 0: all was well, else the number of what was not.
int life_on_a_full_disk(const std::string& path) {
  ::signal(SIGXFSZ, SIG_IGN);
  auto opened = open_store({path, synchronous_mode::normal});
  if (!opened)
    return 1;
  auto* s = opened->get();
  struct rlimit limit {};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const auto unlimited = limit.rlim_cur;
  limit.rlim_cur = 600'000;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::int64_t committed = 0;
  int refusals = 0;
  for (int i = 0; i < 2'000 && refusals < 5; ++i) {
    if (!s->begin())
      return 2;
    const auto in = admit(*s, i);
    const auto ok = s->commit();
    if (in && ok)
      ++committed;
    else if ((in ? ok.error() : in.error()).code == fault_code::disk_full)
      ++refusals;
    else
      return 3;
  }
  if (refusals < 5 || committed < 50)
    return 4;
  if (auto c = s->counts(); !c || c->inbox_pending != committed) // reads go on
    return 5;
  limit.rlim_cur = unlimited;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  if (!s->begin() || !admit(*s, 9'999) || !s->commit())
    return 6;
  opened = open_store({path, synchronous_mode::normal});
  if (!opened)
    return 7;
  auto c = (*opened)->counts();
  auto cursor = (*opened)->cursor();
  const bool all = c && c->inbox_pending == committed + 1;
  return all && cursor && *cursor == std::optional<std::string>{"s9999"} ? 0 : 8;
}

} // namespace

TEST_CASE("A full disk is said, loses nothing, and is over when there is space", "[store]") {
  const temp_dir dir;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0)
    ::_exit(life_on_a_full_disk(dir.file()));
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("A disk without space for a new database says so", "[store]") {
  const temp_dir dir;
  const auto why = refused(open_store({dir.file(), synchronous_mode::full, {}, 3}));
  CHECK(why.code == fault_code::disk_full);
  open_at(dir.file()); // nothing half is left behind
}
