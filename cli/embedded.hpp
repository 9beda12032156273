#pragma once
// The embedded default: a development homeserver and a demonstration agent inside this process.

#include "bridges/http_server.hpp"
#include "bridges/net/io.hpp"
#include "cli/data_dir.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/settings.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pb {
class homeserver;
}

namespace pb::cli {

struct account {
  std::string user, password;
};

class embedded_world {
public:
  /// Starts both on loopback and completes the configuration: homeserver, token, and the
  /// demonstration agent if the registry is empty. On the thread that made `io`.
  static result<std::unique_ptr<embedded_world>> start(io_runtime& io, const data_dir& home,
                                                       settings& process, registry& agents);
  ~embedded_world();

  [[nodiscard]] const std::vector<account>& accounts() const { return accounts_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string banner() const;
  void stop();

private:
  embedded_world() = default;
  std::unique_ptr<homeserver> server_;
  std::unique_ptr<http_server> http_, agent_;
  std::vector<account> accounts_;
  std::string url_;
};

/// Takes the wished port, or any free one when it is taken.
result<std::unique_ptr<http_server>> serve_near(io_runtime& io, server_options wish,
                                                http_handler handler, ws_handler links = {});

} // namespace pb::cli
