#pragma once
// Pure decisions about who may ask: token, host and origin.

#include "bridges/http.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pb::admin {

/// Time depends on the length of `shown` alone, never on where it differs. An empty secret equals
/// nothing.
bool same_secret(std::string_view shown, std::string_view secret);

/// The token of an Authorization header, or nothing.
std::string bearer_of(const http_headers& headers);

/// Host without port and brackets, in lower case; empty: cannot be understood.
std::string host_name(std::string_view host_header);

bool loopback_name(std::string_view host);

/// Against DNS rebinding: a page of a stranger whose name was pointed at us shows that name as
/// host. `listen` is our own address; a wildcard accepts every literal address, since those cannot
/// rebind.
bool host_allowed(std::string_view host_header, std::string_view listen,
                  const std::vector<std::string>& more);

/// The origin of a page of ours is the host that it was loaded from; none: not a browser's page.
bool origin_allowed(const http_headers& headers);

/// "%41b+c" → "Ab c" for query values (`plus` true); broken escapes stay as they are.
std::string decode(std::string_view text, bool plus);

std::map<std::string, std::string> decode_query(std::string_view query);

/// scheme://host[:port] of a URL, for the page's policy; empty if it is not http(s) or holds
/// anything that could end the policy's directive.
std::string origin_of(std::string_view url);

} // namespace pb::admin
