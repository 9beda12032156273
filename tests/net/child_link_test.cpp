// carrier::process: real children as links.
#include "bridges/net/confine.hpp"
#include "bridges/net/lines.hpp"
#include "tests/net/fixtures.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace fixtures;
namespace fs = std::filesystem;
using how = pb::link_closed::how;
using texts = std::vector<std::string>;

namespace {

struct folder {
  folder() {
    auto name = (fs::temp_directory_path() / "pb-child-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

/// A link to a child in a folder of its own.
struct child {
  folder cwd;
  pb::io_runtime io;
  std::unique_ptr<pb::dialer> dialer = pb::make_dialer(io);
  std::shared_ptr<events> e = std::make_shared<events>();
  std::shared_ptr<peers::inbox<std::string>> complaints =
      std::make_shared<peers::inbox<std::string>>();
  pb::link_request request;
  std::shared_ptr<pb::link> link;

  explicit child(std::vector<std::string> command) {
    request.by = pb::carrier::process;
    request.child.command = std::move(command);
    request.child.cwd = cwd.path;
    request.child.on_stderr = [c = complaints](std::string line) { c->put(std::move(line)); };
  }

  child& dial() {
    link = dialer->dial(request, e);
    return *this;
  }
  pb::link_closed end() {
    auto why = e->end();
    CHECK(e->closed.size() == 1);
    return why;
  }
  /// Runs to its end; what it said.
  texts run() {
    dial();
    end();
    return e->texts.all();
  }
};

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }
std::vector<std::string> python(const std::string& script) {
  return {"/usr/bin/python3", "-c", script};
}

/// No such process, or one that has ended and waits for whoever adopted it.
bool gone(int pid) {
  for (int i = 0; i < 500; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string all((std::istreambuf_iterator<char>(stat)), {});
    const auto name_end = all.rfind(')');
    if (name_end == std::string::npos || all.substr(name_end, 4).find('Z') != std::string::npos)
      return true;
    std::this_thread::sleep_for(10ms); // nobody tells about processes that are not ours
  }
  return false;
}

bool reaped(int pid) { return !fs::exists("/proc/" + std::to_string(pid)); }

bool has_landlock() {
  if (pb::net::landlock_version() > 0)
    return true;
  WARN("SKIPPED: this kernel has no Landlock");
  return false;
}

} // namespace

TEST_CASE("lines go to a child and come back, those sent before it runs too") {
  child c({"cat"});
  c.dial();
  std::vector<std::string> sent;
  for (int i = 0; i < 60; ++i) {
    sent.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i) * 100, 'x'));
    REQUIRE(c.link->send(sent.back()));
  }
  REQUIRE(c.e->texts.wait(60));
  CHECK(c.e->texts.all() == sent);
  CHECK_FALSE(c.link->send("no\nline"));
  c.link->close();
  const auto why = c.end();
  CHECK(why.reason == how::closed);
  CHECK(why.code == 0);
  CHECK_FALSE(c.link->send("after"));
  CHECK(c.io.counters().children_started == 1);
  CHECK(c.io.counters().children_killed == 0);
}

TEST_CASE("lines that were queued reach a child that is closed in the same breath") {
  child c(shell("read a; read b; echo \"$a $b\" > said"));
  c.dial();
  CHECK(c.link->send("last"));
  CHECK(c.link->send("words"));
  c.link->close();
  CHECK(c.end().reason == how::closed);
  std::ifstream said(c.cwd.path / "said");
  std::string line;
  std::getline(said, line);
  CHECK(line == "last words");
}

TEST_CASE("how a child ended is told, after all that it said") {
  child by_itself(shell("echo one; echo two; exit 3"));
  CHECK(by_itself.run() == texts{"one", "two"});
  CHECK(by_itself.end().reason == how::closed);
  CHECK(by_itself.end().code == 3);
  CHECK(by_itself.e->open.wait(0ms));
  child killed(shell("echo one; kill -9 $$"));
  CHECK(killed.run() == texts{"one"});
  CHECK(killed.end().reason == how::broken);
  CHECK(killed.end().code == 128 + 9);
  child at_once({"true"});
  CHECK(at_once.run().empty());
  CHECK(at_once.end().reason == how::closed);
  CHECK(at_once.e->open.wait(0ms));
}

TEST_CASE("CR LF ends a line, empty lines and an unfinished last one are left out") {
  CHECK(child(shell("printf 'a\\r\\n\\n\\r\\n b \\nlast'")).run() == texts{"a", " b "});
  child slow(python("import os,time\nfor b in b'one\\r\\ntw\\xc3\\xb6\\n':\n"
                    " os.write(1, bytes([b])); time.sleep(0.005)"));
  CHECK(slow.run() == texts{"one", "tw\xc3\xb6"});
}

