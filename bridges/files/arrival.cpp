#include "bridges/files/arrival.hpp"

#include "bridges/files/beneath.hpp"
#include "bridges/files/names.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pb::files {

namespace {

constexpr std::string_view hidden_prefix = ".patchbay-", hidden_suffix = ".part";
constexpr std::int64_t leftover_age = 24 * 3600; // s
constexpr unsigned most_numbers = 100'000;

struct close_dir {
  void operator()(DIR* d) const { ::closedir(d); }
};

/// Who may read a file may enter its folder.
unsigned folder_mode(unsigned file_mode) { return file_mode | ((file_mode & 0444U) >> 2U); }

unsigned group_of(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 ? what.st_gid : ::getegid();
}

/// The workspace's folder and its group. What comes from `{user}` on is made, and walked without
/// symbolic links: it may lie where somebody else writes.
result<unique_fd> workspace_folder(const destination& where, unsigned mode, unsigned& group) {
  const auto mark = where.workspace.find("{user}");
  const auto all = workspace_for(where.workspace, where.user);
  const auto slash = mark == std::string::npos ? mark : where.workspace.rfind('/', mark);
  auto base = mark == std::string::npos    ? all
              : slash == std::string::npos ? std::string(".")
                                           : all.substr(0, slash + 1);
  auto top = open_folder(base);
  if (!top &&
      top.error().code == fault_code::not_found) // of the two things to look for, not the file
    return fail(fault_code::storage, top.error().cause);
  if (!top)
    return top;
  group = group_of(top->get());
  if (mark == std::string::npos)
    return top;
  auto own =
      make_folders(top->get(), all.substr(slash == std::string::npos ? 0 : slash + 1), group, mode);
  if (own)
    group = group_of(own->get());
  return own;
}

} // namespace

result<std::unique_ptr<arrival>> arrival::begin(const file_settings& rules,
                                                const destination& where, std::string_view tag,
                                                std::int64_t promised) {
  if (promised > 0 && static_cast<std::uint64_t>(promised) > rules.max_bytes)
    return fail(fault_code::too_large, "files.max_bytes: the file has " + std::to_string(promised) +
                                           " bytes; the limit is " +
                                           std::to_string(rules.max_bytes));
  std::unique_ptr<arrival> a(new arrival);
  a->mode_ = rules.mode & 0777U;
  const auto workspace = workspace_folder(where, folder_mode(a->mode_), a->group_);
  if (!workspace)
    return tl::unexpected<fault>(workspace.error());
  if (rules.incoming.find_first_not_of("./") != std::string::npos) { // "." is the root, too
    auto in = relative_path(rules.incoming, {});
    if (!in)
      return fail(fault_code::configuration, "files.incoming: " + in.error().cause);
    a->prefix_ = *in + "/" + std::to_string(where.chat.value) + "/";
    a->quota_ = rules.chat_quota;
  }
  auto folder = make_folders(workspace->get(), a->prefix_, a->group_, folder_mode(a->mode_));
  if (!folder)
    return tl::unexpected<fault>(folder.error());
  a->folder_ = std::move(*folder);
  const auto hidden = std::string(hidden_prefix) + std::string(tag) + std::string(hidden_suffix);
  auto file = create_beneath(a->folder_.get(), hidden);
  if (!file)
    return tl::unexpected<fault>(file.error());
  a->hidden_ = hidden;
  struct stat made {};
  if (::fstat(file->get(), &made) != 0)
    return tl::unexpected<fault>(disk_fault(errno, "a new file"));
  a->made_at_ = made.st_mtim.tv_sec;
  a->body_ = std::make_shared<file_body>(std::move(*file));
  const auto there = a->look(true);
  if (!there)
    return tl::unexpected<fault>(there.error());
  a->limit_ = rules.max_bytes;
  if (a->quota_ > 0) {
    const auto left = a->quota_ - std::min<std::uint64_t>(a->quota_, there->bytes);
    if (left == 0 || (promised > 0 && static_cast<std::uint64_t>(promised) > left))
      return fail(fault_code::too_large, "files.chat_quota: " + std::to_string(left) + " of " +
                                             std::to_string(a->quota_) +
                                             " bytes are left in the chat's folder");
    a->limit_ = std::min<std::uint64_t>(a->limit_, left);
  }
  return a;
}

