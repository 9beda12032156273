// The registry's files on a real disk: what counts as a change, how they are written, and what is
// in force then.

#include "cli/registry_keeper.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace pb;
using namespace pb::cli;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class folder {
public:
  folder() {
    std::string name = (fs::temp_directory_path() / "pb-keeper-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { fs::remove_all(path); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream{path / name} << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{path / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
  fs::path path;
};

constexpr auto one = "agents: {one: {base_url: http://h}}\n";
constexpr auto two = "agents: {one: {base_url: http://h}, two: {base_url: http://i}}\n";

/// A keeper whose registries are in force when the test says so.
struct kept {
  folder dir;
  std::shared_ptr<metrics> numbers = std::make_shared<metrics>();
  std::mutex m;
  std::vector<registry> applied;
  std::unique_ptr<registry_keeper> keeper;

  explicit kept(const std::string& text = one) {
    dir.write("a.yaml", text);
    registry_keeper::wiring w;
    w.process.registry = dir.file("a.yaml");
    w.given.env_file = dir.file("none.env");
    dir.write("none.env", "");
    w.in_force = config::read_registry(w.process.registry, {w.process.registry, 0, 0}, {}).value;
    w.log = null_logger();
    w.numbers = numbers;
    w.wall = [] { return unix_ms{1}; };
    w.apply = [this](registry now, const std::function<void()>& in_force) {
      {
        const std::lock_guard lock{m};
        applied.push_back(std::move(now));
      }
      if (in_force)
        in_force();
    };
    keeper = std::make_unique<registry_keeper>(std::move(w));
  }
  bool until(const std::function<bool()>& done) const {
    for (int i = 0; i < 1'000; ++i) {
      if (done())
        return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  change_outcome change(agent_change what) const {
    std::mutex guard;
    std::condition_variable came;
    std::optional<change_outcome> out;
    keeper->change(std::move(what), [&](change_outcome o) {
      const std::lock_guard lock{guard};
      out = std::move(o);
      came.notify_one();
    });
    std::unique_lock lock{guard};
    REQUIRE(came.wait_for(lock, 10s, [&] { return out.has_value(); }));
    return *out;
  }
  [[nodiscard]] std::size_t agents() const { return keeper->view()->agents.agents.size(); }
};

agent_change adding(const std::string& id) {
  agent_change what;
  what.id = agent_id{id};
  what.edits = {{"base_url", "http://new"}};
  return what;
}

} // namespace

TEST_CASE("the content of the files tells whether they changed, not their dates") {
  const folder dir;
  dir.write("a.yaml", one);
  registry_files files{dir.file("a.yaml")};
  const auto first = files.look();
  CHECK(files.look() == first);
  dir.write("a.yaml", one); // touched, the same
  CHECK(files.look() == first);
  dir.write("a.yaml", "agents: {one: {base_url: http://j}}\n"); // as long as before
  const auto second = files.look();
  CHECK(second != first);
  dir.write("agents.d/x.yaml", "base_url: http://x\n");
  CHECK(files.look() != second);
  dir.write("agents.d/notes.txt", "x");
  dir.write("agents.d/.x.yaml.new", "x");
  const auto third = files.look();
  fs::remove(dir.path / "agents.d/x.yaml");
  CHECK(files.look() == second);
  CHECK(third != second);
  dir.write("b.yaml", one);
  fs::rename(dir.path / "b.yaml", dir.path / "a.yaml");
  CHECK(files.look() == first);
  fs::remove(dir.path / "a.yaml");
  CHECK(files.look() != first);
}

TEST_CASE("a file is written whole, keeps its mode, and leaves nothing beside it") {
  const folder dir;
  const auto path = dir.file("agents.d/x.yaml");
  CHECK_FALSE(write_whole(path, "a: 1\n"));
  CHECK(dir.read("agents.d/x.yaml") == "a: 1\n");
  REQUIRE(::chmod(path.c_str(), 0664) == 0);
  CHECK_FALSE(write_whole(path, "a: 2\n"));
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0664);
  CHECK(std::distance(fs::directory_iterator{dir.path / "agents.d"}, {}) == 1);
  CHECK_FALSE(write_whole(path, std::nullopt));
  CHECK_FALSE(fs::exists(path));
  CHECK_FALSE(write_whole(path, std::nullopt));
  dir.write("file", "x");
  CHECK(write_whole(dir.file("file/x.yaml"), "a: 1\n"));
  CHECK(write_whole(dir.file("nowhere/agents.d/x.yaml"), "a: 1\n"));
}

TEST_CASE("a changed file comes into force by itself, a bad one does not") {
  kept k;
  k.dir.write("a.yaml", two);
  CHECK(k.until([&] { return k.agents() == 2; }));
  k.dir.write("a.yaml", "agents: [\n");
  CHECK(k.until([&] { return !k.keeper->view()->good; }));
  CHECK(k.agents() == 2);
  CHECK(k.keeper->view()->problems.size() == 1);
  k.dir.write("a.yaml", two);
  CHECK(k.until([&] { return k.keeper->view()->good; }));
  CHECK(k.keeper->view()->reloads == 1);
  k.keeper->stop();
  CHECK(k.applied.size() == 1);
  CHECK(k.numbers->text().find("patchbay_registry_reloads_total{result=\"failed\"} 1") !=
        std::string::npos);
}

TEST_CASE("what is shown of a registry with many faults has a cap") {
  kept k;
  std::string text = "agents:\n";
  for (std::size_t i = 0; i < registry_view::problem_cap + 1; ++i)
    text += "  - {id: a" + std::to_string(i) + "}\n";
  k.dir.write("a.yaml", text);
  CHECK(k.until([&] { return !k.keeper->view()->good; }));
  CHECK(k.keeper->view()->problems.size() == registry_view::problem_cap);
}

TEST_CASE("a change is in force when it is answered, and no change of the disk then") {
  kept k;
  const auto out = k.change(adding("three"));
  CHECK(out.what == change_outcome::kind::done);
  CHECK(out.changed);
  CHECK(k.agents() == 2);
  CHECK(k.dir.read("agents.d/three.yaml").find("http://new") != std::string::npos);
  CHECK_FALSE(k.change(adding("three")).changed);
  k.keeper->reload();
  CHECK(k.until([&] {
    return k.numbers->text().find("patchbay_registry_reloads_total{result=\"unchanged\"} 1") !=
           std::string::npos;
  }));
  k.keeper->stop();
  CHECK(k.applied.size() == 1);
}

TEST_CASE("changes past the cap, and after the end, are refused") {
  kept k;
  std::mutex guard;
  std::size_t done = 0, busy = 0;
  const auto send = [&] {
    k.keeper->change(adding("x"), [&](const change_outcome& o) {
      const std::lock_guard lock{guard};
      ++(o.what == change_outcome::kind::busy ? busy : done);
    });
  };
  // The first one is held by the disk of this test: nothing else is taken out meanwhile.
  {
    const std::lock_guard hold{k.m};
    k.keeper->change(adding("first"), [](const change_outcome&) {});
    CHECK(k.until([&] { return fs::exists(k.dir.path / "agents.d/first.yaml"); }));
    for (std::size_t i = 0; i < registry_keeper::change_cap + 1; ++i)
      send();
    const std::lock_guard lock{guard};
    CHECK(busy == 1);
    CHECK(done == 0);
  }
  CHECK(k.until([&] {
    const std::lock_guard lock{guard};
    return done == registry_keeper::change_cap;
  }));
  k.keeper->stop();
  send();
  CHECK(busy == 2);
}
