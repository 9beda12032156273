#include "bridges/agent/agent_ws/codec.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {

using namespace pb;
using nlohmann::json;

turn_request question() {
  turn_request turn;
  turn.id = turn_id{"turn-7"};
  turn.chat = {42};
  turn.asker = user_id{"@alice:example.org"};
  turn.text = "Hello \"you\"";
  turn.attachments = {"incoming/42/a.txt"};
  return turn;
}

} // namespace

TEST_CASE("USER_MESSAGE carries text, attachments and what `send` asks for") {
  const agent_spec spec;
  CHECK(make_agent_ws_codec(spec)->user_message(question()) ==
        R"({"type":"USER_MESSAGE","text":"Hello \"you\"","attachments":["incoming/42/a.txt"],)"
        R"("user_id":"@alice:example.org","chat_id":42,"message_id":"turn-7"})");
}

TEST_CASE("a field that is not in `send` is not sent") {
  agent_spec spec;
  spec.send = {"message_id"};
  const auto some = json::parse(make_agent_ws_codec(spec)->user_message(question()));
  CHECK(some.size() == 4);
  CHECK(some["message_id"] == "turn-7");
  spec.send.clear();
  auto turn = question();
  turn.attachments.clear();
  CHECK(make_agent_ws_codec(spec)->user_message(turn) ==
        R"({"type":"USER_MESSAGE","text":"Hello \"you\"","attachments":[]})");
}

TEST_CASE("the same turn gives the same bytes every time") {
  const auto codec = make_agent_ws_codec({});
  CHECK(codec->user_message(question()) == codec->user_message(question()));
}

TEST_CASE("CONFIRM and CANCEL are as the contract has them") {
  const auto codec = make_agent_ws_codec({});
  CHECK(codec->confirm("q\"1", true) ==
        R"({"type":"CONFIRM","confirmation_id":"q\"1","decision":"yes"})");
  CHECK(codec->confirm("q", false) ==
        R"({"type":"CONFIRM","confirmation_id":"q","decision":"no"})");
  CHECK(codec->cancel() == R"({"type":"CANCEL"})");
}

TEST_CASE("text that is not UTF-8 goes out as UTF-8") {
  auto turn = question();
  turn.text = "a\xFF"
              "b\xED\xA0\x80";
  turn.attachments = {"\xC3"};
  const auto sent = json::parse(make_agent_ws_codec({})->user_message(turn));
  CHECK(sent["text"].get<std::string>().substr(0, 5) == "a\xEF\xBF\xBD"
                                                        "b");
  CHECK(sent["attachments"][0] == "\xEF\xBF\xBD");
}

TEST_CASE("names that only the agent reads are written as the agent calls them") {
  agent_spec spec;
  spec.aliases = {{"MsgUserMessage", "USER_MESSAGE"},
                  {"userId", "user_id"},
                  {"delta", "text"},
                  {"stop", "CANCEL"},
                  {"halt", "CANCEL"},
                  {"verdict", "decision"}};
  const auto codec = make_agent_ws_codec(spec);
  const auto sent = json::parse(codec->user_message(question()));
  CHECK(sent["type"] == "MsgUserMessage");
  CHECK(sent["userId"] == "@alice:example.org");
  CHECK(sent["chat_id"] == 42);
  CHECK(sent["text"] == "Hello \"you\"");
  CHECK(json::parse(codec->cancel())["type"] == "CANCEL");
  CHECK(json::parse(codec->confirm("a", true))["verdict"] == "yes");
}
