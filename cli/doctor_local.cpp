// What lies on this machine: data directory, disk, database, workspaces.

#include "cli/data_dir.hpp"
#include "cli/doctor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace pb::cli::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr auto least_free = 64 * mib;        ///< below: failed
constexpr auto comfortable_free = 512 * mib; ///< below: a warning
constexpr double slow_fsync_ms = 20;

/// The folder itself, or the nearest one above it that exists.
fs::path existing(fs::path p) {
  std::error_code ec;
  p = fs::absolute(p, ec);
  while (!p.empty() && p != p.root_path() && !fs::exists(p, ec))
    p = p.parent_path();
  return p;
}

/// Whether a file can be made there. Leaves nothing behind: the file has no name.
int try_to_write(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return 0;
  }
  if (errno != EOPNOTSUPP && errno != EISDIR)
    return errno;
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

struct syncs {
  double median_ms = 0, worst_ms = 0;
};

std::optional<syncs> time_fsync(const fs::path& folder) {
  auto name = (folder / "doctor.XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0)
    return std::nullopt;
  ::unlink(name.c_str());
  const std::string page(4096, 'x');
  std::array<double, 20> took{};
  bool good = true;
  for (auto& t : took) {
    const auto began = std::chrono::steady_clock::now();
    good = good && ::write(fd, page.data(), page.size()) == static_cast<ssize_t>(page.size()) &&
           ::fdatasync(fd) == 0;
    t = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  }
  ::close(fd);
  if (!good)
    return std::nullopt;
  std::sort(took.begin(), took.end());
  return syncs{took[took.size() / 2], took.back()};
}

std::string one_decimal(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", x);
  return text.data();
}

void look_at_space(const fs::path& folder, findings& into) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) {
    into.push_back({"disk", verdict::failed,
                    folder.string() + " cannot be looked at (" + std::strerror(errno) + ")",
                    "set data_dir to a folder on a local disk"});
    return;
  }
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto text = std::to_string(free / mib) + " MiB free at " + folder.string();
  if (free < least_free || (disk.f_files > 0 && disk.f_favail < 100))
    into.push_back({"disk", verdict::failed,
                    text + ", " + std::to_string(disk.f_favail) + " inodes",
                    "make room: a full disk stops all messages until there is space"});
  else if (free < comfortable_free)
    into.push_back({"disk", verdict::warning, text, "make room before it is full"});
  else
    into.push_back({"disk", verdict::ok, text, {}});
  const auto timed = time_fsync(folder);
  if (!timed) {
    into.push_back({"fsync", verdict::failed, "a file in " + folder.string() + " cannot be synced",
                    "set data_dir to a folder on a local disk that this user may write"});
    return;
  }
  const auto speed = "a page is safe on disk after " + one_decimal(timed->median_ms) +
                     " ms (worst of 20: " + one_decimal(timed->worst_ms) + " ms)";
  if (timed->median_ms > slow_fsync_ms)
    into.push_back({"fsync", verdict::warning, speed,
                    "every message waits for that several times: use a faster disk"});
  else
    into.push_back({"fsync", verdict::ok, speed, {}});
}

void look_at_database(const std::string& path, findings& into,
                      std::optional<account_row>& account) {
  const auto seen = inspect_database(path);
  if (!seen) {
    if (seen.error().code == fault_code::not_found) {
      into.push_back(
          {"database", verdict::ok, path + " is not there yet; the first start makes it", {}});
      return;
    }
    into.push_back({"database", verdict::failed, path + ": " + seen.error().cause,
                    seen.error().sentence.empty()
                        ? "stop the router, keep a copy of the file, bring back a backup or remove "
                          "it (the rooms are found again)"
                        : seen.error().sentence});
    return;
  }
  account = seen->account;
  if (!seen->broken.empty()) {
    into.push_back({"database", verdict::failed,
                    path + " is damaged: " + seen->broken.front().substr(0, 200) + " (" +
                        std::to_string(seen->broken.size()) + " findings)",
                    "stop the router, keep a copy of the file, bring back a backup or remove it "
                    "(the rooms are found again)"});
    return;
  }
  const auto& c = seen->counts;
  auto text = path + ": sound, schema " + std::to_string(seen->schema) + ", " +
              std::to_string(seen->bytes / 1024) + " KiB, " + std::to_string(c.rooms) +
              " rooms, waiting: " + std::to_string(c.inbox_pending) + " in, " +
              std::to_string(c.outbox_waiting) +
              " out; turns open: " + std::to_string(c.turns_open) +
              "; given up: " + std::to_string(c.outbox_dead);
  if (seen->schema < seen->newest_schema)
    text += "; the next start brings it to schema " + std::to_string(seen->newest_schema);
  if (seen->dangling > 0)
    into.push_back({"database", verdict::failed,
                    text + "; " + std::to_string(seen->dangling) + " rows refer to what is gone",
                    "keep a copy of the file and report it; a backup is sound"});
  else
    into.push_back({"database", verdict::ok, text, {}});
}

/// `{user}` is filled in for each person; what is before it has to be there.
std::string fixed_part(const std::string& workspace) {
  const auto at = workspace.find("{user}");
  if (at == std::string::npos)
    return workspace;
  const auto slash = workspace.rfind('/', at);
  return slash == std::string::npos ? "." : slash == 0 ? "/" : workspace.substr(0, slash);
}

} // namespace

std::string database_path(const settings& s) {
  return s.storage.path.empty() ? s.data_dir + "/patchbay.db" : s.storage.path;
}

void look_at_disk(const settings& s, findings& into, std::optional<account_row>& account) {
  const auto folder = existing(s.data_dir);
  std::error_code ec;
  const bool there = fs::is_directory(s.data_dir, ec);
  if (const int no = try_to_write(folder); no != 0)
    into.push_back({"data_dir", verdict::failed,
                    folder.string() + " cannot be written (" + std::strerror(no) + ")",
                    "give this user the right to write it, or set data_dir to another folder"});
  else if (const auto holder = data_dir::holder(s.data_dir))
    into.push_back({"data_dir", verdict::ok, s.data_dir + " is used by process " + *holder, {}});
  else
    into.push_back({"data_dir",
                    verdict::ok,
                    s.data_dir + (there ? ": no router runs on it" : " is made at the first start"),
                    {}});
  look_at_space(folder, into);
  look_at_database(database_path(s), into, account);
}

void look_at_workspaces(const registry& agents, findings& into) {
  for (const auto& [id, spec] : agents.agents) {
    if (!spec.enabled)
      continue;
    const auto what = "workspace " + id.value;
    if (spec.workspace.empty()) {
      into.push_back({what, verdict::ok, "none: files are declined in words", {}});
      continue;
    }
    const auto folder = fixed_part(spec.workspace);
    std::error_code ec;
    const auto hint = "mount the shared volume there, writable for this user (uid " +
                      std::to_string(::geteuid()) + ") and the agent's";
    if (!fs::is_directory(folder, ec))
      into.push_back({what, verdict::failed, folder + " is no folder here", hint});
    else if (::access(folder.c_str(), R_OK | X_OK) != 0)
      into.push_back(
          {what, verdict::failed, folder + " cannot be read (" + std::strerror(errno) + ")", hint});
    else if (const int no = try_to_write(folder); no != 0)
      into.push_back(
          {what, verdict::failed, folder + " cannot be written (" + std::strerror(no) + ")", hint});
    else
      into.push_back({what, verdict::ok, folder + " can be read and written", {}});
  }
}

} // namespace pb::cli::doctor
