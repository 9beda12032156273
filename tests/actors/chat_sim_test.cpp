// The whole chat: questions of the agent, commands, files, pushes, and all kinds of messages.

#include "actors/phrases.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string en(phrase p, std::initializer_list<std::string_view> args = {}) {
  return say(language::en, p, args);
}

/// What the bot replied to a command, after two seconds.
std::string answer_to(sim_world& w, const std::string& room, const std::string& text,
                      const std::string& who = "alice") {
  const auto event = w.say(who, room, text);
  w.run_for(2s);
  const auto replies = w.replies_to(room, event);
  return replies.empty() ? "" : replies.back();
}

std::string event_of(sim_world& w, const std::string& who, const std::string& room,
                     const std::string& type, const json& content) {
  const auto sent = w.server.send("@" + who + ":localhost", room, type, content);
  REQUIRE(sent);
  return *sent;
}

std::string react(sim_world& w, const std::string& room, const std::string& target,
                  const std::string& key, const std::string& who = "alice") {
  return event_of(
      w, who, room, "m.reaction",
      {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", target}, {"key", key}}}});
}

/// The newest prompt in the room.
json prompt_in(const sim_world& w, const std::string& room) {
  json found;
  for (const auto& e : w.answers(room))
    if (e.at("content").contains(json::json_pointer("/io.patchbay.delivery/confirmation")))
      found = e;
  return found;
}

script asking() {
  return by_opening(
      [](const heard&) {
        return std::vector<step>{confirm("c1", "Delete **all**?"), await_confirm("c1"),
                                 tell_decision(), end()};
      },
      [](const heard&) {
        return std::vector<step>{tell_decision(), end()};
      });
}

struct folder {
  std::filesystem::path at;
  folder() : at(std::filesystem::temp_directory_path() / ("pb-chat-" + std::to_string(++made))) {
    std::filesystem::remove_all(at);
    std::filesystem::create_directories(at);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(at); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((at / name).parent_path());
    std::ofstream{at / name} << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{at / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  static inline int made = static_cast<int>(::getpid());
};

sim_options with_workspace(const folder& f) {
  sim_options o;
  agent_spec spec;
  spec.id = agent_id{"echo"};
  spec.label = "Echo";
  spec.base_url = "http://127.0.0.1:7000/agent_1";
  spec.workspace = f.at.string();
  o.agent = spec;
  return o;
}

std::string marker_state(const sim_world& w, const std::string& room) {
  std::string out;
  for (const auto& e : w.server.events(room))
    if (e.at("type") == "io.patchbay.chat")
      out = e.at("content").at("state");
  return out;
}

} // namespace

// -- questions of the agent -----------------------------------------------------------------------

TEST_CASE("a question is a prompt that stays, and its answer reaches the agent once") {
  for (const std::string how : {"!yes", "!no 1", "!yes c1", "✅", "❌"}) {
    INFO(how);
    sim_world w;
    w.agent.use(asking());
    w.start();
    const auto chat = w.onboard("alice");
    const auto asked = w.say("alice", chat, "go");
    w.run_for(3s);
    const auto prompt = prompt_in(w, chat);
    REQUIRE(prompt.is_object());
    CHECK(has(prompt.at("content").at("body"), "Delete **all**?"));
    CHECK(prompt.at("content").at("io.patchbay.delivery").at("confirmation").at("id") == "1");
    CHECK(w.agent.confirms().empty());
    if (how.front() == '!')
      w.say("alice", chat, how);
    else
      react(w, chat, prompt.at("event_id"), how);
    w.run_for(3s);
    const bool yes = how == "!yes" || how == "!yes c1" || how == "✅";
    REQUIRE(w.agent.confirms().size() == 1);
    CHECK(w.agent.confirms()[0].frame.at("decision") == (yes ? "yes" : "no"));
    const auto replies = w.replies_to(chat, asked);
    CHECK(has(replies.back(), yes ? "c1=yes" : "c1=no"));
    CHECK(has(answer_to(w, chat, "!no"), "answered already"));
    CHECK(w.agent.confirms().size() == 1);
    CHECK(prompt_in(w, chat).at("content") == prompt.at("content"));
  }
}

TEST_CASE(
    "only the asker, the owner and operators answer; which one is asked when several are open") {
  sim_world w;
  w.process.access.operators = {user_id{"@op:localhost"}};
  w.agent.use(always({confirm("a", "First?"), confirm("b", "Second?"), await_confirm("b"),
                      tell_decision(), await_confirm("a"), tell_decision(), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  w.person("bob");
  answer_to(w, chat, "!allow @bob:localhost");
  w.accept_invitations("bob");
  w.say("alice", chat, "go");
  w.run_for(3s);
  CHECK(answer_to(w, chat, "!yes") == en(phrase::confirm_which, {"1, 2"}));
  CHECK(answer_to(w, chat, "!yes 7") == en(phrase::confirm_unknown, {"7"}));
  CHECK(answer_to(w, chat, "!yes 1", "bob") == en(phrase::confirm_not_yours, {"1"}));
  CHECK(w.agent.confirms().empty());
  CHECK(answer_to(w, chat, "!no 2") == en(phrase::confirm_no, {"2"}));
  CHECK(answer_to(w, chat, "!yes 1") == en(phrase::confirm_yes, {"1"}));
  REQUIRE(w.agent.confirms().size() == 2);
  CHECK(w.agent.confirms()[0].frame.at("confirmation_id") == "b");
  CHECK(w.agent.confirms()[1].frame.at("decision") == "yes");
}

TEST_CASE("a question expires with a no, and a later answer is explained") {
  sim_world w;
  w.agent.use(always({confirm("c", "Soon?", 5), await_confirm("c"), tell_decision(), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "go");
  w.run_for(8s);
  REQUIRE(w.agent.confirms().size() == 1);
  CHECK(w.agent.confirms()[0].frame.at("decision") == "no");
  CHECK(has(w.replies_to(chat, asked).back(), "c=no"));
  CHECK(answer_to(w, chat, "!yes 1") == en(phrase::confirm_was_late, {"1"}));
}

TEST_CASE("an answer that is older than its question does not count") {
  sim_world w;
  w.agent.use(asking());
  w.start();
  const auto chat = w.onboard("alice");
  bool held = true;
  w.http->fate = [&](http_request& r) {
    http_fate f;
    if (held && r.method == "PUT" && has(r.body, "\"confirmation\""))
      f.there = 3s; // the prompt is on its way when the person writes
    return f;
  };
  w.say("alice", chat, "go");
  w.run_for(1s);
  const auto early = w.say("alice", chat, "!yes");
  w.run_for(10s);
  held = false;
  CHECK(w.replies_to(chat, early) == std::vector<std::string>{en(phrase::confirm_older, {"1"})});
  CHECK(w.agent.confirms().empty());
  w.say("alice", chat, "!yes");
  w.run_for(2s);
  CHECK(w.agent.confirms().size() == 1);
}

TEST_CASE("a question survives our restart: the answer is a turn of its own") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.agent.use(asking());
    w.start();
    const auto chat = w.onboard("alice");
    const auto asked = w.say("alice", chat, "go");
    w.run_for(3s);
    w.crash();
    w.start();
    w.run_for(5s);
    const auto told = w.replies_to(chat, asked);
    REQUIRE_FALSE(told.empty());
    CHECK(has(told.back(), en(phrase::question_stays)));
    w.agent.use(asking());
    const auto yes = w.say("alice", chat, "!yes");
    if (seed > 5) { // and once more, in the middle of the answer's own turn
      w.run_for(std::chrono::milliseconds(3 * seed));
      w.crash();
      w.start();
    }
    w.run_for(10s);
    const auto confirms = w.agent.confirms();
    CHECK(confirms.size() <= 1); // an agent that may have heard it is not told twice
    const auto replies = w.replies_to(chat, yes);
    REQUIRE(replies.size() == 1);
    if (seed <= 5) {
      REQUIRE(confirms.size() == 1);
      CHECK(confirms[0].frame.at("decision") == "yes");
      CHECK(has(replies[0], "c1=yes"));
      CHECK(w.agent.user_messages().size() == 1);
    }
  }
}

TEST_CASE("an agent that forgot the question orphans it; one that is away leaves it open") {
  sim_world w;
  w.agent.use(by_opening(
      [](const heard&) {
        return std::vector<step>{confirm("c1", "Go?"), scripted::wait(1s), break_off()};
      },
      [](const heard&) { return std::vector<step>{error("unknown_confirmation")}; }));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "go");
  w.run_for(5s);
  CHECK(has(w.replies_to(chat, asked).back(), en(phrase::question_stays)));
  dial_plan away;
  away.outcome = dial_plan::how::refuse;
  w.dial.plan(away);
  const auto first = w.say("alice", chat, "!yes");
  w.run_for(10s);
  CHECK(w.replies_to(chat, first) ==
        std::vector<std::string>{en(phrase::confirm_unreachable, {"1", "Echo"})});
  w.dial.plan(dial_plan{});
  const auto second = w.say("alice", chat, "!yes");
  w.run_for(10s);
  CHECK(w.replies_to(chat, second) ==
        std::vector<std::string>{en(phrase::confirm_orphaned, {"1", "Echo"})});
  CHECK(has(answer_to(w, chat, "!yes 1"), "does not know question"));
}

TEST_CASE("other turns run while a question waits for its answer; stop drops it") {
  sim_world w;
  w.agent.use(always({confirm("c1", "Go?"), scripted::wait(1s), break_off()}));
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(5s);
  w.agent.use(echo());
  CHECK(answer_to(w, chat, "meanwhile") == "meanwhile");
  CHECK(answer_to(w, chat, "!stop") == en(phrase::stopped));
  CHECK(answer_to(w, chat, "!yes") == en(phrase::confirm_dropped, {"1"}));
  CHECK(w.agent.confirms().empty());
}

TEST_CASE("no room has more open questions than its cap: the rest are answered with no") {
  std::vector<step> many;
  for (int i = 0; i < 17; ++i)
    many.push_back(confirm("q" + std::to_string(i), "Really?"));
  many.push_back(await_confirm("q16"));
  many.push_back(tell_decision());
  many.push_back(end());
  sim_world w;
  w.agent.use(always(many));
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(30s);
  REQUIRE(w.agent.confirms().size() == 1);
  CHECK(w.agent.confirms()[0].frame.at("confirmation_id") == "q16");
  CHECK(w.agent.confirms()[0].frame.at("decision") == "no");
}

// -- commands -------------------------------------------------------------------------------------

TEST_CASE("chats are listed, renamed, archived and brought back") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  CHECK(answer_to(w, chat, "!rename  Recipes ") == en(phrase::renamed, {"Recipes"}));
  w.say("alice", chat, "!new Second");
  w.run_for(5s);
  const auto list = answer_to(w, chat, "!chats");
  CHECK(has(list, "C1 · Recipes · Echo · this room"));
  CHECK(has(list, "C2 · Second · Echo"));
  CHECK(has(list, "matrix.to"));
  w.agent.use(always({scripted::wait(3600s), end()}));
  w.say("alice", chat, "slow");
  w.run_for(1s);
  const auto waiting = w.say("alice", chat, "waits");
  const auto away = answer_to(w, chat, "!archive");
  w.run_for(3s);
  CHECK(w.replies_to(chat, waiting) == std::vector<std::string>{en(phrase::in_archive, {"C1"})});
  CHECK(marker_state(w, chat) == "archived");
  const auto asked = w.agent.user_messages().size();
  CHECK(answer_to(w, chat, "hello?") == en(phrase::in_archive, {"C1"}));
  CHECK(w.agent.user_messages().size() == asked);
  w.crash();
  w.start();
  w.run_for(3s);
  CHECK(answer_to(w, chat, "hello??") == en(phrase::in_archive, {"C1"}));
  std::string second;
  w.accept_invitations("alice");
  for (const auto& room : w.joined("alice"))
    for (const auto& e : w.server.events(room))
      if (e.at("type") == "io.patchbay.chat" && e.at("content").at("chat") == "C2")
        second = room;
  REQUIRE_FALSE(second.empty());
  CHECK(has(answer_to(w, second, "!restore 1"), "C1 is back"));
  CHECK(marker_state(w, chat) == "active");
  w.agent.use(echo());
  CHECK(answer_to(w, chat, "there again") == "there again");
  CHECK(answer_to(w, second, "!restore C1") == en(phrase::not_archived, {"C1"}));
  CHECK(answer_to(w, second, "!restore C9") == en(phrase::no_such_chat, {"C9"}));
}

TEST_CASE("an agent is chosen for new chats, existing ones keep theirs") {
  sim_world w;
  agent_spec other;
  other.id = agent_id{"second"};
  other.label = "Second";
  other.base_url = "http://127.0.0.1:7001";
  w.agents.agents.emplace(other.id, other);
  w.agents.users[user_id{"@alice:localhost"}] = {agent_id{"echo"}, agent_id{"second"}};
  w.start();
  const auto chat = w.onboard("alice");
  const auto list = answer_to(w, chat, "!agent");
  CHECK(has(list, "1. → Echo (echo)"));
  CHECK(has(list, "2. Second (second)"));
  CHECK(has(answer_to(w, chat, "!agent third"), en(phrase::no_such_agent, {"third"})));
  CHECK(answer_to(w, chat, "!agent 2") == en(phrase::agent_chosen, {"Second"}));
  CHECK(has(answer_to(w, chat, "!agent"), "2. → Second"));
  w.say("alice", chat, "!new");
  w.run_for(5s);
  CHECK(has(answer_to(w, chat, "!chats"), "C2 · Chat 2 · Second"));
  answer_to(w, chat, "where");
  CHECK(has(w.agent.user_messages().back().url, "7000"));
  std::string chosen;
  for (const auto& room : w.joined("alice"))
    for (const auto& e : w.server.events(room))
      if (e.at("type") == "io.patchbay.space")
        chosen = e.at("content").at("agent");
  CHECK(chosen == "second");
}

TEST_CASE(
    "a language is set for the room, its owner and the chats that come, and outlives a restart") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  CHECK(answer_to(w, chat, "!set language ru") ==
        say(language::ru, phrase::set_done, {"language", "ru"}));
  w.crash();
  w.start();
  w.run_for(2s);
  CHECK(answer_to(w, chat, "!help") == say(language::ru, phrase::help));
  w.say("alice", chat, "!new");
  w.run_for(5s);
  CHECK(has(answer_to(w, chat, "!chats"), "C2 · Чат 2"));
  CHECK(has(answer_to(w, chat, "!set colour blue"), "!set language"));
}

TEST_CASE("what is true of a room is shown: context, settings, usage since the last clear") {
  sim_world w;
  w.agent.use(always({chunk("hi"), end(11, 22)}));
  w.start();
  const auto chat = w.onboard("alice");
  answer_to(w, chat, "one");
  answer_to(w, chat, "two");
  const auto shown = answer_to(w, chat, "!context");
  CHECK(has(shown, "Echo"));
  CHECK(has(shown, "2 messages, 22 tokens in, 44 tokens out"));
  CHECK(has(answer_to(w, chat, "!settings"), "streaming: edits"));
  answer_to(w, chat, "!clear");
  w.crash();
  w.start();
  w.run_for(2s);
  CHECK(has(answer_to(w, chat, "!context"), "0 messages, 0 tokens in"));
}

TEST_CASE("guests are let in, listened to, and put out again; strangers never") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.person("bob");
  CHECK(answer_to(w, chat, "!allow bob") == en(phrase::not_a_user, {"bob"}));
  CHECK(answer_to(w, chat, "!allow @bob:localhost") == en(phrase::allowed, {"@bob:localhost"}));
  w.accept_invitations("bob");
  CHECK(answer_to(w, chat, "hello from bob", "bob") == "hello from bob");
  CHECK(has(answer_to(w, chat, "!allow @eve:localhost", "bob"), "owner"));
  w.crash();
  w.start();
  w.run_for(2s);
  CHECK(answer_to(w, chat, "still here", "bob") == "still here");
  CHECK(answer_to(w, chat, "!deny @bob:localhost") == en(phrase::denied, {"@bob:localhost"}));
  CHECK(answer_to(w, chat, "and now", "bob").empty());
  for (std::size_t i = 0; i < 64; ++i)
    answer_to(w, chat, "!allow @g" + std::to_string(i) + ":localhost");
  CHECK(answer_to(w, chat, "!allow @one.more:localhost") == en(phrase::allowed_full, {"64"}));
}

TEST_CASE("a guest that answers like a bot is not listened to") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.person("bot2");
  answer_to(w, chat, "!allow @bot2:localhost");
  w.accept_invitations("bot2");
  std::vector<std::string> said;
  for (int i = 0; i < 8; ++i) {
    said.push_back(w.say("bot2", chat, "ping " + std::to_string(i)));
    w.run_for(700ms);
  }
  w.run_for(5s);
  std::size_t told = 0;
  for (const auto& text : w.answer_texts(chat))
    told += has(text, "looks like another bot") ? 1 : 0;
  CHECK(told == 1);
  CHECK(w.replies_to(chat, said.back()).empty());
  CHECK(answer_to(w, chat, "people go on") == "people go on");
}

// -- saved conversations
// ---------------------------------------------------------------------------

TEST_CASE("a conversation is saved and loaded through the agent's workspace") {
  folder f;
  sim_world w{with_workspace(f)};
  w.agent.use([&f](const heard& h) {
    const auto text = h.frame.value("text", "");
    if (has(text, "saved/plan.md") && has(text, "write"))
      f.write("saved/plan.md", "# plan");
    return std::vector<step>{chunk("ok"), end()};
  });
  w.start();
  const auto chat = w.onboard("alice");
  CHECK(answer_to(w, chat, "!load") == en(phrase::load_none));
  CHECK(has(answer_to(w, chat, "!save ../x"), "cannot be a name"));
  CHECK(has(answer_to(w, chat, "!save lost"), en(phrase::not_saved, {"saved/lost.md"})));
  CHECK(has(answer_to(w, chat, "!save plan"), en(phrase::saved, {"plan"})));
  const auto list = answer_to(w, chat, "!load");
  CHECK(has(list, "1. plan"));
  w.crash();
  w.start();
  w.run_for(2s);
  CHECK(answer_to(w, chat, "7") == en(phrase::no_such_number, {"7", "1"}));
  CHECK(answer_to(w, chat, "1") == "ok");
  CHECK(w.agent.user_messages().back().frame.at("text") == en(phrase::load_ask, {"saved/plan.md"}));
  CHECK(answer_to(w, chat, "1") == "ok"); // nobody is asked any more: words for the agent
  CHECK(w.agent.user_messages().back().frame.at("text") == "1");
  CHECK(answer_to(w, chat, "!load plan") == "ok");
  answer_to(w, chat, "!load");
  CHECK(answer_to(w, chat, "!stop") == en(phrase::stopped));
  answer_to(w, chat, "1");
  CHECK(w.agent.user_messages().back().frame.at("text") == "1");
  answer_to(w, chat, "!load");
  w.run_for(11min);
  answer_to(w, chat, "1"); // the question's time has passed
  CHECK(w.agent.user_messages().back().frame.at("text") == "1");
}

// -- files ----------------------------------------------------------------------------------------

TEST_CASE("files come with their caption, several together, and go out by their content") {
  folder f;
  sim_world w{with_workspace(f)};
  w.start();
  const auto chat = w.onboard("alice");
  const auto send = [&](const std::string& name, const std::string& bytes,
                        const std::string& caption) {
    json c{{"msgtype", "m.file"},
           {"body", caption.empty() ? name : caption},
           {"filename", name},
           {"url", w.upload("alice", bytes)},
           {"info", {{"mimetype", "text/plain"}, {"size", bytes.size()}}}};
    return event_of(w, "alice", chat, "m.room.message", c);
  };
  send("a.txt", "first", "Compare these");
  w.run_for(500ms);
  const auto last = send("../../b.txt", "second", "");
  w.run_for(10s);
  REQUIRE(w.agent.user_messages().size() == 1);
  const auto frame = w.agent.user_messages()[0].frame;
  REQUIRE(frame.at("attachments").size() == 2);
  CHECK(f.read(frame.at("attachments")[0]) == "first");
  CHECK(f.read(frame.at("attachments")[1]) == "second");
  CHECK(frame.at("attachments")[0] == "incoming/1/a.txt");
  CHECK(frame.at("attachments")[1] == "incoming/1/b.txt");
  CHECK(has(frame.at("text"),
            "Compare these\n\nFile: a.txt (text/plain, 5 bytes): incoming/1/a.txt"));
  send("a.txt", "third", "");
  w.run_for(10s);
  const auto again = w.agent.user_messages().back().frame;
  CHECK(again.at("attachments")[0] == "incoming/1/a (2).txt");
  CHECK(has(again.at("text"), en(phrase::files_sent)));

  f.write("out/report.txt", "done");
  f.write("config/key.txt", "secret");
  std::filesystem::create_symlink("/etc/passwd", f.at / "out/link");
  w.agent.use(
      always({send_file("out/report.txt"), send_file("config/key.txt"), send_file("../outside"),
              send_file("out/link"), send_file("/workspace/out/none"), chunk("here"), end()}));
  const auto asked = w.say("alice", chat, "send");
  w.run_for(20s);
  std::vector<std::string> files;
  std::string notices;
  for (const auto& e : w.answers(chat)) {
    const auto& c = e.at("content");
    if (c.contains("url"))
      files.push_back(c.at("body"));
    else
      notices += c.at("body").get<std::string>() + "\n";
  }
  CHECK(files == std::vector<std::string>{"report.txt"});
  for (const char* refused : {"config/key.txt", "../outside", "out/link", "out/none"})
    CHECK(has(notices, refused));
  const auto replies = w.replies_to(chat, asked);
  CHECK(std::find(replies.begin(), replies.end(), "here") != replies.end());
  CHECK_FALSE(last.empty());
}

TEST_CASE("an agent without a workspace takes no files: the person is told, the words go on") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto file = [&](const std::string& caption) {
    return event_of(w, "alice", chat, "m.room.message",
                    {{"msgtype", "m.image"},
                     {"body", caption.empty() ? "cat.png" : caption},
                     {"filename", "cat.png"},
                     {"url", "mxc://localhost/nothing"}});
  };
  const auto alone = file("");
  w.run_for(5s);
  CHECK(has(w.replies_to(chat, alone).at(0), "takes no files"));
  CHECK(w.agent.user_messages().empty());
  const auto captioned = file("what is it");
  w.run_for(5s);
  CHECK(w.replies_to(chat, captioned).size() == 2);
  CHECK(w.agent.user_messages().at(0).frame.at("text") == "what is it");
}

