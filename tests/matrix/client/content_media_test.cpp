#include "bridges/matrix/content.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::matrix;

namespace {

const std::vector<std::string> wrong_values{"null", "true", "7",  "1.5",   "\"x\"",           "[]",
                                            "{}",   "[7]",  "-1", "1e400", "9007199254740992"};

} // namespace

TEST_CASE("content: a file is read with all that its sender says", "[content]") {
  const auto f = parse_file(R"({"msgtype":"m.video","body":"look","filename":"a.mp4",
    "url":"mxc://hs/a","info":{"size":16,"mimetype":"video/mp4","w":640,"h":480,"duration":1500}})");
  REQUIRE(f);
  CHECK(f->msgtype == "m.video");
  CHECK(f->mxc == "mxc://hs/a");
  CHECK(f->name == "a.mp4");
  CHECK(f->mimetype == "video/mp4");
  CHECK(f->size == 16);
  CHECK(f->width == 640);
  CHECK(f->height == 480);
  CHECK(f->duration == 1500);
  CHECK_FALSE(f->voice);
}

TEST_CASE("content: a file's name is its body where nothing else names it", "[content]") {
  const auto name = [](const std::string& more) {
    return parse_file(R"({"msgtype":"m.file","url":"mxc://hs/a")" + more + "}")->name;
  };
  CHECK(name(R"(,"body":"a.pdf")") == "a.pdf");
  CHECK(name(R"(,"body":"see here","filename":"a.pdf")") == "a.pdf");
  CHECK(name(R"(,"body":"a.pdf","filename":"")") == "a.pdf");
  CHECK(name("").empty());
}

TEST_CASE("content: stickers and voice messages are files, too", "[content]") {
  const auto sticker = parse_file(
      R"({"body":"Wave","url":"mxc://hs/s","info":{"w":256,"h":256,"mimetype":"image/png"}})");
  REQUIRE(sticker);
  CHECK(sticker->msgtype == "m.image");
  CHECK(sticker->name == "Wave");
  for (const char* mark : {"m.voice", "org.matrix.msc3245.voice"}) {
    const auto voice = parse_file(R"({"msgtype":"m.audio","body":"Voice message",
      "url":"mxc://hs/v","info":{"duration":2000},")" +
                                  std::string(mark) + "\":{}}");
    REQUIRE(voice);
    CHECK(voice->voice);
    CHECK(voice->duration == 2000);
  }
  CHECK_FALSE(parse_file(R"({"msgtype":"m.file","url":"mxc://hs/v","m.voice":{}})")->voice);
  CHECK_FALSE(parse_file(R"({"msgtype":"m.audio","url":"mxc://hs/v","m.voice":null})")->voice);
}

TEST_CASE("content: what has no file that we can read has none", "[content]") {
  for (const char* none :
       {"", "7", "{}", R"({"msgtype":"m.text","body":"x","url":"mxc://hs/a"})",
        R"({"msgtype":"m.image","body":"x"})", R"({"msgtype":"m.image","url":7})",
        R"({"msgtype":7,"url":"mxc://hs/a"})", R"({"msgtype":"","url":"mxc://hs/a"})",
        R"({"msgtype":"m.image","body":"x","file":{"url":"mxc://hs/a","key":{}}})"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_file(none));
  }
}

TEST_CASE("content: a file's fields of a wrong type are not said", "[content]") {
  for (const std::string& v : wrong_values) {
    CAPTURE(v);
    const auto f =
        parse_file(R"({"msgtype":"m.image","url":"mxc://hs/a","body":)" + v + R"(,"filename":)" +
                   v + R"(,"info":{"size":)" + v + R"(,"w":)" + v + R"(,"h":)" + v +
                   R"(,"duration":)" + v + R"(,"mimetype":)" + v + "}}");
    REQUIRE(f);
    CHECK(f->size == (v == "7" ? 7 : -1));
    CHECK(f->width == (v == "7" ? 7 : 0));
    CHECK(f->height == f->width);
    CHECK(f->duration == f->width);
    CHECK(f->mimetype == (v == "\"x\"" ? "x" : ""));
    CHECK(f->name == (v == "\"x\"" ? "x" : ""));
    CHECK(parse_file(R"({"msgtype":"m.image","url":"mxc://hs/a","info":)" + v + "}")->size == -1);
  }
}

TEST_CASE("content: a caption is a body that is not the file's name", "[content]") {
  const auto caption = [](const char* content) { return caption_of(parse_message(content)); };
  CHECK(caption(R"({"msgtype":"m.file","body":"look","filename":"a.pdf"})") == "look");
  CHECK(caption(R"({"msgtype":"m.file","body":"a.pdf","filename":"a.pdf"})").empty());
  CHECK(caption(R"({"msgtype":"m.file","body":"a.pdf"})").empty());
  CHECK(caption(R"({"msgtype":"m.file","body":"","filename":"a.pdf"})").empty());
}

TEST_CASE("content: a place has an address", "[content]") {
  CHECK(parse_geo(R"({"msgtype":"m.location","body":"Here","geo_uri":"geo:52.5,13.4;u=10"})") ==
        "geo:52.5,13.4;u=10");
  CHECK(parse_geo(R"({"msgtype":"m.location","org.matrix.msc3488.location":
    {"uri":"geo:1,2","description":"There"}})") == "geo:1,2");
  CHECK(parse_geo(R"({"m.location":{"uri":"geo:1,2"}})") == "geo:1,2");
  for (const char* none : {"", "{}", R"({"msgtype":"m.text","body":"x","geo_uri":"geo:1,2"})",
                           R"({"msgtype":"m.text","m.location":{"uri":"geo:1,2"}})",
                           R"({"msgtype":"m.location","geo_uri":"https://e.org"})",
                           R"({"msgtype":"m.location","geo_uri":"geo:"})",
                           R"({"msgtype":"m.location","geo_uri":"geo:1,2\nNow do this"})",
                           R"({"msgtype":"m.location","geo_uri":["geo:1,2"]})"}) {
    CAPTURE(none);
    CHECK(parse_geo(none).empty());
  }
  CHECK(parse_geo(R"({"msgtype":"m.location","geo_uri":"geo:)" + std::string(300, '1') + "\"}")
            .empty());
}

TEST_CASE("content: a poll is a question with answers, in either form", "[content]") {
  const auto stable = parse_poll(R"({"m.text":[{"body":"fallback"}],"m.poll":{"kind":"m.disclosed",
    "question":{"m.text":[{"mimetype":"text/html","body":"<b>Tea?</b>"},{"body":"Tea?"}]},
    "answers":[{"m.id":"1","m.text":[{"body":"Yes","mimetype":"text/plain"}]},
               {"m.id":"2","m.text":[{"body":"No"}]},{"m.id":"3"},7]}})");
  REQUIRE(stable);
  CHECK(stable->question == "Tea?");
  CHECK(stable->answers == std::vector<std::string>{"Yes", "No"});
  const auto earlier = parse_poll(R"({"org.matrix.msc1767.text":"fallback",
    "org.matrix.msc3381.poll.start":{"question":{"org.matrix.msc1767.text":"Tea?","body":"other"},
    "answers":[{"id":"a","org.matrix.msc1767.text":"Yes"}]}})");
  REQUIRE(earlier);
  CHECK(earlier->question == "Tea?");
  CHECK(earlier->answers == std::vector<std::string>{"Yes"});
  CHECK(parse_poll(R"({"org.matrix.msc3381.poll.start":{"question":{"body":"Tea?"},
    "answers":[{"body":"Yes"}]}})")
            ->question == "Tea?");
  for (const char* none : {"", "{}", R"({"m.poll":{}})", R"({"m.poll":7})",
                           R"({"m.poll":{"question":{"body":"q"},"answers":[]}})",
                           R"({"m.poll":{"question":"q","answers":[{"body":"a"}]}})",
                           R"({"m.poll":{"question":{"m.text":7},"answers":{"body":"a"}}})"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_poll(none));
  }
  std::string answers;
  for (int i = 0; i < 21; ++i)
    answers += std::string(i > 0 ? "," : "") + R"({"body":"a"})";
  CHECK(parse_poll(R"({"m.poll":{"question":{"body":"q"},"answers":[)" + answers + "]}}")
            ->answers.size() == 20);
}

TEST_CASE("content: what is quoted in front of a reply is not its text", "[content]") {
  CHECK(split_reply("> <@a:hs> first\n> second\n\nanswer\n> kept").text == "answer\n> kept");
  CHECK(split_reply("> only\nanswer").text == "answer");
  CHECK(split_reply("> <@a:hs> first\n> second\n\nanswer").quoted == "first\nsecond\n");
  CHECK(split_reply("> " + std::string(5'000, 'x') + "\n\na").quoted.size() <= 1'001);
  for (const char* kept : {"answer", "", ">no space\n\nx", "> quote without an end", "a\n> b\n\nc"})
    CHECK(split_reply(kept).text == kept);
}
