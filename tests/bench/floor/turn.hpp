#pragma once
// One message at its agent: a connection, a handshake, one frame out, events until END.

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <simdjson.h>
#include <string>

namespace pb::bench {

struct message {
  std::int64_t inbox = 0;
  std::uint32_t room = 0;
  std::string event_id, sender, text;
};

class turn : public std::enable_shared_from_this<turn> {
public:
  using told = std::function<void(std::shared_ptr<turn>)>;
  struct listener {
    told ready;    ///< the handshake is done, speak() may follow
    told answered; ///< END came, answer is whole
  };

  turn(boost::asio::io_context& io, const listener& l, simdjson::ondemand::parser& p, message m)
      : ws_(io), listener_(l), parser_(p), msg(std::move(m)) {}

  /// Throws out of the event loop when the agent fails: a floor has no second try.
  void open(const boost::asio::ip::tcp::endpoint& agent, const std::string& host,
            const std::string& path);
  void speak(std::uint64_t chat_id, bool twice);

private:
  void read();
  bool on_frame();

  boost::beast::websocket::stream<boost::asio::ip::tcp::socket, false> ws_;
  const listener& listener_;
  simdjson::ondemand::parser& parser_;
  boost::beast::flat_buffer buffer_;
  std::string out_;

public:
  message msg;
  std::string answer;
};

} // namespace pb::bench
