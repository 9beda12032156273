// The demonstration agent and its workspace.

#include "bridges/agent/demo/demo_workspace.hpp"
#include "tests/agent/demo_caller.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace pb;
using namespace pb::test;

namespace {

/// A folder of its own, gone at the end.
struct folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("demo-" + std::to_string(::getpid()));
  folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
  }
  ~folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(path / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

} // namespace

TEST_CASE("without a workspace there are no files; with one, a file is written and sent") {
  world bare;
  CHECK(bare.ask("file").count("AGENT_EVENT_SEND_FILE") == 0);
  const folder f;
  world w({1000, f.path});
  const auto c = w.ask("file");
  CHECK(c.count("AGENT_EVENT_SEND_FILE") == 1);
  CHECK(contains(f.text("demo/report.md"), "conversation 1"));
  std::filesystem::create_directory(f.path / "incoming");
  std::ofstream(f.path / "incoming/a.txt") << "12345";
  auto again = w.connect();
  again.tell({{"type", "USER_MESSAGE"},
              {"text", "look"},
              {"attachments", {"incoming/a.txt", "../etc/passwd", "incoming"}}});
  w.clock.run();
  CHECK(contains(again.answer(), "`incoming/a.txt` (5 bytes)"));
  CHECK(contains(again.answer(), "`../etc/passwd`\n"));
  CHECK(contains(again.answer(), "`incoming`\n"));
}

TEST_CASE("a link in the workspace leads nowhere") {
  const folder f;
  world w({1000, f.path});
  std::filesystem::create_directory(f.path / "outside");
  std::filesystem::create_symlink("outside", f.path / "demo");
  CHECK(w.ask("file").count("AGENT_EVENT_SEND_FILE") == 0);
  CHECK(std::filesystem::is_empty(f.path / "outside"));
  demo::workspace shelf(f.path);
  CHECK_FALSE(shelf.write("../x", "y"));
  CHECK_FALSE(shelf.write("a/b/c", "y"));
  CHECK_FALSE(shelf.write("name", "y"));
  CHECK_FALSE(shelf.write("a/x", std::string(demo::workspace::file_most + 1, 'x')));
  CHECK_FALSE(shelf.read("../" + f.path.filename().string(), 10));
  std::ofstream(f.path / "outside/x") << "secret";
  CHECK_FALSE(shelf.read("demo/x", 10));
  CHECK(shelf.read("outside/x", 3) == "sec");
}

TEST_CASE("a folder of the workspace takes so many files and no more, but the old ones anew") {
  const folder f;
  demo::workspace shelf(f.path);
  for (std::size_t i = 0; i < demo::workspace::folder_most; ++i)
    REQUIRE(shelf.write("saved/" + std::to_string(i), "x"));
  CHECK_FALSE(shelf.write("saved/one-more", "x"));
  CHECK(shelf.write("saved/7", "new"));
  CHECK(f.text("saved/7") == "new");
}

TEST_CASE("a conversation is written down and read back, by another conversation, too") {
  const folder f;
  world w({1000, f.path});
  w.ask("The key is\nunder the mat");
  w.ask("second");
  CHECK(contains(w.ask("Please write what we said to saved/my talk.md").answer(), "2 messages"));
  CHECK(f.text("saved/my talk.md") == "# Conversation 1\n\n- The key is under the mat\n- second\n");
  const auto c = w.ask("Прочитай saved/my talk.md", 2);
  CHECK(contains(c.answer(), "2 messages"));
  CHECK(contains(c.answer(), "> second"));
  CHECK(contains(w.ask("Запиши разговор в saved/2.md", 2).answer(), "3 messages"));
  CHECK(contains(w.ask("Read saved/none.md").answer(), "no file of that name"));
  CHECK_FALSE(contains(w.ask("write saved/../../x.md").answer(), "Written down"));
  for (int i = 0; i < 30; ++i)
    w.ask(std::string(1000, 'x'), 3);
  CHECK(contains(w.ask("write saved/3.md", 3).answer(), "20 messages"));
  CHECK(f.text("saved/3.md").size() < 7'000);
}
