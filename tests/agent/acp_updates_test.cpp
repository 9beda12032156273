// ACP: what an agent says during a turn.

#include "acp_agent.hpp"

#include "bridges/agent/acp/file_uri.hpp"
#include "bridges/agent/acp/tools.hpp"
#include "bridges/agent/base64.hpp"

using namespace pb;
using namespace pb::test;

namespace {

json content_of(json block) { return {{{"type", "content"}, {"content", std::move(block)}}}; }

} // namespace

TEST_CASE("acp: messages and what is said around a tool stay apart") {
  acp_agent a;
  a.prompted();
  a.chunk("Let me look.");
  a.updates({{"sessionUpdate", "tool_call"}, {"toolCallId", "t"}, {"title", "ls"}});
  a.chunk("Two ");
  a.chunk("files.");
  CHECK(a.answer() == "Let me look.\n\nTwo files.");
  a.updates({{"sessionUpdate", "agent_message_chunk"},
             {"messageId", "m1"},
             {"content", {{"type", "text"}, {"text", " One"}}}});
  a.updates({{"sessionUpdate", "agent_message_chunk"},
             {"messageId", "m2"},
             {"content", {{"type", "text"}, {"text", "Two\n"}}}});
  a.updates({{"sessionUpdate", "agent_message_chunk"},
             {"messageId", "m3"},
             {"content", {{"type", "text"}, {"text", "Three"}}}});
  CHECK(a.answer() == "Let me look.\n\nTwo files. One\n\nTwo\nThree");
}

TEST_CASE("acp: a tool call is told once, its input once, its end once") {
  acp_agent a;
  a.prompted();
  a.updates({{"sessionUpdate", "tool_call"},
             {"toolCallId", "t1"},
             {"title", "rm *.log"},
             {"kind", "delete"},
             {"status", "pending"}});
  a.updates({{"sessionUpdate", "tool_call_update"},
             {"toolCallId", "t1"},
             {"rawInput", {{"path", "*.log"}}},
             {"status", "in_progress"}});
  a.updates({{"sessionUpdate", "tool_call_update"},
             {"toolCallId", "t1"},
             {"title", "rm a.log"},
             {"rawInput", {{"path", "a.log"}}}});
  a.updates({{"sessionUpdate", "tool_call_update"},
             {"toolCallId", "t1"},
             {"status", "completed"},
             {"rawOutput", {{"removed", 3}}}});
  a.updates({{"sessionUpdate", "tool_call_update"}, {"toolCallId", "t1"}, {"status", "completed"}});
  const auto calls = a.heard<says::tool_call>();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].id == "t1");
  CHECK(calls[0].name == "rm *.log");
  CHECK(calls[0].args.empty());
  CHECK(calls[1].name.empty());
  CHECK(calls[1].args == R"({"path":"*.log"})");
  const auto results = a.heard<says::tool_result>();
  REQUIRE(results.size() == 1);
  CHECK(results[0].id == "t1");
  CHECK(results[0].result == R"({"removed":3})");
  CHECK_FALSE(results[0].is_error);
}

TEST_CASE("acp: a tool that is only heard of at its end, and one that fails") {
  acp_agent a;
  a.prompted();
  a.updates({{"sessionUpdate", "tool_call_update"},
             {"toolCallId", "t2"},
             {"title", "make"},
             {"rawInput", "all"},
             {"status", "failed"}});
  REQUIRE(a.heard<says::tool_call>().size() == 1);
  CHECK(a.heard<says::tool_call>()[0].name == "make");
  CHECK(a.heard<says::tool_call>()[0].args == "\"all\"");
  REQUIRE(a.heard<says::tool_result>().size() == 1);
  CHECK(a.heard<says::tool_result>()[0].is_error);
  CHECK(a.heard<says::tool_result>()[0].result == "null");
  a.updates({{"sessionUpdate", "tool_call"}, {"title", "nameless"}});
  CHECK(a.heard<says::malformed>().size() == 1);
}

