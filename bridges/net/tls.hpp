#pragma once
// Internal to bridges/net: TLS as a client.

#include "bridges/net/io.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <string>

namespace pb::net {

struct tls_context {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
  bool verify = true;
  std::string problem; ///< not empty: the CA file cannot be used, every connection fails with this
};

/// At least TLS 1.2; the system's certificate authorities and those of options.ca_file.
std::shared_ptr<tls_context> make_tls_context(const tls_options& options);

} // namespace pb::net
