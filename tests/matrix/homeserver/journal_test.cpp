#include "bridges/matrix/homeserver/file_journal.hpp"
#include "tests/matrix/homeserver/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace pb;
using namespace pb::test;

namespace {

class folder {
public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pb-hs-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~folder() { std::filesystem::remove_all(path_); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  [[nodiscard]] std::string path() const { return path_ + "/hs"; }
  [[nodiscard]] std::string log() const { return path() + "/journal.jsonl"; }

private:
  std::string path_;
};

homeserver_options kept_in(const folder& f) {
  homeserver_options options;
  auto opened = open_file_journal(f.path());
  REQUIRE(opened);
  options.keep = std::move(*opened);
  return options;
}

class refusing_journal final : public journal {
public:
  bool append(std::string_view) override { return accepts-- > 0; }
  void replay(const std::function<void(std::string_view)>&) override {}
  bool put_blob(const std::string&, std::string_view) override { return false; }
  [[nodiscard]] std::optional<std::string> blob(const std::string&) const override { return {}; }
  int accepts = 12;
};

} // namespace

TEST_CASE("a second start goes on where the first one stopped") {
  const folder f;
  lab l(kept_in(f));
  auto bob = l.user("bob", "BOT");
  const auto alice = l.user("alice");
  const auto room = bob.create(
      {{"name", "kept"}, {"room_alias_name", "kept"}, {"invite", json::array({alice.user})}});
  alice.join(room);
  const auto sent = bob.ok("PUT", client::room_path(room) + "/send/m.room.message/t1",
                           {{"msgtype", "m.text"}, {"body", "hello"}});
  const auto gone = alice.say(room, "redacted");
  alice.ok("PUT", client::room_path(room) + "/redact/" + encoded(gone) + "/1", json::object());
  bob.ok("POST", client::room_path(room) + "/receipt/m.read/" + encoded(gone), json::object());
  alice.ok("PUT", client::room_path(room) + "/typing/" + encoded(alice.user), {{"typing", true}});
  const auto mine = "/user/" + encoded(bob.user);
  bob.ok("PUT", mine + "/account_data/x.y", {{"a", 1}});
  const auto filter = bob.ok("POST", mine + "/filter", json::object()).at("filter_id");
  const auto uri = bob.raw("POST", "/_matrix/media/v3/upload?filename=a.txt", "bytes",
                           {{"Content-Type", "text/plain"}})
                       .body.at("content_uri")
                       .get<std::string>();
  const auto left = alice.create();
  alice.ok("POST", client::room_path(left) + "/leave", json::object());
  alice.ok("POST", client::room_path(left) + "/forget", json::object());
  alice.ok("PUT", "/sendToDevice/x.t/1", {{"messages", {{bob.user, {{"BOT", {{"n", 1}}}}}}}});
  const auto since = bob.sync().at("next_batch").get<std::string>();
  const auto before = l.hs->events(room);
  const auto full = bob.sync("", "&full_state=true");

  l.hs.reset();
  l.start(kept_in(f));
  bob = client(*l.hs, bob.user, bob.token, bob.device);
  CHECK(l.hs->status().broken_journal_lines == 0);
  CHECK(l.hs->events(room) == before);
  auto again = bob.sync("", "&full_state=true");
  // Typing does not survive; all else is the same, tokens too.
  CHECK(joined(again, room).at("state") == joined(full, room).at("state"));
  CHECK(joined(again, room).at("timeline") == joined(full, room).at("timeline"));
  CHECK(joined(again, room).at("unread_notifications") ==
        joined(full, room).at("unread_notifications"));
  CHECK(again.at("to_device") == full.at("to_device"));
  CHECK_FALSE(bob.sync(since).contains("to_device"));
  CHECK(bob.ok("PUT", client::room_path(room) + "/send/m.room.message/t1",
               {{"msgtype", "m.text"}, {"body", "hello"}}) == sent);
  CHECK(bob.ok("GET", mine + "/account_data/x.y") == json{{"a", 1}});
  CHECK(bob.ok("GET", mine + "/filter/" + filter.get<std::string>()) == json::object());
  CHECK(bob.raw("GET", "/_matrix/client/v1/media/download/localhost/" + uri.substr(16)).raw.body ==
        "bytes");
  CHECK(bob.ok("GET", "/directory/room/%23kept%3Alocalhost").at("room_id") == room);
  const auto alice2 = l.user("alice");
  CHECK(alice2.call("GET", client::room_path(left) + "/messages?dir=b").errcode() == "M_FORBIDDEN");
  const auto told = bob.sync(since);
  bob.say(room, "after the restart");
  CHECK(bodies(timeline(bob.sync(told.at("next_batch")), room).at("events")) ==
        std::vector<std::string>{"after the restart"});
}

TEST_CASE("a torn last line is dropped, and the next record starts on a line of its own") {
  const folder f;
  lab l(kept_in(f));
  l.user("bob");
  l.hs.reset();
  {
    std::ofstream out(f.log(), std::ios::app);
    out << R"({"k":"account","localpart":"torn","sa)";
  }
  l.start(kept_in(f));
  CHECK(l.hs->status().broken_journal_lines == 0);
  CHECK(l.hs->has_account("bob"));
  CHECK_FALSE(l.hs->has_account("torn"));
  l.user("alice");
  l.hs.reset();
  l.start(kept_in(f));
  CHECK(l.hs->has_account("alice"));
  CHECK(l.hs->status().broken_journal_lines == 0);
}

TEST_CASE("a line that somebody spoiled is counted and skipped") {
  const folder f;
  lab l(kept_in(f));
  l.user("bob");
  l.hs.reset();
  {
    std::ofstream out(f.log(), std::ios::app);
    out << "not json\n{\"k\":\"future\"}\n{\"k\":\"alias\",\"alias\":7}\n";
  }
  l.start(kept_in(f));
  CHECK(l.hs->status().broken_journal_lines == 3);
  CHECK(l.hs->has_account("bob"));
}

TEST_CASE("the journal's files are their owner's alone, and hold no password") {
  const folder f;
  lab l(kept_in(f));
  const auto bob = l.user("bob");
  bob.raw("POST", "/_matrix/media/v3/upload", "secret bytes");
  struct stat info {};
  REQUIRE(::stat(f.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(f.path()))
    if (entry.is_regular_file()) {
      REQUIRE(::stat(entry.path().c_str(), &info) == 0);
      CHECK((info.st_mode & 0777U) == 0600U);
    }
  std::ifstream in(f.log());
  const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  CHECK(all.find("pw-bob") == std::string::npos);
  CHECK(all.find(bob.token) != std::string::npos); // tokens must survive: it is for development
}

TEST_CASE("a journal that refuses ends the service instead of forgetting in silence") {
  homeserver_options options;
  options.keep = std::make_unique<refusing_journal>();
  lab l(std::move(options));
  const auto bob = l.user("bob");
  bob.create();
  const auto refused = bob.call("POST", "/createRoom", json::object());
  CHECK(refused.status == 500);
  CHECK(bob.call("GET", "/account/whoami").status == 500);
}

TEST_CASE("a folder that cannot be made is a fault with a cause") {
  const auto opened = open_file_journal("/dev/null/hs");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == fault_code::storage);
}