TEST_CASE("acp: tools beyond the cap are forgotten, the oldest first") {
  acp_agent a;
  a.prompted();
  const auto call = [&](std::size_t i) {
    a.updates({{"sessionUpdate", "tool_call"}, {"toolCallId", std::to_string(i)}, {"title", "t"}});
  };
  for (std::size_t i = 0; i < acp::tool_table::cap; ++i)
    call(i);
  call(0);
  CHECK(a.heard<says::tool_call>().size() == acp::tool_table::cap);
  call(acp::tool_table::cap);
  CHECK(a.heard<says::tool_call>().size() == acp::tool_table::cap + 1);
  call(0); // told once more: it was forgotten
  CHECK(a.heard<says::tool_call>().size() == acp::tool_table::cap + 2);
}

TEST_CASE("acp: files of the agent, by link and by bytes") {
  acp_agent a;
  a.prompted();
  SECTION("a link into the workspace") {
    a.content(
        {{"type", "resource_link"}, {"name", "s"}, {"uri", "file:///workspace/out/a%20b.md"}});
    CHECK(a.heard<says::send_file>().at(0).path == "out/a b.md");
  }
  SECTION("a link to elsewhere is for who reads files to refuse") {
    a.content({{"type", "resource_link"}, {"name", "s"}, {"uri", "file:///etc/passwd"}});
    CHECK(a.heard<says::send_file>().at(0).path == "/etc/passwd");
  }
  SECTION("a link into the net is a link") {
    a.content({{"type", "resource_link"}, {"name", "a](b"}, {"uri", "https://x.test/a>(b) c"}});
    CHECK(a.answer() == "[a\\](b](<https://x.test/a%3E(b)%20c>)");
  }
  SECTION("an image") {
    a.content({{"type", "image"}, {"mimeType", "image/svg+xml"}, {"data", to_base64("<svg/>")}});
    REQUIRE(a.files.size() == 1);
    CHECK(a.files[0].name == "image.svg");
    CHECK(a.files[0].bytes == "<svg/>");
  }
  SECTION("a sound") {
    a.content({{"type", "audio"}, {"mimeType", "audio/mpeg"}, {"data", to_base64("tone")}});
    CHECK(a.files.at(0).name == "audio.mp3");
  }
  SECTION("embedded bytes and an embedded text") {
    a.content(
        {{"type", "resource"},
         {"resource", {{"uri", "mem://x/r%C3%A9s.bin?v=1"}, {"blob", to_base64("\x01\x02")}}}});
    a.content({{"type", "resource"}, {"resource", {{"uri", "mem://x/n.txt"}, {"text", "hi"}}}});
    REQUIRE(a.files.size() == 2);
    CHECK(a.files[0].name == "rés.bin");
    CHECK(a.files[0].bytes == "\x01\x02");
    CHECK(a.files[1].name == "n.txt");
    CHECK(a.files[1].bytes == "hi");
  }
  SECTION("what is no base64 is no file") {
    a.content({{"type", "image"}, {"mimeType", "image/png"}, {"data", "?"}});
    CHECK(a.files.empty());
    CHECK(a.heard<says::unknown>().at(0).type == "image without base64");
  }
  SECTION("a block of a later version") {
    a.content({{"type", "video"}, {"data", "x"}});
    CHECK(a.heard<says::unknown>().at(0).type == "content/video");
  }
  CHECK(a.running);
}

TEST_CASE("acp: a completed tool's files are sent once; those that it only read are not") {
  acp_agent a;
  a.prompted();
  json call{
      {"sessionUpdate", "tool_call"},
      {"toolCallId", "t"},
      {"title", "draw"},
      {"kind", "edit"},
      {"status", "in_progress"},
      {"content",
       content_of({{"type", "resource_link"}, {"name", "p"}, {"uri", "file:///workspace/p.png"}})}};
  a.updates(call);
  CHECK(a.heard<says::send_file>().empty()); // not done yet
  call["sessionUpdate"] = "tool_call_update";
  call["status"] = "completed";
  a.updates(call);
  a.updates(call);
  REQUIRE(a.heard<says::send_file>().size() == 1);
  CHECK(a.heard<says::send_file>()[0].path == "p.png");
  call["toolCallId"] = "t2";
  call["kind"] = "read";
  a.updates(call);
  CHECK(a.heard<says::send_file>().size() == 1);
  call["toolCallId"] = "t3";
  call["kind"] = "other";
  call["content"] = content_of({{"type", "image"}, {"mimeType", "image/png"}, {"data", "aGk="}});
  a.updates(call);
  CHECK(a.files.at(0).bytes == "hi");
  CHECK(a.answer().empty());
}

