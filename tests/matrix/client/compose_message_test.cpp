#include "bridges/matrix/compose.hpp"
#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/markdown.hpp"
#include "html_check.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

using namespace pb;
using namespace pb::matrix;

namespace {

message_draft answer(std::string text) {
  message_draft m;
  m.text = std::move(text);
  m.reply_to = event_id("$q");
  m.tells = {user_id("@alice:hs")};
  m.turn = turn_id("t1");
  m.row = outbox_id("r1");
  m.kind = delivery::final_answer;
  m.markdown = true;
  return m;
}

/// As much around the text as there may ever be.
message_draft surrounded(std::string text) {
  message_draft m = answer(std::move(text));
  m.reply_to = event_id("$" + std::string(254, 'e'));
  m.thread = event_id("$" + std::string(254, 't'));
  m.turn = turn_id(std::string(255, 'u'));
  m.row = outbox_id(std::string(255, 'o'));
  m.tells.assign(100, user_id("@" + std::string(250, 'u') + ":hs"));
  m.part = std::numeric_limits<int>::max();
  return m;
}

nlohmann::json parsed(const message_draft& m) { return nlohmann::json::parse(compose_message(m)); }

std::string filled(std::string_view atom, std::size_t bytes) {
  std::string out;
  while (out.size() + atom.size() <= bytes)
    out += atom;
  return out;
}

const std::string table_head = "|a|b|\n|---|---|\n";

} // namespace

TEST_CASE("compose: Markdown goes along as HTML, its text as it is", "[compose]") {
  CHECK(compose_message(answer("**Hi** <b>")) ==
        R"({"msgtype":"m.text","body":"**Hi** <b>","format":"org.matrix.custom.html",)"
        R"("formatted_body":"<p><strong>Hi</strong> &lt;b&gt;</p>",)"
        R"("m.mentions":{"user_ids":["@alice:hs"]},)"
        R"("m.relates_to":{"m.in_reply_to":{"event_id":"$q"}},)"
        R"("io.patchbay.delivery":{"turn":"t1","kind":"final","part":0,"id":"r1"}})");
  CHECK_FALSE(parsed(answer("Just words.")).contains("formatted_body"));
  message_draft plain = answer("**Hi**");
  plain.markdown = false;
  CHECK_FALSE(parsed(plain).contains("format"));
}

TEST_CASE("compose: a final edit stands where the draft was and notifies its asker", "[compose]") {
  message_draft m = answer("*a*");
  m.replaces = event_id("$draft");
  m.thread = event_id("$root"); // an edit stays where its event is
  CHECK(compose_message(m) ==
        R"({"msgtype":"m.text","body":"* *a*","format":"org.matrix.custom.html",)"
        R"("formatted_body":"* <p><em>a</em></p>","m.mentions":{"user_ids":["@alice:hs"]},)"
        R"("m.new_content":{"msgtype":"m.text","body":"*a*","format":"org.matrix.custom.html",)"
        R"("formatted_body":"<p><em>a</em></p>","m.mentions":{"user_ids":["@alice:hs"]},)"
        R"("io.patchbay.delivery":{"turn":"t1","kind":"final","part":0,"id":"r1"}},)"
        R"("m.relates_to":{"rel_type":"m.replace","event_id":"$draft"},)"
        R"("io.patchbay.delivery":{"turn":"t1","kind":"final","part":0,"id":"r1"}})");
}

TEST_CASE("compose: an edit of a silent draft is silent, too", "[compose]") {
  message_draft m;
  m.text = "partial";
  m.silent = true;
  m.kind = delivery::draft;
  m.replaces = event_id("$draft");
  CHECK(compose_message(m) ==
        R"({"msgtype":"m.notice","body":"* partial","m.mentions":{},)"
        R"("m.new_content":{"msgtype":"m.notice","body":"partial","m.mentions":{},)"
        R"("io.patchbay.delivery":{"kind":"draft","part":0}},)"
        R"("m.relates_to":{"rel_type":"m.replace","event_id":"$draft"},)"
        R"("io.patchbay.delivery":{"kind":"draft","part":0}})");
}

TEST_CASE("compose: an answer belongs to the thread that it was asked in", "[compose]") {
  message_draft m = answer("a");
  m.thread = event_id("$root");
  CHECK(parsed(m)["m.relates_to"] ==
        nlohmann::json::parse(R"({"rel_type":"m.thread","event_id":"$root","is_falling_back":true,
                                  "m.in_reply_to":{"event_id":"$q"}})"));
  m.reply_to = {};
  CHECK(parsed(m)["m.relates_to"] ==
        nlohmann::json::parse(
            R"({"rel_type":"m.thread","event_id":"$root","is_falling_back":true})"));
}

TEST_CASE("compose: only those who are told are mentioned, whatever the text says", "[compose]") {
  for (const char* text : {"@room", "**@room** @alice:hs", "[A](https://matrix.to/#/@alice:hs)"}) {
    message_draft m = answer(text);
    m.tells = {};
    CHECK(parsed(m)["m.mentions"] == nlohmann::json::object());
    m.replaces = event_id("$d");
    CHECK(parsed(m)["m.mentions"] == nlohmann::json::object());
    CHECK(parsed(m)["m.new_content"]["m.mentions"] == nlohmann::json::object());
  }
}

