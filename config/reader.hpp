#pragma once
// Fills a struct from a mapping by a table of keys, and says what is wrong with it.

#include "config/disk.hpp"
#include "config/document.hpp"
#include "config/environment.hpp"
#include "config/keys.hpp"
#include "config/suggest.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pb::config {

/// Which keys were mentioned, and where; also those whose value was refused.
using mentioned = std::map<std::string, place>;

/// What reading one file needs.
struct context {
  std::string file;
  const environment& env;
  const disk& files;
  reporter& out;
  std::set<std::string>& referenced; ///< variables that {env: NAME} names
  std::string prefix = {};           ///< before a key's path in messages: "agents.agent-1."
  bool strict = true;                ///< an unknown key is an error, else a warning
  /// Keys that environment or command line decide: their references here need not resolve.
  std::set<std::string> overridden = {};

  /// Before a sentence about the mapping as a whole: "agents.agent-1: ".
  [[nodiscard]] std::string scope() const {
    return prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1) + ": ";
  }
  [[nodiscard]] place at(const node& n) const { return {file, n.line, n.column}; }
};

/// One entry of a mapping.
struct entry {
  std::string key;
  const node* at; ///< the key
  const node* value;
};

/// The entries of a mapping with "<<" written out (what stands in the mapping itself wins). Keys
/// that are no text, and keys that come twice, are reported; of the latter the first is kept.
std::vector<entry> entries_of(const context& c, const node& mapping);

/// The secret behind {env: NAME} or {file: PATH}; nothing: it was reported, or another place
/// decides.
std::optional<std::string> dereference(const context& c, const node& value, const std::string& key);

/// "expected a text, found a list"; `type` completes "write …".
void wrong_kind(const context& c, const node& found, const std::string& key,
                std::string_view wanted, std::string_view type);

void refuse(const context& c, const node& value, const std::string& key, const wrong& why,
            std::string_view type);

/// For a key that no table knows.
void unknown_key(const context& c, const entry& e, const std::string& section,
                 const std::vector<std::string_view>& known);

/// A value by its key's shape.
template <class T>
void read_value(const context& c, const key_of<T>& key, const node& value, T& out) {
  const std::string name{key.path};
  const auto set = [&](const node& n, const std::string& text) {
    if (const auto bad = key.set(out, text))
      refuse(c, n, name, *bad, key.type);
  };
  switch (key.form) {
  case shape::nullable:
    if (value.what == node::kind::null)
      return key.clear(out);
    [[fallthrough]];
  case shape::text:
  case shape::path:
    if (value.what != node::kind::scalar)
      return wrong_kind(c, value, name, "a single value", key.type);
    if (key.form == shape::path && !value.text.empty() && !has_control_characters(value.text))
      return set(value, below(folder_of(c.file), value.text));
    return set(value, value.text);
  case shape::list:
    if (value.what != node::kind::list)
      return wrong_kind(c, value, name, "a list", "a list: [" + std::string{key.type} + "]");
    key.clear(out);
    for (const auto* item : value.items)
      if (item->what == node::kind::scalar)
        set(*item, item->text);
      else
        wrong_kind(c, *item, name, "a single value", key.type);
    return;
  case shape::pairs:
  case shape::variables:
    if (value.what == node::kind::null)
      return;
    if (value.what != node::kind::mapping)
      return wrong_kind(c, value, name, "a mapping", key.type);
    for (const auto& e : entries_of(c, value)) {
      const bool reference = key.form == shape::variables && e.value->what == node::kind::mapping;
      if (reference) {
        if (const auto text = dereference(c, *e.value, name + "." + e.key))
          if (const auto bad = key.secret_pair(out, e.key, *text))
            refuse(c, *e.value, name + "." + e.key, *bad, key.type);
      } else if (e.value->what != node::kind::scalar)
        wrong_kind(c, *e.value, name + "." + e.key, "a single value", key.type);
      else if (const auto bad = key.pair(out, e.key, e.value->text))
        refuse(c, *e.value, name + "." + e.key, *bad, key.type);
    }
    return;
  case shape::secret:
    if (const auto text = dereference(c, value, name))
      set(value, *text);
    return;
  }
}

/// A mapping, sections in it included. `skip`: keys that the caller reads itself.
template <class T>
void read_mapping(const context& c, const node& mapping, const std::vector<key_of<T>>& table,
                  T& out, mentioned& seen, const std::string& section = {},
                  const std::set<std::string>& skip = {}) {
  for (const auto& e : entries_of(c, mapping)) {
    const auto path = section + e.key;
    if (skip.contains(path))
      continue;
    const key_of<T>* found = nullptr;
    bool is_section = false;
    std::vector<std::string_view> known;
    for (const auto& key : table) {
      if (key.path == path)
        found = &key;
      is_section = is_section || key.path.starts_with(path + ".");
      known.push_back(key.path);
    }
    // "a.b: 1" at the top is not the key b of the section a.
    if (found != nullptr && e.key.find('.') == std::string::npos) {
      seen[path] = c.at(*e.value);
      read_value(c, *found, *e.value, out);
    } else if (is_section) {
      seen[path] = c.at(*e.at);
      if (e.value->what == node::kind::mapping)
        read_mapping(c, *e.value, table, out, seen, path + ".");
      else if (e.value->what != node::kind::null)
        wrong_kind(c, *e.value, path, "a mapping", "the keys of " + path + " below it");
    } else {
      unknown_key(c, e, section, known);
    }
  }
}

} // namespace pb::config
