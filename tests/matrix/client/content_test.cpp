#include "bridges/matrix/content.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::matrix;

namespace {

const std::vector<std::string> wrong_values{
    "null", "true", "7", "1.5", "\"x\"", "[]", "{}", "[7]", "{\"event_id\":7}", "-1"};

} // namespace

TEST_CASE("content: a message's parts are read where they are", "[content]") {
  const message_content m = parse_message(R"({"msgtype":"m.file","body":"look","filename":"a.pdf",
    "url":"mxc://hs/a","info":{"size":16,"mimetype":"application/pdf"},"formatted_body":"<b>look</b>",
    "m.mentions":{"user_ids":["@a:h",7,"x"],"room":true},
    "m.relates_to":{"rel_type":"m.thread","event_id":"$root","m.in_reply_to":{"event_id":"$last"}}})");
  CHECK(m.msgtype == "m.file");
  CHECK(m.body == "look");
  CHECK(m.formatted_body == "<b>look</b>");
  CHECK(m.filename == "a.pdf");
  CHECK(m.url == "mxc://hs/a");
  CHECK(m.size == 16);
  CHECK(m.mimetype == "application/pdf");
  CHECK(m.thread_root->value == "$root");
  CHECK(m.in_reply_to->value == "$last");
  CHECK_FALSE(m.replaces);
  REQUIRE(m.mentions);
  CHECK(m.mentions->room);
  CHECK(m.mentions->users == std::vector{user_id("@a:h")});
}

TEST_CASE("content: an edit names its original and carries its text", "[content]") {
  const message_content m = parse_message(R"({"msgtype":"m.text","body":"* new",
    "m.new_content":{"msgtype":"m.text","body":"new"},
    "m.relates_to":{"rel_type":"m.replace","event_id":"$o"}})");
  CHECK(m.replaces->value == "$o");
  CHECK(m.new_content->body == "new");
  CHECK_FALSE(m.thread_root);
}

TEST_CASE("content: a reaction is the same with and without a variation selector", "[content]") {
  const auto key = [](const std::string& k) {
    const message_content m = parse_message(
        R"({"m.relates_to":{"rel_type":"m.annotation","event_id":"$p","key":")" + k + "\"}}");
    CHECK(m.reacts_to->value == "$p");
    return m.reaction;
  };
  CHECK(key("\u2705") == "\u2705");
  CHECK(key("\u2705\uFE0F") == "\u2705");
  CHECK(key("\\u2705\\ufe0e") == "\u2705");
}

TEST_CASE("content: a field of a wrong type counts as missing, the others stay", "[content]") {
  for (const std::string& v : wrong_values) {
    CAPTURE(v);
    const message_content m =
        parse_message(R"({"msgtype":"m.text","body":"stays","formatted_body":)" + v + R"(,"url":)" +
                      v + R"(,"filename":)" + v + R"(,"info":)" + v + R"(,"m.relates_to":)" + v +
                      R"(,"m.new_content":)" + v + R"(,"m.mentions":)" + v + "}");
    CHECK(m.body == "stays");
    CHECK(m.msgtype == "m.text");
    CHECK(m.formatted_body == (v == "\"x\"" ? "x" : ""));
    CHECK(m.size == -1);
    CHECK_FALSE(m.replaces);
    CHECK_FALSE(m.in_reply_to);
    CHECK(m.new_content.has_value() == v.starts_with("{"));
    CHECK(m.mentions.has_value() == v.starts_with("{"));

    const message_content inner = parse_message(
        R"({"m.relates_to":{"rel_type":)" + v + R"(,"event_id":)" + v + R"(,"key":)" + v +
        R"(,"m.in_reply_to":)" + v + R"(},"info":{"size":)" + v + R"(,"mimetype":)" + v +
        R"(},"m.mentions":{"user_ids":)" + v + R"(,"room":)" + v + "}}");
    CHECK_FALSE(inner.replaces);
    CHECK_FALSE(inner.in_reply_to);
    CHECK(inner.size == (v == "7" ? 7 : -1));
    CHECK(inner.mentions->users.empty());
    CHECK(inner.mentions->room == (v == "true"));
  }
  for (const char* text : {"", "7", "[]", "{", "nonsense"})
    CHECK(parse_message(text).body.empty());
}

TEST_CASE("content: mentions are counted up to a limit", "[content]") {
  std::string users = "\"@u:h\"";
  for (int i = 0; i < 500; ++i)
    users += ",\"@u:h\"";
  CHECK(parse_message(R"({"m.mentions":{"user_ids":[)" + users + "]}}").mentions->users.size() ==
        100);
}

