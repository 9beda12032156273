// Questions to a person, streams that are cut, and restarts: the task is the agent's.

#include "a2a_agent.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace pb;
using namespace pb::test::a2a;
using how = link_closed::how;

json question(const std::string& id = "q1", const std::string& prompt = "Pay 120 EUR?") {
  return status("INPUT_REQUIRED", words(id, prompt));
}

std::vector<std::string> questions(const talk& t) {
  std::vector<std::string> out;
  for (const auto& q : t.heard<agent_says::confirm>())
    out.push_back(q.id);
  return out;
}

} // namespace

TEST_CASE("a2a: a question is put, decided, and the task goes on") {
  const bool newer = GENERATE(true, false);
  talk t(newer ? card_1_0() : card_0_3());
  t.start();
  t.says(question());
  REQUIRE(questions(t) == std::vector<std::string>{"t1:q1"});
  CHECK(t.heard<agent_says::confirm>()[0].prompt == "Pay 120 EUR?");
  if (GENERATE(true, false)) {
    t.closed(how::closed, 200); // as a2a-js does
    CHECK(t.running);
    CHECK_FALSE(t.alarm_after);
  }
  const bool yes = GENERATE(true, false);
  t.decide("t1:other", yes); // not asked
  CHECK(t.links.size() == 2);
  t.decide("t1:q1", yes);
  t.opened();
  const auto m = t.sent_message();
  CHECK(m["taskId"] == "t1");
  CHECK(m["contextId"] == "c1");
  CHECK(m["messageId"] == "turn-1-1");
  CHECK(m["parts"][0]["text"] == (yes ? "yes" : "no"));
  CHECK(m["parts"][1]["data"]["approved"] == yes);
  CHECK(m["parts"][1].value("kind", "") == (newer ? "" : "data"));
  // The agent's first word may be how it stood: what is shown already is not shown again.
  t.says(task("INPUT_REQUIRED", {artifact_of("a1", {text("Found 1 flight. ")})},
              words("q1", "Pay 120 EUR?")));
  CHECK(questions(t).size() == 1);
  t.says(status("WORKING"));
  t.says(artifact("a1", {text("Booked.")}, true));
  t.says(status("COMPLETED"));
  CHECK(t.answer() == "Found 1 flight. Booked.");
  CHECK(t.ended_well());
}

TEST_CASE("a2a: questions have names of their own even where the agent gives none") {
  talk t;
  t.start();
  const auto ask = [&](const json& message) {
    t.says(status("INPUT_REQUIRED", message));
    const auto id = questions(t).back();
    t.decide(id, true);
    t.opened();
    t.says(status("WORKING"));
    return id;
  };
  CHECK(ask(words("q1", "one?")) == "t1:q1");
  CHECK(ask(words("q1", "one?")) == "t1:q1-1"); // the same again is another one
  CHECK(ask(words("a:b", "two?")) == "t1:q2");
  CHECK(ask(words(std::string(65, 'x'), "three?")) == "t1:q3");
  CHECK(ask(nullptr) == "t1:q4");
  CHECK(ask(words(std::string(64, 'x'), "four?")) == "t1:" + std::string(64, 'x'));
  CHECK(t.heard<agent_says::confirm>()[4].prompt ==
        "The agent needs an answer to go on: yes or no?");
}

TEST_CASE("a2a: a question that comes again while it is open is the same one") {
  talk t;
  t.start();
  t.says(question());
  t.says(question());
  t.says(task("INPUT_REQUIRED", json::array(), words("q1", "Pay 120 EUR?")));
  CHECK(questions(t).size() == 1);
}

TEST_CASE("a2a: an agent that still asks when its stream ends has not understood: it asks again") {
  talk t;
  t.start();
  t.says(question());
  t.decide("t1:q1", true);
  t.opened();
  t.says(question());
  CHECK(questions(t).size() == 1);
  t.closed(how::closed, 200);
  CHECK(questions(t) == std::vector<std::string>{"t1:q1", "t1:q1-1"});
}

TEST_CASE("a2a: a decision whose link never opened is sent again, and one that was lost is asked") {
  talk t;
  t.start();
  t.says(question());
  t.closed(how::closed, 200);
  t.decide("t1:q1", true);
  SECTION("never opened") {
    t.closed(how::refused);
    t.opened(); // at once
    CHECK(t.sent_message()["messageId"] == "turn-1-1");
    t.says(status("COMPLETED"));
    CHECK(t.ended_well());
  }
  SECTION("broken after it was written") {
    t.opened();
    t.closed(how::broken);
    t.opened();
    CHECK(t.method() == "SubscribeToTask");
    t.says(task("INPUT_REQUIRED", json::array(), words("q1", "Pay 120 EUR?")));
    CHECK(questions(t).back() == "t1:q1-1");
  }
  SECTION("never to be reached") {
    for (int i = 0; i < 20; ++i) {
      t.closed(how::refused);
      REQUIRE(t.running);
      if (t.alarm_after)
        t.alarm();
    }
    t.closed(how::refused);
    CHECK(t.gave_up->ending == turn_ending::interrupted);
  }
}

