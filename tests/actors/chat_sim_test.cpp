// Commands, guests, saved conversations, all kinds of messages, and what agents say by themselves.

#include "tests/actors/chat_sim.hpp"

using namespace pb;
using namespace pb::test;

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

TEST_CASE("a push on a connection reaches the room once per event id") {
  auto spec = echo_agent();
  spec.connection = connection_mode::chat;
  sim_world w{with(std::move(spec))};
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

TEST_CASE("a clear begins no turn in the old context, whatever is delivered meanwhile") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.start();
    const auto chat = w.onboard("alice");
    w.agent.use([](const heard& h) {
      if (h.frame.value("text", "") != "long")
        return std::vector<step>{chunk("ok"), end()};
      std::vector<step> out;
      for (int i = 0; i < 100; ++i) {
        out.push_back(chunk("w "));
        out.push_back(scripted::wait(200ms));
      }
      out.push_back(end());
      return out;
    });
    w.say("alice", chat, "long");
    w.run_for(std::chrono::milliseconds(1'000 + 37 * seed));
    const auto waits = w.say("alice", chat, "waits");
    w.say("alice", chat, "!clear");
    w.run_for(10s);
    const auto heard_last = w.agent.user_messages().back();
    CHECK(heard_last.frame.at("text") == "waits");
    CHECK(heard_last.frame.at("chat_id").get<int>() > 1);
    CHECK(w.replies_to(chat, waits) == std::vector<std::string>{"ok"});
  }
}

TEST_CASE("a long push is whole: past three parts it is a file with its beginning") {
  auto spec = echo_agent();
  spec.connection = connection_mode::chat;
  sim_world w{with(std::move(spec))};
  w.agent.echo_message_id(true);
  w.start();
  const auto chat = w.onboard("alice");
  answer_to(w, chat, "hello");
  const auto before = w.answers(chat).size();
  const std::string text(100'000, 'x');
  for (int i = 0; i < 2; ++i)
    CHECK(w.agent.say(1, push_frame("e1", "task_done", text)));
  w.run_for(10s);
  const auto all = w.answers(chat);
  REQUIRE(all.size() == before + 2);
  CHECK(has(all[before].at("content").at("body"), en(phrase::answer_as_file)));
  CHECK(all[before + 1].at("content").at("info").at("size") == text.size());
}

TEST_CASE("once a room is encrypted one notice is all that is said there") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  answer_to(w, chat, "hello");
  const auto before = w.answers(chat).size();
  event_of(w, "alice", chat, "m.room.encrypted", {{"algorithm", "m.megolm.v1.aes-sha2"}});
  w.run_for(2s);
  for (const char* text : {"plain words", "!help", "!yes"})
    w.say("alice", chat, text);
  w.run_for(5s);
  const auto all = w.answers(chat);
  REQUIRE(all.size() == before + 1);
  CHECK(all.back().at("content").at("body") == en(phrase::encrypted_room));
  CHECK(w.agent.user_messages().size() == 1);
}

TEST_CASE("a stop counts, whatever is killed when, also for an agent that is asked again") {
  for (std::uint64_t steps = 1; steps <= 60; ++steps) {
    INFO("killed after " << steps);
    auto spec = echo_agent();
    spec.idempotent = true;
    sim_world w{with(std::move(spec))};
    w.agent.use(by_word({{"for", {scripted::wait(3600s), end()}}}));
    w.start();
    const auto chat = w.onboard("alice");
    w.say("alice", chat, "for ever");
    const auto next = w.say("alice", chat, "next");
    w.run_for(3s);
    const auto stop = w.say("alice", chat, "!stop");
    w.run_steps(steps, 900ms);
    w.crash();
    w.start();
    w.run_for(30s);
    CHECK(w.replies_to(chat, stop) == std::vector{en(phrase::stopped)});
    CHECK(w.replies_to(chat, next) == std::vector<std::string>{"next"}); // no stop ends two turns
    CHECK(w.agent.open() == 0);
  }
}
