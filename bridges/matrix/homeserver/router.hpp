#pragma once
// From method and path to an endpoint.

#include "bridges/matrix/homeserver/server.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pb::hs {

enum class body_kind { none, object, optional_object, raw };

struct endpoint {
  answer (*run)(server&, call&) = nullptr;
  bool token = true; ///< needs an access token
  body_kind body = body_kind::none;
};

class router {
public:
  router();

  /// Finds, authorises, reads the body and runs; throws api_error.
  answer run(server& s, call& c) const;

private:
  struct node {
    std::map<std::string, std::unique_ptr<node>, std::less<>> words;
    std::unique_ptr<node> parameter;
    std::string parameter_name;
    std::map<std::string, endpoint> methods;
  };
  /// Pattern: words and {names} between slashes; a leading "v3:" means /_matrix/client/v3.
  void add(const char* method, std::string_view pattern, endpoint to);
  [[nodiscard]] const node* find(std::string_view path, fields& params) const;

  node root_;
};

/// Finds the account and device of the request's token; 401 without.
void authenticate(server& s, call& c);

} // namespace pb::hs
