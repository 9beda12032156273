// From an invitation to a first chat, and what is created, named and refused on the way.

#include "actors/phrases.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;

namespace {

std::optional<json> state(sim_world& w, const std::string& room, const std::string& type,
                          const std::string& key = "") {
  std::optional<json> last;
  for (const auto& e : w.server.events(room))
    if (e.at("type") == type && e.value("state_key", "?") == key)
      last = e;
  return last;
}

std::vector<std::string> rooms_with(sim_world& w, const std::string& type) {
  std::vector<std::string> out;
  for (const auto& room : w.server.rooms())
    if (state(w, room, type))
      out.push_back(room);
  return out;
}

const std::string bot = "@bot:localhost";

} // namespace

TEST_CASE(
    "an invitation makes a Space and a first chat in it, with markers and safe power levels") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto spaces = rooms_with(w, "io.patchbay.space");
  REQUIRE(spaces.size() == 1);
  const auto& space = spaces[0];
  const auto mark = state(w, chat, "io.patchbay.chat");
  REQUIRE(mark);
  CHECK(mark->at("sender") == bot);
  CHECK(mark->at("content").at("owner") == "@alice:localhost");
  CHECK(mark->at("content").at("chat") == "C1");
  CHECK(mark->at("content").at("platform_chat_id") == 1);
  CHECK(mark->at("content").at("agent_id") == "echo");
  CHECK(mark->at("content").at("state") == "active");
  CHECK_FALSE(mark->at("content").at("intent").get<std::string>().empty());
  CHECK(state(w, chat, "m.room.name")->at("content").at("name") == "Chat 1");
  CHECK(state(w, space, "m.space.child", chat)->at("content").at("via") ==
        json::array({"localhost"}));
  CHECK(state(w, chat, "m.space.parent", space)->at("content").at("canonical") == true);
  const auto power = state(w, chat, "m.room.power_levels")->at("content");
  CHECK(power.at("invite") == 100); // members cannot bring strangers to the agent
  CHECK(power.at("events").at("io.patchbay.chat") == 100);
  CHECK(state(w, chat, "m.room.guest_access")->at("content").at("guest_access") == "forbidden");
  CHECK(state(w, space, "m.room.create")->at("content").at("type") == "m.space");
}

TEST_CASE("two invitations at once make one Space") {
  sim_world w;
  w.start();
  w.person("alice");
  const auto one = w.invite_bot("alice"), two = w.invite_bot("alice");
  w.run_for(20s);
  CHECK(rooms_with(w, "io.patchbay.space").size() == 1);
  CHECK(rooms_with(w, "io.patchbay.chat").size() == 1);
  REQUIRE(w.answer_texts(one).size() == 1);
  REQUIRE(w.answer_texts(two).size() == 1);
  const auto texts = w.answer_texts(one)[0] + w.answer_texts(two)[0];
  CHECK(texts.find("Welcome!") != std::string::npos);
  CHECK(texts.find("Your chats are in your Space") != std::string::npos);
}

TEST_CASE("!new makes a chat with the next number and its own platform_chat_id, named as asked") {
  sim_world w;
  w.start();
  const auto first = w.onboard("alice");
  const auto plain = w.say("alice", first, "!new");
  const auto named = w.say("alice", first, "!new Research & more");
  REQUIRE(w.run_until([&] { return !w.replies_to(first, named).empty(); }));
  w.run_for(5s);
  w.accept_invitations("alice");
  std::map<std::string, json> marks;
  std::set<std::int64_t> ids;
  for (const auto& room : rooms_with(w, "io.patchbay.chat")) {
    const auto m = state(w, room, "io.patchbay.chat")->at("content");
    marks[m.at("chat")] = {{"room", room},
                           {"name", state(w, room, "m.room.name")->at("content").at("name")}};
    ids.insert(m.at("platform_chat_id").get<std::int64_t>());
  }
  REQUIRE(marks.size() == 3);
  CHECK(ids.size() == 3);
  CHECK(marks["C2"]["name"] == "Chat 2");
  CHECK(marks["C3"]["name"] == "Research & more");
  CHECK(w.replies_to(first, plain)[0].find("Chat 2 is ready") == 0);
  const auto asked = w.say("alice", marks["C3"]["room"], "hello");
  REQUIRE(w.run_until([&] { return !w.replies_to(marks["C3"]["room"], asked).empty(); }));
  CHECK(w.agent.user_messages().back().frame.at("chat_id") == 3);
}

TEST_CASE(
    "!clear gives this room a fresh platform_chat_id, in its marker before the next message") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "one");
  w.run_for(2s);
  const auto clear = w.say("alice", chat, "!clear");
  const auto after = w.say("alice", chat, "two");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, after).empty(); }));
  CHECK(w.replies_to(chat, clear)[0] == say(language::en, phrase::context_cleared));
  const auto turns = w.agent.user_messages();
  REQUIRE(turns.size() == 2);
  CHECK(turns[0].frame.at("chat_id") == 1);
  CHECK(turns[1].frame.at("chat_id") == 2);
  CHECK(turns[1].url.find("/2/") != std::string::npos);
  const auto mark = state(w, chat, "io.patchbay.chat")->at("content");
  CHECK(mark.at("platform_chat_id") == 2);
  CHECK(mark.at("epoch") == 1);
}

