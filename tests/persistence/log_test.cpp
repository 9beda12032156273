// The write-ahead log: as long as a group of writes, not as long as the program's life.

#include "support.hpp"

using namespace pb;
using namespace pb::test;
using namespace std::chrono_literals;

namespace {

std::uintmax_t log_size(const temp_dir& dir) {
  std::error_code gone;
  const auto size = std::filesystem::file_size(dir.file() + "-wal", gone);
  return gone ? 0 : size;
}

void admit(store& s, int n) {
  const auto id = std::to_string(n);
  need(alone(s, [&] {
    return s.admit(batch("s" + id, {event("$" + id, "!r:x", std::string(8'000, 'x'))}));
  }));
}

} // namespace

TEST_CASE("Under a steady load with readers the log stays below its bound", "[store][log]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  auto reader = raw(dir.file());
  std::uintmax_t highest = 0;
  for (int n = 0; n < 6'000; ++n) { // 72 MB of pages and more
    // The reader holds what it sees for 100 commits, then lets go for one.
    if (n % 100 == 1) {
      need(reader.exec("BEGIN"));
      need(reader.ask("SELECT count(*) FROM meta"));
    }
    admit(*s, n);
    if (n % 100 == 99)
      need(reader.exec("COMMIT"));
    highest = std::max(highest, log_size(dir));
  }
  CHECK(std::filesystem::file_size(dir.file()) > 40'000'000);
  CHECK(highest < 24'000'000); // 2,000 pages and what came while a reader held on
}

TEST_CASE("A log that grew while a reader held on is cut when it lets go", "[store][log]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  auto reader = raw(dir.file());
  admit(*s, 0);
  need(reader.exec("BEGIN"));
  need(reader.ask("SELECT count(*) FROM inbox"));
  for (int n = 1; n <= 4'000; ++n)
    admit(*s, n);
  CHECK(log_size(dir) > 40'000'000); // nothing can be done about it
  CHECK(need(reader.ask("SELECT count(*) FROM inbox")) == "1");
  need(reader.exec("COMMIT"));
  for (int n = 5'000; n < 5'010; ++n)
    admit(*s, n);
  CHECK(log_size(dir) <= 33'554'432); // journal_size_limit
}

TEST_CASE("When the retention came to its end the log is in the file", "[store][log]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  for (int n = 0; n < 20; ++n)
    admit(*s, n);
  const auto before = std::filesystem::file_size(dir.file());
  CHECK_FALSE(need(alone(*s, [&] { return s->prune(24h, 100); })).more);
  CHECK(std::filesystem::file_size(dir.file()) > before + 100'000); // without another write
}
