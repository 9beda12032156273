#include "config/environment.hpp"

#include <string_view>

namespace pb::config {

namespace {

constexpr std::size_t largest_env_file = std::size_t{1} << 20;

} // namespace

const std::string* environment::find(const std::string& name) const {
  const auto i = values.find(name);
  return i == values.end() || i->second.empty() ? nullptr : &i->second;
}

place environment::where(const std::string& name) const {
  const auto i = origins.find(name);
  return i == origins.end() ? place{name, 0, 0} : i->second;
}

std::string environment::folder(const std::string& name) const {
  const auto i = origins.find(name);
  return i == origins.end() ? std::string{} : folder_of(i->second.file);
}

environment read_environment(const std::optional<std::string>& env_file, const char* const* envp,
                             std::vector<problem>& problems, const disk& d) {
  environment out;
  const auto file = env_file.value_or(".env");
  if (env_file || d.exists(file)) {
    const auto text = d.read(file, largest_env_file);
    if (text)
      out = parse_env_file(*text, file, problems);
    else
      problems.push_back({file, 0, 0, "cannot be read: " + text.error(),
                          env_file ? "write the path of a readable file after --env-file"
                                   : "make it readable, or name another with --env-file",
                          !env_file});
  }
  for (; envp != nullptr && *envp != nullptr; ++envp) {
    const std::string_view entry{*envp};
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == entry.size())
      continue;
    const std::string name{entry.substr(0, equals)};
    out.values[name] = entry.substr(equals + 1);
    out.origins.erase(name);
  }
  return out;
}

} // namespace pb::config
