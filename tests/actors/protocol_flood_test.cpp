// Too much, too deep, too broken, too many at once, in every protocol.

#include "bridges/matrix/json_scan.hpp"
#include "tests/support/protocol_bench.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

/// A text that holds the word "EVIL" leaves the agent otherwise.
std::function<std::string(std::string)>
instead_of_evil(std::function<std::string(std::string)> by) {
  return [by = std::move(by)](std::string text) {
    return text.find("EVIL") == std::string::npos ? text : by(std::move(text));
  };
}
std::function<std::string(std::string)> evil_is(const std::string& bytes) {
  return instead_of_evil(
      [bytes](std::string text) { return text.replace(text.find("EVIL"), 4, bytes); });
}

std::string deep(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

/// What the room holds meanwhile it gives back now.
void ack_all(protocol_bench& b) {
  if (!b.heard->batches.empty())
    b.tell(agent_ack{b.heard->batches.back().turn, b.heard->batches.back().seq});
}

} // namespace

TEST_CASE("a text that breaks the protocol ends the turn as such, and the next one is fine") {
  PB_EVERY_PROTOCOL(how);
  const auto bad =
      GENERATE(as<std::string>{}, "not json", "{", "[1,2", "\"only a text\"", "nul\0here",
               deep(1000), "{\"type\":" + deep(1000) + "}", "\xff\xfe\xfd");
  CAPTURE(bad.substr(0, 20));
  // A child's libraries print whatever they like beside the protocol.
  PB_ONLY_IF(!(how.name == "acp of a child" && bad[0] != '{' && !bad.starts_with("[[")));
  protocol_bench b{how};
  b.mangle = instead_of_evil([bad](const std::string&) { return bad; });
  b.peer.use(always({chunk("a"), wait(100ms), chunk("EVIL"), wait(10s), chunk("b"), end()}));
  b.ask("t1", "go");
  b.run_for(how.streams ? 3s : 15s);
  // Without streams the one text that there is holds it.
  REQUIRE(b.endings() == std::vector{turn_ending::malformed});
  CHECK(b.heard->text() == (how.streams ? "a" : ""));
  CHECK(b.peer.user_messages().size() == 1);
  b.mangle = nullptr;
  b.peer.use(echo());
  b.ask_anew("t2", "again");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "again");
}

TEST_CASE("what no text may hold never reaches a room") {
  PB_EVERY_PROTOCOL(how);
  const auto bytes = GENERATE(as<std::string>{}, "\\u0000", "\\ud800", "\\udc00x", "\xff\xfe",
                              "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80");
  CAPTURE(bytes);
  protocol_bench b{how};
  b.mangle = evil_is(bytes);
  b.peer.use(always({chunk("a"), wait(100ms), chunk("[EVIL]"), wait(100ms), end()}));
  b.ask("t1", "go");
  b.run_for(15s);
  REQUIRE(b.heard->overs.size() == 1);
  const auto how_it_ended = b.heard->overs[0].ending;
  CHECK((how_it_ended == turn_ending::answered || how_it_ended == turn_ending::malformed));
  const auto text = b.heard->text();
  CHECK(text.find('\0') == std::string::npos);
  CHECK(matrix::json::is_utf8(text));
  CHECK(matrix::json::is_utf8(b.heard->overs[0].detail));
  b.mangle = nullptr;
  b.peer.use(echo());
  b.ask_anew("t2", "again");
  CHECK(b.heard->text() == "again");
}

TEST_CASE("ten thousand pieces wait in the agent while the room is slow, and none is lost") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.heard->acks = false;
  std::vector<step> pieces;
  std::string all;
  for (int i = 0; i < 10'000; ++i) {
    all += std::to_string(i) + " ";
    pieces.push_back(chunk(std::to_string(i) + " "));
  }
  pieces.push_back(end());
  b.peer.use(always(pieces));
  b.ask("t1", "go");
  b.run_for(5min);
  constexpr std::size_t piece_at_most = 1'000;
  if (how.streams) {
    CHECK(b.heard->batches.size() == 1);
    CHECK(b.heard->overs.empty());
    CHECK(b.net.most_unread() <= (std::size_t{256} << 10) + piece_at_most);
  }
  for (int i = 0; i < 1'000 && b.heard->overs.empty(); ++i) {
    ack_all(b);
    b.run_for(1s);
  }
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == all);
  if (how.streams)
    CHECK(b.net.most_unread() <= (std::size_t{256} << 10) + piece_at_most);
}

TEST_CASE("an answer in one piece of a megabyte arrives as it is") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  const std::string large(1'000'000, 'x');
  b.peer.use(always({chunk(large), chunk("."), end()}));
  b.ask("t1", "go");
  b.run_for(30s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == large + ".");
}

