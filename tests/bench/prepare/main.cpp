// bench_prepare: a database as a router leaves it that has served the world's rooms for a while and
// was killed in the middle of its work.

#include "persistence/sqlite/open.hpp"
#include "tests/bench/common/text.hpp"
#include "tests/bench/world/oracle.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <unistd.h>

namespace pb::bench {

namespace {

constexpr std::size_t writes_at_once = 500;

unix_ms wall_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

template <class T>
T sure(result<T> got) {
  if (!got)
    throw std::runtime_error(got.error().cause);
  if constexpr (!std::is_void_v<T>)
    return std::move(*got);
}

/// 32 hex digits in no order, as random ids are: so their index entries lie all over the tree.
std::string id_of(std::uint64_t kind, std::uint64_t n) {
  const auto mix = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  };
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(mix(2 * n + 1 + (kind << 60))),
                static_cast<unsigned long long>(mix(n * 977 + kind + 1)));
  return text;
}

class ledger {
public:
  ledger(store& disk, const shape& form, past before)
      : disk_(disk), rooms_(form), texts_(rooms_), before_(before), now_(wall_now()) {}

  void write() {
    sure(disk_.begin());
    sure(disk_.save_account({user_id{std::string(bot_id)}, device_id{"BENCH"}}));
    for (std::uint32_t person = 0; person < rooms_.people(); ++person)
      write_person(person);
    for (std::uint32_t room = 0; room < rooms_.form().rooms; ++room)
      write_room(room);
    settlement known;
    known.topology_known = true;
    sure(disk_.settle(known));
    sure(disk_.commit());
    for (std::uint64_t first = 0; first < before_.size(); first += writes_at_once)
      write_messages(first, std::min(first + writes_at_once, before_.size()));
    if (before_.size() == 0)
      take_position(0);
  }

private:
  void write_person(std::uint32_t person) {
    settlement s;
    auto& space = s.room.emplace();
    space.id = room_id{topology::id_of({true, person})};
    space.kind = room_kind::space;
    space.owner = user_id{topology::person_id(person)};
    space.agent = agent_id{"agent-1"};
    space.intent = intent_id{"bench-space-" + std::to_string(person)};
    space.title = "Agents of " + space.owner.value;
    auto& user = s.user.emplace();
    user.id = space.owner;
    user.space = space.id;
    user.agent = space.agent;
    user.next_chat = rooms_.form().rooms_per_person + 1;
    sure(disk_.settle(s));
  }

  void write_room(std::uint32_t room) {
    const auto number = std::to_string(room % rooms_.form().rooms_per_person + 1);
    settlement s;
    auto& row = s.room.emplace();
    row.id = room_id{topology::id_of({false, room})};
    row.owner = user_id{topology::person_id(rooms_.person_of(room))};
    row.chat = "C" + number;
    row.platform = platform_chat_id{static_cast<std::int64_t>(rooms_.chat_id_of(room))};
    row.agent = agent_of(room);
    row.space = room_id{topology::id_of({true, rooms_.person_of(room)})};
    row.intent = intent_id{"bench-room-" + std::to_string(room)};
    row.title = "Chat " + number;
    sure(disk_.settle(s));
  }

  void write_messages(std::uint64_t first, std::uint64_t last) {
    sure(disk_.begin());
    admission batch;
    batch.cursor = "s" + std::to_string(last);
    for (auto n = first; n < last; ++n)
      batch.events.push_back(event_of(n));
    const auto fresh = sure(disk_.admit(batch)).fresh;
    if (fresh.size() != last - first)
      throw std::runtime_error("the database knew some of these messages already");
    for (auto n = first; n < std::min(last, before_.settled); ++n)
      answer(n, fresh[n - first].seq);
    sure(disk_.commit());
  }

  void take_position(std::uint64_t at) {
    sure(disk_.begin());
    admission nothing;
    nothing.cursor = "s" + std::to_string(at);
    sure(disk_.admit(nothing));
    sure(disk_.commit());
  }

