#include "bridges/agent/a2a/card.hpp"

#include "bridges/agent/json.hpp"
#include "bridges/agent/json_rpc.hpp"
#include "messages/values/agent_url.hpp"

#include <algorithm>
#include <optional>

namespace pb::a2a {
namespace {

constexpr std::size_t longest_url = 2048;
constexpr std::size_t longest_tenant = 256;

struct address {
  std::string scheme, host, path; ///< host: with the port, unless it is the scheme's own
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// Of http and https only; without a fragment, and without a name and password in it.
std::optional<address> split(std::string_view url) {
  const auto colon = url.find("://");
  if (url.size() > longest_url || colon == std::string_view::npos ||
      std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c > '~' || c == '\\'; }))
    return std::nullopt;
  address out;
  out.scheme = lower(url.substr(0, colon));
  if (out.scheme != "http" && out.scheme != "https")
    return std::nullopt;
  url.remove_prefix(colon + 3);
  url = url.substr(0, url.find('#'));
  const auto end = std::min(url.find_first_of("/?"), url.size());
  auto host = url.substr(0, end);
  if (const auto at = host.rfind('@'); at != std::string_view::npos)
    host.remove_prefix(at + 1);
  out.host = lower(host);
  const std::string_view own = out.scheme == "http" ? ":80" : ":443";
  if (out.host.ends_with(own))
    out.host.resize(out.host.size() - own.size());
  if (out.host.empty())
    return std::nullopt;
  out.path = url.substr(end);
  if (!out.path.starts_with('/'))
    out.path.insert(0, 1, '/');
  return out;
}

bool below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || folder.ends_with('/') ||
                                      path[folder.size()] == '/' || path[folder.size()] == '?');
}

bool is_json_rpc(std::string_view binding) { return lower(binding) == "jsonrpc"; }

std::optional<dialect> dialect_of(std::string_view version) {
  if (version == "1" || version.starts_with("1."))
    return dialect::v1_0;
  if (version.empty() || version.starts_with("0.3") || version.starts_with("0.2"))
    return dialect::v0_3;
  return std::nullopt;
}

/// 1.0: a list, the first one preferred.
std::optional<endpoint> listed(const agent_json::value& card) {
  for (const auto& one : card["supportedInterfaces"].items()) {
    const auto speaks = dialect_of(one["protocolVersion"].text());
    if (!speaks || !is_json_rpc(one["protocolBinding"].text()))
      continue;
    endpoint out;
    out.url = one["url"].text();
    out.speaks = *speaks;
    out.tenant = one["tenant"].text();
    if (!out.url.empty() && out.tenant.size() <= longest_tenant)
      return out;
  }
  return std::nullopt;
}

/// 0.3: a main one, JSON-RPC unless it says otherwise, and others beside it.
std::optional<endpoint> named(const agent_json::value& card) {
  if (dialect_of(card["protocolVersion"].text()) != dialect::v0_3)
    return std::nullopt;
  endpoint out;
  out.speaks = dialect::v0_3;
  const auto transport = card["preferredTransport"].text();
  out.url = card["url"].text();
  if (!out.url.empty() && (transport.empty() || is_json_rpc(transport)))
    return out;
  for (const auto& one : card["additionalInterfaces"].items())
    if (is_json_rpc(one["transport"].text()) && one["url"].string()) {
      out.url = one["url"].text();
      return out;
    }
  return std::nullopt;
}

} // namespace

std::string placed(std::string_view url, std::string_view base) {
  const auto ours = split(as_http(base));
  if (!ours)
    return {};
  const auto theirs = url.starts_with('/')
                          ? split(ours->scheme + "://" + ours->host + std::string(url))
                          : split(url);
  if (!theirs)
    return {};
  const bool upgrade = ours->scheme == "http" && theirs->scheme == "https";
  if (theirs->host == ours->host && (theirs->scheme == ours->scheme || upgrade))
    return theirs->scheme + "://" + theirs->host + theirs->path;
  auto folder = ours->path.substr(0, ours->path.find('?'));
  while (folder.ends_with('/'))
    folder.pop_back();
  return ours->scheme + "://" + ours->host + (below(theirs->path, folder) ? "" : folder) +
         theirs->path;
}

tl::expected<endpoint, std::string> read_card(std::string_view text, std::string_view base) {
  const auto document = agent_json::parse(text, json_rpc::depth_limit);
  if (!document.wrong.empty())
    return tl::unexpected("the agent card is no card: " + std::string(document.wrong));
  const agent_json::value card(document.root);
  auto found = listed(card);
  if (!found)
    found = named(card);
  if (!found)
    return tl::unexpected(
        std::string("the agent card has no JSON-RPC interface of A2A 1.0 or 0.3"));
  found->url = placed(found->url, base);
  if (found->url.empty())
    return tl::unexpected(std::string("the agent card's address cannot be used"));
  found->streaming = card["capabilities"]["streaming"].truth();
  return *found;
}

} // namespace pb::a2a
