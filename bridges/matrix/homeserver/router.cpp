#include "bridges/matrix/homeserver/router.hpp"

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <array>

namespace pb::hs {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1); // the slash
    const auto end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

/// r0 is the older name of v3, for clients and for media.
std::string modern(std::string_view path) {
  for (const std::string_view old :
       {"/_matrix/client/r0/", "/_matrix/media/r0/", "/_matrix/media/v1/"})
    if (path.starts_with(old)) {
      const auto base = old.substr(0, old.size() - 3);
      return std::string(base) + "v3/" + std::string(path.substr(old.size()));
    }
  return std::string(path);
}

std::string_view bearer(const call& c) {
  constexpr std::string_view scheme = "Bearer ";
  const auto value = header(c.request.headers, "Authorization");
  return value.starts_with(scheme) ? value.substr(scheme.size()) : std::string_view();
}

void read_body(call& c, body_kind kind) {
  if (kind == body_kind::none || kind == body_kind::raw)
    return;
  if (c.request.body.empty() && kind == body_kind::optional_object)
    return;
  c.body = parse_json(c.request.body);
  if (!c.body.is_object())
    refuse(400, "M_BAD_JSON", "Content must be a JSON object.");
}

} // namespace

void authenticate(server& s, call& c) {
  std::string token(bearer(c));
  if (token.empty())
    token = c.ask("access_token").value_or("");
  if (token.empty())
    refuse(401, "M_MISSING_TOKEN", "Missing access token");
  const auto* found = s.w.find_token(token);
  if (found == nullptr) {
    api_error error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.");
    error.body["soft_logout"] = s.w.soft_expired(token);
    throw error;
  }
  c.who = found->who;
  c.device = found->device;
  s.w.token_used(token);
  if (const auto d = c.who->devices.find(c.device); d != c.who->devices.end())
    d->second.seen = s.w.now();
}

void router::add(const char* method, std::string_view pattern, endpoint to) {
  std::string full(pattern);
  if (full.starts_with("v3:"))
    full = "/_matrix/client/v3" + full.substr(3);
  auto* at = &root_;
  for (const auto word : split(full)) {
    if (word.starts_with('{')) {
      if (!at->parameter)
        at->parameter = std::make_unique<node>();
      at = at->parameter.get();
      at->parameter_name = word.substr(1, word.size() - 2);
    } else {
      auto& next = at->words[std::string(word)];
      if (!next)
        next = std::make_unique<node>();
      at = next.get();
    }
  }
  at->methods[method] = to;
}

const router::node* router::find(std::string_view path, fields& params) const {
  const node* at = &root_;
  for (const auto word : split(path)) {
    if (const auto i = at->words.find(word); i != at->words.end()) {
      at = i->second.get();
    } else if (at->parameter && (!word.empty() || at->parameter->parameter_name == "state_key")) {
      at = at->parameter.get();
      auto text = percent_decoded(word);
      if (!text)
        refuse(400, "M_INVALID_PARAM", "The path is not percent-encoded UTF-8.");
      params.emplace_back(at->parameter_name, *std::move(text));
    } else {
      return nullptr;
    }
  }
  return at->methods.empty() ? nullptr : at;
}

answer router::run(server& s, call& c) const {
  const auto path = modern(c.request.path);
  const auto* at = path.starts_with('/') ? find(path, c.params) : nullptr;
  if (at == nullptr || (path.starts_with("/_dev/") && !s.allow_faults))
    refuse(404, "M_UNRECOGNIZED", "Unrecognized request");
  const auto i = at->methods.find(c.request.method);
  if (i == at->methods.end())
    refuse(405, "M_UNRECOGNIZED", "Unrecognized request");
  auto query = parse_query(c.request.query);
  if (!query)
    refuse(400, "M_INVALID_PARAM", "The query is not percent-encoded UTF-8.");
  c.query = *std::move(query);
  if (i->second.token)
    authenticate(s, c);
  read_body(c, i->second.body);
  return i->second.run(s, c);
}

} // namespace pb::hs