TEST_CASE("a text beyond limits.frame breaks the protocol") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how, [](agent_spec& s) { s.limits.frame = 4'000; }};
  b.peer.use(always({chunk("a"), wait(100ms), chunk(std::string(5'000, 'x')), wait(1s), end()}));
  b.ask("t1", "go");
  b.run_for(10s);
  REQUIRE(b.endings() == std::vector{turn_ending::malformed});
  CHECK(b.heard->text() == (how.streams ? "a" : ""));
}

TEST_CASE("five failures rest the agent, and it is back after the pause") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.net.plan({dial_plan::how::refuse});
  b.ask("t1", "go");
  b.run_for(20s);
  b.ask_anew("t2", "go", 0s);
  while (b.endings().empty())
    b.run_for(50ms);
  CHECK(b.endings() == std::vector{turn_ending::unreachable});
  const auto dialled = b.net.dialled().size();
  CHECK(dialled == 6); // the first pause is short and was waited for
  // With every failure the pause is longer; then it is told at once, and not even tried.
  bool at_once = false;
  for (int i = 0; i < 12 && !at_once; ++i) {
    const auto before = b.net.dialled().size();
    b.ask_anew("again" + std::to_string(i), "go", 10ms);
    at_once = b.endings() == std::vector{turn_ending::unreachable};
    CHECK(b.net.dialled().size() == before);
    while (b.endings().empty())
      b.run_for(50ms);
  }
  CHECK(at_once);
  b.net.plan({dial_plan::how::open});
  b.run_for(30s);
  b.ask_anew("t4", "hello", 5s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "hello");
}

TEST_CASE("rooms that always have more get every third turn of an agent with one place") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how, [](agent_spec& s) { s.limits.concurrent_turns = 1; }};
  b.peer.use([](const heard& h) {
    return std::vector<step>{wait(1s), chunk(h.frame.at("text").get<std::string>()), end()};
  });
  for (int room = 1; room <= 3; ++room)
    b.ask("r" + std::to_string(room) + "-0", std::to_string(room), room);
  std::size_t seen = 0;
  std::map<std::string, int> asked;
  for (int i = 0; i < 600 && b.heard->overs.size() < 30; ++i) {
    b.run_for(100ms);
    for (; seen < b.heard->overs.size(); ++seen) {
      const auto room = b.heard->overs[seen].turn.value.substr(0, 2);
      b.ask(room + "-" + std::to_string(++asked[room]), room.substr(1), room[1] - '0');
    }
  }
  REQUIRE(b.heard->overs.size() >= 30);
  const auto heard = b.peer.user_messages();
  for (std::size_t i = 0; i < 30; ++i)
    CHECK(heard[i].frame.at("text") == std::to_string(i % 3 + 1));
  CHECK(b.net.open() <= (how.kept ? 3 : 1));
}

TEST_CASE("turns beyond limits.queue are refused at once, those within it are served") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how, [](agent_spec& s) {
                     s.limits.concurrent_turns = 1;
                     s.limits.queue = 3;
                   }};
  b.peer.use(always({wait(1s), chunk("x"), end()}));
  for (int i = 1; i <= 5; ++i)
    b.ask("t" + std::to_string(i), "go", i);
  b.run_for(500ms);
  REQUIRE(b.heard->overs.size() == 1);
  CHECK(b.heard->overs[0].turn.value == "t5");
  CHECK(b.heard->overs[0].ending == turn_ending::busy);
  CHECK_FALSE(b.heard->overs[0].handed);
  b.run_for(20s);
  CHECK(b.heard->overs.size() == 5);
  CHECK(b.heard->all<agent_says::end>().size() == 4);
}

TEST_CASE("another address in the middle of a turn: it goes on, the next one goes there") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.name != "acp of a child");
  protocol_bench b{how};
  b.peer.use(always({chunk("one "), wait(2s), chunk("two"), end()}));
  b.ask("t1", "go");
  b.run_for(1s);
  auto moved = b.spec;
  moved.base_url = "http://127.0.0.1:9999";
  b.tell(apply_spec{moved});
  b.run_for(5s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "one two");
  for (const auto& to : b.net.dialled())
    CHECK(to.url.find(":7000") != std::string::npos);
  const auto before = b.net.dialled().size();
  b.ask_anew("t2", "go on");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  REQUIRE(b.net.dialled().size() > before);
  for (auto i = before; i < b.net.dialled().size(); ++i)
    CHECK(b.net.dialled()[i].url.find(":9999") != std::string::npos);
}

TEST_CASE("a drain lets what runs end, and takes nothing new") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always({chunk("one "), wait(2s), chunk("two"), end()}));
  b.ask("t1", "go", 1);
  b.run_for(1s);
  b.tell(drain{});
  b.ask("t2", "go", 2);
  b.run_for(500ms);
  CHECK(b.endings() == std::vector{turn_ending::busy});
  b.run_for(3s);
  CHECK(b.endings() == std::vector{turn_ending::busy, turn_ending::answered});
  CHECK(b.heard->text() == "one two");
  CHECK(b.net.open() == 0);
}

TEST_CASE(
    "several endpoints: the least loaded one, the same for a chat, another one when it fails") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.name != "acp of a child");
  protocol_bench b{how, [](agent_spec& s) {
                     s.base_urls = {"http://one:1", "http://two:1", "http://three:1"};
                     s.base_url = s.base_urls[0];
                   }};
  b.peer.use(always({wait(2s), chunk("x"), end()}));
  const auto hosts = [&](std::size_t from) {
    std::set<std::string> out;
    for (auto i = from; i < b.net.dialled().size(); ++i) {
      const auto& url = b.net.dialled()[i].url;
      const auto at = url.find("//") + 2;
      out.insert(url.substr(at, url.find(':', at) - at));
    }
    return out;
  };
  for (int chat = 1; chat <= 3; ++chat)
    b.ask("t" + std::to_string(chat), "go", chat);
  b.run_for(10s);
  CHECK(b.heard->overs.size() == 3);
  CHECK(hosts(0) == std::set<std::string>{"one", "two", "three"});
  auto from = b.net.dialled().size();
  b.ask_anew("again", "go", 10s);
  if (from < b.net.dialled().size()) // a kept link needs no dial
    CHECK(hosts(from) == std::set<std::string>{"one"});
  b.net.break_all();
  b.run_for(1s);
  b.net.plan([](const link_request& to) {
    dial_plan p;
    if (to.url.find("one") != std::string::npos)
      p.outcome = dial_plan::how::refuse;
    return p;
  });
  b.ask_anew("fails", "go", 10s);
  b.ask_anew("fails too", "go", 10s);
  from = b.net.dialled().size();
  b.ask_anew("elsewhere", "go", 10s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK_FALSE(hosts(from).contains("one"));
}
