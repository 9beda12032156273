#include "bridges/agent/openai/dialect.hpp"
#include "bridges/agent/openai/session.hpp"
#include "session_driver.hpp"

using namespace pb;
using namespace pb::test;
using nlohmann::json;
using api = agent_model::api;

namespace {

session_driver asked(api speaks = api::chat) {
  agent_spec spec;
  spec.model.name = "m";
  spec.model.speaks = speaks;
  session_driver d(openai_protocol(), spec);
  d.begin("q");
  d.opened();
  return d;
}

/// Streams as servers send them, one text an event.
struct golden {
  const char* server;
  api speaks;
  std::vector<const char*> events;
  const char* answer;
  std::int64_t in, out;
};
const std::vector<golden>& streams() {
  static const std::vector<golden> all{
      {"OpenAI chat",
       api::chat,
       {R"({"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null})",
        R"({"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null})",
        R"({"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":" ж🙂"},"finish_reason":null}],"usage":null})",
        R"({"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null})",
        R"({"id":"c","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,"prompt_tokens_details":{"cached_tokens":1920},"completion_tokens_details":{"reasoning_tokens":64}}})",
        "[DONE]"},
       "Hi ж🙂",
       2006,
       300},
      {"usage on every chunk, which grows",
       api::chat,
       {R"({"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})",
        R"({"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}})",
        R"({"choices":[],"usage":{"completion_tokens":null}})", " [DONE]\n"},
       "ab",
       5,
       2},
      {"reasoning beside the answer",
       api::chat,
       {R"({"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]})",
        R"({"choices":[{"index":0,"delta":{"reasoning":"hmm","content":null}}]})",
        R"({"choices":[{"index":0,"delta":{"content":"42"},"finish_reason":"stop"}]})", "[DONE]"},
       "42",
       0,
       0},
      {"content in parts, another choice",
       api::chat,
       {R"({"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"x"},{"type":"thinking","text":"no"}]}},{"index":1,"delta":{"content":"no"}}]})",
        R"({"choices":[{"delta":{"content":"y"},"finish_reason":"stop"}]})", "[DONE]"},
       "xy",
       0,
       0},
      {"no stream",
       api::chat,
       {R"({"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}})"},
       "whole",
       3,
       4},
      {"Responses",
       api::responses,
       {R"({"type":"response.created","response":{"id":"r","status":"in_progress","usage":null},"sequence_number":0})",
        R"({"type":"response.in_progress","response":{"id":"r"},"sequence_number":1})",
        R"({"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}})",
        R"({"type":"response.reasoning_summary_text.delta","delta":"hm"})",
        R"({"type":"response.output_item.added","output_index":1,"item":{"type":"message"}})",
        R"({"type":"response.content_part.added","output_index":1,"content_index":0,"part":{"type":"output_text","text":""}})",
        R"({"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"Hi","sequence_number":4})",
        R"({"type":"keepalive","sequence_number":5})",
        R"({"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":" you"})",
        R"({"type":"response.output_text.delta","output_index":2,"content_index":0,"delta":"More"})",
        R"({"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi you"}]}],"usage":{"input_tokens":36,"output_tokens":87,"total_tokens":123}},"sequence_number":12})"},
       "Hi you\n\nMore",
       36,
       87},
      {"Responses, no stream",
       api::responses,
       {R"({"id":"r","object":"response","status":"completed","error":null,"output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"whole"}]}],"usage":{"input_tokens":1,"output_tokens":2}})"},
       "whole",
       1,
       2},
      {"Responses, summed up at the end only",
       api::responses,
       {R"({"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"late"}]}],"usage":{"input_tokens":1,"output_tokens":2}}})"},
       "late",
       1,
       2},
  };
  return all;
}

} // namespace

