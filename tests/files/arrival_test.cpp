#include "bridges/files/arrival.hpp"
#include "tests/files/support.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>

using namespace pb;
using namespace pb::files;
namespace fs = std::filesystem;

namespace {

struct workspace : test::scratch {
  workspace() { fs::create_directory(path / "ws"); }
  file_settings rules;
  int made = 0;

  result<std::unique_ptr<arrival>> begin(std::int64_t promised = -1,
                                         const std::string& below = "ws",
                                         const std::string& user = "@bob:e.org") {
    return arrival::begin(rules, {(path / below).string(), user_id{user}, platform_chat_id{7}},
                          "t" + std::to_string(++made), promised);
  }
  /// The path in the workspace, or "! " and why there is none.
  std::string bring(const std::string& name, const std::string& text = "x") {
    auto a = begin(static_cast<std::int64_t>(text.size()));
    if (!a)
      return "! " + a.error().cause;
    CHECK((*a)->body()->append(text) == 0);
    const auto staged = (*a)->finish(name);
    return staged ? staged->path : "! " + staged.error().cause;
  }
};

unsigned mode_of(const fs::path& p) {
  return static_cast<unsigned>(fs::status(p).permissions() & fs::perms::mask);
}

} // namespace

TEST_CASE_METHOD(workspace, "a file comes under a hidden name and then gets its own", "[arrival]") {
  const auto before = ::umask(077);
  auto a = begin(4);
  REQUIRE(a);
  CHECK((*a)->limit() == rules.max_bytes);
  CHECK((*a)->body()->append("te") == 0);
  CHECK_FALSE(fs::exists(path / "ws/incoming/7/note.txt"));
  CHECK(count("ws/incoming/7") == 1);
  CHECK((*a)->body()->append("xt") == 0);
  const auto staged = (*a)->finish("note.txt");
  ::umask(before);
  REQUIRE(staged);
  CHECK(staged->path == "incoming/7/note.txt");
  CHECK(staged->size == 4);
  a->reset();
  CHECK(read("ws/incoming/7/note.txt") == "text");
  CHECK(count("ws/incoming/7") == 1);
  CHECK(mode_of(path / "ws/incoming/7/note.txt") == 0664);
  CHECK(mode_of(path / "ws/incoming/7") == 0775);
}

TEST_CASE_METHOD(workspace, "without an end nothing is left", "[arrival]") {
  auto a = begin();
  REQUIRE(a);
  CHECK((*a)->body()->append("half") == 0);
  a->reset();
  CHECK(count("ws/incoming/7") == 0);
}

TEST_CASE_METHOD(workspace, "files have the workspace's group", "[arrival]") {
  if (::geteuid() != 0) {
    WARN("not root: no other group to give");
    return;
  }
  REQUIRE(::chown((path / "ws").c_str(), static_cast<uid_t>(-1), 12345) == 0);
  CHECK(bring("a") == "incoming/7/a");
  for (const char* name : {"ws/incoming", "ws/incoming/7", "ws/incoming/7/a"}) {
    struct stat what {};
    REQUIRE(::stat((path / name).c_str(), &what) == 0);
    CHECK(what.st_gid == 12345);
  }
}

TEST_CASE_METHOD(workspace, "with files.incoming empty they lie in the root, without a quota",
                 "[arrival]") {
  rules.incoming = GENERATE("", ".", "./");
  rules.chat_quota = 5;
  write("ws/large-of-the-agent", std::string(100, 'x'));
  CHECK(bring("a.txt") == "a.txt");
  CHECK(bring("a.txt") == "a (2).txt");
}