TEST_CASE("compose: a whole part fits as a final edit with its HTML", "[compose]") {
  std::string prose;
  while (prose.size() < 100'000)
    prose += "A sentence with **weight**, `code` and \"words\", of a usual length.\n- an item\n\n";
  for (const std::string& part : split_text(prose)) {
    message_draft m = surrounded(part);
    m.replaces = event_id("$" + std::string(254, 'd'));
    const auto j = parsed(m);
    CHECK(j["body"] == "* " + part);
    CHECK(j["m.new_content"]["formatted_body"] == to_html(part));
    CHECK(compose_message(m).size() <= event_bytes);
  }
}

TEST_CASE("compose: HTML that does not fit is left out, of the fallback first", "[compose]") {
  message_draft m = surrounded(table_head + filled("|a|b|\n", 7'000));
  const std::string html = to_html(m.text).value();
  CHECK(html.size() > 20'000);
  CHECK(parsed(m)["formatted_body"] == html);
  m.replaces = event_id("$d");
  const auto j = parsed(m);
  CHECK_FALSE(j.contains("formatted_body"));
  CHECK_FALSE(j.contains("format"));
  CHECK(j["m.new_content"]["formatted_body"] == html);
  m.text = table_head + filled("|a|b|\n", 9'000);
  REQUIRE(to_html(m.text));
  CHECK_FALSE(parsed(m)["m.new_content"].contains("formatted_body"));
  CHECK(parsed(m)["m.new_content"]["body"] == m.text);
}

TEST_CASE("compose: whatever the text, the body stays below the event limit", "[compose]") {
  for (const std::string atom :
       {"x",  "\x01",  "\"",           "\xFF",      "\u20ac", "\U0001F600", "\n",    "&",
        "<",  "*a*",   "`\"`",         "[a](b:c) ", "> ",     "- ",         "# ",    "|a",
        "\\", "```\n", "https://a.b ", "1. \n",     "\t",     "a\u0301",    "***a**"}) {
    CAPTURE(atom);
    message_draft m = surrounded(filled(atom, 100'000));
    for (const bool markdown : {false, true})
      for (const char* replaces : {"", "$d"}) {
        m.markdown = markdown;
        m.replaces = event_id(replaces);
        const std::string body = compose_message(m);
        CHECK(body.size() <= event_bytes);
        CHECK(body == compose_message(m));
        CHECK(json::is_utf8(body));
        const message_content read = parse_message(body);
        CHECK(read.body.size() <= part_bytes + 2);
        CHECK(test::html_fault(read.formatted_body).empty());
      }
  }
}

TEST_CASE("compose: ids that no server would take do not make an event too large", "[compose]") {
  for (const std::string atom : {"x", "\x01", "\"", "\xFF"}) {
    message_draft m = surrounded(filled("\"", 100'000));
    const std::string huge = filled(atom, 70'000);
    m.reply_to = event_id(huge);
    m.thread = event_id(huge);
    m.replaces = event_id(huge);
    m.turn = turn_id(huge);
    m.row = outbox_id(huge);
    m.tells.assign(100, user_id(huge));
    const auto j = parsed(m);
    CHECK_FALSE(j.contains("m.relates_to"));
    CHECK(j["m.mentions"] == nlohmann::json::object());
    m = surrounded(filled("\"", 100'000));
    m.replaces = event_id("$d");
    m.tells.assign(100, user_id(filled(atom, 40)));
    CHECK(compose_message(m).size() <= event_bytes);
    CHECK(parsed(m)["m.mentions"]["user_ids"].size() == 8);
  }
}

TEST_CASE("compose: any noise gives an event of a size that is taken", "[compose]") {
  std::mt19937 dice(13);
  for (int round = 0; round < 200; ++round) {
    std::string noise(dice() % 30'000, ' ');
    for (char& c : noise)
      c = round % 2 == 0 ? static_cast<char>(dice()) : "*_`[]()<>&|#-\n \"\\~!:a1"[dice() % 23];
    message_draft m = surrounded(noise);
    if (round % 3 == 0)
      m.replaces = event_id("$d");
    const std::string body = compose_message(m);
    REQUIRE(body.size() <= event_bytes);
    REQUIRE(nlohmann::json::accept(body));
    REQUIRE(test::html_fault(parse_message(body).formatted_body).empty());
  }
}

TEST_CASE("compose: a prompt says which question it is, and progress is known from a final") {
  message_draft m;
  m.text = "Delete?";
  m.confirmation = confirmation_mark{"3", 1'790'000'000'000};
  const auto prompt = nlohmann::json::parse(compose_message(m));
  const auto& mark = prompt.at("io.patchbay.delivery").at("confirmation");
  CHECK(mark.at("id") == "3");
  CHECK(mark.at("expires_at") == 1'790'000'000'000);
  message_draft draft;
  draft.kind = delivery::draft;
  CHECK(is_draft(compose_message(draft)));
  draft.replaces = event_id("$draft");
  CHECK(is_draft(compose_message(draft)));
  draft.kind = delivery::final_answer;
  CHECK_FALSE(is_draft(compose_message(draft)));
  CHECK_FALSE(is_draft("[]"));
  CHECK_FALSE(is_draft(R"({"io.patchbay.delivery":{"kind":7}})"));
}