TEST_CASE("the streams of servers become an answer and what it cost") {
  for (const auto& stream : streams()) {
    INFO(stream.server);
    auto d = asked(stream.speaks);
    for (const auto* event : stream.events)
      d.says(std::string_view(event));
    CHECK(d.answer() == stream.answer);
    REQUIRE(d.heard<agent_says::end>().size() == 1);
    CHECK(d.heard<agent_says::end>()[0].input_tokens == stream.in);
    CHECK(d.heard<agent_says::end>()[0].output_tokens == stream.out);
    CHECK(d.heard<agent_says::unknown>().empty());
    CHECK(d.heard<agent_says::status>().size() <= 1);
  }
}

TEST_CASE("an event of a model cut at any byte is malformed, never more") {
  for (const auto& stream : streams())
    for (const auto* event : stream.events) {
      const std::string_view whole(event);
      if (whole.find("[DONE]") != std::string_view::npos)
        continue;
      for (std::size_t length = 0; length < whole.size(); ++length) {
        openai::reader reader(stream.speaks);
        CHECK_FALSE(reader.read(whole.substr(0, length)).malformed.empty());
      }
    }
  auto d = asked();
  d.says(std::string_view(R"({"choices":[{"delta":{"cont)"));
  CHECK(d.heard<agent_says::malformed>().size() == 1);
}

TEST_CASE("errors in the middle of a stream end the turn with the server's words") {
  struct failing {
    api speaks;
    const char* event;
    const char* code;
    const char* details;
    bool retryable;
  };
  const failing table[] = {
      {api::chat, R"({"error":{"message":"Server overloaded","type":"server_error","code":null}})",
       "server_error", "Server overloaded", true},
      {api::chat, R"({"error":"llama runner process has terminated"})", "error of the server",
       "llama runner process has terminated", false},
      {api::chat, R"({"error":{"message":"busy","code":429}})", "429", "busy", true},
      {api::chat, R"({"object":"error","message":"too long","type":"BadRequestError","code":400})",
       "400", "too long", false},
      {api::responses, R"({"type":"error","code":"rate_limit_exceeded","message":"slow"})",
       "rate_limit_exceeded", "slow", true},
      {api::responses, R"({"type":"error","error":{"type":"invalid_request","message":"no"}})",
       "invalid_request", "no", false},
      {api::responses,
       R"({"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"oops"}}})",
       "server_error", "oops", true},
      {api::responses,
       R"({"object":"response","status":"failed","error":{"code":"server_error","message":"oops"}})",
       "server_error", "oops", true},
  };
  for (const auto& f : table) {
    INFO(f.event);
    auto d = asked(f.speaks);
    if (f.speaks == api::chat)
      d.says(std::string_view(R"({"choices":[{"index":0,"delta":{"content":"Hi"}}]})"));
    d.says(std::string_view(f.event));
    REQUIRE(d.heard<agent_says::error>().size() == 1);
    CHECK(d.heard<agent_says::error>()[0].code == f.code);
    CHECK(d.heard<agent_says::error>()[0].details == f.details);
    CHECK(d.heard<agent_says::error>()[0].retryable == f.retryable);
    CHECK(d.memory.empty());
    CHECK_FALSE(d.running);
  }
}

TEST_CASE("filters and refusals are errors, in both dialects") {
  const auto code_of = [](api speaks, std::vector<const char*> events) {
    auto d = asked(speaks);
    for (const auto* event : events)
      d.says(std::string_view(event));
    const auto errors = d.heard<agent_says::error>();
    REQUIRE(errors.size() == 1);
    CHECK(d.memory.empty());
    return errors[0].code + "/" + errors[0].details;
  };
  CHECK(
      code_of(
          api::chat,
          {R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"content_filter"}]})",
           "[DONE]"}) == "content_filter/");
  CHECK(code_of(api::chat,
                {R"({"choices":[{"index":0,"delta":{"refusal":"I will "}}]})",
                 R"({"choices":[{"index":0,"delta":{"refusal":"not"},"finish_reason":"stop"}]})",
                 "[DONE]"}) == "refusal/I will not");
  CHECK(
      code_of(
          api::responses,
          {R"({"type":"response.refusal.delta","delta":"No."})",
           R"({"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}})"}) ==
      "refusal/No.");
  CHECK(
      code_of(
          api::responses,
          {R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}})"}) ==
      "content_filter/");
}