TEST_CASE("a file is sent once, whatever is killed when") {
  folder f;
  f.write("report.txt", "done");
  for (std::uint64_t steps = 5; steps <= 400; steps += 11) {
    INFO("killed after " << steps);
    sim_world w{with_workspace(f)};
    w.start();
    const auto chat = w.onboard("alice");
    w.agent.use(always({send_file("report.txt"), chunk("here"), end()}));
    const auto asked = w.say("alice", chat, "send");
    w.run_steps(steps, 30s);
    w.crash();
    w.start();
    w.run_for(60s);
    std::size_t files = 0;
    for (const auto& e : w.answers(chat))
      files += e.at("content").contains("url") ? 1 : 0;
    CHECK(files <= 1);
    const auto replies = w.replies_to(chat, asked);
    const bool answered = std::find(replies.begin(), replies.end(), "here") != replies.end();
    const bool told =
        std::find(replies.begin(), replies.end(), en(phrase::router_interrupted)) != replies.end();
    CHECK(answered != told);
    if (answered)
      CHECK(files == 1);
  }
}

// -- what else people send ------------------------------------------------------------------------

TEST_CASE("a reply brings along what it quotes, a thread is answered in the thread") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto first = w.say("alice", chat, "the sky is green");
  w.run_for(3s);
  event_of(w, "alice", chat, "m.room.message",
           {{"msgtype", "m.text"},
            {"body", "is that so?"},
            {"m.relates_to", {{"m.in_reply_to", {{"event_id", first}}}}}});
  w.run_for(3s);
  const auto text = w.agent.user_messages().back().frame.at("text").get<std::string>();
  CHECK(text == "@alice:localhost wrote:\n> the sky is green\n\nis that so?");
  const auto in_thread = event_of(w, "alice", chat, "m.room.message",
                                  {{"msgtype", "m.text"},
                                   {"body", "in here"},
                                   {"m.relates_to",
                                    {{"rel_type", "m.thread"},
                                     {"event_id", first},
                                     {"is_falling_back", true},
                                     {"m.in_reply_to", {{"event_id", first}}}}}});
  w.run_for(3s);
  CHECK(w.agent.user_messages().back().frame.at("text") == "in here");
  const auto relation = w.answers(chat).back().at("content").at("m.relates_to");
  CHECK(relation.at("rel_type") == "m.thread");
  CHECK(relation.at("event_id") == first);
  CHECK(relation.at("m.in_reply_to").at("event_id") == in_thread);
}

