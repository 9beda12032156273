#pragma once
// Internal to bridges/net: name lookup, TCP connect and TLS handshake as one step.

#include "bridges/net/address.hpp"
#include "bridges/net/any_stream.hpp"

#include <tl/expected.hpp>

namespace pb::net {

struct open_failure {
  http_error error = http_error::connect; ///< resolve, connect or tls
  std::string cause;
};
using open_done = std::function<void(tl::expected<any_stream, open_failure>)>;

/// Tries every address of the host in turn, 2 s each while there is another one to try. Has no
/// deadline of its own: the caller cancels. I/O thread only.
class opener : public std::enable_shared_from_this<opener> {
public:
  opener(core& c, const address& to, std::shared_ptr<tls_context> tls, open_done done);
  /// `done` is called exactly once, never from inside start().
  void start();
  /// `done` is not called any more.
  void cancel();

private:
  void try_next(error_code last);
  void connected();
  void give_up(http_error error, std::string cause);

  core& core_;
  std::string host_;
  std::uint16_t port_;
  bool tls_wanted_;
  std::shared_ptr<tls_context> tls_;
  open_done done_;
  tcp::resolver resolver_;
  std::vector<tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  any_stream stream_;
  lazy_timer attempt_;
};

} // namespace pb::net