TEST_CASE("acp: plans, thoughts and gauges are no part of the answer") {
  acp_agent a;
  a.prompted();
  a.updates({{"sessionUpdate", "plan"},
             {"entries", {{{"content", "look"}, {"priority", "high"}, {"status", "pending"}}}}});
  a.updates({{"sessionUpdate", "agent_thought_chunk"},
             {"content", {{"type", "text"}, {"text", "hm, secret"}}}});
  a.updates({{"sessionUpdate", "usage_update"}, {"used", 5}, {"size", 10}});
  a.updates({{"sessionUpdate", "available_commands_update"}, {"availableCommands", json::array()}});
  a.updates({{"sessionUpdate", "current_mode_update"}, {"currentModeId", "ask"}});
  a.updates({{"sessionUpdate", "session_info_update"}, {"title", "t"}});
  a.updates({{"sessionUpdate", "hologram"}});
  const auto updates = a.heard<says::custom_update>();
  REQUIRE(updates.size() == 3);
  CHECK(updates[0].name == "plan");
  CHECK(json::parse(updates[0].payload)[0]["content"] == "look");
  CHECK(updates[1].name == "thought");
  CHECK(updates[1].payload == "null");
  CHECK(updates[2].name == "usage");
  CHECK(a.heard<says::unknown>().at(0).type == "hologram");
  CHECK(a.said.size() == 4);
  CHECK(a.answer().empty());
}

TEST_CASE("acp: what belongs to no turn, or to another session, is a stray") {
  acp_agent a;
  a.prompted();
  a.updates(
      {{"sessionUpdate", "agent_message_chunk"}, {"content", {{"type", "text"}, {"text", "x"}}}},
      "s-9");
  CHECK(a.strays == 1);
  a.answer_to("0", json::object()); // ours are numbers
  a.answer_to(0, json::object());   // answered long ago
  a.answer_to(99, json::object());  // never asked
  CHECK(a.strays == 4);
  a.ends();
  a.ends(); // a second end
  a.chunk("after the end");
  CHECK(a.strays == 6);
  CHECK(a.heard<says::end>().size() == 1);
  CHECK(a.answer().empty());
  CHECK(a.keep());
}

TEST_CASE("acp: what we did not offer is refused, and never met with silence") {
  acp_agent a;
  a.prompted();
  for (const auto* method : {"fs/read_text_file", "fs/write_text_file", "terminal/create",
                             "elicitation/create", "_vendor/anything"}) {
    a.asks("q-1", method, json::object());
    CHECK(a.last()["id"] == "q-1");
    CHECK(a.last()["error"]["code"] == -32601);
    CHECK(a.heard<says::unknown>().back().type == method);
  }
  a.tells("_vendor/news", {{"a", 1}});
  CHECK(a.heard<says::unknown>().back().type == "_vendor/news");
  CHECK(a.writes.size() == 5);
  a.chunk("still here");
  CHECK(a.answer() == "still here");
}

TEST_CASE("acp: file addresses") {
  CHECK(acp::file_uri("/w/", "a/b#c?d%.txt") == "file:///w/a/b%23c%3Fd%25.txt");
  CHECK(acp::path_of("file:///w/a%20b") == "/w/a b");
  CHECK(acp::path_of("FILE://localhost/w") == "/w");
  CHECK(acp::path_of("file:/w#x") == "/w");
  CHECK(acp::path_of("/w/100%") == "/w/100%");
  CHECK(acp::path_of("file:///w/%FF") == "/w/%FF"); // no text behind it
  CHECK(acp::path_of("file:///w/%00") == "/w/%00");
  CHECK_FALSE(acp::path_of("file://host/w"));
  CHECK_FALSE(acp::path_of("https://x/w"));
  CHECK_FALSE(acp::path_of("//x/w"));
  CHECK_FALSE(acp::path_of("out/a.txt"));
  CHECK(acp::below("/w/", "/w/a") == "a");
  CHECK(acp::below("/w", "/wa/b") == "/wa/b");
  CHECK(acp::below("/w", "/w") == "/w");
  CHECK(acp::last_part("https://x/a/b.txt?c=/d") == "b.txt");
  CHECK(acp::last_part("") == "");
}
