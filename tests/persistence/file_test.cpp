#include "support.hpp"

#include <sys/stat.h>
#include <unistd.h>

using namespace pb;
using namespace pb::test;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat s {};
  REQUIRE(::lstat(path.c_str(), &s) == 0);
  return s.st_mode & 07777u;
}

fault refused_at(const std::string& path) { return refused(open_store({path})); }

struct with_umask {
  mode_t before;
  explicit with_umask(mode_t m) : before(::umask(m)) {}
  ~with_umask() { ::umask(before); }
};

} // namespace

TEST_CASE("The database and its side files are closed to others whatever the umask", "[store]") {
  const temp_dir dir;
  const with_umask loose{0};
  auto s = open_at(dir.file());
  need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); }));
  for (const char* suffix : {"", "-wal", "-shm"})
    CHECK(mode_of(dir.file() + suffix) == 0600u);
}

TEST_CASE("A database that others may read is refused, with the command that helps", "[store]") {
  const temp_dir dir;
  open_at(dir.file());
  for (unsigned mode : {0640u, 0604u, 0666u}) {
    fs::permissions(dir.file(), fs::perms{mode});
    const auto why = refused_at(dir.file());
    CHECK(why.code == fault_code::configuration);
    CHECK(why.sentence.find("chmod 600 " + dir.file()) != std::string::npos);
  }
  fs::permissions(dir.file(), fs::perms{0600});
  open_at(dir.file());
}

TEST_CASE("A symbolic link is no database, and neither are links beside it", "[store]") {
  const temp_dir dir;
  open_at(dir.file("real.db"));
  fs::create_symlink(dir.file("real.db"), dir.file("link.db"));
  auto why = refused_at(dir.file("link.db"));
  CHECK(why.code == fault_code::configuration);
  CHECK(why.sentence.find("symbolic link") != std::string::npos);

  fs::create_symlink(dir.file("nowhere"), dir.file("dangling.db"));
  CHECK(refused_at(dir.file("dangling.db")).code == fault_code::configuration);
  CHECK_FALSE(fs::exists(dir.file("nowhere")));

  fs::create_symlink(dir.file("victim"), dir.file("real.db-wal"));
  CHECK(refused_at(dir.file("real.db")).code == fault_code::configuration);
  CHECK_FALSE(fs::exists(dir.file("victim")));
}

TEST_CASE("A directory on the way may be a symbolic link", "[store]") {
  const temp_dir dir;
  fs::create_directory(dir.file("data"));
  fs::create_directory_symlink(dir.file("data"), dir.file("alias"));
  open_at(dir.file("alias") + "/p.db");
  CHECK(fs::exists(dir.file("data") + "/p.db"));
}

TEST_CASE("A path that cannot hold a database is refused with a sentence", "[store]") {
  const temp_dir dir;
  fs::create_directory(dir.file("folder"));
  std::ofstream{dir.file("plain")} << "x";
  REQUIRE(::mkfifo(dir.file("pipe").c_str(), 0600) == 0);
  using namespace std::string_literals;
  for (const auto& path :
       {""s, dir.file("missing/p.db"), dir.file("plain/p.db"), dir.file("folder"),
        dir.file("folder") + "/", dir.file("pipe"), dir.file("a\0b"s)}) {
    const auto why = refused_at(path);
    CHECK(why.code == fault_code::configuration);
    CHECK_FALSE(why.sentence.empty());
  }
  CHECK_FALSE(fs::exists(dir.file("missing")));
}

TEST_CASE("A relative path is meant from the working directory", "[store]") {
  const temp_dir dir;
  const auto before = fs::current_path();
  fs::current_path(fs::path{dir.file()}.parent_path());
  const auto s = open_store({"here.db"});
  fs::current_path(before);
  CHECK(s.has_value());
  CHECK(fs::exists(dir.file("here.db")));
}

TEST_CASE("A directory that we may not write into is a fault with a sentence", "[store]") {
  if (::geteuid() == 0) {
    WARN("skipped: root may write everywhere");
    return;
  }
  const temp_dir dir;
  fs::create_directory(dir.file("closed"));
  fs::permissions(dir.file("closed"), fs::perms{0500});
  const auto why = refused_at(dir.file("closed/p.db"));
  CHECK(why.code == fault_code::configuration);
  CHECK_FALSE(why.sentence.empty());
}

TEST_CASE("An empty file of ours becomes a database", "[store]") {
  const temp_dir dir;
  raw(dir.file()); // made, then the process died
  auto s = open_at(dir.file());
  CHECK(need(s->counts()).rooms == 0);
}

TEST_CASE("The write-ahead log stays bounded under a stream of writes", "[store][I7]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  std::uintmax_t largest = 0;
  for (int i = 0; i < 3'000; ++i) {
    const auto n = std::to_string(i);
    need(alone(*s, [&] {
      return s->admit(batch("s" + n, {event("$" + n, "!r:x", std::string(8'000, 'x'))}));
    }));
    largest = std::max(largest, fs::file_size(dir.file() + "-wal"));
  }
  CHECK(fs::file_size(dir.file()) > (1u << 20)); // what was logged went into the file
  CHECK(largest < (12u << 20));
}
