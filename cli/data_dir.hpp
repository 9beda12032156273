#pragma once
// The folder that belongs to one running router: its lock and its small secret files.

#include "messages/values/fault.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

namespace pb::cli {

/// Holds the exclusive lock until it is destroyed.
class data_dir {
public:
  /// Makes the folder (0700). busy: another process has it, named in the sentence.
  static result<data_dir> open(const std::string& path);
  /// Who holds the lock of that folder, as it names itself; nothing: nobody. Changes nothing.
  static std::optional<std::string> holder(const std::string& path);
  data_dir(data_dir&& other) noexcept;
  data_dir(const data_dir&) = delete;
  data_dir& operator=(const data_dir&) = delete;
  data_dir& operator=(data_dir&&) = delete;
  ~data_dir();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The secret in that file, made at the first call: 256 random bits, mode 0600.
  [[nodiscard]] result<std::string> secret_file(const std::string& name) const;
  /// Writes a one-line file (0600), whole or not at all. False: it cannot be written.
  [[nodiscard]] bool note(const std::string& name, const std::string& line) const;

private:
  data_dir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_ = -1;
};

} // namespace pb::cli
