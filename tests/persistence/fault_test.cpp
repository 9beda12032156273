// A disk that fails at any one of the calls that a fixed piece of work makes.

#include "faulty_vfs.hpp"
#include "support.hpp"

#include <set>

using namespace pb;
using namespace pb::test;
using namespace std::chrono_literals;
using kind = faulty_vfs::kind;

namespace {

constexpr int groups = 6;

/// What one run knew: the groups whose commit was told done, and those whose end is open.
struct story {
  std::set<int> done, refused;
  bool fatal = false;   ///< an error after which only a new process may look
  bool went_on = false; ///< something was accepted after such an error: a fault of ours
  bool opened = false;
};

/// Each group: two events, an answer, a marker, a room, a confirmation; every third one ends a
/// sweep of the retention, which is followed by a checkpoint.
result<void> group(store& s, int n) {
  const auto id = std::to_string(n);
  if (auto ok = s.begin(); !ok)
    return ok;
  auto all = [&]() -> result<void> {
    auto in = s.admit(
        batch("s" + id, {event("$a" + id, "!r:x", std::string(1'500, 'x')), event("$b" + id)}));
    if (!in)
      return tl::unexpected<fault>(in.error());
    settlement what;
    what.room = chat("!r:x", 7);
    what.outbox = {message("o" + id), marker("m" + id)};
    what.inbox = {{2 * n + 1, inbox_outcome::answered}};
    what.confirmations = {confirmation("o" + id, n + 1)};
    if (auto out = s.settle(what); !out)
      return tl::unexpected<fault>(out.error());
    if (auto ok = s.remember(agent_id{"writer"}, {7}, id + std::string(9'000, 'm')); !ok)
      return ok;
    if (n % 3 == 2)
      if (auto p = s.prune(0ms, 100); !p)
        return tl::unexpected<fault>(p.error());
    return {};
  }();
  // As the persistence actor does it: a group that was begun is always brought to its end.
  auto committed = s.commit();
  return all ? committed : all;
}

story run(const std::string& path) {
  story t;
  auto opened = open_store({path, synchronous_mode::full});
  if (!opened)
    return t;
  t.opened = true;
  auto& s = **opened;
  for (int n = 0; n < groups; ++n) {
    const auto ok = group(s, n);
    if (ok && t.fatal)
      t.went_on = true;
    if (ok)
      t.done.insert(n);
    else
      t.refused.insert(n);
    if (!ok && ok.error().code == fault_code::storage)
      t.fatal = true;
  }
  return t;
}

/// What a new process finds: every group whole or not at all.
std::set<int> found(const std::string& path) {
  std::set<int> out;
  auto s = open_at(path);
  s.reset();
  auto db = raw(path);
  CHECK(need(db.ask("PRAGMA integrity_check")) == "ok");
  CHECK(need(db.ask("PRAGMA foreign_key_check")).empty());
  for (int n = 0; n < groups; ++n) {
    const auto id = std::to_string(n);
    const auto has = [&](const std::string& sql) { return need(db.ask(sql)) != "0"; };
    // Events that were pruned count by what stays of their group.
    const bool answer = has("SELECT count(*) FROM outbox WHERE id = 'o" + id + "'");
    const bool note = has("SELECT count(*) FROM outbox WHERE id = 'm" + id + "'");
    const bool pending = has("SELECT count(*) FROM inbox WHERE event_id = '$b" + id + "'");
    const bool question = has("SELECT count(*) FROM confirmation WHERE id = 'o" + id + "'");
    CHECK(answer == note);
    CHECK(answer == question);
    CHECK(answer == pending);
    if (answer)
      out.insert(n);
  }
  const auto cursor = need(db.ask("SELECT coalesce((SELECT value FROM meta"
                                  " WHERE key = 'cursor'), '')"));
  CHECK(cursor == (out.empty() ? "" : "s" + std::to_string(*out.rbegin())));
  return out;
}

/// Every call of that kind in turn fails `length` times; how many calls there were to fail.
int each_call(kind what, int length) {
  int n = 1;
  for (bool reached = true; reached; ++n) {
    INFO("call " << n << " of kind " << static_cast<int>(what));
    const temp_dir dir;
    open_at(dir.file()); // the schema is there: another test looks at its making
    story t;
    {
      faulty_vfs disk;
      disk.fail(what, n, length);
      t = run(dir.file());
      reached = disk.failed();
    }
    CHECK_FALSE(t.went_on);
    const auto after = found(dir.file());
    for (const int g : t.done) {
      INFO("group " << g << " was told done");
      CHECK(after.count(g) == 1);
    }
    // The one whose commit ended in an error of the disk may be there or not; no other may.
    int open_ends = 0;
    for (const int g : after)
      open_ends += t.done.count(g) == 0 ? 1 : 0;
    CHECK(open_ends <= 1);
    if (!reached)
      CHECK(t.done.size() == groups);
    if (reached && what == kind::sync && t.opened && t.done.size() < groups)
      CHECK(t.fatal);
  }
  return n - 1;
}

} // namespace

TEST_CASE("Whichever fsync fails, nothing is told done that is not on disk, and nothing follows it",
          "[store][fault]") {
  CHECK(each_call(kind::sync, 1) > groups); // at least one for each commit
}

TEST_CASE("Whichever write fails, every group is there whole or not at all", "[store][fault]") {
  CHECK(each_call(kind::write, 1) > 100);
}

TEST_CASE("Whichever write finds no space, what was told done stays", "[store][fault]") {
  CHECK(each_call(kind::full, 5) > 100);
}

TEST_CASE("Whichever cut of a file fails, what was told done stays", "[store][fault]") {
  each_call(kind::truncate, 1);
}

TEST_CASE("Whichever write fails while the schema is made, the next start makes it",
          "[store][fault]") {
  for (const auto what : {kind::write, kind::sync, kind::full}) {
    int n = 1;
    for (bool reached = true; reached; ++n) {
      INFO("call " << n << " of kind " << static_cast<int>(what));
      const temp_dir dir;
      {
        faulty_vfs disk;
        disk.fail(what, n);
        const auto opened = open_store({dir.file(), synchronous_mode::full});
        reached = disk.failed();
        CHECK((reached || opened.has_value()));
      }
      auto s = open_at(dir.file());
      CHECK(need(s->counts()).rooms == 0);
      s.reset();
      CHECK(need(raw(dir.file()).ask("PRAGMA integrity_check")) == "ok");
    }
    CHECK(n > 4);
  }
}
