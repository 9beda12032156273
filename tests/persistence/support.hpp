#pragma once
// What the tests of the store share: a directory that goes away, rows with sensible contents.

#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/open.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace pb::test {

/// The value of a result, or the test's end with the cause.
template <class T>
T need(result<T> r) {
  if (!r)
    throw std::runtime_error("unexpected fault: " + r.error().cause);
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

template <class T>
fault refused(const result<T>& r) {
  if (r)
    throw std::runtime_error("a fault was expected");
  return r.error();
}

class temp_dir {
public:
  temp_dir() {
    auto pattern = (std::filesystem::temp_directory_path() / "pb-store-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error("mkdtemp failed");
    path_ = std::filesystem::canonical(pattern);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name = "patchbay.db") const {
    return (path_ / name).string();
  }

private:
  std::filesystem::path path_;
};

inline std::unique_ptr<store> open_at(const std::string& path) {
  return need(open_store({path, synchronous_mode::normal}));
}
inline std::unique_ptr<store> memory() { return open_at(":memory:"); }

/// One operation in a transaction of its own; its fault rolls back.
template <class F>
auto alone(store& s, F&& op) {
  need(s.begin());
  auto r = op();
  if (r)
    need(s.commit());
  else
    s.rollback();
  return r;
}

/// Raw access beside the store: other programs, damage, questions that the port does not answer.
inline sqlite::database raw(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    std::ofstream{path};
    std::filesystem::permissions(path, std::filesystem::perms{0600});
  }
  return need(sqlite::database::open(path));
}

inline inbox_row event(const std::string& id, const std::string& room = "!r:x",
                       const std::string& content = R"({"body":"hi"})") {
  inbox_row row;
  row.event.id = event_id{id};
  row.event.room = room_id{room};
  row.event.sender = user_id{"@alice:x"};
  row.event.type = "m.room.message";
  row.event.sent_at = 1'700'000'000'000;
  row.event.content = content;
  row.tr.ref = "trace-" + id;
  return row;
}

inline admission batch(const std::string& cursor, std::vector<inbox_row> events) {
  admission a;
  a.cursor = cursor;
  a.events = std::move(events);
  return a;
}

inline room_row chat(const std::string& id, std::int64_t platform) {
  room_row r;
  r.id = room_id{id};
  r.owner = user_id{"@alice:x"};
  r.chat = "C" + std::to_string(platform);
  r.platform.value = platform;
  r.agent = agent_id{"writer"};
  r.epoch = 2;
  r.space = room_id{"!space:x"};
  r.intent = intent_id{"i" + std::to_string(platform)};
  r.title = "Chat";
  return r;
}

inline void add_room(store& s, const room_row& r) {
  settlement what;
  what.room = r;
  need(alone(s, [&] { return s.settle(what); }));
}

inline turn_row turn(const std::string& id, std::int64_t seq, const std::string& room = "!r:x") {
  turn_row t;
  t.id = turn_id{id};
  t.room = room_id{room};
  t.agent = agent_id{"writer"};
  t.chat.value = 7;
  t.inbox_seq = seq;
  t.at = 1'000;
  return t;
}

inline outbox_row message(const std::string& id, const std::string& room = "!r:x") {
  outbox_row m;
  m.id = outbox_id{id};
  m.room = room_id{room};
  m.txn = "pb-" + id;
  m.device = device_id{"DEV"};
  m.body = R"({"body":"an answer"})";
  m.turn = turn_id{"t1"};
  m.made_at = 2'000;
  m.notify = true;
  m.tr.ref = "trace";
  return m;
}

inline outbox_row marker(const std::string& id, const std::string& room = "!r:x") {
  auto m = message(id, room);
  m.kind = outbox_kind::state;
  m.priority = send_class::state;
  m.type = "io.patchbay.chat";
  m.txn.clear();
  return m;
}

inline confirmation_row confirmation(const std::string& id, std::int64_t number,
                                     const std::string& room = "!r:x") {
  confirmation_row c;
  c.id = outbox_id{id};
  c.room = room_id{room};
  c.turn = turn_id{"t1"};
  c.agent = agent_id{"writer"};
  c.chat.value = 7;
  c.name = "confirm-" + id;
  c.number = number;
  c.prompt = "Delete \xf0\x9f\x98\x80?\n`rm -rf`";
  c.asker = user_id{"@alice:x"};
  c.inbox_seq = 11;
  c.made_at = 1'000;
  c.expires_at = 9'000;
  return c;
}

} // namespace pb::test
