#include "config/reader.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_map>

namespace pb::config {

namespace {

constexpr std::size_t largest_secret = 64 * 1'024;
constexpr auto how_to_refer = "write {env: NAME} or {file: PATH}";

bool is_variable(const std::string& text) {
  const auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), ok) &&
         !std::isdigit(static_cast<unsigned char>(text.front()));
}

void collect(const context& c, const node& mapping, bool own, std::vector<entry>& out,
             std::unordered_map<std::string, const node*>& lines) {
  std::vector<const node*> merged;
  for (const auto& [key, value] : mapping.pairs) {
    if (key->what != node::kind::scalar || key->text.empty()) {
      if (own)
        c.out.error(c.at(*key),
                    c.scope() + "a key that is " + std::string{words(key->what)} + ", not a name",
                    "write name: value");
      continue;
    }
    if (key->text == "<<") {
      if (value->what == node::kind::list)
        merged.insert(merged.end(), value->items.begin(), value->items.end());
      else
        merged.push_back(value);
      continue;
    }
    const auto [first, fresh] = lines.emplace(key->text, key);
    if (fresh)
      out.push_back({key->text, key, value});
    else if (own)
      c.out.error(c.at(*key),
                  c.scope() + "the key " + quoted(key->text) + " stands here a second time",
                  "keep this one or the one in line " + std::to_string(first->second->line));
  }
  for (const auto* m : merged) {
    if (m->what == node::kind::mapping)
      collect(c, *m, false, out, lines);
    else if (own)
      c.out.error(c.at(*m), c.scope() + "'<<' merges a mapping, not " + std::string{words(m->what)},
                  "write <<: *name of an anchored mapping");
  }
}

std::optional<std::string> from_variable(const context& c, const node& at, const std::string& key,
                                         const std::string& name) {
  if (!is_variable(name)) {
    // Not quoted: it may be the secret itself.
    c.out.error(c.at(at), c.prefix + key + ": what stands after env is no variable's name",
                "write the name of a variable that holds the secret, like {env: MY_SECRET}");
    return std::nullopt;
  }
  c.referenced.insert(name);
  if (const auto* value = c.env.find(name))
    return *value;
  if (!c.overridden.contains(key))
    c.out.error(c.at(at), c.prefix + key + ": the environment variable " + name + " is not set",
                "set " + name + " in the environment or in the .env file");
  return std::nullopt;
}

std::optional<std::string> from_file(const context& c, const node& at, const std::string& key,
                                     const std::string& path) {
  if (path.empty() || has_control_characters(path)) {
    c.out.error(c.at(at), c.prefix + key + ": what stands after file is no path",
                "write the path of a file that holds the secret");
    return std::nullopt;
  }
  const auto full = below(folder_of(c.file), path);
  auto text = c.files.read(full, largest_secret);
  if (!text) {
    if (!c.overridden.contains(key))
      c.out.error(c.at(at),
                  c.prefix + key + ": the file " + quoted(full) +
                      " cannot be read: " + text.error(),
                  "write a path relative to this file, or an absolute one");
    return std::nullopt;
  }
  while (text->ends_with('\n') || text->ends_with('\r'))
    text->pop_back();
  return *std::move(text);
}

} // namespace

std::vector<entry> entries_of(const context& c, const node& mapping) {
  std::vector<entry> out;
  std::unordered_map<std::string, const node*> lines;
  collect(c, mapping, true, out, lines);
  return out;
}

std::optional<std::string> dereference(const context& c, const node& value,
                                       const std::string& key) {
  if (value.what == node::kind::scalar) {
    c.out.error(c.at(value), c.prefix + key + ": a secret must not stand in this file",
                std::string{how_to_refer} + ", and make a new secret: this one was in a file");
    return std::nullopt;
  }
  // Nothing inside is quoted from here on: it may be the secret.
  const auto* pair =
      value.what == node::kind::mapping && value.pairs.size() == 1 ? &value.pairs.front() : nullptr;
  const bool by_env = pair != nullptr && pair->first->text == "env";
  const bool by_file = pair != nullptr && pair->first->text == "file";
  if ((!by_env && !by_file) || pair->second->what != node::kind::scalar) {
    c.out.error(c.at(value), c.prefix + key + ": not a reference to a secret", how_to_refer);
    return std::nullopt;
  }
  return by_env ? from_variable(c, *pair->second, key, pair->second->text)
                : from_file(c, *pair->second, key, pair->second->text);
}

void wrong_kind(const context& c, const node& found, const std::string& key,
                std::string_view wanted, std::string_view type) {
  const auto got = found.what == node::kind::null ? "nothing stands here"
                                                  : "found " + std::string{words(found.what)};
  c.out.error(c.at(found), c.prefix + key + ": expected " + std::string{wanted} + ", " + got,
              "write " + std::string{type} +
                  (found.what == node::kind::null ? ", or remove the key" : ""));
}

void refuse(const context& c, const node& value, const std::string& key, const wrong& why,
            std::string_view type) {
  c.out.error(c.at(value), c.prefix + key + ": " + why.what,
              why.instead.empty() ? "write " + std::string{type} : why.instead);
}

void unknown_key(const context& c, const entry& e, const std::string& section,
                 const std::vector<std::string_view>& known) {
  if (c.out.full())
    return c.strict ? c.out.error({}, {}, {}) : c.out.warning({}, {}, {});
  std::vector<std::string> here;
  std::string elsewhere;
  for (const auto path : known) {
    if (path == e.key || path.substr(path.rfind('.') + 1) == e.key)
      elsewhere = path;
    if (!path.starts_with(section))
      continue;
    const auto rest = path.substr(section.size());
    const std::string name{rest.substr(0, rest.find('.'))};
    if (std::find(here.begin(), here.end(), name) == here.end())
      here.push_back(name);
  }
  std::string instead;
  if (elsewhere.empty()) {
    instead = did_you_mean(e.key, here);
  } else if (const auto dot = elsewhere.find('.'); dot == std::string::npos) {
    instead = "write " + elsewhere + " at the left margin";
  } else {
    instead = "write " + elsewhere.substr(dot + 1) + " below " + elsewhere.substr(0, dot);
  }
  auto what = c.scope() + "unknown key " + quoted(section + e.key);
  if (c.strict)
    c.out.error(c.at(*e.at), std::move(what), std::move(instead));
  else
    c.out.warning(c.at(*e.at), what + ", ignored", std::move(instead));
}

} // namespace pb::config