TEST_CASE("lines are found however their bytes are cut, and a limit counts without their end") {
  using pb::net::line_reader;
  const auto read = [](const texts& pieces, line_reader::past_limit then) {
    line_reader r(4, then);
    texts out;
    for (std::string_view piece : pieces)
      while (auto line = r.next(piece))
        out.push_back(*line);
    if (r.too_large())
      out.emplace_back("TOO LARGE");
    return out;
  };
  constexpr auto strict = line_reader::past_limit::is_too_large;
  constexpr auto cut = line_reader::past_limit::is_cut;
  const std::string good = "abcd\r\n\r\nabcd\n\na\rb\nab\n", bad = "abcd\nabcde\nab\n";
  const std::string tricky = "abcd\r\nabcd\re\nab\n", huge = std::string(9999, 'x') + "\nab\n";
  for (std::size_t i = 0; i <= good.size(); ++i) {
    CAPTURE(i);
    CHECK(read({good.substr(0, i), good.substr(i)}, strict) == texts{"abcd", "abcd", "a\rb", "ab"});
    const auto at = std::min(i, bad.size()), there = std::min(i, tricky.size());
    CHECK(read({bad.substr(0, at), bad.substr(at)}, strict) == texts{"abcd", "TOO LARGE"});
    CHECK(read({bad.substr(0, at), bad.substr(at)}, cut) == texts{"abcd", "abcd", "ab"});
    CHECK(read({tricky.substr(0, there), tricky.substr(there)}, strict) ==
          texts{"abcd", "TOO LARGE"});
    CHECK(read({huge.substr(0, i), huge.substr(i)}, cut) == texts{"xxxx", "ab"});
  }
}

TEST_CASE("a line of exactly the limit passes, one byte more or no UTF-8 ends the child") {
  child fits(python("print('x' * 1000)"));
  fits.request.frame_limit = 1000;
  CHECK(fits.run() == texts{std::string(1000, 'x')});
  child over(python("import time\nprint('ok'); print('x' * 1001, flush=True); time.sleep(60)"));
  over.request.frame_limit = 1000;
  CHECK(over.run() == texts{"ok"});
  CHECK(over.end().reason == how::protocol);
  child endless(python("import os\nwhile True: os.write(1, b'x' * 65536)"));
  endless.request.frame_limit = 1000;
  CHECK(endless.run().empty());
  CHECK(endless.end().reason == how::protocol);
  child latin(shell("printf 'ok\\n\\377\\n'; sleep 60"));
  CHECK(latin.run() == texts{"ok"});
  CHECK(latin.end().reason == how::protocol);
}

TEST_CASE("a child's environment, folder, group, signals and descriptors are as promised") {
  child env({"env"});
  ::setenv("PB_TEST_SECRET", "x", 1);
  env.request.child.env = {{"AGENT", "7"}, {"LANG", "C.UTF-8"}};
  std::vector<std::string> names;
  for (const auto& line : env.run()) {
    names.push_back(line.substr(0, line.find('=')));
    if (names.back() == "AGENT" || names.back() == "LANG")
      CHECK((line == "AGENT=7" || line == "LANG=C.UTF-8"));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::remove(names.begin(), names.end(), "HOME"), names.end()); // if we have one
  CHECK(names == texts{"AGENT", "LANG", "PATH", "TMPDIR"});

  const int leak = ::open("/dev/null", O_RDONLY); // without O_CLOEXEC
  child state(
      python("import os,resource,ctypes\nprint(os.getcwd())\n"
             "print(os.getpgrp() == os.getpid())\n"
             "print(resource.getrlimit(resource.RLIMIT_CORE))\n"
             "n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)\n"
             "print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"));
  CHECK(state.run() ==
        texts{state.cwd.path.string(), "True", "(0, 0)", std::to_string(SIGKILL), "[0, 1, 2]"});
  ::close(leak);
  child signals({"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"});
  CHECK(signals.run() == texts{"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"});
}

TEST_CASE("a command is looked up in the PATH that it gets, and is no shell's") {
  folder tools;
  const auto tool = tools.path / "greet me";
  std::ofstream(tool) << "#!/bin/sh\necho \"hello $1\"\n";
  fs::permissions(tool, fs::perms::owner_all);
  child c({"greet me", "$HOME; exit 1"});
  c.request.child.env = {{"PATH", "relative::/nonexistent:" + tools.path.string() + ":/bin"}};
  CHECK(c.run() == texts{"hello $HOME; exit 1"});
}