TEST_CASE("content: rooms' own events", "[content]") {
  CHECK(parse_member(R"({"membership":"join","is_direct":true,"displayname":"A"})").direct);
  CHECK(parse_member(R"({"membership":7,"is_direct":1})").membership.empty());
  CHECK_FALSE(parse_member(R"({"is_direct":"true"})").direct);
  CHECK(parse_tombstone(R"({"replacement_room":"!n"})").replacement->value == "!n");
  CHECK_FALSE(parse_tombstone(R"({"replacement_room":"n"})").replacement);
  CHECK(parse_create("{}").version == "1");
  const create_content c = parse_create(
      R"({"room_version":"12","type":"m.space","predecessor":{"room_id":"!old:h","event_id":7}})");
  CHECK(c.type == "m.space");
  CHECK(c.version == "12");
  CHECK(c.predecessor->value == "!old:h");
  CHECK(parse_encryption(R"({"algorithm":"m.megolm.v1.aes-sha2"})") == "m.megolm.v1.aes-sha2");
  CHECK(parse_name(R"({"name":"Чат 1"})") == "Чат 1");
  const space_link l = parse_space_link(R"({"via":["hs",7,"a b"],"canonical":true,"suggested":1})");
  CHECK(l.via == std::vector<std::string>{"hs"});
  CHECK(l.canonical);
  CHECK_FALSE(l.suggested);
}

TEST_CASE("content: a chat's marker is there whole or not at all", "[content]") {
  const std::vector<std::pair<std::string, std::string>> fields{
      {"owner", "\"@a:h\""},   {"chat", "\"C7\""},      {"platform_chat_id", "41"},
      {"agent_id", "\"x-1\""}, {"state", "\"active\""}, {"epoch", "0"},
      {"intent", "\"01J\""}};
  const auto marker = [&](const std::string& changed, const std::string& value) {
    std::string out = "{\"more\":[]";
    for (const auto& [name, v] : fields)
      if (name != changed || !value.empty())
        out += ",\"" + name + "\":" + (name == changed ? value : v);
    return parse_chat_marker(out + "}");
  };
  const auto good = marker("", "");
  REQUIRE(good);
  CHECK(*good ==
        chat_marker{user_id("@a:h"), "C7", {41}, agent_id("x-1"), "active", 0, intent_id("01J")});
  for (const auto& [name, v] : fields) {
    CAPTURE(name);
    CHECK_FALSE(marker(name, ""));
    for (const char* wrong : {"null", "true", "1.5", "-1", "[]", "{}", "1e400", "9007199254740992"})
      CHECK_FALSE(marker(name, wrong));
  }
  CHECK_FALSE(marker("platform_chat_id", "0"));
  CHECK_FALSE(marker("platform_chat_id", "\"41\""));
  CHECK_FALSE(marker("chat", "\"C0\""));
  CHECK_FALSE(marker("chat", "\"C07\""));
  CHECK_FALSE(marker("chat", "\"7\""));
  CHECK_FALSE(marker("state", "\"gone\""));
  CHECK_FALSE(marker("owner", "\"a\""));
  CHECK_FALSE(marker("agent_id", "\"../x\""));
  CHECK(marker("state", "\"archived\""));
  CHECK_FALSE(parse_chat_marker("{}"));
}

TEST_CASE("content: a Space's marker is there whole or not at all", "[content]") {
  const auto marker =
      parse_space_marker(R"({"owner":"@a:h","agent":"x","language":"ru","intent":"i"})");
  REQUIRE(marker);
  CHECK(*marker == space_marker{user_id("@a:h"), agent_id("x"), language::ru, intent_id("i")});
  CHECK(parse_space_marker(R"({"owner":"@a:h","agent":"","language":"en","intent":"i"})"));
  CHECK_FALSE(parse_space_marker(R"({"owner":"@a:h","agent":"x","language":"de","intent":"i"})"));
  CHECK_FALSE(parse_space_marker(R"({"owner":"@a:h","agent":7,"language":"en","intent":"i"})"));
  CHECK_FALSE(parse_space_marker(R"({"owner":"@a:h","agent":"x","language":"en"})"));
}

TEST_CASE("content: chat numbers come from ids and from the names of earlier rooms", "[content]") {
  CHECK(chat_number("C12") == 12);
  for (const char* bad : {"", "C", "12", "C-1", "C1x", "c1", "C99999999999999999999"})
    CHECK_FALSE(chat_number(bad));
  CHECK(number_of_name("Chat 3") == 3);
  CHECK(number_of_name("Чат 14") == 14);
  for (const char* bad : {"Chat", "Chat x", "My Chat 3", "Chat 3 ", "Чат 0"})
    CHECK_FALSE(number_of_name(bad));
}
