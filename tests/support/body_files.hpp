#pragma once
// Bodies that are files, for clients without sockets: all at once.

#include "bridges/http.hpp"

#include <algorithm>
#include <utility>

namespace pb::test {

/// What the server gets to see.
inline std::string body_of(const http_request& r) {
  if (!r.from)
    return r.body;
  std::string body(r.from->size(), '\0');
  body.resize(r.from->read(0, body.data(), body.size()).value_or(0));
  return body;
}

/// What the one who asked gets to see: the body of a 2xx goes where the request says.
inline http_result delivered(const http_request& request, http_result r) {
  const auto failed = [](http_error e) {
    return http_result{tl::unexpect, http_failure{e, "a file of a body", true}};
  };
  if (!r || !request.into)
    return r;
  if (r->status / 100 != 2) {
    r->body.resize(std::min(r->body.size(), error_body_limit));
    return r;
  }
  if (r->body.size() > request.response_limit)
    return failed(http_error::too_large);
  if (request.into->clear() != 0 || request.into->append(std::exchange(r->body, {})) != 0)
    return failed(http_error::disk);
  return r;
}

} // namespace pb::test
