#include "bridges/net/child_session.hpp"

#include "bridges/net/confine.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/wait.h>

namespace pb::net {

namespace {

using how = link_closed::how;
using namespace std::chrono_literals;

constexpr std::size_t pipe_read = 16 * 1024;
constexpr std::size_t complaint_limit = 1'000;
constexpr int last_complaints = 64;  ///< reads of what a child that has ended left behind
constexpr auto close_patience = 1s;  ///< from the end of its input to SIGTERM
constexpr auto term_patience = 2s;   ///< from SIGTERM to SIGKILL
constexpr auto output_patience = 2s; ///< from the end of its output to SIGTERM
constexpr int cut_patience = 500;    ///< ms for the kernel to end what was killed

} // namespace

child_session::child_session(core& c, const link_request& limits)
    : core_(c), send_queue_(limits.send_queue), open_timeout_(limits.connect_timeout), timer_(c.io),
      unread_(limits.unread_limit), process_(c.io.get_executor()), in_(c.io.get_executor()),
      out_(c.io.get_executor()), err_(c.io.get_executor()), start_(c.io.get_executor()),
      texts_(limits.frame_limit, line_reader::past_limit::is_too_large),
      complaints_(complaint_limit, line_reader::past_limit::is_cut) {}

child_session::~child_session() = default;

bool child_session::send(std::string text) {
  if (shut_ || text.find('\n') != std::string::npos)
    return false;
  if (out_count_.fetch_add(1) >= send_queue_) {
    --out_count_;
    return false;
  }
  return core_.post(
      [self = shared_from_this(), t = std::move(text)]() mutable { self->queue(std::move(t)); });
}

void child_session::consumed(std::size_t bytes) {
  if (unread_.consumed(bytes))
    core_.post([self = shared_from_this()] {
      if (self->unread_.paused())
        self->work();
    });
}

void child_session::close(int) {
  shut_ = true;
  core_.post([self = shared_from_this()] {
    self->end_with({how::closed, 0, "closed"}, close_patience);
  });
}

void child_session::wind_down() { end_with({how::closed, 0, "stopping"}, close_patience); }

void child_session::dial(link_request request, const std::shared_ptr<tls_context>&,
                         std::shared_ptr<link_listener> events) {
  child_ = std::move(request.child);
  events_ = std::move(events);
  timer_.bind(weak_from_this(), [this] { tick(); });
  core_.add(shared_from_this());
  if (core_.stopping())
    return finish({how::refused, 0, "stopping"});
  start();
}

void child_session::start() {
  const int version = landlock_version();
  const auto confined = decide(child_.sandbox, version);
  if (confined == confinement::refused)
    return finish({how::refused, 0, "the sandbox is required, and this kernel has no Landlock"});
  unconfined_ = confined == confinement::unavailable;
  if (confined != confinement::none) {
    temporary_ = temporary_folder::make();
    if (temporary_.path().empty())
      return finish({how::refused, 0, "no temporary folder can be made for it"});
  }
  auto made = spawn(child_, temporary_.path(), confined == confinement::landlock ? version : 0);
  if (!made)
    return finish({how::refused, 0, std::move(made.error())});
  ++core_.counters.children_started;
  pid_ = made->pid;
  process_.assign(made->process.release());
  in_.assign(made->in.release());
  out_.assign(made->out.release());
  err_.assign(made->err.release());
  start_.assign(made->start.release());
  open_deadline_ = from_now(open_timeout_);
  set_deadline();
  await_exit();
  await_start();
  listen_to_complaints();
}

/// The pipe of the start closes when the program runs, or tells why it cannot.
void child_session::await_start() {
  start_.async_read_some(asio::buffer(&failure_, sizeof failure_),
                         [self = shared_from_this()](error_code, std::size_t n) {
                           if (!self->over_)
                             self->started(n);
                         });
}

void child_session::started(std::size_t told) {
  error_code ignored;
  start_.close(ignored);
  open_deadline_ = time_point::max();
  if (told == sizeof failure_)
    end_with({how::refused, 0, describe(failure_, child_)}, 0s);
  else if (!closing_)
    opened();
}

void child_session::opened() {
  open_ = true;
  set_deadline();
  core_.guarded([this] { events_->on_open(); });
  if (unconfined_ && child_.on_stderr)
    core_.guarded([this] {
      child_.on_stderr("patchbay: this kernel has no Landlock: the process is not confined");
    });
  write();
  work();
}

void child_session::queue(std::string text) {
  if (over_ || !in_.is_open()) {
    --out_count_;
    return;
  }
  lines_.push_back(std::move(text) + '\n');
  if (open_ || closing_)
    write();
}

void child_session::write() {
  if (writing_ || !in_.is_open())
    return;
  if (lines_.empty()) {
    if (closing_)
      close_input();
    return;
  }
  writing_ = true;
  const auto& front = lines_.front();
  in_.async_write_some(
      asio::buffer(front.data() + written_, front.size() - written_),
      [self = shared_from_this()](error_code ec, std::size_t n) {
        self->writing_ = false;
        if (self->over_)
          return;
        if (ec)
          return self->close_input(); // it reads no more, but may still have something to say
        self->written_ += n;
        if (self->written_ == self->lines_.front().size()) {
          self->written_ = 0;
          self->lines_.pop_front();
          --self->out_count_;
        }
        self->write();
      });
}

/// The child sees the end of its input; lines that were not written are dropped.
void child_session::close_input() {
  shut_ = true;
  error_code ignored;
  in_.close(ignored);
  if (!writing_)
    lines_.clear();
}

void child_session::read() {
  if (reading_)
    return;
  piece_.resize(pipe_read);
  if (exited_) { // what it left in the pipe, and not a byte of who else may hold the other end
    error_code ec;
    out_.non_blocking(true, ec);
    const auto n = ec ? 0 : out_.read_some(asio::buffer(piece_), ec);
    piece_left_ = std::string_view(piece_).substr(0, n);
    out_ended_ = n == 0;
    return;
  }
  reading_ = true;
  out_.async_read_some(asio::buffer(piece_),
                       [self = shared_from_this()](error_code ec, std::size_t n) {
                         self->reading_ = false;
                         if (self->over_)
                           return;
                         self->piece_left_ = std::string_view(self->piece_).substr(0, n);
                         if (ec && !self->exited_)
                           self->out_ended_ = true;
                         self->work();
                       });
}

/// Pulls until there is a reason to wait.
void child_session::work() {
  auto self = shared_from_this();
  while (!over_ && (open_ || closing_)) {
    if (closing_)
      piece_left_ = {}; // nobody waits for it; it is read so that the child can end
    else if (unread_.pause())
      return;
    unread_.resume();
    if (!piece_left_.empty()) {
      take_line();
      continue;
    }
    if (out_ended_)
      return output_ended();
    read();
    if (reading_)
      return;
  }
}

void child_session::take_line() {
  auto text = texts_.next(piece_left_);
  if (texts_.too_large())
    return end_with({how::protocol, 0, "a line over the limit"}, 0s);
  if (!text)
    return;
  if (!is_utf8(*text))
    return end_with({how::protocol, 0, "a line that is not UTF-8"}, 0s);
  unread_.handed(text->size());
  core_.guarded([&] { events_->on_text(std::move(*text)); });
}

/// The output of a child that ends is gone a moment before it. One that lives on is no link any
/// more.
void child_session::output_ended() {
  if (exited_)
    conclude();
  else if (!closing_)
    begin_close(output_patience);
}

/// Waited for and then read: what an asynchronous read has taken from the pipe would be lost if the
/// child's end was heard of before it.
void child_session::listen_to_complaints() {
  err_.async_wait(stream::wait_read, [self = shared_from_this()](error_code ec) {
    if (self->over_ || ec)
      return;
    self->read_complaints(ec);
    if (!ec || ec == asio::error::would_block)
      self->listen_to_complaints();
  });
}

/// One piece of what is there.
std::size_t child_session::read_complaints(error_code& ec) {
  std::array<char, 4096> bytes{};
  err_.non_blocking(true, ec);
  const auto n = ec ? 0 : err_.read_some(asio::buffer(bytes), ec);
  complain({bytes.data(), n});
  return n;
}

void child_session::complain(std::string_view bytes) {
  while (auto text = complaints_.next(bytes))
    if (child_.on_stderr)
      core_.guarded([&] { child_.on_stderr(std::move(*text)); });
}

void child_session::await_exit() {
  process_.async_wait(stream::wait_read, [self = shared_from_this()](error_code ec) {
    if (!ec && !self->over_)
      self->exited();
  });
}

void child_session::exited() {
  reap();
  error_code ignored;
  if (closing_)
    conclude();
  else if (reading_)
    out_.cancel(ignored); // goes on with what is left in the pipe
  else
    work(); // if it is not open yet, the pipe of the start has ended, too: it will be heard next
}

/// The group ends with its leader, while the leader's number cannot be anybody else's yet.
void child_session::reap() {
  signal_group(SIGKILL);
  siginfo_t how_it_ended{};
  const bool known =
      ::waitid(P_PID, static_cast<id_t>(pid_), &how_it_ended, WEXITED | WNOHANG) == 0 &&
      how_it_ended.si_pid == pid_;
  by_signal_ = known && how_it_ended.si_code != CLD_EXITED;
  status_ = !known ? -1 : by_signal_ ? 128 + how_it_ended.si_status : how_it_ended.si_status;
  exited_ = true;
}

void child_session::conclude() {
  for (int i = 0; i < last_complaints && err_.is_open(); ++i) {
    error_code ec;
    if (read_complaints(ec) == 0)
      break;
  }
  if (auto last = complaints_.rest(); !last.empty())
    complain(last + "\n");
  if (!verdict_ && term_sent_)
    verdict_ = {how::broken, 0, "it closed its output and did not end"};
  link_closed why = verdict_.value_or(link_closed{by_signal_ ? how::broken : how::closed, 0, {}});
  why.code = open_ ? status_ : 0;
  if (why.cause.empty())
    why.cause = by_signal_ ? "ended by signal " + std::to_string(status_ - 128)
                           : "ended with status " + std::to_string(status_);
  finish(std::move(why));
}

/// The first verdict stays.
void child_session::end_with(link_closed verdict, std::chrono::milliseconds patience) {
  if (!verdict_)
    verdict_ = std::move(verdict);
  begin_close(patience);
}

void child_session::begin_close(std::chrono::milliseconds patience) {
  if (over_ || closing_ || !events_)
    return;
  shut_ = true;
  closing_ = true;
  if (exited_)
    return conclude();
  term_at_ = from_now(patience);
  kill_at_ = term_at_ + term_patience;
  set_deadline();
  if (patience == 0s)
    close_input();
  else
    write(); // also before it runs: the pipe is there
  work();
}

void child_session::signal_group(int number) const {
  if (pid_ > 0 && !exited_ && ::kill(-pid_, number) != 0)
    ::kill(pid_, number); // it has left its group
}

void child_session::set_deadline() {
  timer_.set(std::min({open_deadline_, term_sent_ ? kill_at_ : term_at_}));
}

void child_session::tick() {
  if (over_ || exited_)
    return;
  const auto now = steady::now();
  if (now >= open_deadline_) {
    open_deadline_ = time_point::max();
    end_with({how::timed_out, 0, "it did not start in time"}, 0s);
  } else if (now >= kill_at_) {
    ++core_.counters.children_killed;
    kill_at_ = term_at_ = time_point::max();
    signal_group(SIGKILL);
  } else if (now >= term_at_ && !term_sent_) {
    term_sent_ = true;
    close_input();
    signal_group(SIGTERM);
  }
  set_deadline();
}

/// Ends now, whatever it takes.
void child_session::cut() {
  if (over_ || !events_)
    return;
  if (pid_ > 0 && !exited_) {
    signal_group(SIGKILL);
    pollfd ended{process_.native_handle(), POLLIN, 0};
    if (::poll(&ended, 1, cut_patience) > 0)
      reap();
    temporary_.remove();
  }
  const auto reason = open_ ? how::broken : how::refused;
  finish(verdict_.value_or(link_closed{reason, 0, "stopping"}));
}

void child_session::finish(link_closed why) {
  if (over_)
    return;
  over_ = true;
  shut_ = true;
  auto self = shared_from_this();
  core_.remove(this);
  timer_.cancel();
  for (auto* s : {&process_, &in_, &out_, &err_, &start_}) {
    error_code ignored;
    s->close(ignored); // what is pending ends, and finds that it is over
  }
  if (core_.stopping())
    temporary_.remove(); // nothing waits for a thread any more
  else
    temporary_.remove_aside();
  auto events = std::move(events_);
  events_.reset();
  child_.on_stderr = nullptr;
  core_.guarded([&] { events->on_closed(std::move(why)); });
}

} // namespace pb::net