TEST_CASE("what cannot be started is refused, with its cause") {
  const auto refusal = [](std::vector<std::string> command, const std::string& cwd = "/") {
    child c(std::move(command));
    c.request.child.cwd = cwd;
    CHECK(c.run().empty());
    CHECK_FALSE(c.e->open.wait(0ms));
    const auto why = c.end();
    CHECK(why.reason == how::refused);
    CHECK(why.code == 0);
    return why.cause;
  };
  CHECK(refusal({"no-such-program"}) == "no-such-program: No such file or directory");
  CHECK(refusal({"/etc/passwd"}) == "/etc/passwd: Permission denied");
  CHECK(refusal({"true"}, "/nonexistent") == "the folder /nonexistent: No such file or directory");
  CHECK(refusal({}) == "no command");
  CHECK(refusal({"true"}, "") == "no working folder");
  CHECK_FALSE(refusal({"true", std::string("a\0b", 3)}).empty());
}

TEST_CASE("what a child says on stderr arrives by lines, cut, and before its end") {
  child c(python("import sys\nsys.stderr.write('one\\n' + 'x' * 5000 + '\\n\\nunfinished')"));
  const auto closed_first = std::make_shared<std::atomic<bool>>(false);
  c.request.child.on_stderr = [box = c.complaints, e = c.e, closed_first](std::string line) {
    *closed_first = *closed_first || e->closed.size() > 0;
    box->put(std::move(line));
  };
  CHECK(c.run().empty());
  CHECK(c.complaints->all() == texts{"one", std::string(1000, 'x'), "unfinished"});
  CHECK_FALSE(*closed_first);
}

