// A turn with an A2A agent, frame by frame, in both wire formats.

#include "a2a_agent.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace pb;
using namespace pb::test::a2a;
using how = link_closed::how;

std::string code(const talk& t) {
  const auto errors = t.heard<agent_says::error>();
  return errors.empty() ? "" : errors.back().code;
}

} // namespace

TEST_CASE("a2a 1.0: card, message, stream, end") {
  agent_spec spec;
  spec.auth = agent_auth{"Authorization", secret("key")};
  talk t(card_1_0(), spec);
  t.begin("book it");
  REQUIRE(t.links.size() == 1);
  CHECK(t.links[0].to.url == "http://agent.test/base/.well-known/agent-card.json");
  CHECK(t.links[0].to.by == carrier::http);
  CHECK(t.links[0].to.http.method == "GET");
  CHECK(t.header("Authorization") == "Bearer key");
  t.opened();
  CHECK(t.writes.back().text.empty());
  CHECK_FALSE(t.writes.back().hands_over);
  t.says(card_1_0());
  REQUIRE(t.links.size() == 2);
  CHECK(t.links[1].to.url == "http://agent.test/base/rpc");
  CHECK(t.links[1].to.http.method == "POST");
  CHECK(t.header("A2A-Version") == "1.0");
  CHECK(t.header("Accept") == "text/event-stream, application/json");
  CHECK(t.header("Content-Type") == "application/json");
  CHECK(t.header("Authorization") == "Bearer key");
  t.opened();
  CHECK(t.writes.back().hands_over);
  CHECK(t.last() ==
        json::parse(R"({"jsonrpc":"2.0","id":1,"method":"SendStreamingMessage","params":{
    "configuration":{"historyLength":1},
    "message":{"messageId":"turn-1","role":"ROLE_USER","parts":[{"text":"book it"}]}}})"));

  t.says(task("SUBMITTED"));
  t.says(status("WORKING", words("w1", "looking")));
  t.says(artifact("a1", {text("Found ")}));
  t.says(artifact("a1", {text("1 flight.")}, true));
  t.says(status("COMPLETED"));
  CHECK(t.answer() == "Found 1 flight.");
  CHECK(t.heard<agent_says::status>().at(0).text == "looking");
  CHECK(t.ended_well());
  CHECK_FALSE(t.running);
  CHECK_FALSE(t.keep());

  // The next turn needs no card and goes on in the context that the agent gave.
  t.renew();
  t.ask("and back", "turn-2");
  CHECK(t.links.size() == 1);
  CHECK(t.links.back().to.url == "http://agent.test/base/rpc");
  CHECK(t.sent_message()["contextId"] == "c1");
  CHECK_FALSE(t.sent_message().contains("taskId"));
}

TEST_CASE("a2a 0.3: the same in its own words") {
  talk t(card_0_3());
  t.ask("book it");
  CHECK(t.header("A2A-Version") == "0.3");
  CHECK(t.last() == json::parse(R"({"jsonrpc":"2.0","id":1,"method":"message/stream","params":{
    "configuration":{"historyLength":1},
    "message":{"kind":"message","messageId":"turn-1","role":"user",
               "parts":[{"kind":"text","text":"book it"}]}}})"));
  t.says(
      R"({"jsonrpc":"2.0","id":1,"result":{"kind":"task","id":"t1","contextId":"ctx-9","status":{"state":"submitted"}}})");
  t.says(
      R"({"jsonrpc":"2.0","id":1,"result":{"kind":"status-update","taskId":"t1","contextId":"ctx-9","final":false,
    "status":{"state":"working","message":{"kind":"message","messageId":"w","role":"agent","parts":[{"kind":"text","text":"looking"}]}}}})");
  t.says(
      R"({"jsonrpc":"2.0","id":1,"result":{"kind":"artifact-update","taskId":"t1","contextId":"ctx-9",
    "artifact":{"artifactId":"a1","parts":[{"kind":"text","text":"Here: "},
      {"kind":"file","file":{"uri":"https://files.test/a(1).pdf","name":"a [1].pdf","mimeType":"application/pdf"}}]}}})");
  t.says(
      R"({"jsonrpc":"2.0","id":1,"result":{"kind":"artifact-update","taskId":"t1","contextId":"ctx-9",
    "artifact":{"artifactId":"a2","parts":[{"kind":"file","file":{"bytes":"aGVsbG8=","name":"t.txt"}}]}}})");
  t.says(
      R"({"jsonrpc":"2.0","id":1,"result":{"kind":"status-update","taskId":"t1","contextId":"ctx-9","final":true,"status":{"state":"completed"}}})");
  CHECK(t.answer() == "Here: \n[a \\[1\\].pdf](https://files.test/a%281%29.pdf)");
  REQUIRE(t.files.size() == 1);
  CHECK(t.files[0].name == "t.txt");
  CHECK(t.files[0].bytes == "hello");
  CHECK(t.ended_well());
}

