#include "bridges/matrix/homeserver/file_journal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pb {
namespace {

class fd {
public:
  explicit fd(int number) : number_(number) {}
  ~fd() {
    if (number_ >= 0)
      ::close(number_);
  }
  fd(const fd&) = delete;
  fd& operator=(const fd&) = delete;
  fd(fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  fd& operator=(fd&&) = delete;
  [[nodiscard]] int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

private:
  int number_;
};

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(to, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_all(int from, std::string& out) {
  char buffer[64 * 1024];
  for (;;) {
    const auto n = ::read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    if (n == 0)
      return true;
    out.append(buffer, static_cast<std::size_t>(n));
  }
}

/// Names come from our own generator; anything else could leave the folder.
bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

class file_journal final : public journal {
public:
  file_journal(std::string folder, fd log) : folder_(std::move(folder)), log_(std::move(log)) {}

  bool append(std::string_view line) override {
    // A line that went out in part would swallow the next one: after a failure nothing more is
    // written, and the next start cuts the torn end off.
    if (broken_)
      return false;
    std::string record(line);
    record += '\n';
    broken_ = !write_all(log_.get(), record);
    return !broken_;
  }

  void replay(const std::function<void(std::string_view)>& each) override {
    std::string all;
    if (::lseek(log_.get(), 0, SEEK_SET) < 0 || !read_all(log_.get(), all)) {
      broken_ = true;
      return;
    }
    const auto whole = all.rfind('\n') == std::string::npos ? 0 : all.rfind('\n') + 1;
    if (whole != all.size() && ::ftruncate(log_.get(), static_cast<off_t>(whole)) != 0)
      broken_ = true;
    std::string_view rest(all.data(), whole);
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      each(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }

  bool put_blob(const std::string& name, std::string_view bytes) override {
    if (!plain_name(name))
      return false;
    const fd file(::open(path_of(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file)
      return false;
    if (write_all(file.get(), bytes))
      return true;
    ::unlink(path_of(name).c_str());
    return false;
  }

  [[nodiscard]] std::optional<std::string> blob(const std::string& name) const override {
    if (!plain_name(name))
      return std::nullopt;
    const fd file(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) != 0)
      return std::nullopt;
    std::string out;
    out.reserve(static_cast<std::size_t>(about.st_size));
    if (!read_all(file.get(), out))
      return std::nullopt;
    return out;
  }

private:
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return folder_ + "/media/" + name;
  }

  std::string folder_;
  fd log_;
  bool broken_ = false;
};

bool make_folder(const std::string& path) {
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

} // namespace

result<std::unique_ptr<journal>> open_file_journal(const std::string& folder) {
  const auto refuse = [](const std::string& path) {
    return fail(fault_code::storage, path + ": " + std::strerror(errno),
                "The development homeserver cannot keep its data in " + path + ".");
  };
  if (!make_folder(folder))
    return refuse(folder);
  if (!make_folder(folder + "/media"))
    return refuse(folder + "/media");
  const auto path = folder + "/journal.jsonl";
  fd log(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log)
    return refuse(path);
  return std::unique_ptr<journal>(new file_journal(folder, std::move(log)));
}

} // namespace pb
