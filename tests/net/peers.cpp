#include "tests/net/peers.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace peers {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

void set_patience(int fd) {
  timeval t{};
  t.tv_sec = patience.count();
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int bind_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  auto a = loopback(0);
  socklen_t size = sizeof a;
  ::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
  port = ntohs(a.sin_port);
  return fd;
}

std::string encode_frame(int opcode, const std::string& payload, bool mask) {
  std::string out(1, static_cast<char>(0x80 | opcode));
  const char bit = mask ? static_cast<char>(0x80) : char{0};
  const auto n = payload.size();
  if (n < 126) {
    out += static_cast<char>(bit | static_cast<char>(n));
  } else if (n < 65536) {
    out += static_cast<char>(bit | 126);
    out += static_cast<char>(n >> 8);
    out += static_cast<char>(n & 0xff);
  } else {
    out += static_cast<char>(bit | 127);
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>((n >> shift) & 0xff);
  }
  if (mask)
    out.append(4, '\0');
  return out + payload;
}

} // namespace

wire::wire(int fd) : fd_(fd) { set_patience(fd_); }

wire::wire(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  set_patience(fd_);
  const auto a = loopback(port);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0)
    ::shutdown(fd_, SHUT_RDWR);
}

wire::~wire() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool wire::write(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

bool wire::more() {
  char buffer[16384];
  const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
  if (n <= 0)
    return false;
  in_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

std::string wire::read_until(const std::string& mark) {
  for (;;) {
    const auto at = in_.find(mark);
    if (at != std::string::npos) {
      auto out = in_.substr(0, at + mark.size());
      in_.erase(0, at + mark.size());
      return out;
    }
    if (!more())
      return std::exchange(in_, {});
  }
}

std::string wire::read_exactly(std::size_t bytes) {
  while (in_.size() < bytes && more()) {
  }
  auto out = in_.substr(0, bytes);
  in_.erase(0, out.size());
  return out;
}

std::string wire::read_message() {
  auto head = read_until("\r\n\r\n");
  const auto at = head.find("Content-Length: ");
  if (at == std::string::npos)
    return head;
  return head + read_exactly(std::stoul(head.substr(at + 16)));
}

std::string wire::read_to_end() {
  while (more()) {
  }
  return std::exchange(in_, {});
}

bool wire::wait_closed() {
  char buffer[16384];
  for (;;) {
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      return true;
    if (n < 0 && errno == EAGAIN)
      return false;
  }
}

void wire::finish() { ::shutdown(fd_, SHUT_WR); }

void wire::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  std::lock_guard lock(mutex_);
  ::close(std::exchange(fd_, -1));
}

void wire::cut() {
  std::lock_guard lock(mutex_);
  if (fd_ >= 0)
    ::shutdown(fd_, SHUT_RDWR);
}

scripted_server::scripted_server(script s) : script_(std::move(s)) {
  listener_ = bind_loopback(port_);
  ::listen(listener_, 128);
  acceptor_ = std::thread([this] {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0)
        return;
      std::lock_guard lock(mutex_);
      wires_.push_back(std::make_unique<wire>(fd));
      if (stopping_)
        return;
      threads_.emplace_back([this, w = wires_.back().get(), n = count_++] {
        script_(*w, n);
        w->cut();
      });
    }
  });
}

scripted_server::~scripted_server() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& w : wires_)
      w->cut();
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (auto& t : threads_)
    t.join();
  ::close(listener_);
}

std::uint16_t unused_port() {
  std::uint16_t port = 0;
  ::close(bind_loopback(port));
  return port;
}

std::string accept_websocket(wire& w) {
  auto head = w.read_until("\r\n\r\n");
  const auto at = head.find("Sec-WebSocket-Key: ");
  if (at == std::string::npos)
    return head;
  const auto key = head.substr(at + 19, head.find("\r\n", at) - at - 19) +
                   "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), hash);
  unsigned char text[64];
  const int n = EVP_EncodeBlock(text, hash, sizeof hash);
  w.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: " +
          std::string(reinterpret_cast<char*>(text), static_cast<std::size_t>(n)) + "\r\n\r\n");
  return head;
}

std::string ask_websocket(wire& w, const std::string& target) {
  w.write("GET " + target +
          " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  return w.read_until("\r\n\r\n");
}

std::string frame(int opcode, const std::string& payload) {
  return encode_frame(opcode, payload, false);
}

std::string masked_frame(int opcode, const std::string& payload) {
  return encode_frame(opcode, payload, true);
}

received_frame read_frame(wire& w) {
  auto byte = [](const std::string& s, std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(s[i]));
  };
  const auto head = w.read_exactly(2);
  if (head.size() < 2)
    return {};
  std::size_t size = byte(head, 1) & 0x7f;
  if (size >= 126) {
    const auto longer = w.read_exactly(size == 126 ? 2 : 8);
    size = 0;
    for (std::size_t i = 0; i < longer.size(); ++i)
      size = size << 8 | byte(longer, i);
  }
  const auto key = (byte(head, 1) & 0x80) != 0 ? w.read_exactly(4) : std::string(4, '\0');
  auto payload = w.read_exactly(size);
  if (key.size() < 4 || payload.size() < size)
    return {};
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  return {static_cast<int>(byte(head, 0) & 0x0f), payload};
}

} // namespace peers