TEST_CASE("a2a: the answer to a question whose turn is over is a turn of its own") {
  talk t;
  t.start();
  t.says(question());
  t.closed(how::closed, 200);
  t.renew();
  t.forget();
  session_turn turn;
  turn.what.id = turn_id{"turn-2"};
  turn.what.answer = turn_answer{"t1:q1", false};
  SECTION("the task waits") {
    t.begin(turn);
    t.opened();
    const auto m = t.sent_message();
    CHECK(m["taskId"] == "t1");
    CHECK(m["contextId"] == "c1");
    CHECK(m["messageId"] == "turn-2");
    CHECK(m["parts"][0]["text"] == "no");
    CHECK(m["parts"][1]["data"]["approved"] == false);
    // What was shown in the turn that asked is not shown in this one.
    t.says(task("WORKING", {artifact_of("a1", {text("Found 1 flight. "), text("Never mind.")})}));
    t.says(status("COMPLETED"));
    CHECK(t.answer() == "Never mind.");
    CHECK(t.ended_well());
  }
  SECTION("the task is over: a new one in the same context, once") {
    const int code = GENERATE(-32004, -32602);
    // Its artifact has the name of the old one's, and may begin as that one did.
    const std::string words = GENERATE("ok", "Found 1 flight. ok");
    t.begin(turn);
    t.opened();
    t.says(fault(code));
    t.opened();
    CHECK_FALSE(t.sent_message().contains("taskId"));
    CHECK(t.sent_message()["contextId"] == "c1");
    auto another = task("COMPLETED", {artifact_of("a1", {text(words)})});
    another["result"]["task"]["id"] = "t2";
    if (GENERATE(true, false)) {
      t.says(another);
      CHECK(t.answer() == words);
      CHECK(t.ended_well());
    } else {
      t.says(fault(-32602));
      CHECK(t.heard<agent_says::error>().at(0).code == "-32602");
    }
  }
  SECTION("the agent has forgotten the task") {
    t.begin(turn);
    t.opened();
    t.says(fault(-32001, "Task not found: t1"));
    CHECK(t.heard<agent_says::error>().at(0).code == "-32001");
  }
  SECTION("the question is none of ours") {
    turn.what.answer->confirmation = "q1";
    t.begin(turn);
    CHECK(t.heard<agent_says::error>().at(0).code == "-32001");
  }
  SECTION("another task has been talked about since") {
    turn.what.answer->confirmation = "t0:q9";
    t.begin(turn);
    t.opened();
    CHECK(t.sent_message()["taskId"] == "t0");
    CHECK_FALSE(t.sent_message().contains("contextId"));
  }
}

TEST_CASE("a2a: a stream that is cut is taken up again, and nothing is shown twice") {
  const bool newer = GENERATE(true, false);
  talk t(newer ? card_1_0() : card_0_3());
  t.start();
  t.closed(GENERATE(how::broken, how::closed), 200);
  t.opened(); // at once
  CHECK(t.method() == (newer ? "SubscribeToTask" : "tasks/resubscribe"));
  CHECK(t.last()["params"] == json{{"id", "t1"}});
  SECTION("a snapshot, then more") {
    t.says(task("WORKING", {artifact_of("a1", {text("Found 1 "), text("flight. It leaves ")})}));
    t.says(artifact("a1", {text("at 8.")}, true));
    t.says(status("COMPLETED"));
    CHECK(t.answer() == "Found 1 flight. It leaves at 8.");
  }
  SECTION("a snapshot from before the cut, and the events after it once more") {
    t.says(task("WORKING", {artifact_of("a1", {text("Found")})}));
    t.says(artifact("a1", {text(" 1 fli")}, true));
    t.says(artifact("a1", {text("ght. It leaves at 8.")}, true));
    t.says(status("COMPLETED"));
    CHECK(t.answer() == "Found 1 flight. It leaves at 8.");
  }
  SECTION("cut again and again: at a slowing pace") {
    for (const int seconds : {1, 2, 4, 8, 10}) {
      t.says(task("WORKING", {artifact_of("a1", {text("Found 1 flight. ")})}));
      t.closed(how::closed, 200);
      REQUIRE(t.alarm_after == std::chrono::seconds(seconds));
      t.alarm();
      t.opened();
    }
    t.says(artifact("a1", {text("It leaves at 8.")}, true));
    t.closed(how::broken);
    CHECK(t.alarm_after == std::chrono::seconds(1)); // it had news
    t.alarm();
    t.opened();
    t.says(task("COMPLETED", {artifact_of("a1", {text("Found 1 flight. It leaves at 8.")})}));
    CHECK(t.answer() == "Found 1 flight. It leaves at 8.");
  }
  SECTION("it is over, or the agent cannot do that: one look") {
    if (GENERATE(true, false))
      t.says(fault(GENERATE(-32004, -32601)));
    else
      t.closed(how::rejected, GENERATE(404, 501));
    t.opened();
    CHECK(t.method() == (newer ? "GetTask" : "tasks/get"));
    t.says(result(task_of("COMPLETED", {artifact_of("a1", {text("Found 1 flight. Bye.")})})));
    CHECK(t.answer() == "Found 1 flight. Bye.");
  }
  CHECK(t.ended_well());
}

