#pragma once
// Internal to bridges/net: one connection of the HTTP client, with one request at a time on it.

#include "bridges/net/http_pool.hpp"
#include "bridges/net/opener.hpp"
#include "bridges/net/reader.hpp"

#include <boost/beast/core/flat_buffer.hpp>

#include <array>

namespace pb::net {

/// A read is always pending, also while writing and while idle: an early answer is seen, and so is
/// the server's closing of an idle connection. I/O thread only.
class client_connection : public std::enable_shared_from_this<client_connection> {
public:
  client_connection(std::shared_ptr<http_pool> pool, origin_pool& at);
  void open(exchange_ptr first); ///< connects, then runs `first`
  void run(exchange_ptr ex);     ///< the connection is open and idle
  void close();                  ///< the exchange on it is not told; the pool is

  time_point idle_since{};

private:
  static constexpr std::size_t piece_size = 64 * 1024;

  void write();
  void write_file(); ///< the next piece of the request's file
  void pump(asio::const_buffer piece, bool last);
  void read();
  void on_read(error_code ec, std::size_t bytes);
  bool parse();
  void complete();
  void new_reader();
  void disk_failed(int error);
  void fail(http_error error, std::string cause);

  std::shared_ptr<http_pool> pool_; ///< null once closed, which breaks the cycle
  origin_pool* at_;
  std::shared_ptr<opener> opener_;
  std::optional<any_stream> stream_;
  exchange_ptr current_;
  std::optional<response_reader> reader_;
  boost::beast::flat_buffer in_;
  std::string head_;
  std::unique_ptr<std::array<char, piece_size>> piece_; ///< of the request's file
  std::uint64_t file_at_ = 0;                           ///< how much of it was read
  bool used_before_ = false; ///< this is not the connection's first request
  bool answered_ = false;    ///< bytes of the answer have come
  bool writing_ = false;
};

} // namespace pb::net
