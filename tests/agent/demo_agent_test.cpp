#include "bridges/agent/agent_ws/codec.hpp"
#include "tests/agent/demo_caller.hpp"

using namespace pb;
using namespace pb::test;

TEST_CASE("only addresses of agent-ws are accepted") {
  const world w;
  const auto taken = [&](const std::string& path) {
    return w.open(path, std::make_shared<fake_link>()) != nullptr;
  };
  CHECK(taken("/v1/agent_ws/1/"));
  CHECK(taken("/v1/agent_ws/1"));
  CHECK(taken("/agent_ws/9223372036854775807/"));
  CHECK(taken("/some/prefix/v1/agent_ws/3/"));
  for (const auto* path :
       {"", "/", "/v1/agent_ws/", "/v1/agent_ws/x/", "/v1/agent_ws/1x/", "/v1/other/1/",
        "/v1/agent_ws/9223372036854775808/", "/v1/agent_ws/1//", "agent_ws/1"})
    CHECK_FALSE(taken(path));
}

TEST_CASE("the first answer introduces the agent, repeats what was said and ends") {
  world w;
  const auto c = w.ask("Good morning");
  CHECK(contains(c.answer(), "demonstration agent"));
  CHECK(contains(c.answer(), "matrix-agents.yaml"));
  CHECK(contains(c.answer(), "> Good morning"));
  CHECK(c.last() == "AGENT_EVENT_END");
  CHECK(c.wire->sent.back()["usage"]["output_tokens"].get<int>() > 50);
  CHECK(c.count("AGENT_EVENT_END") == 1);
  CHECK(c.count("AGENT_EVENT_TEXT_CHUNK") > 3);
  for (const auto& frame : c.wire->sent)
    CHECK(frame["message_id"] == "m");
  CHECK(c.wire->worked_off > 0);
  CHECK_FALSE(contains(w.ask("And again").answer(), "demonstration agent"));
}

TEST_CASE("every frame that the demonstration agent sends is one of agent-ws") {
  world w;
  const auto codec = make_agent_ws_codec({});
  for (const auto* text :
       {"x", "help", "time", "count to 3", "slow 1", "long 3", "tool", "tools", "stream",
        "markdown", "file", "later 3", "confirm", "error", "fail", "die", ""}) {
    const auto c = w.ask(text);
    CHECK_FALSE(c.wire->sent.empty());
    for (const auto& frame : c.wire->sent) {
      INFO(frame.dump());
      const auto event = codec->decode(frame.dump()).event;
      CHECK_FALSE(std::holds_alternative<agent_says::malformed>(event));
      CHECK_FALSE(std::holds_alternative<agent_says::unknown>(event));
    }
  }
}

TEST_CASE("the agent counts messages per conversation, so that a fresh one shows") {
  world w;
  w.ask("one");
  CHECK(contains(w.ask("two").answer(), "message 2 "));
  CHECK(contains(w.ask("fresh", 2).answer(), "message 1 "));
  CHECK(contains(w.ask("three").answer(), "message 3 "));
}

TEST_CASE("at the cap the conversation unused for longest is forgotten") {
  world w({3});
  for (std::int64_t chat = 1; chat <= 3; ++chat)
    w.ask("hello", chat);
  CHECK(contains(w.ask("again", 1).answer(), "message 2 ")); // now 2 is the oldest
  w.ask("one more", 4);
  CHECK(contains(w.ask("again", 1).answer(), "message 3 "));
  CHECK(contains(w.ask("again", 3).answer(), "message 2 "));
  CHECK(contains(w.ask("again", 2).answer(), "message 1 "));
}

TEST_CASE("the clock and the attachments are mentioned") {
  world w;
  CHECK(contains(w.ask("time").answer(), "22:13:20 UTC, Tuesday 14 November 2023"));
  auto c = w.connect();
  c.tell({{"type", "USER_MESSAGE"}, {"text", "look"}, {"attachments", {"incoming/1/a.png", 5}}});
  w.clock.run();
  CHECK(contains(c.answer(), "`incoming/1/a.png`"));
}