TEST_CASE("a2a: a task that cannot be found again is interrupted") {
  talk t;
  t.start();
  t.closed(how::broken);
  SECTION("the agent has forgotten it") {
    t.opened();
    t.says(fault(-32001));
  }
  SECTION("the agent does not come back") {
    for (unsigned i = 1; i <= 20; ++i) {
      t.closed(how::refused);
      REQUIRE(t.running);
      REQUIRE(t.alarm_after);
      t.alarm();
    }
    t.closed(how::refused);
  }
  SECTION("the agent is not well") {
    link_closed why{how::rejected, 503, "", "<html>"};
    why.retry_after = std::chrono::milliseconds(30'000);
    t.closed(t.last_wire(), why);
    CHECK(t.alarm_after == std::chrono::seconds(30));
    why.retry_after = std::chrono::hours(5);
    t.alarm();
    t.closed(t.last_wire(), why);
    CHECK(t.alarm_after == std::chrono::seconds(60));
    for (unsigned i = 2; i < 20; ++i) {
      t.alarm();
      t.closed(how::rejected, 500);
      REQUIRE(t.running);
    }
    t.alarm();
    t.closed(how::rejected, 500);
  }
  CHECK_FALSE(t.running);
  CHECK(t.gave_up->ending == turn_ending::interrupted);
  CHECK(t.answer() == "Found 1 flight. ");
}

TEST_CASE("a2a: an answer that ends before a task was named is interrupted") {
  talk t;
  t.ask();
  t.closed(GENERATE(how::broken, how::closed), 200);
  CHECK(t.gave_up->ending == turn_ending::interrupted);
}

TEST_CASE("a2a: cancelled while the task is looked for") {
  talk t;
  t.start();
  t.closed(how::broken);
  t.closed(how::refused);
  t.cancel();
  t.alarm();
  t.opened();
  CHECK(t.method() == "CancelTask");
  t.says(fault(-32002));
  CHECK(t.gave_up->ending == turn_ending::cancelled);
}

TEST_CASE("a2a: after our restart the task is found by what the chat remembers") {
  talk t;
  SECTION("it went on") {
    t.start();
    t.restart();
    t.opened();
    CHECK(t.method() == "SubscribeToTask");
    CHECK(t.writes.back().hands_over);
    t.says(task("WORKING", {artifact_of("a1", {text("Found 1 flight. ")})}));
    t.says(artifact("a1", {text("Bye.")}, true));
    t.says(status("COMPLETED"));
    CHECK(t.answer() == "Found 1 flight. Bye."); // all of it: the room shows none of it
    CHECK(t.ended_well());
  }
  SECTION("it asks") {
    t.start();
    t.says(question());
    t.restart();
    t.opened();
    t.says(task("INPUT_REQUIRED", json::array(), words("q1", "Pay 120 EUR?")));
    CHECK(questions(t) == std::vector<std::string>{"t1:q1"});
    t.decide("t1:q1", true);
    t.opened();
    CHECK(t.sent_message()["taskId"] == "t1");
  }
  SECTION("it is over") {
    t.start();
    t.restart();
    t.opened();
    t.says(fault(-32004));
    t.opened();
    CHECK(t.method() == "GetTask");
    t.says(result(task_of("COMPLETED", {artifact_of("a1", {text("Found 1 flight. Bye.")})})));
    CHECK(t.answer() == "Found 1 flight. Bye.");
  }
  SECTION("the agent never named one") {
    t.ask();
    t.restart();
    CHECK(t.gave_up->ending == turn_ending::interrupted);
  }
  SECTION("what is remembered is of another turn") {
    t.start();
    t.restart("turn-2");
    CHECK(t.gave_up->ending == turn_ending::interrupted);
  }
  SECTION("what is remembered cannot be read") {
    t.start();
    t.memory = "{\"v\":9";
    t.restart();
    CHECK(t.gave_up->ending == turn_ending::interrupted);
  }
}

TEST_CASE("a2a: an idempotent agent is sent the same message after a restart") {
  agent_spec spec;
  spec.idempotent = true;
  talk t(card_1_0(), spec);
  t.ask();
  t.restart();
  t.opened();
  CHECK(t.sent_message()["messageId"] == "turn-1");
}
