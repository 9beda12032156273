// Bodies of POST …/events, friendly and hostile.

#include "bridges/agent/push.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pb;
using nlohmann::json;

namespace {

json good() {
  return {{"event_id", "e-1"},
          {"kind", "task_done"},
          {"text", "ready"},
          {"attachments", {"out/a.txt"}},
          {"chat_id", 7}};
}

std::string wrong(const json& body) {
  const auto got = decode_posted_push(body.dump());
  return got ? "" : got.error().sentence;
}

bool names(const std::string& sentence, const std::string& field) {
  return sentence.find(field) != std::string::npos;
}

} // namespace

TEST_CASE("an event is taken as it stands; the number of the chat may be text") {
  const auto got = decode_posted_push(good().dump());
  REQUIRE(got);
  CHECK(got->chat.value == 7);
  CHECK(got->what.event_id == "e-1");
  CHECK(got->what.kind == "task_done");
  CHECK(got->what.text == "ready");
  CHECK(got->what.attachments == std::vector<std::string>{"out/a.txt"});
  auto body = good();
  body["chat_id"] = "9223372036854775807";
  body.erase("attachments");
  body["more"] = {{"x", 1}};
  CHECK(decode_posted_push(body.dump())->chat.value == 9223372036854775807);
  body["attachments"] = nullptr;
  CHECK(decode_posted_push(body.dump()));
  body["text"] = "a\u0000b";
  CHECK(decode_posted_push(R"({"event_id":"e","kind":"task_done","chat_id":1,"text":"a\u0000b"})")
            ->what.text == "a\xEF\xBF\xBD"
                           "b");
}

TEST_CASE("what is wrong is told field by field, all of it") {
  const auto all = wrong(json::object());
  for (const auto* field : {"event_id", "kind", "text", "chat_id"})
    CHECK(names(all, field));
  for (const auto& [field, value] :
       std::vector<std::pair<std::string, json>>{{"event_id", ""},
                                                 {"event_id", 5},
                                                 {"event_id", std::string(201, 'e')},
                                                 {"event_id", "two words"},
                                                 {"event_id", "line\nbreak"},
                                                 {"kind", "gossip"},
                                                 {"kind", {"task_done"}},
                                                 {"text", 5},
                                                 {"text", std::string(push_text_limit + 1, 'x')},
                                                 {"attachments", "a.txt"},
                                                 {"attachments", {"a", 5}},
                                                 {"attachments", {""}},
                                                 {"attachments", {std::string(1025, 'p')}},
                                                 {"attachments", std::vector<std::string>(21, "a")},
                                                 {"chat_id", 0},
                                                 {"chat_id", -4},
                                                 {"chat_id", 1.5},
                                                 {"chat_id", "9223372036854775808"},
                                                 {"chat_id", "7 "},
                                                 {"chat_id", {{"x", 7}}}}) {
    auto body = good();
    body[field] = value;
    INFO(field << " " << value.dump().substr(0, 50));
    const auto sentence = wrong(body);
    CHECK(names(sentence, field));
    CHECK(sentence.find(';') == std::string::npos);
  }
  auto empty = good();
  empty["text"] = "";
  CHECK(wrong(empty).empty()); // there is a file
  empty.erase("attachments");
  CHECK(names(wrong(empty), "text is empty"));
}

TEST_CASE("limits hold to the byte") {
  auto body = good();
  body["text"] = std::string(push_text_limit, 'x');
  body["event_id"] = std::string(push_id_limit, 'e');
  body["attachments"] = std::vector<std::string>(push_files_limit, std::string(1024, 'p'));
  CHECK(wrong(body).empty());
  auto padded = good().dump();
  padded.resize(push_body_limit, ' ');
  CHECK(decode_posted_push(padded));
  padded += ' ';
  CHECK(decode_posted_push(padded).error().code == fault_code::too_large);
}

TEST_CASE("a body that is no JSON object is refused with the reason") {
  for (const auto& body :
       {std::string(), std::string("x"), std::string("[1]"), std::string("{\"text\":\"\xff\"}"),
        std::string(70, '[') + std::string(70, ']'), std::string("{\"a\":1}{"),
        std::string("\0\0", 2)}) {
    const auto got = decode_posted_push(body);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == fault_code::malformed);
    CHECK(got.error().sentence.starts_with("the body is "));
  }
}

TEST_CASE("rules for what comes on a connection are the same") {
  agent_says::push p{"e", "task_progress", "x", {}};
  CHECK(push_faults(p).empty());
  p.text.clear();
  CHECK(push_faults(p) == "text is empty");
  p.kind = "x";
  p.event_id.clear();
  CHECK(names(push_faults(p), "kind"));
  CHECK(names(push_faults(p), "event_id"));
}