TEST_CASE("counting streams slowly and CANCEL ends it at once") {
  world w;
  w.ask("hello");
  auto c = w.connect();
  c.say("count to 100");
  w.clock.advance(3s);
  CHECK(contains(c.answer(), "1, 2, 3"));
  CHECK_FALSE(contains(c.answer(), "20"));
  c.tell({{"type", "CANCEL"}});
  CHECK(c.last() == "AGENT_EVENT_END");
  const auto sent = c.wire->sent.size();
  w.clock.run();
  CHECK(c.wire->sent.size() == sent);
  c.tell({{"type", "CANCEL"}});
  CHECK(c.wire->sent.size() == sent);
  c.say("count to 3");
  w.clock.run();
  CHECK(contains(c.answer(), "1, 2, 3."));
  CHECK(c.count("AGENT_EVENT_END") == 2);
}

TEST_CASE("numbers that ask for too much are cut") {
  world w;
  CHECK(contains(w.ask("count to 99999999999999999999").answer(), "500."));
  CHECK(contains(w.ask("count to -4").answer(), "1."));
  CHECK(contains(w.ask("slow 100000").answer(), "took 120 s"));
  CHECK(w.ask("long 1000000").answer().size() < 600 * 1024);
  CHECK(w.ask("long").answer().size() > 3 * 28'000); // more than three messages hold
  CHECK(contains(w.ask("later 100000").answer(), "in 120 s"));
}

TEST_CASE("a tool call comes in pieces, with progress and a result") {
  world w;
  const auto c = w.ask("tool");
  std::string args;
  for (const auto& frame : c.wire->sent)
    if (frame["type"] == "AGENT_EVENT_TOOL_CALL_CHUNK")
      args += frame["args_chunk"].get<std::string>();
  CHECK(json::parse(args)["unit"] == "words");
  CHECK(c.count("AGENT_EVENT_TOOL_RESULT") == 1);
  CHECK(c.count("AGENT_EVENT_CUSTOM_UPDATE") == 1);
}

TEST_CASE("error fails, die closes without END, slow is silent first") {
  world w;
  const auto failed = w.ask("error");
  CHECK(failed.last() == "ERROR");
  CHECK(failed.count("AGENT_EVENT_END") == 0);

  const auto dead = w.ask("die");
  CHECK(dead.wire->closed_with == 1011);
  CHECK(dead.count("AGENT_EVENT_END") == 0);
  CHECK(dead.last() == "AGENT_EVENT_TEXT_CHUNK");

  auto slow = w.connect();
  slow.say("slow 5");
  w.clock.advance(4900ms);
  CHECK(slow.answer().empty());
  w.clock.advance(200ms);
  CHECK(contains(slow.answer(), "took 5 s"));
}

TEST_CASE("a confirmation waits for its answer") {
  world w;
  auto c = w.connect();
  c.say("confirm");
  w.clock.advance(1s);
  REQUIRE(c.last() == "AGENT_EVENT_CONFIRM");
  const auto id = c.wire->sent.back()["confirmation_id"];
  SECTION("yes on the same connection") {
    c.tell({{"type", "CONFIRM"}, {"confirmation_id", id}, {"decision", "yes"}});
    w.clock.run();
    CHECK(contains(c.answer(), "You said yes"));
    CHECK(c.last() == "AGENT_EVENT_END");
    CHECK(c.count("AGENT_EVENT_END") == 1);
    CHECK(c.wire->sent.back()["message_id"] == "m");
  }
  SECTION("no as the first frame of a later connection") {
    c.agent->on_closed({});
    auto later = w.connect();
    later.tell({{"type", "CONFIRM"}, {"confirmation_id", id}, {"decision", "no"}});
    w.clock.run();
    CHECK(contains(later.answer(), "The answer was no"));
    CHECK(later.last() == "AGENT_EVENT_END");
  }
  SECTION("an answer to something else changes nothing") {
    c.tell({{"type", "CONFIRM"}, {"confirmation_id", "other"}, {"decision", "yes"}});
    w.clock.advance(1s);
    CHECK(c.last() == "AGENT_EVENT_CONFIRM");
  }
  SECTION("no answer in two minutes is a no") {
    w.clock.advance(121s);
    CHECK(contains(c.answer(), "The answer was no"));
  }
  SECTION("CANCEL takes the question back") {
    c.tell({{"type", "CANCEL"}});
    CHECK(c.last() == "AGENT_EVENT_END");
    c.tell({{"type", "CONFIRM"}, {"confirmation_id", id}, {"decision", "yes"}});
    CHECK(c.last() == "ERROR");
  }
}

TEST_CASE("the answer to a question of an earlier connection names no message of this one") {
  world w;
  auto c = w.connect();
  c.say("confirm");
  w.clock.advance(1s);
  const auto id = c.wire->sent.back()["confirmation_id"];
  c.agent->on_closed({});
  auto later = w.connect();
  later.tell({{"type", "CONFIRM"}, {"confirmation_id", id}, {"decision", "yes"}});
  w.clock.run();
  REQUIRE(later.last() == "AGENT_EVENT_END");
  CHECK_FALSE(later.wire->sent.back().contains("message_id"));
}

TEST_CASE("several tools, one of which fails; and words that come one by one") {
  world w;
  const auto c = w.ask("tools");
  std::size_t failed = 0;
  for (const auto& frame : c.wire->sent)
    if (frame["type"] == "AGENT_EVENT_TOOL_RESULT" && frame["is_error"] == true)
      ++failed;
  CHECK(c.count("AGENT_EVENT_TOOL_RESULT") == 3);
  CHECK(failed == 1);

  auto s = w.connect();
  s.say("stream");
  w.clock.advance(2s);
  CHECK(s.count("AGENT_EVENT_TEXT_CHUNK") > 10);
  CHECK(s.count("AGENT_EVENT_END") == 0);
  w.clock.advance(8s);
  CHECK(s.last() == "AGENT_EVENT_END");
}

TEST_CASE("help names every skill, and a sample of Markdown has what rooms can show") {
  world w;
  const auto help = w.ask("help").answer();
  for (const auto* word : {"stream", "tools", "markdown", "table", "confirm", "long", "file",
                           "later", "slow", "fail", "die", "!save"})
    CHECK(contains(help, word));
  const auto sample = w.ask("table").answer();
  for (const auto* piece : {"# A heading", "| agent |", "```cpp", "> Somebody", "javascript:"})
    CHECK(contains(sample, piece));
}

TEST_CASE("what was promised for later comes outside the turn, if the connection is still there") {
  world w;
  auto c = w.connect();
  c.say("later 10");
  w.clock.advance(5s);
  CHECK(c.last() == "AGENT_EVENT_END");
  CHECK(c.wire->sent.back()["message_id"] == "m");
  SECTION("it is") {
    c.say("count to 100", "n");
    w.clock.advance(6s);
    REQUIRE(c.count("AGENT_EVENT_PUSH") == 1);
    for (const auto& frame : c.wire->sent)
      if (frame["type"] == "AGENT_EVENT_PUSH") {
        CHECK_FALSE(frame.contains("message_id"));
        CHECK(frame["kind"] == "task_done");
      }
    CHECK(c.count("AGENT_EVENT_END") == 1); // the other answer goes on
  }
  SECTION("it is not") {
    c.agent->on_closed({});
    w.clock.run();
    CHECK(c.count("AGENT_EVENT_PUSH") == 0);
  }
}

TEST_CASE("a link that is full is waited for, but not for ever") {
  world w;
  auto c = w.connect();
  c.wire->room = 2;
  c.say("help");
  w.clock.advance(5s);
  CHECK(c.wire->sent.size() == 2);
  SECTION("it drains") {
    c.wire->room = 1000;
    w.clock.run();
    CHECK(c.last() == "AGENT_EVENT_END");
    CHECK(contains(c.answer(), "demonstration agent"));
  }
  SECTION("it never does") {
    w.clock.run();
    CHECK(c.wire->closed_with == 1008);
  }
}

TEST_CASE("odd frames do not disturb the agent") {
  world w;
  auto c = w.connect();
  c.agent->on_text("not json");
  CHECK(c.last() == "ERROR");
  c.agent->on_text("[1]");
  c.tell({{"type", 5}});
  c.tell({{"type", "PING"}});
  c.tell({{"type", "USER_MESSAGE"}, {"text", 7}, {"attachments", "x"}, {"message_id", {1}}});
  w.clock.run();
  CHECK(c.last() == "AGENT_EVENT_END");
  c.say("count to 50");
  c.say("second", "n");
  CHECK(c.last() == "ERROR");
  CHECK(c.wire->sent.back()["message_id"] == "n");
  c.agent->on_closed({});
  c.agent->on_text(R"({"type":"CANCEL"})");
  w.clock.run();
}

TEST_CASE("a closed connection is let go while its answer still runs") {
  world w;
  auto c = w.connect();
  c.say("count to 50");
  w.clock.advance(1s);
  const auto sent = c.wire->sent.size();
  c.agent->on_closed({});
  CHECK(c.wire.use_count() == 1);
  const std::weak_ptr<link_listener> gone = c.agent;
  c.agent.reset();
  CHECK(gone.expired());
  w.clock.run();
  CHECK(c.wire->sent.size() == sent);
}
