#pragma once
// The configuration's specification as data. One table for patchbay.yaml and one for an agent of
// the registry: reading, names of environment variables, suggestions, --help and the documentation
// all come from them.

#include "config/scalars.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pb::config {

enum class shape {
  text,      ///< one value
  path,      ///< one value, resolved against the folder of the file that names it
  list,      ///< a list of values; an environment variable separates them with commas
  pairs,     ///< a mapping of texts
  variables, ///< a mapping of texts, or of references to secrets
  secret,    ///< {env: NAME} or {file: PATH}; an environment variable holds the secret itself
  nullable,  ///< one value or null
};

template <class T>
struct key_of {
  std::string_view path; ///< "homeserver.url"
  shape form;
  std::string_view type;     ///< completes "write …"
  std::string_view fallback; ///< as it would be written; empty: none
  std::string_view about;
  /// One value, one item of a list, or the secret itself.
  verdict (*set)(T&, const std::string&) = nullptr;
  /// Before the first item of a list; for null.
  void (*clear)(T&) = nullptr;
  /// One entry of a mapping of texts.
  verdict (*pair)(T&, const std::string&, const std::string&) = nullptr;
  /// The variable's name in deployments that exist.
  std::string_view alias = {};
  /// One entry of `variables` whose value is a secret.
  verdict (*secret_pair)(T&, const std::string&, const std::string&) = nullptr;
};

using process_key = key_of<settings>;
using agent_key = key_of<agent_spec>;

const std::vector<process_key>& process_keys();
const std::vector<agent_key>& agent_keys();
/// The part of agent_keys() that counts for one protocol only.
std::vector<agent_key> protocol_keys();

/// "homeserver.url" → "PATCHBAY_HOMESERVER_URL"
std::string environment_name(std::string_view path);

} // namespace pb::config
