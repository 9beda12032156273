#include "bridges/net/spawn.hpp"

#include "bridges/net/confine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pb::net {

namespace {

constexpr const char* usual_path = "/usr/local/bin:/usr/bin:/bin";
constexpr int first_free = 4; ///< 0 to 2 and the pipe that tells of the start

using environment = std::map<std::string, std::string>;

environment environment_of(const child_process& child, const std::string& temporary) {
  environment out;
  for (const char* name : {"PATH", "HOME", "LANG"})
    if (const char* value = std::getenv(name)) // NOLINT(concurrency-mt-unsafe): nobody sets any
      out[name] = value;
  if (!temporary.empty())
    out["TMPDIR"] = temporary;
  for (const auto& [name, value] : child.env)
    out[name] = value;
  return out;
}

/// Where the program may be, in this order.
std::vector<std::string> candidates(const std::string& program, const environment& env) {
  if (program.find('/') != std::string::npos)
    return {program};
  const auto found = env.find("PATH");
  std::string_view path = found == env.end() ? usual_path : std::string_view(found->second);
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    if (path[0] == '/') // others begin in the working folder, where the agent itself can write
      out.push_back(std::string(path.substr(0, end)) + "/" + program);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out(texts.size() + 1); // the last one is null
  std::transform(texts.begin(), texts.end(), out.begin(), [](auto& t) { return t.data(); });
  return out;
}

/// Everything that the child needs, made before it is there: it may not allocate.
struct preparation {
  std::vector<std::string> programs, arguments, variables;
  std::vector<char*> program, argument, variable;
  std::array<const char*, 3> writable{};
  const char* folder = nullptr;
  int landlock = 0;
  int in = -1, out = -1, err = -1, start = -1;
  pid_t parent = -1;
};

[[noreturn]] void fail(start_failure::step at, int error) {
  const start_failure f{at, error};
  [[maybe_unused]] const auto told = ::write(3, &f, sizeof f);
  ::_exit(127);
}

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const preparation& p) {
  if (::dup3(p.start, 3, O_CLOEXEC) < 0)
    ::_exit(127);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::setpgid(0, 0) != 0)
    fail(start_failure::process, errno);
  if (::getppid() != p.parent) // it ended before the line above
    ::_exit(127);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &usual, nullptr); // some cannot be set: those cannot be ignored either
  if (::dup2(p.in, 0) < 0 || ::dup2(p.out, 1) < 0 || ::dup2(p.err, 2) < 0 ||
      ::close_range(first_free, ~0U, 0) != 0)
    fail(start_failure::streams, errno);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (::chdir(p.folder) != 0)
    fail(start_failure::folder, errno);
  if (p.landlock > 0)
    if (const int wrong = confine(p.writable.data(), p.landlock); wrong != 0)
      fail(start_failure::confining, wrong);
  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
  int wrong = ENOENT;
  for (char* program : p.program) {
    if (program == nullptr)
      break;
    ::execve(program, p.argument.data(), p.variable.data());
    if (errno != ENOENT && errno != ENOTDIR)
      wrong = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
      break;
  }
  fail(start_failure::running, wrong);
}

std::string message(int error) { return std::generic_category().message(error); }

/// Never below first_free, where the child's own will be.
unique_fd up(int fd) {
  if (fd >= first_free || fd < 0)
    return unique_fd(fd);
  unique_fd low(fd);
  return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, first_free));
}

bool make_pipe(unique_fd& reads, unique_fd& writes) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return false;
  reads = up(ends[0]);
  writes = up(ends[1]);
  return reads.get() >= 0 && writes.get() >= 0;
}

bool has_zero(const std::string& s) { return s.find('\0') != std::string::npos; }

std::string fault_of(const child_process& child) {
  if (child.command.empty() || child.command.front().empty())
    return "no command";
  if (child.cwd.empty())
    return "no working folder";
  bool good = !has_zero(child.cwd);
  for (const auto& word : child.command)
    good = good && !has_zero(word);
  for (const auto& [name, value] : child.env)
    good = good && !name.empty() && name.find('=') == std::string::npos && !has_zero(name) &&
           !has_zero(value);
  return good ? "" : "a NUL in the command, or a name that no variable can have";
}

} // namespace

std::string describe(const start_failure& f, const child_process& child) {
  switch (f.at) {
  case start_failure::folder:
    return "the folder " + child.cwd + ": " + message(f.error);
  case start_failure::confining:
    return "it cannot be confined: " + message(f.error);
  case start_failure::running:
    return child.command.front() + ": " + message(f.error);
  default:
    return "the process cannot be prepared: " + message(f.error);
  }
}

tl::expected<spawned, std::string> spawn(const child_process& child, const std::string& temporary,
                                         int landlock) {
  if (auto fault = fault_of(child); !fault.empty())
    return tl::unexpected<std::string>(std::move(fault));
  const auto env = environment_of(child, temporary);
  preparation p;
  p.programs = candidates(child.command.front(), env);
  p.arguments = child.command;
  for (const auto& [name, value] : env)
    p.variables.emplace_back(name).append("=").append(value);
  p.program = pointers(p.programs);
  p.argument = pointers(p.arguments);
  p.variable = pointers(p.variables);
  p.folder = child.cwd.c_str();
  p.writable = {".", temporary.empty() ? nullptr : temporary.c_str(), nullptr};
  p.landlock = landlock;
  p.parent = ::getpid();

  spawned out;
  unique_fd in, written, complaints, start;
  if (!make_pipe(in, out.in) || !make_pipe(out.out, written) || !make_pipe(out.err, complaints) ||
      !make_pipe(out.start, start))
    return tl::unexpected<std::string>("pipes: " + message(errno));
  p.in = in.get();
  p.out = written.get();
  p.err = complaints.get();
  p.start = start.get();

  // A signal that came to the child now would run our own handlers there.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  out.pid = ::fork();
  if (out.pid == 0)
    become(p);
  const int wrong = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (out.pid < 0)
    return tl::unexpected<std::string>("fork: " + message(wrong));
  ::setpgid(out.pid, out.pid); // both do it: whoever is first
  out.process = unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, out.pid, 0)));
  if (out.process.get() < 0) {
    const int cause = errno;
    ::kill(out.pid, SIGKILL);
    ::waitpid(out.pid, nullptr, 0);
    return tl::unexpected<std::string>("pidfd_open: " + message(cause));
  }
  return out;
}

} // namespace pb::net
