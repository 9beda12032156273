#pragma once
// A folder of its own for each test, and what an agent could do in it.

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <unistd.h>

namespace pb::test {

class scratch {
public:
  scratch() {
    char name[] = "/tmp/patchbay-files-XXXXXX";
    path = ::mkdtemp(name);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Everything in the folder, hidden files, too.
  [[nodiscard]] std::size_t count(const std::string& folder = ".") const {
    const std::filesystem::directory_iterator all(path / folder);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  std::filesystem::path path;
};

} // namespace pb::test
