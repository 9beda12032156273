#include "bridges/net/opener.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

namespace pb::net {

namespace {

constexpr std::chrono::milliseconds attempt_time{2'000};

std::string tls_cause(SSL* ssl, error_code ec) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK)
    return std::string("certificate: ") + X509_verify_cert_error_string(verdict);
  return "TLS handshake: " + ec.message();
}

} // namespace

opener::opener(core& c, const address& to, std::shared_ptr<tls_context> tls, open_done done)
    : core_(c), host_(to.host), port_(to.port), tls_wanted_(to.tls), tls_(std::move(tls)),
      done_(std::move(done)), resolver_(c.io), stream_(tcp_socket(c.io.get_executor())),
      attempt_(c.io) {}

void opener::start() {
  attempt_.bind(weak_from_this(), [this] { stream_.close(); }); // the attempt ends, the next begins
  error_code ec;
  const auto numeric = asio::ip::make_address(host_, ec);
  if (!ec) {
    endpoints_.emplace_back(numeric, port_);
    asio::post(core_.io, [self = shared_from_this()] { self->try_next({}); });
    return;
  }
  resolver_.async_resolve(host_, std::to_string(port_), tcp::resolver::numeric_service,
                          [self = shared_from_this()](error_code e, const auto& results) {
                            if (e) {
                              self->give_up(http_error::resolve, self->host_ + ": " + e.message());
                              return;
                            }
                            for (const auto& r : results)
                              self->endpoints_.push_back(r.endpoint());
                            self->try_next({});
                          });
}

void opener::cancel() {
  if (!done_)
    return; // given up, or the stream is the caller's already
  done_ = nullptr;
  resolver_.cancel();
  attempt_.cancel();
  stream_.close();
}

void opener::try_next(error_code last) {
  if (!done_)
    return;
  attempt_.cancel();
  stream_.close();
  if (next_ == endpoints_.size()) {
    give_up(http_error::connect, host_ + ":" + std::to_string(port_) + ": " +
                                     (last ? last.message() : std::string("no address")));
    return;
  }
  const auto endpoint = endpoints_[next_++];
  if (next_ < endpoints_.size())
    attempt_.set(from_now(attempt_time));
  stream_.socket().async_connect(endpoint, [self = shared_from_this()](error_code ec) {
    if (!self->done_)
      return;
    if (ec || !self->stream_.socket().is_open())
      self->try_next(ec ? ec : error_code(asio::error::timed_out));
    else
      self->connected();
  });
}

void opener::connected() {
  attempt_.cancel();
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  if (!tls_wanted_) {
    std::exchange(done_, nullptr)(std::move(stream_));
    return;
  }
  if (!tls_->problem.empty()) {
    give_up(http_error::tls, tls_->problem);
    return;
  }
  auto& tls = stream_.add_tls(tls_->context);
  asio::ip::make_address(host_, ignored);
  if (ignored) // server name indication is for names only (RFC 6066 section 3)
    SSL_set_tlsext_host_name(tls.native_handle(), host_.c_str());
  if (tls_->verify)
    tls.set_verify_callback(asio::ssl::host_name_verification(host_), ignored);
  tls.async_handshake(
      asio::ssl::stream_base::client, [self = shared_from_this(), &tls](error_code ec) {
        if (!self->done_)
          return;
        if (ec)
          self->give_up(http_error::tls, self->host_ + ": " + tls_cause(tls.native_handle(), ec));
        else
          std::exchange(self->done_, nullptr)(std::move(self->stream_));
      });
}

void opener::give_up(http_error error, std::string cause) {
  if (!done_)
    return;
  stream_.close();
  std::exchange(done_,
                nullptr)(tl::unexpected<open_failure>(open_failure{error, std::move(cause)}));
}

} // namespace pb::net
