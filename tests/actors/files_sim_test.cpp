// Files both ways through the simulated world.

#include "tests/actors/chat_sim.hpp"

using namespace pb;
using namespace pb::test;

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
