// What sessions with agents remember, by chat and agent.

#include "support.hpp"

using namespace pb;
using namespace pb::test;

namespace {

const agent_id writer{"writer"}, coder{"coder"};

void remember(store& s, const agent_id& agent, std::int64_t chat, const std::string& what) {
  need(alone(s, [&] { return s.remember(agent, {chat}, what); }));
}

std::string recall(store& s, const agent_id& agent, std::int64_t chat) {
  return need(s.recall(agent, {chat}));
}

} // namespace

TEST_CASE("A memory is its chat's and its agent's, and the last one counts", "[store][memory]") {
  const temp_dir dir;
  {
    auto s = open_at(dir.file());
    CHECK(recall(*s, writer, 7).empty());
    remember(*s, writer, 7, "writer of 7");
    remember(*s, coder, 7, "coder of 7");
    remember(*s, writer, 8, R"({"context":"\ud83d\ude00","nul":"\u0000"})");
    remember(*s, writer, 7, "writer of 7, later");
  }
  auto s = open_at(dir.file()); // what a new process finds
  CHECK(recall(*s, writer, 7) == "writer of 7, later");
  CHECK(recall(*s, coder, 7) == "coder of 7");
  CHECK(recall(*s, writer, 8) == R"({"context":"\ud83d\ude00","nul":"\u0000"})");
  CHECK(need(raw(dir.file()).ask("SELECT count(*) FROM session_memory")) == "3");
}

TEST_CASE("An empty memory is none: nothing of it stays", "[store][memory]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  remember(*s, writer, 7, "something");
  remember(*s, coder, 7, "something else");
  remember(*s, writer, 7, "");
  remember(*s, writer, 9, ""); // there was none
  CHECK(recall(*s, writer, 7).empty());
  CHECK(recall(*s, coder, 7) == "something else");
  CHECK(need(raw(dir.file()).ask("SELECT count(*) FROM session_memory")) == "1");
}

TEST_CASE("A memory has a cap, and one past it leaves the old one and its group alone",
          "[store][memory]") {
  auto s = memory();
  const std::string full(memory_cap, 'm');
  remember(*s, writer, 7, full);
  need(s->begin());
  need(s->remember(coder, {7}, "a neighbour in the group"));
  const auto why = refused(s->remember(writer, {7}, full + "m"));
  need(s->commit());
  CHECK(why.code == fault_code::too_large);
  CHECK(why.cause.find("mmm") == std::string::npos); // what is remembered is in no log
  CHECK(recall(*s, writer, 7) == full);
  CHECK(recall(*s, coder, 7) == "a neighbour in the group");
}

TEST_CASE("A memory whose group is taken back was never written", "[store][memory]") {
  auto s = memory();
  remember(*s, writer, 7, "before");
  need(s->begin());
  need(s->remember(writer, {7}, "after"));
  CHECK(recall(*s, writer, 7) == "after"); // reads see the open group
  s->rollback();
  CHECK(recall(*s, writer, 7) == "before");
  CHECK(refused(s->remember(writer, {7}, "outside")).code == fault_code::bug);
}

TEST_CASE("An upgraded room's chat goes on with its memory", "[store][memory]") {
  auto s = memory();
  add_room(*s, chat("!old:x", 7));
  remember(*s, writer, 7, "of the chat");
  settlement move;
  move.room = chat("!new:x", 7);
  move.moved_from = room_id{"!old:x"};
  need(alone(*s, [&] { return s->settle(move); }));
  CHECK(recall(*s, writer, 7) == "of the chat");
}
