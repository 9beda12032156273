#pragma once
// A disk in memory, and problems as lines.

#include "config/load.hpp"
#include "config/process.hpp"

#include <map>
#include <string>
#include <vector>

namespace pb::config::test {

class memory_disk final : public disk {
public:
  memory_disk() = default;
  explicit memory_disk(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  tl::expected<std::string, std::string> read(const std::string& path,
                                              std::size_t cap) const override {
    const auto i = files_.find(path);
    if (i == files_.end())
      return tl::unexpected<std::string>("No such file or directory");
    if (i->second.size() > cap)
      return tl::unexpected<std::string>("too large");
    return i->second;
  }

  bool exists(const std::string& path) const override { return files_.contains(path); }

  tl::expected<std::vector<std::string>, std::string>
  yaml_files(const std::string& folder) const override {
    std::vector<std::string> out;
    for (const auto& [path, text] : files_)
      if (folder_of(path) == folder && path.ends_with(".yaml"))
        out.push_back(path.substr(folder.size() + 1));
    return out;
  }

private:
  std::map<std::string, std::string> files_;
};

inline environment variables(std::map<std::string, std::string> values) {
  environment out;
  out.values = std::move(values);
  return out;
}

inline std::string lines(const std::vector<problem>& problems) {
  std::string out;
  for (const auto& p : problems)
    out += to_string(p) + "\n";
  return out;
}

/// A homeserver that is complete, so that a test's own key is the only thing to speak about.
inline const std::string homeserver =
    "homeserver: {url: https://m.example.org, user_id: '@b:e.org', "
    "access_token: {env: T}}\n";

inline process_outcome process(const std::string& text,
                               std::map<std::string, std::string> values = {{"T", "secret-t"}}) {
  return parse_process(source{"p.yaml", text}, variables(std::move(values)), {}, memory_disk{});
}

inline registry_outcome agents(const std::string& text,
                               std::map<std::string, std::string> values = {}) {
  return parse_registry({"a.yaml", text}, {}, variables(std::move(values)), memory_disk{});
}

} // namespace pb::config::test
