// Turns that end badly, and what is not A2A.

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

TEST_CASE("a2a: a task ends as the agent says") {
  talk t;
  t.start();
  SECTION("failed") {
    t.says(status("FAILED", words("x", "no seats")));
    CHECK(t.answer() == "Found 1 flight. \n\nno seats");
    CHECK(code(t) == "failed");
  }
  SECTION("rejected") {
    t.says(status("REJECTED"));
    CHECK(code(t) == "rejected");
  }
  SECTION("cancelled by itself") {
    t.says(status("CANCELED"));
    CHECK(code(t) == "canceled");
  }
  SECTION("an error in the middle of the stream") {
    t.says(fault(-32603, "<h1>stack</h1>"));
    CHECK(code(t) == "-32603");
    CHECK(t.heard<agent_says::error>()[0].details == "the agent failed inside");
    CHECK(t.heard<agent_says::error>()[0].retryable);
  }
  SECTION("wants credentials and closes") {
    t.says(status("AUTH_REQUIRED", words("x", "Sign in at https://login.test")));
    t.says(status("AUTH_REQUIRED", words("x", "Sign in at https://login.test")));
    CHECK(t.answer() == "Found 1 flight. \n\nSign in at https://login.test");
    CHECK(t.running);
    t.closed();
    CHECK(code(t) == "auth-required");
  }
  SECTION("wants credentials and gets them") {
    t.says(status("AUTH_REQUIRED", words("x", "Sign in")));
    t.says(status("WORKING"));
    t.says(status("COMPLETED"));
    CHECK(t.ended_well());
  }
  CHECK_FALSE(t.running);
  t.says(status("COMPLETED"));
  CHECK(t.strays == 1);
}

TEST_CASE("a2a: HTTP refusals are told in plain words, and no page of theirs is shown") {
  talk t;
  t.ask();
  link_closed why{how::rejected, 503, "", "<html>nginx</html>"};
  SECTION("busy") {
    why.retry_after = std::chrono::milliseconds(29'500);
    t.closed(t.last_wire(), why);
    CHECK(code(t) == "HTTP 503, again in 30 s");
    CHECK(t.heard<agent_says::error>()[0].retryable);
    CHECK(t.heard<agent_says::error>()[0].details.find('<') == std::string::npos);
  }
  SECTION("too much") {
    why.code = 413;
    t.closed(t.last_wire(), why);
    CHECK(code(t) == "HTTP 413");
    CHECK_FALSE(t.heard<agent_says::error>()[0].retryable);
  }
  SECTION("with a JSON-RPC error in it") {
    why.code = 500;
    why.body = fault(-32005, "no PDF here").dump();
    t.closed(t.last_wire(), why);
    CHECK(code(t) == "-32005");
    CHECK(t.heard<agent_says::error>()[0].details == "no PDF here");
  }
  SECTION("key refused") {
    why.code = GENERATE(401, 403);
    t.closed(t.last_wire(), why);
    CHECK(t.gave_up->ending == turn_ending::rejected);
    CHECK(t.gave_up->detail == std::to_string(why.code));
  }
  CHECK_FALSE(t.running);
}

TEST_CASE("a2a: what breaks the protocol ends the turn, whatever it holds") {
  talk t;
  t.ask();
  const auto cause = [&] { return t.heard<agent_says::malformed>().at(0).cause; };
  SECTION("no JSON") {
    t.says("<html>");
    CHECK(cause() == "not JSON");
  }
  SECTION("no JSON-RPC") {
    t.says("{}");
    CHECK(cause() == "not JSON-RPC 2.0");
  }
  SECTION("a depth bomb") {
    t.says(R"({"jsonrpc":"2.0","id":1,"result":)" + std::string(100'000, '[') +
           std::string(100'000, ']') + "}");
    CHECK(cause() == "JSON nested too deep");
  }
  SECTION("ids at their limits") {
    auto at_limit = task("WORKING");
    at_limit["result"]["task"]["id"] = std::string(128, 'i');
    at_limit["result"]["task"]["contextId"] = std::string(256, 'c');
    t.says(at_limit);
    CHECK(t.heard<agent_says::malformed>().empty());
  }
  SECTION("a task's id past it") {
    auto long_id = task("WORKING");
    long_id["result"]["task"]["id"] = std::string(129, 'i');
    t.says(long_id);
    CHECK(cause() == "an id is too long");
  }
  SECTION("a context's id past it") {
    auto long_id = task("WORKING");
    long_id["result"]["task"]["contextId"] = std::string(257, 'c');
    t.says(long_id);
    CHECK(cause() == "an id is too long");
  }
  SECTION("a frame that the link refused") {
    t.closed(how::protocol, 0, "frame too large");
    CHECK(t.gave_up->ending == turn_ending::malformed);
  }
}

TEST_CASE("a2a: what we do not know is counted, and what is of another task is not ours") {
  talk t;
  t.start();
  t.says(result({{"novelty", json::object()}}));
  t.says(result(nullptr));
  t.says(R"({"jsonrpc":"2.0","id":7,"method":"ping"})");
  t.says(status("SLEEPING"));
  CHECK(t.heard<agent_says::unknown>().size() == 4);
  auto foreign = status("COMPLETED");
  foreign["result"]["statusUpdate"]["taskId"] = "t2";
  t.says(foreign);
  CHECK(t.strays == 1);
  CHECK(t.running);
}

TEST_CASE("a2a: every frame, cut at every byte, is refused or ignored") {
  const json frames[] = {
      task("WORKING", {artifact_of("a1", {text("x"), {{"raw", "aGk="}, {"filename", "f"}}})}),
      status("INPUT_REQUIRED", words("q1", "Pay?")),
      artifact("a1", {{{"url", "https://x.test/y"}}, {{"data", {{"k", {1, 2}}}}}}, true),
      result({{"message", words("m", "hi")}}),
      fault(-32004, "no"),
      json::parse(
          R"({"jsonrpc":"2.0","id":1,"result":{"kind":"status-update","taskId":"t1","contextId":"c1","final":true,"status":{"state":"failed"}}})")};
  for (const auto& frame : frames) {
    const auto whole = frame.dump();
    for (std::size_t n = 0; n < whole.size(); ++n) {
      talk t;
      t.ask();
      t.says(whole.substr(0, n));
      CHECK(t.heard<agent_says::malformed>().size() == 1);
    }
  }
  const auto card = card_1_0().dump();
  for (std::size_t n = 0; n < card.size(); ++n) {
    talk t;
    t.begin("hello");
    t.opened();
    t.says(card.substr(0, n));
    CHECK(t.gave_up->ending == turn_ending::rejected);
  }
}
