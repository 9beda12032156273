#include "config/load.hpp"

#include "config/keys.hpp"

namespace pb::config {

namespace {

/// "|" ends a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text)
    (c == '|' ? out += "\\|" : out += c);
  return out;
}

std::string code(std::string_view text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

std::string variables(const process_key& key) {
  auto out = environment_name(key.path);
  if (!key.alias.empty())
    out += " or " + std::string{key.alias};
  return out;
}

template <class Key>
std::string described(const Key& key) {
  auto out = "  " + std::string{key.path};
  if (!key.fallback.empty())
    out += " [" + std::string{key.fallback} + "]";
  return out + "\n      " + std::string{key.about} + "\n      " + std::string{key.type} + "\n";
}

} // namespace

std::string explain_keys() {
  std::string out = "patchbay.yaml (key [default], meaning, what to write, environment):\n";
  for (const auto& key : process_keys())
    out += described(key) + "      " + variables(key) + "\n";
  out += "\nmatrix-agents.yaml, below each agent and, but for id and base_url, below defaults:\n";
  for (const auto& key : agent_keys())
    out += described(key);
  return out;
}

std::string keys_as_markdown() {
  std::string out = "| key | default | what to write | meaning | environment |\n"
                    "| --- | --- | --- | --- | --- |\n";
  for (const auto& key : process_keys()) {
    auto names = code(environment_name(key.path));
    if (!key.alias.empty())
      names += ", " + code(key.alias);
    out += "| " + code(key.path) + " | " + code(key.fallback) + " | " + cell(key.type) + " | " +
           cell(key.about) + " | " + names + " |\n";
  }
  out += "\n| key of an agent | default | what to write | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& key : agent_keys())
    out += "| " + code(key.path) + " | " + code(key.fallback) + " | " + cell(key.type) + " | " +
           cell(key.about) + " |\n";
  return out;
}

} // namespace pb::config