TEST_CASE("a model that thinks for long gives a sign of life now and then, and no more") {
  auto d = asked();
  for (int i = 0; i < 640; ++i)
    d.says(std::string_view(R"({"choices":[{"index":0,"delta":{"reasoning":"hm"}}]})"));
  CHECK(d.heard<agent_says::status>().size() == 1);
  CHECK(d.heard<agent_says::custom_update>().size() == 10);
  CHECK(d.answer().empty());
}

TEST_CASE("a Responses answer cut at its limit is an answer") {
  auto d = asked(api::responses);
  d.says(
      std::string_view(R"({"type":"response.output_text.delta","output_index":0,"delta":"far"})"));
  d.says(std::string_view(
      R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":2}}})"));
  CHECK(d.heard<agent_says::end>().size() == 1);
  CHECK(json::parse(d.memory)["entries"][1]["text"] == "far");
}

TEST_CASE("tools that nobody offered, and events that nobody knows, are ignored and counted") {
  auto d = asked();
  d.says(std::string_view(
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"rm","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})"));
  d.says(std::string_view(R"({"type":"ping\n\"secret\""})"));
  d.says("[DONE]");
  const auto unknown = d.heard<agent_says::unknown>();
  REQUIRE(unknown.size() == 2);
  CHECK(unknown[0].type == "tool_calls");
  CHECK(unknown[1].type == "ping??secret?");
  CHECK(d.heard<agent_says::end>().size() == 1);
  CHECK(d.heard<agent_says::tool_call>().empty());
  auto r = asked(api::responses);
  r.says(
      std::string_view(R"({"type":"response.output_item.added","item":{"type":"function_call"}})"));
  r.says(std::string_view(R"({"type":"response.function_call_arguments.delta","delta":"{}"})"));
  CHECK(r.heard<agent_says::unknown>().size() == 2);
}

TEST_CASE("texts that are hostile are malformed or harmless") {
  openai::reader chat(api::chat), responses(api::responses);
  const auto deep = std::string(1000, '[') + std::string(1000, ']');
  for (const auto& text : {std::string(), std::string("{"), std::string("[]"), std::string("1"),
                           std::string("null"), R"({"choices":)" + deep + "}",
                           std::string("{\"choices\":\"\xff\"}"), std::string("data: {}")}) {
    CHECK_FALSE(chat.read(text).malformed.empty());
    CHECK_FALSE(responses.read(text).malformed.empty());
  }
  for (const auto* text :
       {"{}", R"({"choices":null})", R"({"choices":[1,null,[],{}]})", R"({"choices":{"a":1}})",
        R"({"choices":[{"index":0,"delta":[]}]})", R"({"choices":[{"delta":{"content":{}}}]})",
        R"({"usage":[]})", R"({"usage":{"prompt_tokens":"x"}})", R"({"type":7})"}) {
    const auto told = chat.read(text);
    CHECK(told.malformed.empty());
    CHECK(told.text.empty());
    CHECK(responses.read(text).malformed.empty());
  }
  const auto huge =
      chat.read(R"({"choices":[],"usage":{"prompt_tokens":1e300,"completion_tokens":-5}})");
  CHECK(huge.used.input == 1'000'000'000'000'000);
  CHECK(huge.used.output == 0);
  const auto odd = chat.read(R"({"choices":[{"delta":{"content":"a\u0000b\ud800c"}}]})");
  CHECK(odd.text == "a\xEF\xBF\xBD"
                    "b\xEF\xBF\xBD"
                    "c");
  const std::string large(std::size_t{1} << 20, 'x');
  CHECK(chat.read(json{{"choices", {{{"delta", {{"content", large}}}}}}}.dump()).text == large);
}