TEST_CASE_METHOD(workspace, "a name that is there already gets a number, 1,000 times",
                 "[arrival]") {
  write("ws/incoming/7/a.txt", "the first");
  fs::create_directory(path / "ws/incoming/7/a (2).txt"); // whatever it is, it stays
  fs::create_symlink("nowhere", path / "ws/incoming/7/a (3).txt");
  CHECK(bring("a.txt") == "incoming/7/a (4).txt");
  for (int n = 5; n <= 1'000; ++n)
    REQUIRE(bring("a.txt") == "incoming/7/a (" + std::to_string(n) + ").txt");
  CHECK(read("ws/incoming/7/a.txt") == "the first");
  CHECK(fs::is_symlink(path / "ws/incoming/7/a (3).txt"));
  CHECK_FALSE(fs::exists(path / "ws/incoming/7/nowhere"));
}

TEST_CASE_METHOD(workspace, "a link in the way is refused, and nothing is written behind it",
                 "[arrival]") {
  fs::create_directory(path / "out");
  SECTION("for the incoming folder") {
    fs::create_directory_symlink(path / "out", path / "ws/incoming");
  }
  SECTION("for the chat's folder") {
    fs::create_directory(path / "ws/incoming");
    fs::create_directory_symlink(path / "out", path / "ws/incoming/7");
  }
  const auto a = begin();
  REQUIRE_FALSE(a);
  CHECK(a.error().code == fault_code::refused);
  CHECK(count("out") == 0);
}

TEST_CASE_METHOD(workspace, "the size is known to be too large before the first byte",
                 "[arrival]") {
  rules.max_bytes = 10;
  CHECK(begin(10));
  const auto a = begin(11);
  REQUIRE_FALSE(a);
  CHECK(a.error().code == fault_code::too_large);
  CHECK(a.error().cause.starts_with("files.max_bytes"));
}

TEST_CASE_METHOD(workspace, "a chat keeps its quota, to the byte", "[arrival]") {
  rules.chat_quota = 10;
  CHECK(bring("a", "1234567") == "incoming/7/a");
  auto a = begin(3);
  REQUIRE(a);
  CHECK((*a)->limit() == 3);
  a->reset();
  const auto over = begin(4);
  REQUIRE_FALSE(over);
  CHECK(over.error().code == fault_code::too_large);
  CHECK(over.error().cause.starts_with("files.chat_quota"));
  CHECK(bring("b", "123") == "incoming/7/b");
  const auto full = begin(-1);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == fault_code::too_large);
  rules.chat_quota = 0;
  CHECK(begin(1'000'000));
}

TEST_CASE_METHOD(workspace, "two at the same time are not more than the quota", "[arrival]") {
  rules.chat_quota = 10;
  auto a = begin(6), b = begin(6);
  REQUIRE(a);
  REQUIRE(b);
  CHECK((*a)->body()->append("123456") == 0);
  CHECK((*b)->body()->append("123456") == 0);
  CHECK((*a)->finish("a"));
  const auto late = (*b)->finish("b");
  REQUIRE_FALSE(late);
  CHECK(late.error().code == fault_code::too_large);
  b->reset();
  CHECK(count("ws/incoming/7") == 1);
}

TEST_CASE_METHOD(workspace, "a chat keeps 10,000 files", "[arrival]") {
  CHECK(bring("a") == "incoming/7/a");
  for (std::size_t i = 1; i < arrival::most_files - 1; ++i)
    ::close(::open((path / "ws/incoming/7" / std::to_string(i)).c_str(), O_CREAT | O_WRONLY, 0600));
  CHECK(bring("b") == "incoming/7/b");
  CHECK(bring("c") == "! the chat's folder holds too many files");
}

TEST_CASE_METHOD(workspace, "what a crash left is removed after a day", "[arrival]") {
  write("ws/incoming/7/.patchbay-old.part", "x");
  write("ws/incoming/7/.patchbay-young.part", "x");
  write("ws/incoming/7/.of-the-agent", "x");
  const auto now = ::time(nullptr);
  const auto age = [&](const char* name, long hours) {
    const timespec t{now - hours * 3600, 0};
    const timespec both[] = {t, t};
    REQUIRE(::utimensat(AT_FDCWD, (path / "ws/incoming/7" / name).c_str(), both, 0) == 0);
  };
  age(".patchbay-old.part", 25);
  age(".patchbay-young.part", 23);
  age(".of-the-agent", 1000);
  CHECK(bring("a") == "incoming/7/a");
  CHECK_FALSE(fs::exists(path / "ws/incoming/7/.patchbay-old.part"));
  CHECK(fs::exists(path / "ws/incoming/7/.patchbay-young.part"));
  CHECK(fs::exists(path / "ws/incoming/7/.of-the-agent"));
}

TEST_CASE_METHOD(workspace, "a person's workspace is made, the agents' folder is not",
                 "[arrival]") {
  auto a = begin(-1, "ws/{user}/box");
  REQUIRE(a);
  CHECK((*a)->finish("a"));
  CHECK(fs::exists(path / "ws/bob=3ae.org/box/incoming/7/a"));
  REQUIRE(begin(-1, "ws/u-{user}", "@eve:e.org"));
  CHECK(fs::exists(path / "ws/u-eve=3ae.org"));
  for (const char* below : {"missing", "missing/{user}"}) {
    const auto none = begin(-1, below);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == fault_code::storage);
  }
  // A link in the place of a person's folder may lead to another's.
  fs::create_directory_symlink(path / "ws/bob=3ae.org", path / "ws/mallory=3ae.org");
  const auto other = begin(-1, "ws/{user}", "@mallory:e.org");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == fault_code::refused);
}
