#include "tests/bench/world/subject.hpp"

#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace pb::bench {

namespace {

std::int64_t read_clock(clockid_t id) {
  timespec t{};
  return clock_gettime(id, &t) == 0 ? std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec : 0;
}

void check(bool good, const char* what) {
  if (!good)
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

subject::~subject() {
  if (pid_ > 0 && !gone_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
}

void subject::start(const std::vector<std::string>& argv, const std::string& log,
                    std::function<void()> on_ready, std::function<void()> on_gone) {
  on_ready_ = std::move(on_ready);
  on_gone_ = std::move(on_gone);
  std::vector<char*> words;
  for (const auto& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int pipe_ends[2];
  check(::pipe2(pipe_ends, O_CLOEXEC) == 0, "pipe2");
  const int err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  check(err >= 0, log.c_str());
  pid_ = ::fork();
  check(pid_ >= 0, "fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  ::close(err);
  out_.assign(pipe_ends[0]);
  chunk_.resize(4'096);
  read();
}

void subject::read() {
  out_.async_read_some(boost::asio::buffer(chunk_),
                       [this](boost::system::error_code ec, std::size_t size) {
                         if (ec)
                           return on_gone_();
                         for (std::size_t i = 0; i < size; ++i) {
                           if (chunk_[i] != '\n') {
                             line_ += chunk_[i];
                             continue;
                           }
                           if (line_.rfind("ready", 0) == 0)
                             on_ready_();
                           line_.clear();
                         }
                         read();
                       });
}

usage subject::measure() const {
  usage u;
  u.wall_ns = read_clock(CLOCK_MONOTONIC);
  u.world_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  clockid_t clock = 0; // of all its threads, in nanoseconds; /proc/PID/stat counts in 10 ms
  if (::clock_getcpuclockid(pid_, &clock) == 0)
    u.subject_ns = read_clock(clock);
  std::ifstream stat("/proc/stat");
  std::string word;
  std::int64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0,
               steal = 0;
  stat >> word >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
  const std::int64_t tick = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
  u.machine_ns = (user + nice + system + irq + softirq) * tick;
  u.stolen_ns = steal * tick;
  return u;
}

memory subject::size() const {
  memory m;
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "VmRSS:")
      words >> m.rss_kb;
    else if (name == "VmHWM:")
      words >> m.peak_kb;
    else if (name == "Threads:")
      words >> m.threads;
  }
  std::error_code ec;
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid_) + "/fd", ec), end;
       !ec && at != end; at.increment(ec))
    ++m.files;
  return m;
}

void subject::terminate() const {
  if (pid_ > 0 && !gone_)
    ::kill(pid_, SIGTERM);
}

void subject::kill() {
  if (pid_ > 0 && !gone_)
    ::kill(pid_, SIGKILL);
}

bool subject::ended() {
  if (pid_ > 0 && !gone_)
    gone_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return pid_ <= 0 || gone_;
}

int subject::exit_code() const {
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

} // namespace pb::bench