arrival::~arrival() {
  if (!hidden_.empty())
    ::unlinkat(folder_.get(), hidden_.c_str(), 0);
}

/// Counts what is there. `clean`: what a crash left is removed.
result<arrival::contents> arrival::look(bool clean) const {
  const int again = ::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, close_dir> dir(again < 0 ? nullptr : ::fdopendir(again));
  if (!dir)
    return tl::unexpected<fault>(disk_fault(errno, "the folder"));
  contents out;
  for (std::size_t seen = 0; const auto* entry = ::readdir(dir.get()); ++seen) {
    if (seen > most_files + 1'000) { // a workspace's root may hold anything
      if (prefix_.empty())
        break;
      return fail(fault_code::too_large, "the chat's folder holds too many files");
    }
    const std::string_view name = entry->d_name;
    struct stat what {};
    if (::fstatat(again, entry->d_name, &what, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(what.st_mode))
      continue;
    if (name.starts_with(hidden_prefix) && name.ends_with(hidden_suffix)) {
      if (clean && what.st_mtim.tv_sec + leftover_age < made_at_)
        ::unlinkat(again, entry->d_name, 0);
      continue;
    }
    ++out.files;
    out.bytes += static_cast<std::uint64_t>(std::max<off_t>(what.st_size, 0));
  }
  if (!prefix_.empty() && out.files >= most_files)
    return fail(fault_code::too_large, "the chat's folder holds too many files");
  return out;
}

bool arrival::taken(const std::string& name) const {
  struct stat what {};
  return ::fstatat(folder_.get(), name.c_str(), &what, AT_SYMLINK_NOFOLLOW) == 0;
}

/// One that nobody has and whose predecessor somebody has, in few steps also among thousands.
unsigned arrival::free_number(const std::string& name) const {
  unsigned low = 0, high = 1; // low: taken
  while (high < most_numbers && taken(numbered_name(name, high))) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (taken(numbered_name(name, middle)) ? low : high) = middle;
  }
  return high;
}

bool arrival::give_name(const std::string& name) const {
  const int at = folder_.get();
  if (::renameat2(at, hidden_.c_str(), at, name.c_str(), RENAME_NOREPLACE) == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS)
    return false;
  // This file system cannot do that in one step (NFS).
  if (::linkat(at, hidden_.c_str(), at, name.c_str(), 0) != 0)
    return false;
  ::unlinkat(at, hidden_.c_str(), 0);
  return true;
}

result<staged_file> arrival::finish(std::string_view name) {
  const auto wrong = [](const char* what) {
    return tl::unexpected<fault>(disk_fault(errno, what));
  };
  if (quota_ > 0) {
    const auto there = look(false);
    if (!there)
      return tl::unexpected<fault>(there.error());
    if (there->bytes + body_->size() > quota_)
      return fail(fault_code::too_large, "files.chat_quota: other files came in the meantime");
  }
  if (::fchown(body_->fd(), static_cast<uid_t>(-1), group_) != 0 && errno != EPERM)
    return wrong("the file's group");
  if (::fchmod(body_->fd(), mode_) != 0)
    return wrong("the file's mode");
  const auto safe = safe_name(name);
  for (unsigned n = free_number(safe), tries = 0; tries < 100; ++n, ++tries) {
    const auto own = numbered_name(safe, n);
    if (give_name(own)) {
      hidden_.clear();
      return staged_file{prefix_ + own, static_cast<std::int64_t>(body_->size())};
    }
    if (errno != EEXIST)
      return wrong("naming the file");
  }
  return fail(fault_code::storage, "others take every name that was free");
}

} // namespace pb::files
