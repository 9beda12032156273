#pragma once
// Foreign peers for the tests: blocking sockets and threads, nothing of the code under test.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace peers {

constexpr std::chrono::seconds patience{20};

/// One end of a TCP connection. Reads give up after `patience`.
class wire {
public:
  explicit wire(int fd);
  explicit wire(std::uint16_t port); ///< connects to 127.0.0.1
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  ~wire();

  bool write(const std::string& bytes);
  std::string read_until(const std::string& mark); ///< up to and with the mark; less: the end came
  std::string read_exactly(std::size_t bytes);
  std::string read_message(); ///< HTTP head, and the body that its Content-Length tells
  std::string read_to_end();
  bool wait_closed(); ///< reads and discards; true: the other side closed within `patience`
  void finish();      ///< sends FIN, stays readable
  void reset();       ///< closes with RST
  void cut();         ///< from another thread: wakes up blocked reads
  [[nodiscard]] int fd() const { return fd_; }

private:
  bool more();
  std::mutex mutex_;
  int fd_ = -1;
  std::string in_;
};

/// Listens on a free port of 127.0.0.1; each connection runs `script` in its own thread.
class scripted_server {
public:
  using script = std::function<void(wire&, int connection)>; ///< connections count from 0
  explicit scripted_server(script s);
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  ~scripted_server();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] int connections() const { return count_; }

private:
  script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> count_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<wire>> wires_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
  bool stopping_ = false;
};

std::uint16_t unused_port(); ///< nobody listens there

/// A place for values that come from other threads, in order.
template <class T>
class inbox {
public:
  void put(T value) {
    std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  /// Waits until there are `n` values; false: not within the time.
  bool wait(std::size_t n, std::chrono::milliseconds time = patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return values_.size() >= n; });
  }
  std::vector<T> all() {
    std::lock_guard lock(mutex_);
    return values_;
  }
  std::size_t size() { return all().size(); }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

/// Opened once, waited for by any number.
class gate {
public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::milliseconds time = patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return open_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Server side of the WebSocket handshake, by hand. Returns the request head.
std::string accept_websocket(wire& w);
/// Client side. Returns the head of the answer.
std::string ask_websocket(wire& w, const std::string& target = "/");
/// One unmasked frame with FIN set (opcode 1 text, 2 binary, 8 close, 9 ping, 10 pong).
std::string frame(int opcode, const std::string& payload);
/// The same masked with a key of zeros, as a client may.
std::string masked_frame(int opcode, const std::string& payload);
struct received_frame {
  int opcode = -1; ///< -1: the connection ended
  std::string payload;
};
received_frame read_frame(wire& w);

} // namespace peers