TEST_CASE("a child's output pauses when too much is not worked off, to the end") {
  child c(python("for i in range(300): print('x' * 1000)"));
  c.request.unread_limit = 10'000;
  c.dial();
  REQUIRE(c.e->texts.wait(11));
  CHECK_FALSE(c.e->texts.wait(12, 100ms));
  for (int i = 0; i < 2000 && c.e->closed.size() == 0; ++i) {
    c.link->consumed(1'000);
    c.e->texts.wait(c.e->texts.size() + 1, 5ms);
  }
  CHECK(c.end().reason == how::closed);
  CHECK(c.e->texts.size() == 300);
}

TEST_CASE("the queue to a child takes its cap, and one that reads no more does not hurt") {
  child deaf({"sleep", "60"});
  deaf.request.send_queue = 3;
  deaf.dial();
  REQUIRE(deaf.e->open.wait());
  for (int i = 0; i < 3; ++i)
    CHECK(deaf.link->send(std::string(1'000'000, 'x')));
  CHECK_FALSE(deaf.link->send("x"));
  deaf.link->close();
  CHECK(deaf.end().reason == how::closed);

  child closed_ears(shell("exec 0<&-; echo ready; sleep 0.3; echo still here"));
  closed_ears.dial();
  REQUIRE(closed_ears.e->texts.wait(1));
  for (int i = 0; i < 1000 && closed_ears.link->send("x"); ++i)
    std::this_thread::sleep_for(1ms); // the kernel tells with the first write, whenever that is
  CHECK_FALSE(closed_ears.link->send("x"));
  CHECK(closed_ears.end().reason == how::closed);
  CHECK(closed_ears.e->texts.all() == texts{"ready", "still here"});
}

TEST_CASE("closing goes from the end of the input over SIGTERM to SIGKILL") {
  using clock = std::chrono::steady_clock;
  child obeys({"sleep", "60"});
  obeys.dial();
  REQUIRE(obeys.e->open.wait());
  auto began = clock::now();
  obeys.link->close();
  obeys.link->close();
  CHECK(obeys.end().reason == how::closed);
  CHECK(obeys.end().code == 128 + SIGTERM);
  CHECK(clock::now() - began >= 900ms);

  child stubborn(shell("trap '' TERM; echo $$; while :; do sleep 60; done"));
  stubborn.dial();
  REQUIRE(stubborn.e->texts.wait(1));
  began = clock::now();
  stubborn.link.reset(); // the last reference closes, too
  CHECK(stubborn.end().reason == how::closed);
  CHECK(stubborn.end().code == 128 + SIGKILL);
  CHECK(clock::now() - began >= 2900ms);
  CHECK(stubborn.io.counters().children_killed == 1);
  CHECK(reaped(std::stoi(stubborn.e->texts.all()[0])));
}

TEST_CASE("a child that closes its output and lives on is ended") {
  child c(shell("echo $$; exec 1>&-; sleep 60"));
  c.dial();
  CHECK(c.end().reason == how::broken);
  CHECK(reaped(std::stoi(c.e->texts.all().at(0))));
}

TEST_CASE("what a child leaves behind ends with it, and does not hold up the end") {
  child group(shell("sleep 1000 & echo $!"));
  const auto pids = group.run();
  REQUIRE(pids.size() == 1);
  CHECK(gone(std::stoi(pids[0])));
  // One that left the group holds the output open.
  child escaped(shell("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.3"));
  const auto began = std::chrono::steady_clock::now();
  const auto said = escaped.run();
  CHECK(std::chrono::steady_clock::now() - began < 15s);
  REQUIRE(said.size() == 1);
  ::kill(std::stoi(said[0]), SIGKILL);
}

TEST_CASE("stopping the runtime leaves no child, whatever it thinks of signals") {
  child c(shell("trap '' TERM; echo $$; while :; do sleep 60; done"));
  c.dial();
  REQUIRE(c.e->texts.wait(1));
  c.io.stop(50ms);
  CHECK(c.e->closed.size() == 1);
  CHECK(reaped(std::stoi(c.e->texts.all()[0])));
  auto late = std::make_shared<events>();
  CHECK_FALSE(c.dialer->dial(c.request, late)->send("x"));
}

TEST_CASE("a confined child writes to its folder and to a temporary one of its own only") {
  if (!has_landlock())
    return;
  folder outside;
  std::ofstream(outside.path / "there") << "before";
  const std::string script =
      "cd " + outside.path.string() +
      "\ntry() { (eval \"$1\") 2>/dev/null && echo yes || echo no; }\n"
      "try 'echo x > new'; try 'echo x >> there'; try 'rm there'; try 'mkdir d'; try 'ln -s a l'\n"
      "try 'mv there other'; try 'cat there > \"$W/copy\"'; try 'mkdir \"$W/d\"'\n"
      "try 'mv \"$W/copy\" \"$W/d/moved\"'; try 'echo x > \"$TMPDIR/t\"'; try 'echo x > "
      "/dev/null'\n"
      "try 'mv \"$W/d/moved\" here'\necho \"$TMPDIR\"";
  const auto mode = GENERATE(pb::sandbox_mode::automatic, pb::sandbox_mode::required);
  child c(shell(script));
  c.request.child.sandbox = mode;
  c.request.child.env = {{"W", c.cwd.path.string()}};
  const auto said = c.run();
  REQUIRE(said.size() == 13);
  CHECK(texts(said.begin(), said.end() - 1) ==
        texts{"no", "no", "no", "no", "no", "no", "yes", "yes", "yes", "yes", "yes", "no"});
  CHECK(std::distance(fs::directory_iterator(outside.path), {}) == 1);
  CHECK(fs::exists(c.cwd.path / "d" / "moved"));
  for (int i = 0; i < 500 && fs::exists(said.back()); ++i)
    std::this_thread::sleep_for(10ms); // it is removed aside
  CHECK_FALSE(fs::exists(said.back()));
  CHECK(c.complaints->size() == 0);
}

TEST_CASE("a confined child cannot signal us, where the kernel can forbid it") {
  if (pb::net::landlock_version() < 6) {
    WARN("SKIPPED: this kernel's Landlock does not know signals");
    return;
  }
  child c(shell("kill -0 $PPID && echo yes || echo no; kill -0 $$ && echo yes"));
  CHECK(c.run() == texts{"no", "yes"});
}

TEST_CASE("without a sandbox a child writes where its user may") {
  folder outside;
  child c(shell("echo x > " + (outside.path / "new").string() + "; echo \"t${TMPDIR}\""));
  c.request.child.sandbox = pb::sandbox_mode::off;
  CHECK(c.run() == texts{"t"});
  CHECK(fs::exists(outside.path / "new"));
}

TEST_CASE("what becomes of a sandbox by what is wanted and what the kernel can do") {
  using pb::sandbox_mode;
  using pb::net::confinement;
  using pb::net::decide;
  CHECK(decide(sandbox_mode::automatic, 2) == confinement::landlock);
  CHECK(decide(sandbox_mode::automatic, 0) == confinement::unavailable);
  CHECK(decide(sandbox_mode::required, 1) == confinement::landlock);
  CHECK(decide(sandbox_mode::required, 0) == confinement::refused);
  CHECK(decide(sandbox_mode::off, 7) == confinement::none);
}