TEST_CASE("a2a: an agent without streaming answers once, and the body is read as an event is") {
  const bool newer = GENERATE(true, false);
  talk t(newer ? card_1_0(false) : card_0_3(false));
  t.ask();
  CHECK(t.method() == (newer ? "SendMessage" : "message/send"));
  CHECK(t.header("Accept") == "application/json");
  CHECK(t.last()["params"]["configuration"].value("blocking", false) == !newer);
  SECTION("a message") {
    t.says(newer
               ? result({{"message", words("m", "hi")}})
               : json::parse(R"({"jsonrpc":"2.0","id":1,"result":{"kind":"message","messageId":"m",
                     "role":"agent","contextId":"c9","parts":[{"kind":"text","text":"hi"}]}})"));
    CHECK(t.answer() == "hi");
    CHECK(t.ended_well());
  }
  SECTION("a task that is done") {
    t.says(task("COMPLETED", {artifact_of("a", {text("one")}), artifact_of("b", {text("two")})}));
    CHECK(t.answer() == "one\n\ntwo");
    CHECK(t.ended_well());
  }
  SECTION("a task that goes on is looked at again, at a slowing pace") {
    t.says(task("WORKING"));
    t.closed(how::closed, 200);
    CHECK(t.links.size() == 3); // at once
    for (const int seconds : {1, 2, 4, 8, 10, 10}) {
      t.opened();
      CHECK(t.method() == (newer ? "GetTask" : "tasks/get"));
      CHECK(t.last()["params"]["id"] == "t1");
      t.says(result(task_of("WORKING")));
      t.closed(how::closed, 200);
      REQUIRE(t.alarm_after == std::chrono::seconds(seconds));
      t.alarm();
    }
    t.opened();
    t.says(result(task_of("COMPLETED", {artifact_of("a", {text("done")})})));
    CHECK(t.answer() == "done");
    CHECK(t.ended_well());
  }
}

TEST_CASE("a2a: the older place of a card is tried, and no card is a refusal") {
  talk t;
  t.begin("hello");
  t.opened();
  t.closed(how::rejected, 404);
  REQUIRE(t.links.size() == 2);
  CHECK(t.links[1].to.url == "http://agent.test/base/.well-known/agent.json");
  t.opened();
  SECTION("found") {
    t.says(card_0_3());
    t.opened();
    CHECK(t.method() == "message/stream");
  }
  SECTION("nowhere") {
    t.closed(how::rejected, 404);
    CHECK(t.gave_up->ending == turn_ending::rejected);
    CHECK(t.gave_up->detail == "404, it has no agent card");
  }
  SECTION("no key") {
    t.closed(how::rejected, 401);
    CHECK(t.gave_up->ending == turn_ending::rejected);
    CHECK(t.gave_up->detail == "401");
  }
  SECTION("empty") {
    t.closed(how::closed, 204);
    CHECK(t.gave_up->ending == turn_ending::rejected);
  }
  SECTION("of no use") {
    t.says("<html></html>");
    CHECK(t.gave_up->ending == turn_ending::rejected);
    CHECK(t.gave_up->detail == "200: the agent card is no card: not JSON");
  }
}

TEST_CASE("a2a: a remembered card that has gone stale is read again, once") {
  talk t;
  t.ask();
  t.says(result({{"message", words("m", "hi")}}));
  t.renew();
  t.forget();
  t.ask("again", "turn-2");
  CHECK(t.links.size() == 1);
  const bool by_status = GENERATE(true, false);
  const auto refuse = [&] {
    if (by_status)
      t.closed(how::rejected, 404, "");
    else
      t.says(fault(GENERATE(-32601, -32009)));
  };
  refuse();
  REQUIRE(t.links.size() == 2);
  CHECK(t.links[1].to.http.method == "GET");
  t.tell_card();
  t.opened();
  CHECK(t.sent_message()["messageId"] == "turn-2");
  SECTION("it helps") {
    t.says(result({{"message", words("m", "hi again")}}));
    CHECK(t.answer() == "hi again");
  }
  SECTION("it does not: the turn fails, and the next one asks for the card") {
    refuse();
    CHECK_FALSE(t.running);
    CHECK_FALSE(code(t).empty());
    t.renew();
    t.begin("more", {}, "turn-3");
    CHECK(t.links.back().to.http.method == "GET");
  }
}

