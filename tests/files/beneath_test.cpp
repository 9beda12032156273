#include "bridges/files/beneath.hpp"
#include "tests/files/support.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <thread>

using namespace pb;
using namespace pb::files;
namespace fs = std::filesystem;

namespace {

struct workspace : test::scratch {
  workspace() {
    fs::create_directory(path / "ws");
    write("secret", "SECRET");
    folder = std::move(*open_folder((path / "ws").string()));
  }
  /// What comes out: the text, or "! " and the code's cause.
  std::string open(const std::string& name, std::uint64_t most = 1000) const {
    const auto got = open_beneath(folder.get(), name, most);
    if (!got)
      return "! " + got.error().cause;
    std::string text(got->size, '\0');
    const file_body body(unique_fd(::dup(got->fd.get())), got->size);
    CHECK(body.read(0, text.data(), text.size()) == text.size());
    return text;
  }
  fault_code code(const std::string& name, std::uint64_t most = 1000) const {
    const auto got = open_beneath(folder.get(), name, most);
    return got ? fault_code::bug : got.error().code;
  }
  unique_fd folder;
};

} // namespace

TEST_CASE_METHOD(workspace, "a regular file is opened, with hard links, too", "[beneath]") {
  write("ws/a/b.txt", "text");
  fs::create_hard_link(path / "ws/a/b.txt", path / "ws/c");
  CHECK(open("a/b.txt") == "text");
  CHECK(open("c") == "text");
  write("ws/empty", "");
  CHECK(open("empty").empty());
  CHECK(code("nothing") == fault_code::not_found);
  CHECK(code("a/b.txt/c") == fault_code::not_found);
  CHECK(code(std::string(300, 'n')) == fault_code::refused);
}

TEST_CASE_METHOD(workspace, "a symbolic link is refused at every position", "[beneath]") {
  write("ws/in/side/file", "text");
  write("out/side/file", "SECRET");
  const auto ws = path / "ws";
  fs::create_symlink(path / "secret", ws / "last");
  fs::create_symlink("in/side/file", ws / "harmless"); // also one that stays inside
  fs::create_directory_symlink(path / "out", ws / "first");
  fs::create_directory_symlink(path / "out/side", ws / "in/middle");
  fs::create_directory_symlink("/proc/self/root", ws / "magic");
  fs::create_symlink("loop", ws / "loop");
  for (const char* name : {"last", "harmless", "first/side/file", "in/middle/file",
                           "magic/etc/passwd", "loop", "loop/x"}) {
    CAPTURE(name);
    CHECK(code(name) == fault_code::refused);
  }
}

TEST_CASE_METHOD(workspace, "there is no way out of the folder", "[beneath]") {
  for (const char* name : {"../secret", "a/../../secret", "/etc/passwd", "..", "ws/../../secret"}) {
    CAPTURE(name);
    CHECK_FALSE(open_beneath(folder.get(), name, 1000));
  }
  CHECK(code("../secret") == fault_code::refused);
  CHECK(code("/etc/passwd") == fault_code::refused);
}

TEST_CASE_METHOD(workspace, "what is no file is refused at once", "[beneath]") {
  const auto ws = path / "ws";
  fs::create_directory(ws / "folder");
  CHECK(open("folder") == "! it is a folder, not a file");
  REQUIRE(::mkfifo((ws / "fifo").c_str(), 0666) == 0);
  CHECK(open("fifo") == "! it is not a regular file"); // without a writer an open() would wait
  const unique_fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  (ws / "socket").string().copy(name.sun_path, sizeof name.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  CHECK(open("socket") == "! it is not a regular file");
  if (::mknod((ws / "zero").c_str(), S_IFCHR | 0666, makedev(1, 5)) != 0) {
    WARN("not root: no device could be made");
    return;
  }
  CHECK(open("zero") == "! it is not a regular file");
}

TEST_CASE_METHOD(workspace, "a file of exactly the limit is opened, a larger one not",
                 "[beneath]") {
  write("ws/ten", "0123456789");
  CHECK(open("ten", 10) == "0123456789");
  CHECK(code("ten", 9) == fault_code::too_large);
}

TEST_CASE_METHOD(workspace, "without permission it is refused", "[beneath]") {
  if (::geteuid() == 0)
    return; // root may do all
  write("ws/mine", "x");
  fs::permissions(path / "ws/mine", fs::perms::none);
  CHECK(code("mine") == fault_code::refused);
}

TEST_CASE_METHOD(workspace, "a folder that becomes a link while it is walked leads nowhere",
                 "[beneath]") {
  write("ws/d/secret", "inside");
  fs::create_directory_symlink(path, path / "ws/evil"); // where "secret" is another file
  std::atomic<bool> over{false};
  std::thread agent([&] {
    const auto a = (path / "ws/d").string(), b = (path / "ws/evil").string();
    while (!over)
      ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
  });
  int inside = 0, refused = 0, else_what = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto got = open("d/secret");
    if (got == "inside")
      ++inside;
    else if (got.starts_with("! "))
      ++refused;
    else
      ++else_what;
  }
  over = true;
  agent.join();
  CHECK(else_what == 0);
  CHECK(inside > 0); // the race was run
  CHECK(refused > 0);
}

TEST_CASE_METHOD(workspace, "folders are made beneath, with group and mode, whatever the umask",
                 "[beneath]") {
  const auto before = ::umask(077);
  const auto made = make_folders(folder.get(), "a//./b/c", ::getegid(), 0775);
  ::umask(before);
  REQUIRE(made);
  for (const char* name : {"ws/a", "ws/a/b", "ws/a/b/c"})
    CHECK((fs::status(path / name).permissions() & fs::perms::mask) == fs::perms{0775});
  CHECK(make_folders(folder.get(), "a/b/c", ::getegid(), 0700));
  CHECK((fs::status(path / "ws/a").permissions() & fs::perms::mask) == fs::perms{0775}); // not ours
  fs::create_directory(path / "out");
  fs::create_directory_symlink(path / "out", path / "ws/link");
  const auto out = make_folders(folder.get(), "link/x", ::getegid(), 0775);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == fault_code::refused);
  CHECK(count("out") == 0);
  CHECK_FALSE(make_folders(folder.get(), "../y", ::getegid(), 0775));
  write("ws/file", "x");
  CHECK_FALSE(make_folders(folder.get(), "file/x", ::getegid(), 0775));
}

TEST_CASE("a workspace that is not there is told apart", "[beneath]") {
  const auto got = open_folder("/nonexistent/workspace");
  REQUIRE_FALSE(got);
  CHECK(got.error().code == fault_code::not_found);
  CHECK_FALSE(open_folder("/etc/passwd"));
}
