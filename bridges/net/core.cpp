#include "bridges/net/core.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <pthread.h>

namespace pb::net {

void lazy_timer::bind(std::weak_ptr<void> owner, std::function<void()> fire) {
  owner_ = std::move(owner);
  fire_ = std::move(fire);
}

void lazy_timer::set(time_point due) {
  due_ = due;
  if (due_ < armed_)
    arm(due_);
}

void lazy_timer::cancel() {
  due_ = armed_ = time_point::max();
  timer_.cancel();
}

void lazy_timer::arm(time_point at) {
  armed_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this, owner = owner_](error_code ec) {
    auto alive = owner.lock();
    if (!alive || ec)
      return; // destroyed, cancelled, or armed anew for an earlier time
    armed_ = time_point::max();
    if (due_ == time_point::max())
      return;
    if (due_ > steady::now()) {
      arm(due_);
      return;
    }
    due_ = time_point::max();
    fire_();
  });
}

struct core::signals {
  signals(asio::io_context& io, std::function<void(int)> call)
      : set(io.get_executor()), f(std::move(call)) {}
  asio::basic_signal_set<executor> set;
  std::function<void(int)> f;
};

void core::start() {
  guard_.emplace(io.get_executor());
  alarm_.bind(weak_from_this(), [this] { ring(); });
  thread_ = std::thread([this] {
    thread_id_ = std::this_thread::get_id();
    pthread_setname_np(pthread_self(), "io");
    sigset_t pipes; // a child that has closed its input is an error of a write, not our end
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
    run();
  });
}

core::~core() {
  if (thread_.joinable())
    thread_.join(); // stop() was called before: io_runtime sees to it
}

void core::run() {
  for (;;) {
    try {
      io.run();
      break;
    } catch (...) { // out of memory in a handler: that one operation is lost, the others go on
      ++counters.callback_exceptions;
    }
  }
  stopping_ = true;
  cut_all();
  for (;;) {
    std::vector<std::function<void()>> rest;
    {
      std::lock_guard lock(mutex_);
      if (inbox_.empty()) {
        closed_ = true;
        break;
      }
      rest.swap(inbox_);
    }
    take(rest);
    cut_all();
  }
  guarded([this] { // handlers of the sockets that were just closed let go of their objects
    io.restart();
    io.poll();
  });
  std::lock_guard lock(mutex_);
  finished_ = true;
  thread_id_ = std::thread::id{};
  ended_.notify_all();
}

bool core::post(std::function<void()> f) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_)
      return false;
    inbox_.push_back(std::move(f));
    wake = !scheduled_;
    scheduled_ = true;
  }
  if (wake)
    asio::post(io, [this] { drain(); });
  return true;
}

void core::drain() {
  {
    std::lock_guard lock(mutex_);
    batch_.swap(inbox_);
    scheduled_ = false;
  }
  take(batch_);
}

void core::take(std::vector<std::function<void()>>& batch) {
  for (auto& f : batch)
    guarded(f);
  batch.clear();
}

void core::run_sync(const std::function<void()>& f) {
  if (on_thread()) {
    guarded(f);
    return;
  }
  struct gate {
    std::mutex mutex;
    std::condition_variable cv;
    bool open = false;
  };
  auto g = std::make_shared<gate>();
  bool accepted = post([this, g, &f] {
    guarded(f);
    std::lock_guard lock(g->mutex);
    g->open = true;
    g->cv.notify_all();
  });
  if (accepted) {
    std::unique_lock lock(g->mutex);
    g->cv.wait(lock, [&] { return g->open; });
    return;
  }
  {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return finished_; });
  }
  guarded(f);
}

void core::after(std::chrono::milliseconds delay, std::function<void()> run) {
  post([this, at = from_now(delay), f = std::move(run)]() mutable {
    if (stopping_)
      return;
    due_.emplace(at, std::move(f));
    alarm_.set(due_.begin()->first);
  });
}

void core::ring() {
  const auto now = steady::now();
  while (!due_.empty() && due_.begin()->first <= now) {
    auto f = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    guarded(f);
  }
  if (!due_.empty())
    alarm_.set(due_.begin()->first);
}

void core::on_signals(std::vector<int> numbers, std::function<void(int)> f) {
  post([this, numbers = std::move(numbers), f = std::move(f)] {
    if (stopping_)
      return;
    auto s = std::make_shared<signals>(io, f);
    for (int n : numbers) {
      error_code ignored; // a number that the system does not know is never raised either
      s->set.add(n, ignored);
    }
    signal_sets_.push_back(s);
    auto wait = [this](auto& again, const std::shared_ptr<signals>& it) -> void {
      it->set.async_wait([this, again, it](error_code ec, int number) {
        if (ec)
          return;
        guarded([&] { it->f(number); });
        if (!stopping_)
          again(again, it);
      });
    };
    wait(wait, s);
  });
}

void core::wind_down() {
  stopping_ = true;
  due_.clear();
  alarm_.cancel();
  for (auto& s : signal_sets_)
    s->set.cancel();
  signal_sets_.clear();
  auto all = stoppables_;
  for (auto& [key, weak] : all)
    if (auto s = weak.lock())
      guarded([&] { s->wind_down(); });
  guard_.reset();
}

void core::cut_all() {
  due_.clear();
  alarm_.cancel();
  signal_sets_.clear();
  auto all = stoppables_;
  for (auto& [key, weak] : all)
    if (auto s = weak.lock())
      guarded([&] { s->cut(); });
}

void core::stop(std::chrono::milliseconds grace) {
  std::call_once(stop_once_, [&] {
    post([this] { wind_down(); });
    std::unique_lock lock(mutex_);
    auto done = [this] { return finished_; };
    if (!ended_.wait_for(lock, grace, done)) {
      lock.unlock();
      post([this] { cut_all(); });
      lock.lock();
      // What is left now is at most a name lookup in the system's resolver, which cannot be cut.
      if (!ended_.wait_for(lock, std::chrono::milliseconds(200), done))
        io.stop();
    }
    lock.unlock();
    thread_.join();
  });
}

} // namespace pb::net