TEST_CASE("a2a: another endpoint's card is not used") {
  talk t;
  t.ask();
  t.says(result({{"message", words("m", "hi")}}));
  talk other(card_1_0(), {}, "http://other.test");
  other.memory = t.memory;
  other.begin("hello");
  CHECK(other.links.back().to.url == "http://other.test/.well-known/agent-card.json");
  // Nor one that leads elsewhere, whoever wrote it down.
  talk spoilt;
  spoilt.memory = t.memory;
  spoilt.memory.replace(spoilt.memory.find("agent.test/base/rpc"), 10, "other.test");
  spoilt.begin("hello");
  CHECK(spoilt.links.back().to.url == "http://agent.test/base/.well-known/agent-card.json");
}

TEST_CASE("a2a: a card that promises a stream too much is corrected") {
  talk t;
  t.ask();
  t.says(fault(-32004, "Streaming is not supported."));
  t.opened();
  CHECK(t.method() == "SendMessage");
  t.says(fault(-32004));
  CHECK(code(t) == "-32004");
  t.renew();
  t.ask("more", "turn-2");
  CHECK(t.method() == "SendMessage"); // remembered
}

TEST_CASE("a2a: files go along as bytes, in both formats") {
  const bool newer = GENERATE(true, false);
  talk t(newer ? card_1_0() : card_0_3());
  session_turn turn;
  turn.what.id = turn_id{"turn-1"};
  turn.what.text = "read this";
  turn.files = {{"in/a.txt", "a.txt", "text/plain", "hello", false},
                {"in/big.bin", "big.bin", "application/octet-stream", "", true}};
  t.begin(turn);
  t.tell_card();
  t.opened();
  const auto parts = t.sent_message()["parts"];
  REQUIRE(parts.size() == 2);
  if (newer)
    CHECK(parts[1] ==
          json::parse(R"({"raw":"aGVsbG8=","filename":"a.txt","mediaType":"text/plain"})"));
  else
    CHECK(
        parts[1] ==
        json::parse(
            R"({"kind":"file","file":{"bytes":"aGVsbG8=","name":"a.txt","mimeType":"text/plain"}})"));
}

TEST_CASE("a2a: a tenant is repeated in every request") {
  auto card = card_1_0();
  card["supportedInterfaces"][1]["tenant"] = "blue";
  talk t(card);
  t.start();
  CHECK(t.last()["params"]["tenant"] == "blue");
  t.cancel();
  t.opened();
  CHECK(t.last()["params"] == json::parse(R"({"id":"t1","tenant":"blue"})"));
}

TEST_CASE("a2a: cancelling goes over a link of its own") {
  talk t;
  SECTION("a task that is not known yet is let go") {
    t.ask();
    t.cancel();
    CHECK(t.gave_up->ending == turn_ending::cancelled);
  }
  SECTION("a task") {
    t.start();
    const auto stream = t.last_wire();
    t.cancel();
    t.cancel();
    REQUIRE(t.links.size() == 3);
    t.opened();
    CHECK(t.method() == "CancelTask");
    CHECK(t.header("Accept") == "application/json");
    CHECK(t.running);
    SECTION("the answer comes first") { t.says(result(task_of("CANCELED"))); }
    SECTION("it cannot be cancelled") { t.says(fault(-32002)); }
    SECTION("the stream says so first") { t.says(stream, status("CANCELED").dump()); }
    SECTION("the link breaks") { t.closed(how::broken); }
    SECTION("the stream ends, then the answer comes") {
      t.closed(stream, {how::closed, 200, ""});
      CHECK(t.running);
      t.says(result(task_of("CANCELED")));
    }
    CHECK(t.gave_up->ending == turn_ending::cancelled);
    CHECK(t.heard<agent_says::error>().empty());
  }
  SECTION("a task that was quicker") {
    t.start();
    const auto stream = t.last_wire();
    t.cancel();
    t.says(stream, status("COMPLETED").dump());
    CHECK(t.ended_well());
  }
}
