// An agent: answers each USER_MESSAGE at once, in chunks. The WebSocket is written by hand, so that
// it costs little and shares no code with any subject.

#include "tests/bench/common/text.hpp"
#include "tests/bench/world/server.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <simdjson.h>
#include <utility>

namespace pb::bench {

namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using error_code = boost::system::error_code;

constexpr unsigned op_text = 1, op_close = 8, op_ping = 9, op_pong = 10;
constexpr std::size_t frame_limit = std::size_t{16} << 20;

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), SHA_DIGEST_LENGTH);
  return reinterpret_cast<const char*>(base64.data());
}

void append_frame(std::string& out, unsigned op, std::string_view payload) {
  out += static_cast<char>(0x80 | op);
  const auto size = payload.size();
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    const int bytes = size < 65'536 ? 2 : 8;
    out += static_cast<char>(bytes == 2 ? 126 : 127);
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      out += static_cast<char>(size >> shift & 0xff);
  }
  out += payload;
}

struct frame {
  unsigned op = 0;
  std::string payload;
};

/// Takes one masked frame from the front of `in`. False: not all of it is there, or it is not a
/// frame that a client may send; then `broken` is set.
bool take_frame(std::string& in, frame& out, bool& broken) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(in[at]); };
  if (in.size() < 2)
    return false;
  std::size_t size = byte(1) & 0x7fU, at = 2;
  if (size >= 126) {
    const std::size_t bytes = size == 126 ? 2 : 8;
    if (in.size() < at + bytes)
      return false;
    for (size = 0; at < 2 + bytes; ++at)
      size = size << 8 | byte(at);
  }
  // Fragments and compression are not negotiated with us and not needed.
  broken = (byte(0) & 0xf0U) != 0x80 || (byte(1) & 0x80U) == 0 || size > frame_limit;
  if (broken || in.size() < at + 4 + size)
    return false;
  out.op = byte(0) & 0x0fU;
  out.payload.resize(size);
  for (std::size_t i = 0; i < size; ++i)
    out.payload[i] = static_cast<char>(byte(at + 4 + i) ^ byte(at + i % 4));
  in.erase(0, at + 4 + size);
  return true;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class agent_session final : public std::enable_shared_from_this<agent_session>,
                            public open_session {
public:
  agent_session(tcp::socket socket, oracle& o, agents& all, const shape& form,
                std::string_view target, std::string rest)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), oracle_(o), agents_(all),
        form_(form), in_(std::move(rest)) {
    // /agent_K/v1/agent_ws/CHAT/
    constexpr std::string_view before = "/agent_", between = "/v1/agent_ws/";
    if (target.substr(0, before.size()) == before)
      agent_ = static_cast<std::uint32_t>(leading_number(target.substr(before.size())));
    if (const auto at = target.find(between); at != std::string_view::npos)
      chat_id_ = leading_number(target.substr(at + between.size()));
  }

  void start(std::string_view key) {
    agents_.asked(now_ns());
    if (agents_.away())
      return cut();
    error_code ec;
    socket_.non_blocking(true, ec);
    if (agents_.is_dead(agent_))
      return read(); // and never says a word
    agents_.opened(weak_from_this());
    say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        accept_key(key) + "\r\n\r\n");
    if (!in_.empty())
      consume();
    read();
  }

  /// As if the process had been killed: a reset, and not a word.
  void cut() override {
    closed_ = true;
    timer_.cancel();
    error_code ec;
    socket_.set_option(net::socket_base::linger(true, 0), ec);
    socket_.close(ec);
  }

