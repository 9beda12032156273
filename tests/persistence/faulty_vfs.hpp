#pragma once
// A layer under SQLite that fails one chosen call on a file, as a disk would.

#include <sqlite3.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

namespace pb::test {

/// While it lives, new connections of this process go through it. One at a time.
class faulty_vfs {
public:
  /// Which calls are counted, and what the failing one says.
  enum class kind { write, full, sync, truncate };

  faulty_vfs() : real_(sqlite3_vfs_find(nullptr)) {
    current() = this;
    vfs_ = *real_;
    vfs_.zName = "faulty";
    vfs_.pNext = nullptr;
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
    vfs_.xOpen = open;
    if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK)
      throw std::runtime_error("sqlite3_vfs_register");
  }
  faulty_vfs(const faulty_vfs&) = delete;
  faulty_vfs& operator=(const faulty_vfs&) = delete;
  ~faulty_vfs() {
    sqlite3_vfs_unregister(&vfs_);
    current() = nullptr;
  }

  /// From now on the `n`-th such call (from 1) fails, and `length` - 1 more after it.
  void fail(kind what, int n, int length = 1) {
    what_ = what;
    first_ = n;
    length_ = length;
    calls_ = 0;
    failed_ = false;
  }
  void heal() { first_ = 0; }
  [[nodiscard]] bool failed() const { return failed_; }
  /// How many of the chosen kind there were.
  [[nodiscard]] int calls() const { return calls_; }

private:
  struct file {
    sqlite3_file base; // first: SQLite knows only this
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static faulty_vfs*& current() {
    static faulty_vfs* one = nullptr;
    return one;
  }
  static sqlite3_file* real(sqlite3_file* f) { return reinterpret_cast<file*>(f)->real(); }

  bool now(kind what) {
    const bool same = what == what_ || (what == kind::write && what_ == kind::full);
    if (!same || first_ == 0)
      return false;
    ++calls_;
    const bool fails = calls_ >= first_ && calls_ < first_ + length_;
    failed_ = failed_ || fails;
    return fails;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    auto* self = current();
    auto* mine = reinterpret_cast<file*>(f);
    std::memset(f, 0, sizeof(file));
    const int code = self->real_->xOpen(self->real_, name, mine->real(), flags, out);
    if (!mine->real()->pMethods)
      return code;
    static sqlite3_io_methods methods;
    methods = *mine->real()->pMethods;
    methods.xClose = [](sqlite3_file* x) { return real(x)->pMethods->xClose(real(x)); };
    methods.xRead = [](sqlite3_file* x, void* to, int n, sqlite3_int64 at) {
      return real(x)->pMethods->xRead(real(x), to, n, at);
    };
    methods.xWrite = [](sqlite3_file* x, const void* from, int n, sqlite3_int64 at) {
      auto* vfs = current();
      if (vfs && vfs->now(kind::write)) {
        // Half of it arrives: what a disk does when it dies in the middle.
        if (vfs->what_ == kind::write && n > 1)
          real(x)->pMethods->xWrite(real(x), from, n / 2, at);
        return vfs->what_ == kind::full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
      }
      return real(x)->pMethods->xWrite(real(x), from, n, at);
    };
    methods.xTruncate = [](sqlite3_file* x, sqlite3_int64 size) {
      if (current() && current()->now(kind::truncate))
        return SQLITE_IOERR_TRUNCATE;
      return real(x)->pMethods->xTruncate(real(x), size);
    };
    methods.xSync = [](sqlite3_file* x, int how) {
      if (current() && current()->now(kind::sync))
        return SQLITE_IOERR_FSYNC;
      (void)x, (void)how; // the power stays on here: what was written is there without waiting
      return SQLITE_OK;
    };
    methods.xFileSize = [](sqlite3_file* x, sqlite3_int64* size) {
      return real(x)->pMethods->xFileSize(real(x), size);
    };
    methods.xLock = [](sqlite3_file* x, int how) { return real(x)->pMethods->xLock(real(x), how); };
    methods.xUnlock = [](sqlite3_file* x, int how) {
      return real(x)->pMethods->xUnlock(real(x), how);
    };
    methods.xCheckReservedLock = [](sqlite3_file* x, int* held) {
      return real(x)->pMethods->xCheckReservedLock(real(x), held);
    };
    methods.xFileControl = [](sqlite3_file* x, int op, void* arg) {
      return real(x)->pMethods->xFileControl(real(x), op, arg);
    };
    methods.xSectorSize = [](sqlite3_file* x) { return real(x)->pMethods->xSectorSize(real(x)); };
    methods.xDeviceCharacteristics = [](sqlite3_file* x) {
      return real(x)->pMethods->xDeviceCharacteristics(real(x));
    };
    methods.xShmMap = [](sqlite3_file* x, int page, int size, int extend, void volatile** to) {
      return real(x)->pMethods->xShmMap(real(x), page, size, extend, to);
    };
    methods.xShmLock = [](sqlite3_file* x, int offset, int n, int flags_) {
      return real(x)->pMethods->xShmLock(real(x), offset, n, flags_);
    };
    methods.xShmBarrier = [](sqlite3_file* x) { real(x)->pMethods->xShmBarrier(real(x)); };
    methods.xShmUnmap = [](sqlite3_file* x, int remove) {
      return real(x)->pMethods->xShmUnmap(real(x), remove);
    };
    methods.iVersion = 2; // no memory-mapped pages: every byte goes through here
    f->pMethods = &methods;
    return code;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_{};
  kind what_ = kind::write;
  int first_ = 0, length_ = 1, calls_ = 0;
  bool failed_ = false;
};

} // namespace pb::test