TEST_CASE("strangers are refused without a word: the bot leaves and forgets") {
  for (const auto policy :
       {invite_policy::registered, invite_policy::server, invite_policy::anyone}) {
    sim_options o;
    o.invites = policy;
    sim_world w{o};
    w.start();
    w.person("eve");
    const auto lobby = w.invite_bot("eve");
    w.run_for(10s);
    const bool refused = policy == invite_policy::registered; // eve is on the same server
    CHECK(w.answers(lobby).empty() == refused);
    CHECK(w.server.members(lobby, "join").size() == (refused ? 1 : 2));
    CHECK(w.log->count("invite_refused") == (refused ? 1 : 0));
    CHECK(rooms_with(w, "io.patchbay.space").size() == (refused ? 0 : 1));
  }
}

TEST_CASE("a lobby points the way, and !start makes what is missing only once") {
  sim_world w;
  w.start();
  w.onboard("alice");
  std::string lobby;
  for (const auto& room : w.joined("alice"))
    if (!state(w, room, "io.patchbay.space") && !state(w, room, "io.patchbay.chat"))
      lobby = room;
  REQUIRE_FALSE(lobby.empty());
  const auto text = w.say("alice", lobby, "hello?"), start = w.say("alice", lobby, "!start");
  w.run_for(10s);
  CHECK(w.replies_to(lobby, text) ==
        std::vector<std::string>{say(language::en, phrase::lobby_help)});
  REQUIRE(w.replies_to(lobby, start).size() == 1);
  CHECK(w.replies_to(lobby, start)[0].find("Your chats are in your Space") == 0);
  CHECK(rooms_with(w, "io.patchbay.space").size() == 1);
  CHECK(w.agent.user_messages().empty());
}

TEST_CASE("onboarding that is killed at any step goes on and doubles nothing") {
  std::uint64_t points = 0;
  for (std::uint64_t kill_at = 20; kill_at < 400; kill_at += 13) {
    sim_options o;
    o.seed = kill_at;
    sim_world w{o};
    w.start();
    w.person("alice");
    const auto lobby = w.invite_bot("alice");
    const auto from = w.steps;
    w.run_until([&] { return w.steps - from >= kill_at; }, 20s);
    w.crash();
    ++points;
    w.start();
    w.run_for(2min);
    INFO("killed after " << kill_at << " messages");
    CHECK(rooms_with(w, "io.patchbay.space").size() == 1);
    CHECK(rooms_with(w, "io.patchbay.chat").size() == 1);
    CHECK(w.answers(lobby).size() == 1);
  }
  CHECK(points > 20);
}

TEST_CASE("a createRoom whose answer is lost makes one room") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.start();
    w.run_for(2s);
    w.http->lose_answer = 0.3;
    w.person("alice");
    const auto lobby = w.invite_bot("alice");
    w.run_for(3min);
    w.http->lose_answer = 0;
    w.run_for(3min);
    INFO("seed " << seed);
    CHECK(rooms_with(w, "io.patchbay.space").size() == 1);
    CHECK(rooms_with(w, "io.patchbay.chat").size() == 1);
    CHECK(w.answers(lobby).size() == 1);
  }
}

TEST_CASE(
    "a new database finds its rooms again by their markers, and no text of before is acted on") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "before");
  w.run_for(5s);
  REQUIRE(w.stop() == 0);
  w.crash();
  store_options fresh;
  fresh.path = ":memory:";
  w.disk = std::move(*open_store(fresh));
  w.say("alice", chat, "while we were away");
  w.start();
  w.run_for(5s);
  CHECK(w.agent.user_messages().size() == 1);
  const auto asked = w.say("alice", chat, "and now");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.agent.user_messages().back().frame.at("chat_id") == 1);
  const auto more = w.say("alice", chat, "!new");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, more).empty(); }));
  w.run_for(5s);
  std::set<std::int64_t> ids;
  std::set<std::string> chats;
  for (const auto& room : rooms_with(w, "io.patchbay.chat")) {
    const auto m = state(w, room, "io.patchbay.chat")->at("content");
    ids.insert(m.at("platform_chat_id").get<std::int64_t>());
    chats.insert(m.at("chat").get<std::string>());
  }
  REQUIRE(ids.size() == 2);
  CHECK(ids.contains(1));
  CHECK(*ids.rbegin() > 64); // behind the mark that the account keeps
  CHECK(chats == std::set<std::string>{"C1", "C2"});
  CHECK(rooms_with(w, "io.patchbay.space").size() == 1);
}