  inbox_row event_of(std::uint64_t n) const {
    const auto room = before_.room_of(n, rooms_.form().rooms);
    inbox_row row;
    row.event.id = event_id{oracle::event_id_of(n)};
    row.event.room = room_id{topology::id_of({false, room})};
    row.event.sender = user_id{topology::person_id(rooms_.person_of(room))};
    row.event.type = "m.room.message";
    row.event.sent_at = now_;
    row.event.content =
        R"({"msgtype":"m.text","body":)" + json_string(texts_.text_of(n)) + R"(,"m.mentions":{}})";
    row.tr = trace{"0badcafe-" + std::to_string(n)};
    return row;
  }

  /// The message's turn, its end, and the answer that was sent.
  void answer(std::uint64_t n, std::int64_t seq) {
    const auto room = before_.room_of(n, rooms_.form().rooms);
    turn_row turn;
    turn.id = turn_id{id_of(1, n)};
    turn.room = room_id{topology::id_of({false, room})};
    turn.agent = agent_of(room);
    turn.chat = platform_chat_id{static_cast<std::int64_t>(rooms_.chat_id_of(room))};
    turn.inbox_seq = seq;
    turn.at = now_;
    sure(disk_.dispatch(turn));
    turn.state = turn_state::answered;
    settlement s;
    s.inbox.push_back({seq, inbox_outcome::answered});
    s.turn = turn;
    auto& out = s.outbox.emplace_back();
    out.id = outbox_id{id_of(2, n)};
    out.room = turn.room;
    out.txn = "pb-" + out.id.value;
    out.device = device_id{"BENCH"};
    out.turn = turn.id;
    out.made_at = now_;
    out.body = R"({"msgtype":"m.text","body":)" + json_string(texts_.answer_to(n)) +
               R"(,"m.mentions":{},"m.relates_to":{"m.in_reply_to":{"event_id":")" +
               oracle::event_id_of(n) + R"("}},"io.patchbay.delivery":{"turn":")" + turn.id.value +
               R"(","kind":"final","part":1,"id":")" + out.id.value + R"("}})";
    sure(disk_.settle(s));
    sure(disk_.record({{out.id, outbox_state::sent, event_id{"$old" + id_of(3, n)}, {}}}));
  }

  [[nodiscard]] agent_id agent_of(std::uint32_t room) const {
    return agent_id{"agent-" + std::to_string(rooms_.agent_of(room))};
  }

  store& disk_;
  topology rooms_;
  oracle texts_;
  past before_;
  unix_ms now_;
};

int prepare(const std::string& path, const shape& form, past before) {
  const auto disk = sure(open_store({path, synchronous_mode::normal}));
  ledger(*disk, form, before).write();
  const auto all = sure(disk->counts());
  const auto expected = static_cast<std::int64_t>(before.unfinished);
  if (all.inbox_pending != expected || all.outbox_waiting != 0 || all.turns_open != 0)
    throw std::runtime_error("the database does not hold what it should");
  std::cout << "{\"rows\":" << 3 * before.settled + before.unfinished << ",\"rooms\":" << all.rooms
            << "}" << std::endl;
  // As a kill leaves it: nothing is closed, the write-ahead log stays.
  std::_Exit(0);
}

} // namespace

} // namespace pb::bench

int main(int argc, char** argv) {
  pb::bench::shape form;
  pb::bench::past before;
  std::string path;
  CLI::App app{"Writes a database as a router that was killed leaves it, for the rooms of "
               "bench_world with the same numbers."};
  app.add_option("--database", path, "the new file")->required();
  app.add_option("--rooms", form.rooms)->check(CLI::Range(1, 1'000'000));
  app.add_option("--rooms-per-person", form.rooms_per_person)->check(CLI::Range(1, 1'000'000));
  app.add_option("--agents", form.agents)->check(CLI::Range(1, 100'000));
  app.add_option("--bytes", form.body_bytes)->check(CLI::Range(1, 60'000));
  app.add_option("--settled", before.settled, "messages with an ended turn and a sent answer");
  app.add_option("--unfinished", before.unfinished, "messages that were admitted and no more");
  CLI11_PARSE(app, argc, argv);
  try {
    return pb::bench::prepare(path, form, before);
  } catch (const std::exception& e) {
    std::cerr << "bench_prepare: " << e.what() << std::endl;
    return 1;
  }
}
