#include "cli/registry_files.hpp"

#include "config/document.hpp"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace pb::cli {
namespace {

constexpr std::time_t young_seconds = 3;

/// FNV-1a: the files are the operator's own, nobody is deceived by a collision but themselves.
class yaml_printer {
public:
  void add(std::string_view bytes) {
    for (const char c : bytes)
      value_ = (value_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    value_ = (value_ ^ 0xFFU) * 1099511628211ULL; // no byte of UTF-8: ends a text
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

private:
  std::uint64_t value_ = 14695981039346656037ULL;
};

std::vector<std::string> files_of(const std::string& file) {
  const auto folder = config::below(config::folder_of(file), "agents.d");
  std::vector<std::string> out{file};
  if (const auto names = config::real_disk().yaml_files(folder))
    for (const auto& name : *names)
      out.push_back(config::below(folder, name));
  else
    out.push_back(folder + ": " + names.error());
  return out;
}

} // namespace

registry_files::entries registry_files::stat_all() const {
  yaml_printer p;
  entries out;
  const auto now = std::time(nullptr);
  for (const auto& file : files_of(file_)) {
    struct stat about {};
    p.add(file);
    if (::stat(file.c_str(), &about) != 0) {
      p.add("missing");
      continue;
    }
    for (const std::int64_t n :
         {static_cast<std::int64_t>(about.st_dev), static_cast<std::int64_t>(about.st_ino),
          static_cast<std::int64_t>(about.st_size), std::int64_t{about.st_mtim.tv_sec},
          std::int64_t{about.st_mtim.tv_nsec}, std::int64_t{about.st_ctim.tv_sec},
          std::int64_t{about.st_ctim.tv_nsec}})
      p.add(n);
    const auto changed = std::max(about.st_mtim.tv_sec, about.st_ctim.tv_sec);
    out.young = out.young || changed + young_seconds >= now;
  }
  out.print = p.value();
  return out;
}

std::uint64_t registry_files::read_all() const {
  yaml_printer p;
  for (const auto& file : files_of(file_)) {
    p.add(file);
    const auto text = config::real_disk().read(file, config::document::max_bytes);
    p.add(text ? "is" : "is not");
    p.add(text ? *text : text.error());
  }
  return p.value();
}

std::uint64_t registry_files::look() {
  const auto now = stat_all();
  const bool as_before = looked_ && now.print == last_.print && !now.young && !last_.young;
  last_ = now;
  if (!as_before) {
    looked_ = true;
    content_ = read_all();
  }
  return content_;
}

} // namespace pb::cli
