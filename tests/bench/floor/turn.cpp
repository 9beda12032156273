#include "tests/bench/floor/turn.hpp"

#include "tests/bench/common/text.hpp"

#include <boost/beast/websocket.hpp>
#include <stdexcept>
#include <utility>

namespace pb::bench {

namespace websocket = boost::beast::websocket;
namespace net = boost::asio;
using error_code = boost::system::error_code;

namespace {

void check(const error_code& ec, const char* what) {
  if (ec)
    throw std::runtime_error(std::string("agent: ") + what + ": " + ec.message());
}

} // namespace

void turn::open(const net::ip::tcp::endpoint& agent, const std::string& host,
                const std::string& path) {
  ws_.next_layer().async_connect(agent, [self = shared_from_this(), host, path](error_code ec) {
    check(ec, "connect");
    self->ws_.next_layer().set_option(net::ip::tcp::no_delay(true));
    self->ws_.async_handshake(host, path, [self](error_code failed) {
      check(failed, "handshake");
      self->listener_.ready(self);
    });
  });
}

void turn::speak(std::uint64_t chat_id, bool twice) {
  out_ = "{\"type\":\"USER_MESSAGE\",\"text\":";
  append_json(out_, msg.text);
  out_ += ",\"attachments\":[],\"user_id\":";
  append_json(out_, msg.sender);
  out_ += ",\"chat_id\":";
  append_number(out_, chat_id);
  out_ += ",\"message_id\":";
  append_json(out_, msg.event_id);
  out_ += '}';
  ws_.text(true);
  ws_.async_write(net::buffer(out_),
                  [self = shared_from_this(), chat_id, twice](error_code ec, std::size_t) {
                    check(ec, "write");
                    if (twice)
                      self->speak(chat_id, false);
                    else
                      self->read();
                  });
}

void turn::read() {
  ws_.async_read(buffer_, [self = shared_from_this()](error_code ec, std::size_t) {
    check(ec, "read");
    if (self->on_frame())
      return self->read();
    self->listener_.answered(self);
    self->ws_.async_close(websocket::close_code::normal, [self](error_code) {});
  });
}

/// False when the turn has ended.
bool turn::on_frame() {
  buffer_.prepare(simdjson::SIMDJSON_PADDING);
  const auto data = buffer_.cdata();
  auto doc = parser_.iterate(static_cast<const char*>(data.data()), data.size(),
                             data.size() + simdjson::SIMDJSON_PADDING);
  const std::string_view type = doc["type"].get_string();
  bool more = true;
  if (type == "AGENT_EVENT_TEXT_CHUNK")
    answer += std::string_view(doc["text"].get_string());
  else if (type == "AGENT_EVENT_END")
    more = false;
  else if (type == "ERROR")
    throw std::runtime_error("agent: ERROR");
  buffer_.clear();
  return more;
}

} // namespace pb::bench
