#include "bridges/net/tls.hpp"

namespace pb::net {

namespace ssl = boost::asio::ssl;

std::shared_ptr<tls_context> make_tls_context(const tls_options& options) {
  auto out = std::make_shared<tls_context>();
  auto& c = out->context;
  out->verify = options.verify;
  SSL_CTX_set_min_proto_version(c.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(c.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code ec;
  c.set_verify_mode(options.verify ? ssl::verify_peer : ssl::verify_none, ec);
  if (!options.verify)
    return out;
  c.set_default_verify_paths(ec);
  if (!options.ca_file.empty()) {
    c.load_verify_file(options.ca_file, ec);
    if (ec)
      out->problem = "cannot use the CA file " + options.ca_file + ": " + ec.message();
  }
  return out;
}

} // namespace pb::net
