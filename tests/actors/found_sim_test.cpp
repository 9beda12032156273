// What the random simulation found, told as stories.

#include "actors/phrases.hpp"
#include "tests/support/sim_world.hpp"
#include "tests/support/store_wrapper.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

std::string chat_room(const sim_world& w) {
  for (const auto& room : w.server.rooms())
    for (const auto& e : w.server.events(room))
      if (e.at("type") == "io.patchbay.chat")
        return room;
  return {};
}

std::size_t chat_rooms(const sim_world& w) {
  std::size_t count = 0;
  for (const auto& room : w.server.rooms())
    for (const auto& e : w.server.events(room))
      count += e.at("type") == "io.patchbay.chat" ? 1 : 0;
  return count;
}

bool is_create(const http_request& r) { return r.target.ends_with("/createRoom"); }

} // namespace

TEST_CASE("a question that was edited before its turn is not asked again after a kill") {
  sim_world w;
  w.agent.use([](const heard& h) {
    const auto text = h.frame.value("text", "");
    return std::vector<step>{wait(text == "one" ? 3s : 600s), chunk(text), end()};
  });
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "one");
  const auto two = w.say("alice", chat, "two");
  w.run_for(1s);
  REQUIRE(w.server.send("@alice:localhost", chat, "m.room.message",
                        {{"msgtype", "m.text"},
                         {"body", "* two!"},
                         {"m.new_content", {{"msgtype", "m.text"}, {"body", "two!"}}},
                         {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", two}}}}));
  REQUIRE(w.run_until([&] { return w.agent.user_messages().size() == 2; }));
  CHECK(w.agent.user_messages()[1].frame.at("text") == "two!");
  w.run_for(1s);
  w.crash();
  w.start();
  w.run_for(1min);
  CHECK(w.agent.user_messages().size() == 2);
  CHECK(w.replies_to(chat, two) ==
        std::vector<std::string>{say(language::en, phrase::router_interrupted)});
}

TEST_CASE(
    "a room whose creation was not heard of is found again, also when its owner wrote first") {
  sim_world w;
  int created = 0;
  w.http->fate = [&](http_request& r) {
    http_fate f;
    f.cut = is_create(r) && ++created == 2; // the Space, then the chat
    return f;
  };
  w.start();
  w.person("alice");
  w.invite_bot("alice");
  REQUIRE(w.run_until([&] { return !chat_room(w).empty(); }));
  const auto chat = chat_room(w);
  w.accept_invitations("alice");
  const auto asked = w.say("alice", chat, "hello");
  w.run_for(2min);
  CHECK(chat_rooms(w) == 1);
  CHECK(created == 2);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"hello"});
  CHECK(w.log->count("actor_died") == 0);
}

TEST_CASE("a room that was unknown is looked up again as soon as somebody writes") {
  sim_world w;
  int created = 0;
  bool looked = false;
  w.http->fate = [&](http_request& r) {
    http_fate f;
    f.cut = is_create(r) && ++created == 2;
    if (created >= 2 && !looked && r.method == "GET" && r.target.ends_with("/state")) {
      looked = true;
      f.instead = http_response{403, {}, R"({"errcode":"M_FORBIDDEN","error":"not now"})"};
    }
    return f;
  };
  w.start();
  w.person("alice");
  w.invite_bot("alice");
  REQUIRE(w.run_until([&] { return !chat_room(w).empty(); }));
  const auto chat = chat_room(w);
  w.accept_invitations("alice");
  w.say("alice", chat, "too early");
  REQUIRE(w.run_until([&] { return looked && w.log->count("room_unknown") == 1; }, 5s));
  w.run_for(10s);
  const auto asked = w.say("alice", chat, "hello");
  w.run_for(10s);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"hello"});
}

TEST_CASE("a wish that waits for an outage to end is answered once, when it is done") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  bool refusing = true;
  w.http->fate = [&](http_request& r) {
    http_fate f;
    f.lost = refusing && is_create(r);
    return f;
  };
  const auto one = w.say("alice", chat, "!new One"), two = w.say("alice", chat, "!new Two");
  w.run_for(5min);
  CHECK(w.replies_to(chat, one).empty());
  CHECK(w.replies_to(chat, two).empty());
  refusing = false;
  w.run_for(5min);
  for (const auto& wish : {one, two}) {
    const auto replies = w.replies_to(chat, wish);
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].find("matrix.to") != std::string::npos);
  }
}

namespace {

class forgetful final : public store_wrapper {
public:
  forgetful(std::shared_ptr<store> real, const bool& full)
      : store_wrapper(std::move(real)), full_(full) {}
  result<void> record(const std::vector<send_outcome>& outcomes) override {
    if (full_)
      return fail(fault_code::disk_full, "no space");
    return real_->record(outcomes);
  }

private:
  const bool& full_;
};

} // namespace

TEST_CASE("that a row was sent is not forgotten when there is no space to write it down") {
  bool full = false;
  sim_world w;
  w.around_disk = [&](std::shared_ptr<store> real) {
    return std::make_shared<forgetful>(std::move(real), full);
  };
  w.start();
  const auto chat = w.onboard("alice");
  w.run_for(5s);
  full = true;
  const auto asked = w.say("alice", chat, "hello");
  w.run_for(5s);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"hello"});
  CHECK(w.disk->counts()->outbox_waiting == 1);
  full = false;
  w.run_for(5s);
  CHECK(w.disk->counts()->outbox_waiting == 0);
}
