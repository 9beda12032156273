#include "bridges/matrix/compose.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pb;
using namespace pb::matrix;

namespace {

const file_order full{"/agents/1",       "out/\u0444.png", "",
                      "a \"caption\"\n", turn_id("t1"),    event_id("$q"),
                      event_id("$root"), user_id("@a:hs"), 3};

bool same(const file_order& a, const file_order& b) {
  return a.workspace == b.workspace && a.path == b.path && a.text == b.text &&
         a.caption == b.caption && a.turn == b.turn && a.reply_to == b.reply_to &&
         a.thread == b.thread && a.mention == b.mention && a.part == b.part;
}

} // namespace

TEST_CASE("file order: what a row holds is read as it was written", "[compose]") {
  const auto again = parse_file_order(compose_file_order(full));
  REQUIRE(again);
  CHECK(same(*again, full));
  file_order text;
  text.path = "answer.md";
  text.text = std::string("long\0\x01 \u20ac\n", 11) + std::string(200'000, '"');
  const auto long_text = parse_file_order(compose_file_order(text));
  REQUIRE(long_text);
  CHECK(same(*long_text, text));
}

TEST_CASE("file order: what is none is not taken for one", "[compose]") {
  for (const char* bad : {"", "7", "[]", "{", "{}", "{\"path\":\"\"}", "{\"path\":7}",
                          "{\"workspace\":\"/a\",\"caption\":\"c\"}"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_file_order(bad));
  }
  for (const char* part : {"-1", "1e9", "2147483648", "18446744073709551615", "\"3\"", "null"}) {
    CAPTURE(part);
    const auto o =
        parse_file_order(R"({"path":"a","caption":[],"part":)" + std::string(part) + "}");
    REQUIRE(o);
    CHECK(o->part == 0);
    CHECK(o->caption.empty());
  }
}

TEST_CASE("file: an event of a file names it, its kind and its size", "[compose]") {
  CHECK(compose_file(full, {"mxc://hs/a", "ф.png", "image/png", 16, 4, 3}, outbox_id("r1")) ==
        R"({"msgtype":"m.image","body":"a \"caption\"\n","filename":"ф.png","url":"mxc://hs/a",)"
        R"("info":{"mimetype":"image/png","size":16,"w":4,"h":3},)"
        R"("m.mentions":{"user_ids":["@a:hs"]},)"
        R"("m.relates_to":{"rel_type":"m.thread","event_id":"$root","is_falling_back":true,)"
        R"("m.in_reply_to":{"event_id":"$q"}},)"
        R"("io.patchbay.delivery":{"turn":"t1","kind":"file","part":3,"id":"r1"}})");
  CHECK(compose_file({}, {"mxc://hs/a", "a.zip", "application/zip", 7}, {}) ==
        R"({"msgtype":"m.file","body":"a.zip","filename":"a.zip","url":"mxc://hs/a",)"
        R"("info":{"mimetype":"application/zip","size":7},"m.mentions":{},)"
        R"("io.patchbay.delivery":{"kind":"file","part":0}})");
  const auto kind = [](const std::string& mime) {
    return parse_message(compose_file({}, {"mxc://hs/a", "a", mime, 1}, {})).msgtype;
  };
  CHECK(kind("audio/ogg") == "m.audio");
  CHECK(kind("video/mp4") == "m.video");
  CHECK(kind("") == "m.file");
  CHECK(kind("imagex/png") == "m.file");
}

TEST_CASE("file: what we send of a file is what we read of one", "[compose]") {
  const std::string body = compose_file(full, {"mxc://hs/a", "b.png", "image/png", 16, 4, 3}, {});
  const auto file = parse_file(body);
  REQUIRE(file);
  CHECK(file->mxc == "mxc://hs/a");
  CHECK(file->name == "b.png");
  CHECK(file->size == 16);
  CHECK(file->width == 4);
  CHECK(caption_of(parse_message(body)) == full.caption);
}

TEST_CASE("file: names and captions of any kind leave the event within its limit", "[compose]") {
  for (const std::string atom : {"x", "\"", "\x01", "\xFF", "\U0001F600", "&"}) {
    std::string huge;
    while (huge.size() < 100'000)
      huge += atom;
    huge += '\0';
    file_order order;
    order.caption = huge;
    order.mention = user_id(huge);
    order.reply_to = event_id(huge);
    order.thread = event_id(huge);
    order.turn = turn_id(huge);
    const std::string body =
        compose_file(order, {"mxc://hs/" + huge, huge, "image/" + huge, -1}, outbox_id(huge));
    CHECK(body.size() <= event_bytes);
    CHECK(nlohmann::json::accept(body));
    const auto m = parse_message(body);
    CHECK(m.filename.size() <= 255);
    CHECK(m.body.size() <= part_bytes);
    CHECK(m.body.find('\0') == std::string::npos);
  }
}
