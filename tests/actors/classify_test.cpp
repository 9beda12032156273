#include "actors/phrases.hpp"
#include "actors/room/classify_logic.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {
using namespace pb;
using nlohmann::json;

const room_rules rules{user_id{"@bot:s"}, {user_id{"@op:s"}}, 32, 100, language::en};
const room_view chat{room_kind::chat, user_id{"@alice:s"}, language::en};
const room_view lobby{room_kind::lobby, user_id{"@alice:s"}, language::en};

matrix_event text(const std::string& body, const std::string& sender = "@alice:s") {
  matrix_event e;
  e.id = event_id{"$e"};
  e.sender = user_id{sender};
  e.type = "m.room.message";
  e.content = json{{"msgtype", "m.text"}, {"body", body}}.dump();
  return e;
}

template <class T>
T asked(const matrix_event& e, const room_view& room = chat) {
  const auto v = classify(e, room, rules);
  REQUIRE(std::holds_alternative<T>(v));
  return std::get<T>(v);
}
} // namespace

TEST_CASE("plain text of the owner or an operator is a turn") {
  CHECK(asked<asks::turn>(text("  hello \n")).text == "hello");
  CHECK(asked<asks::turn>(text("hello", "@op:s")).text == "hello");
  CHECK(asked<asks::turn>(text("!!! wow")).text == "!!! wow");
  CHECK(asked<asks::turn>(text("! not a command")).text == "! not a command");
}

TEST_CASE("others, ourselves and notices are not listened to") {
  asked<asks::nothing>(text("hello", "@eve:s"));
  asked<asks::nothing>(text("!new", "@eve:s"));
  asked<asks::nothing>(text("hello", "@bot:s"));
  auto notice = text("x");
  notice.content = R"({"msgtype":"m.notice","body":"!new"})";
  asked<asks::nothing>(notice);
  asked<asks::nothing>(text(" \n\t"));
}

TEST_CASE("commands are found by name and alias, with their argument") {
  CHECK(asked<asks::command>(text("!help")).name == command_name::help);
  const auto made = asked<asks::command>(text("!NEW  my research \n"));
  CHECK(made.name == command_name::new_chat);
  CHECK(made.argument == "my research");
  CHECK(asked<asks::command>(text("!reset")).name == command_name::clear);
  CHECK(asked<asks::command>(text("!cancel")).name == command_name::stop);
}

TEST_CASE("a mistyped command gets the nearest name, an unheard one the way to help") {
  CHECK(asked<asks::refusal>(text("!hlep")).sentence.find("!help") != std::string::npos);
  CHECK(nearest_command("cler") == "clear");
  CHECK(nearest_command("xyzzyplugh").empty());
  CHECK(asked<asks::refusal>(text("!xyzzyplugh")).sentence ==
        say(language::en, phrase::no_such_command, {"!xyzzyplugh"}));
}

TEST_CASE("a command of a later version says so") {
  CHECK(asked<asks::refusal>(text("!archive")).sentence ==
        say(language::en, phrase::not_there_yet, {"!archive"}));
}

TEST_CASE("a text beyond the limit is refused, one at the limit is not") {
  CHECK(asked<asks::turn>(text(std::string(100, 'x'))).text.size() == 100);
  CHECK(asked<asks::refusal>(text(std::string(101, 'x'))).sentence.find("101") !=
        std::string::npos);
}

TEST_CASE("the quote in front of a reply is not the text, and never a command") {
  auto reply = text("");
  reply.content = json{{"msgtype", "m.text"},
                       {"body", "> <@bot> !new\n> more\n\nand this?"},
                       {"m.relates_to", {{"m.in_reply_to", {{"event_id", "$q"}}}}}}
                      .dump();
  CHECK(asked<asks::turn>(reply).text == "and this?");
}

TEST_CASE("an edit is an edit even if its text looks like a command") {
  auto edit = text("");
  edit.content = json{{"msgtype", "m.text"},
                      {"body", "* !new"},
                      {"m.new_content", {{"msgtype", "m.text"}, {"body", "!new"}}},
                      {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", "$old"}}}}
                     .dump();
  const auto got = asked<asks::edit>(edit);
  CHECK(got.target.value == "$old");
  CHECK(got.text == "!new");
}

TEST_CASE("what cannot be passed on is refused in words, what cannot be read is told apart") {
  auto file = text("");
  file.content = R"({"msgtype":"m.file","body":"a.pdf","url":"mxc://s/x"})";
  CHECK(asked<asks::refusal>(file).sentence == say(language::en, phrase::no_files_yet));
  auto odd = text("");
  odd.content = R"({"msgtype":"m.location","body":"x"})";
  CHECK(asked<asks::refusal>(odd).sentence.find("m.location") != std::string::npos);
  auto secret = text("");
  secret.type = "m.room.encrypted";
  secret.content = R"({"algorithm":"m.megolm.v1.aes-sha2"})";
  asked<asks::encrypted>(secret);
  auto redaction = text("");
  redaction.type = "m.room.redaction";
  redaction.content = R"({"redacts":"$gone"})";
  CHECK(asked<asks::redaction>(redaction).target.value == "$gone");
}

TEST_CASE("fields of wrong types are nothing to act on and never a crash") {
  for (const char* content :
       {R"({"msgtype":7,"body":[]})", R"({})", R"({"msgtype":"m.text","body":{"a":1}})",
        R"({"msgtype":"m.text","body":null,"m.relates_to":"x"})"}) {
    auto e = text("");
    e.content = content;
    asked<asks::nothing>(e);
  }
}

TEST_CASE("a lobby points the way instead of asking an agent") {
  CHECK(asked<asks::refusal>(text("hello"), lobby).sentence ==
        say(language::en, phrase::lobby_help));
  CHECK(asked<asks::command>(text("!start"), lobby).name == command_name::start);
}

TEST_CASE("every sentence exists in both languages") {
  for (int i = 0; i <= static_cast<int>(phrase::storage_trouble); ++i) {
    CHECK_FALSE(say(language::en, static_cast<phrase>(i)).empty());
    CHECK_FALSE(say(language::ru, static_cast<phrase>(i)).empty());
  }
  CHECK(say(language::en, phrase::home_is, {"{0}"}).find("{0}") !=
        std::string::npos); // as they are
}
