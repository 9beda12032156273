#pragma once
// The router that runs on a data directory, spoken to over its admin API.

#include "cli/blocking_http.hpp"
#include "config/load.hpp"

#include <optional>
#include <string>

namespace pb::cli {

class running_router {
public:
  /// Where it is and its token lie in data_dir.
  explicit running_router(const settings& process);
  /// By the process's configuration alone: faults of the registry, and secrets that this shell does
  /// not have, stop nobody from asking. Nothing: it was said why not, and `code` is the exit code.
  static std::optional<running_router> find(const config::command_line& given, int& code);

  static constexpr auto unknown =
      "a router runs on this data directory, but does not say where its admin API is; restart it, "
      "then try again";

  [[nodiscard]] bool known() const { return known_; }
  /// Nothing: no answer.
  std::optional<http_response> ask(const std::string& method, const std::string& target,
                                   const std::string& body = {});
  /// The sentence of an answer that is an error, with its hint.
  static std::string reason(const std::optional<http_response>& got);

private:
  http_request request_;
  bool known_ = false;
  std::unique_ptr<blocking_http> http_ = std::make_unique<blocking_http>();
};

/// One part of a path: everything but letters, digits, "-", ".", "_" and "~" percent-encoded.
std::string path_part(const std::string& text);

} // namespace pb::cli