private:
  void read() {
    socket_.async_read_some(net::buffer(chunk_),
                            [self = shared_from_this()](error_code ec, std::size_t size) {
                              if (ec || self->closed_)
                                return;
                              self->in_.append(self->chunk_.data(), size);
                              if (!self->agents_.is_dead(self->agent_))
                                self->consume();
                              if (!self->closed_)
                                self->read();
                            });
  }

  void consume() {
    bool broken = false;
    while (!closing_ && take_frame(in_, frame_, broken)) {
      if (frame_.op == op_text)
        on_text();
      else if (frame_.op == op_ping)
        say_frame(op_pong, frame_.payload);
      else if (frame_.op == op_close)
        hang_up();
    }
    if (broken)
      hang_up();
  }

  void hang_up() {
    say_frame(op_close, frame_.op == op_close ? frame_.payload : std::string());
    closing_ = true;
    flush();
  }

  void on_text() {
    simdjson::dom::element e;
    std::string_view type, text;
    if (parser().parse(frame_.payload).get(e) || e["type"].get(type))
      return say_frame(op_text, R"({"type":"ERROR","code":"BAD_JSON","details":"not ours"})");
    if (type == "CANCEL")
      return say_frame(op_text, R"({"type":"AGENT_EVENT_END"})");
    if (type != "USER_MESSAGE" || e["text"].get(text))
      return say_frame(op_text, R"({"type":"ERROR","code":"BAD_TYPE","details":"not ours"})");
    std::string_view id;
    if (form_.echo && !e["message_id"].get(id))
      tail_ = ",\"message_id\":" + json_string(id);
    if (auto answer = oracle_.reached(agent_, chat_id_, text, now_ns()))
      form_.pace_ms > 0 ? speak_slowly(std::move(*answer)) : speak(*answer);
    else
      say_frame(op_text, R"({"type":"ERROR","code":"UNKNOWN","details":"nobody wrote this"})");
  }

  /// The answer in `deltas` chunks and END, `frames_per_write` frames to one write.
  void speak(std::string_view answer) {
    const std::size_t chunks = std::max<std::size_t>(1, form_.deltas);
    std::string out;
    std::size_t frames = 0, from = 0;
    for (std::size_t i = 0; i < chunks; ++i) {
      append_chunk(out, answer, from, i);
      if (++frames % form_.frames_per_write == 0)
        say(std::exchange(out, {}));
    }
    append_end(out);
    say(std::move(out));
  }

  /// One chunk each `pace_ms`, and END with the last one.
  void speak_slowly(std::string answer) {
    slow_ = std::move(answer);
    slow_from_ = slow_chunk_ = 0;
    next_chunk();
  }

  void next_chunk() {
    std::string out;
    append_chunk(out, slow_, slow_from_, slow_chunk_);
    const bool last = ++slow_chunk_ >= std::max<std::size_t>(1, form_.deltas);
    if (last)
      append_end(out);
    say(std::move(out));
    if (last)
      return;
    timer_.expires_after(std::chrono::milliseconds(form_.pace_ms));
    timer_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec && !self->closed_)
        self->next_chunk();
    });
  }

  /// The chunk number `i` of an answer, which begins at `from`.
  void append_chunk(std::string& out, std::string_view answer, std::size_t& from, std::size_t i) {
    const std::size_t chunks = std::max<std::size_t>(1, form_.deltas);
    std::size_t to = std::max(from, answer.size() * (i + 1) / chunks);
    while (to < answer.size() && (static_cast<unsigned char>(answer[to]) & 0xc0U) == 0x80)
      ++to; // never inside a letter
    payload_ = "{\"type\":\"AGENT_EVENT_TEXT_CHUNK\",\"text\":";
    append_json(payload_, answer.substr(from, to - from));
    payload_ += tail_ + '}';
    append_frame(out, op_text, payload_);
    from = to;
  }

  void append_end(std::string& out) {
    payload_ = "{\"type\":\"AGENT_EVENT_END\",\"tokens_used\":42" + tail_ + '}';
    append_frame(out, op_text, payload_);
  }

  void say_frame(unsigned op, std::string_view payload) {
    std::string out;
    append_frame(out, op, payload);
    say(std::move(out));
  }

  void say(std::string bytes) {
    if (closed_)
      return;
    waiting_.push_back(std::move(bytes));
    if (!blocked_)
      flush();
  }

  /// Writes until the socket takes no more; each entry is a write of its own.
  void flush() {
    while (!waiting_.empty() && !blocked_) {
      error_code ec;
      auto& first = waiting_.front();
      const auto written = socket_.write_some(net::buffer(first), ec);
      if (ec == net::error::would_block) {
        blocked_ = true;
        socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code e) {
          self->blocked_ = false;
          if (!e)
            self->flush();
        });
      } else if (ec) {
        closed_ = true;
        return;
      } else if (written < first.size()) {
        first.erase(0, written);
      } else {
        waiting_.pop_front();
      }
    }
    if (closing_ && waiting_.empty() && !closed_) {
      closed_ = true;
      error_code ec;
      socket_.close(ec);
    }
  }

  /// One for all sessions: there is one thread, and a document does not outlive its frame.
  static simdjson::dom::parser& parser() {
    static simdjson::dom::parser p;
    return p;
  }

  tcp::socket socket_;
  net::steady_timer timer_;
  oracle& oracle_;
  agents& agents_;
  const shape& form_;
  std::uint32_t agent_ = 0;
  std::uint64_t chat_id_ = 0;
  std::string in_, payload_;
  std::string tail_; ///< of every frame: the turn's name, if agents echo it
  std::string slow_; ///< an answer under way, from where on and which chunk
  std::size_t slow_from_ = 0, slow_chunk_ = 0;
  frame frame_;
  std::array<char, 4'096> chunk_{};
  std::deque<std::string> waiting_;
  bool blocked_ = false, closing_ = false, closed_ = false;
};

} // namespace

void serve_agent(tcp::socket socket, oracle& o, agents& all, const shape& form,
                 std::string_view target, std::string_view key, std::string rest) {
  std::make_shared<agent_session>(std::move(socket), o, all, form, target, std::move(rest))
      ->start(key);
}

} // namespace pb::bench