TEST_CASE("an edit of an answered message is told once") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto first = w.say("alice", chat, "one");
  w.run_for(3s);
  const auto edit = [&] {
    return event_of(w, "alice", chat, "m.room.message",
                    {{"msgtype", "m.text"},
                     {"body", "* two"},
                     {"m.new_content", {{"msgtype", "m.text"}, {"body", "two"}}},
                     {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", first}}}});
  };
  const auto a = edit(), b = edit();
  w.run_for(3s);
  CHECK(a != b);
  CHECK(w.replies_to(chat, first) == std::vector<std::string>{"one", en(phrase::edit_too_late)});
  CHECK(w.agent.user_messages().size() == 1);
}

// -- what agents say by themselves ----------------------------------------------------------------

TEST_CASE("a push on a connection reaches the room once per event id") {
  sim_options o;
  agent_spec spec;
  spec.id = agent_id{"echo"};
  spec.label = "Echo";
  spec.base_url = "http://127.0.0.1:7000/agent_1";
  spec.connection = connection_mode::chat;
  o.agent = spec;
  sim_world w{o};
  w.agent.echo_message_id(true);
  w.start();
  const auto chat = w.onboard("alice");
  answer_to(w, chat, "hello");
  const auto before = w.answers(chat).size();
  for (int i = 0; i < 3; ++i)
    CHECK(w.agent.say(1, push_frame("e1", "task_done", "The **report** is ready.")));
  w.run_for(3s);
  CHECK(w.agent.say(1, push_frame("e2", "task_progress", "half")));
  w.run_for(3s);
  w.crash();
  w.start();
  w.run_for(3s);
  const auto all = w.answers(chat);
  REQUIRE(all.size() == before + 2);
  const auto& loud = all[before].at("content");
  CHECK(loud.at("body") == "The **report** is ready.");
  CHECK(loud.at("m.mentions").at("user_ids") == json::array({"@alice:localhost"}));
  CHECK(has(loud.at("formatted_body"), "<strong>"));
  CHECK(all[before + 1].at("content").at("msgtype") == "m.notice");
}
