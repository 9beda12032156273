#include "actors/phrases.hpp"
#include "actors/room/classify_logic.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

namespace {
using namespace pb;
using nlohmann::json;

const room_rules rules{user_id{"@bot:s"}, {user_id{"@op:s"}}, 32, 100, language::en};
const room_view chat{room_kind::chat, user_id{"@alice:s"}, language::en, false, {}, {}, {}};
const room_view lobby{room_kind::lobby, user_id{"@alice:s"}, language::en, false, {}, {}, {}};

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

TEST_CASE("guests may talk and look, the owner's commands are not theirs") {
  auto shared = chat;
  shared.allowed = {user_id{"@guest:s"}};
  CHECK(asked<asks::turn>(text("hello", "@guest:s"), shared).text == "hello");
  CHECK(asked<asks::command>(text("!context", "@guest:s"), shared).name == command_name::context);
  for (const char* command : {"!allow @eve:s", "!deny @alice:s", "!archive", "!restore C1", "!new",
                              "!start", "!set language ru", "!rename x"})
    CHECK(asked<asks::refusal>(text(command, "@guest:s"), shared).sentence.find("owner") !=
          std::string::npos);
  asked<asks::nothing>(text("hello", "@eve:s"), shared);
}

TEST_CASE("words for somebody else are not for us where several people talk") {
  auto to_bob = text("look");
  to_bob.content = R"({"msgtype":"m.text","body":"look","m.mentions":{"user_ids":["@bob:s"]}})";
  CHECK(asked<asks::turn>(to_bob).text == "look"); // nobody else is there
  auto shared = chat;
  shared.allowed = {user_id{"@bob:s"}};
  asked<asks::nothing>(to_bob, shared);
  auto to_us = text("look");
  to_us.content =
      R"({"msgtype":"m.text","body":"look","m.mentions":{"user_ids":["@bob:s","@bot:s"]}})";
  asked<asks::turn>(to_us, shared);
}

TEST_CASE("a number alone answers the question that waits, for whoever was asked") {
  auto waits = chat;
  waits.questioned = user_id{"@alice:s"};
  CHECK(asked<asks::number>(text(" 3 "), waits).n == 3);
  CHECK(asked<asks::turn>(text("3 apples"), waits).text == "3 apples");
  CHECK(asked<asks::turn>(text("12345"), waits).text == "12345");
  CHECK(asked<asks::turn>(text("3", "@op:s"), waits).text == "3");
  CHECK(asked<asks::turn>(text("3")).text == "3");
}

TEST_CASE("an archived chat takes commands and refuses the rest") {
  auto away = chat;
  away.archived = true;
  away.chat = "C7";
  CHECK(asked<asks::refusal>(text("hello"), away).sentence.find("!restore C7") !=
        std::string::npos);
  CHECK(asked<asks::command>(text("!restore"), away).name == command_name::restore);
}

TEST_CASE("a check mark or a cross is an answer, any other reaction is nothing") {
  const auto reaction = [](const char* key) {
    auto e = text("");
    e.type = "m.reaction";
    e.content =
        json{{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", "$p"}, {"key", key}}}}
            .dump();
    return e;
  };
  CHECK(asked<asks::reaction>(reaction("✅")).yes);
  CHECK(asked<asks::reaction>(reaction("✅\uFE0F")).yes);
  const auto no = asked<asks::reaction>(reaction("❌"));
  CHECK_FALSE(no.yes);
  CHECK(no.target.value == "$p");
  asked<asks::nothing>(reaction("👍"));
}

TEST_CASE("emotes, places, stickers and polls become words") {
  auto emote = text("");
  emote.content = R"({"msgtype":"m.emote","body":"waves"})";
  CHECK(asked<asks::turn>(emote).text == "* alice waves");
  auto place = text("");
  place.content = R"({"msgtype":"m.location","body":"Home","geo_uri":"geo:52.5,13.4"})";
  CHECK(asked<asks::turn>(place).text == "Location: geo:52.5,13.4 Home");
  auto sticker = text("");
  sticker.type = "m.sticker";
  sticker.content = R"({"body":"a cat","url":"mxc://s/x","info":{}})";
  CHECK(asked<asks::turn>(sticker).text == "Sticker: a cat");
  auto poll = text("");
  poll.type = "org.matrix.msc3381.poll.start";
  poll.content =
      R"({"org.matrix.msc3381.poll.start":{"question":{"org.matrix.msc1767.text":"Lunch?"},)"
      R"("answers":[{"id":"a","org.matrix.msc1767.text":"Soup"},{"id":"b","org.matrix.msc1767.text":"Rice"}]}})";
  CHECK(asked<asks::turn>(poll).text == "Poll: Lunch?\n1. Soup\n2. Rice\n");
  auto odd = text("");
  odd.content = R"({"msgtype":"org.example.thing","body":"x"})";
  CHECK(asked<asks::refusal>(odd).sentence.find("org.example.thing") != std::string::npos);
}

TEST_CASE("a file is a turn, with its caption as the text") {
  auto file = text("");
  file.content = R"({"msgtype":"m.image","body":"What is this?","filename":"cat.png",)"
                 R"("url":"mxc://s/x","info":{"mimetype":"image/png","size":10}})";
  const auto got = asked<asks::turn>(file);
  CHECK(got.text == "What is this?");
  REQUIRE(got.file);
  CHECK(got.file->name == "cat.png");
  CHECK(got.file->mxc == "mxc://s/x");
  auto secret = text("");
  secret.content = R"({"msgtype":"m.file","body":"a","file":{"url":"mxc://s/x"}})";
  CHECK(asked<asks::refusal>(secret).sentence.find("encrypted") != std::string::npos);
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
  const auto got = asked<asks::turn>(reply);
  CHECK(got.text == "and this?");
  CHECK(got.quotes.value == "$q");
  CHECK(got.quoted == "!new\nmore");
  auto threaded = text("");
  threaded.content = json{{"msgtype", "m.text"},
                          {"body", "in a thread"},
                          {"m.relates_to",
                           {{"rel_type", "m.thread"},
                            {"event_id", "$root"},
                            {"is_falling_back", true},
                            {"m.in_reply_to", {{"event_id", "$q"}}}}}}
                         .dump();
  CHECK(asked<asks::turn>(threaded).quotes.empty()); // for clients that know no threads
  CHECK(thread_of(threaded).value == "$root");
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
  const auto to = [&](const std::string& body) {
    edit.content = json{{"msgtype", "m.text"},
                        {"body", "* "},
                        {"m.new_content", {{"msgtype", "m.text"}, {"body", body}}},
                        {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", "$old"}}}}
                       .dump();
    return edit;
  };
  CHECK(asked<asks::edit>(to(std::string(100, 'x'))).text.size() == 100);
  CHECK(asked<asks::refusal>(to(std::string(101, 'x'))).sentence.find("101") != std::string::npos);
  asked<asks::nothing>(to(" "));
}

TEST_CASE("what cannot be read is told apart from what is taken back") {
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

TEST_CASE("every sentence exists in both languages, with the same arguments") {
  const auto arguments = [](const std::string& text) {
    std::set<char> out;
    for (std::size_t i = 0; i + 2 < text.size(); ++i)
      if (text[i] == '{' && text[i + 2] == '}')
        out.insert(text[i + 1]);
    return out;
  };
  // The arguments show as they are: {0} for the first one.
  const auto shown = [](language l, int i) {
    return say(l, static_cast<phrase>(i),
               {"{0}", "{1}", "{2}", "{3}", "{4}", "{5}", "{6}", "{7}", "{8}"});
  };
  for (int i = 0; i < static_cast<int>(phrase::end_of_catalogue); ++i) {
    INFO(i << " " << shown(language::en, i));
    CHECK_FALSE(shown(language::en, i).empty());
    CHECK_FALSE(shown(language::ru, i).empty());
    CHECK(arguments(shown(language::en, i)) == arguments(shown(language::ru, i)));
  }
  CHECK(say(language::en, phrase::home_is, {"{0}"}).find("{0}") !=
        std::string::npos); // as they are
}
