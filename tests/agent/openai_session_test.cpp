#include "bridges/agent/openai/session.hpp"
#include "session_driver.hpp"

using namespace pb;
using namespace pb::test;
using nlohmann::json;
using how = link_closed::how;

namespace {

agent_spec model(agent_model::api speaks = agent_model::api::chat) {
  agent_spec spec;
  spec.id = agent_id{"llama"};
  spec.protocol = "openai";
  spec.model.name = "llama3";
  spec.model.speaks = speaks;
  return spec;
}

session_driver driver(agent_spec spec = model()) {
  return session_driver(openai_protocol(), std::move(spec), "http://model.test/v1/");
}

json delta(const std::string& text, const json& finish = nullptr) {
  return {{"object", "chat.completion.chunk"},
          {"choices", {{{"index", 0}, {"delta", {{"content", text}}}, {"finish_reason", finish}}}},
          {"usage", nullptr}};
}

void ask(session_driver& d, const std::string& text, const std::string& turn = "turn-1") {
  d.renew();
  d.links.clear();
  d.forget();
  d.begin(text, {}, turn);
  d.opened();
}

void answer(session_driver& d, const std::string& text) {
  d.says_json(delta(text));
  d.says_json(delta("", "stop"));
  d.says("[DONE]");
}

} // namespace

TEST_CASE("a question to a model is a chat completion over HTTP") {
  auto spec = model();
  spec.model.instructions = "Be brief.";
  spec.model.max_tokens = 99;
  spec.auth = agent_auth{"Authorization", secret{"key"}};
  auto d = driver(spec);
  d.begin("hello");
  REQUIRE(d.links.size() == 1);
  CHECK(d.links[0].to.by == carrier::http);
  CHECK(d.links[0].to.http.method == "POST");
  CHECK(d.links[0].to.url == "http://model.test/v1/chat/completions");
  CHECK(*find_header(d.links[0].to.headers, "authorization") == "Bearer key");
  CHECK(d.writes.empty());
  d.opened();
  REQUIRE(d.writes.size() == 1);
  CHECK(d.writes[0].hands_over);
  CHECK(d.last() == json::parse(R"({"model":"llama3","stream":true,"max_tokens":99,
    "stream_options":{"include_usage":true},
    "messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hello"}]})"));
  d.says_json(delta("Hi"));
  d.says_json(delta(" there", "stop"));
  CHECK(d.running);
  d.says(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}})");
  d.says("[DONE]");
  CHECK(d.answer() == "Hi there");
  REQUIRE(d.heard<agent_says::end>().size() == 1);
  CHECK(d.heard<agent_says::end>()[0].input_tokens == 12);
  CHECK(d.heard<agent_says::end>()[0].output_tokens == 3);
  CHECK_FALSE(d.running);
  CHECK(d.order[d.order.size() - 2] == "remember");
  d.says("[DONE]");
  CHECK(d.strays == 1);
}

TEST_CASE("the address of an API keeps its query") {
  session_driver d(openai_protocol(), model(), "https://x.test/openai/v1?api-version=7");
  d.begin("hello");
  CHECK(d.links[0].to.url == "https://x.test/openai/v1/chat/completions?api-version=7");
}

TEST_CASE("Responses are asked without being stored at the server") {
  auto spec = model(agent_model::api::responses);
  spec.model.instructions = "Be brief.";
  spec.model.max_tokens = 99;
  auto d = driver(spec);
  ask(d, "hello");
  CHECK(d.links.back().to.url == "http://model.test/v1/responses");
  CHECK(d.last() == json::parse(R"({"model":"llama3","stream":true,"store":false,
    "max_output_tokens":99,"instructions":"Be brief.",
    "input":[{"role":"user","content":"hello"}]})"));
}

TEST_CASE("what was said goes along with the next question, whole exchanges, newest last") {
  auto spec = model();
  spec.model.instructions = "Be brief.";
  spec.model.context_messages = 4;
  auto d = driver(spec);
  for (int i = 1; i <= 4; ++i) {
    ask(d, "q" + std::to_string(i), "turn-" + std::to_string(i));
    answer(d, "a" + std::to_string(i));
  }
  ask(d, "q5", "turn-5");
  CHECK(d.last()["messages"] == json::parse(R"([{"role":"system","content":"Be brief."},
    {"role":"user","content":"q3"},{"role":"assistant","content":"a3"},
    {"role":"user","content":"q4"},{"role":"assistant","content":"a4"},
    {"role":"user","content":"q5"}])"));
}

TEST_CASE("an answer that did not end well is not remembered, and the same turn replaces itself") {
  auto spec = model();
  spec.idempotent = true;
  auto d = driver(spec);
  ask(d, "q1", "turn-1");
  answer(d, "a1");
  const auto memory = d.memory;
  ask(d, "q2", "turn-2");
  d.says_json(delta("half an ans"));
  d.closed(how::broken);
  CHECK(d.gave_up->ending == turn_ending::interrupted);
  CHECK(d.memory == memory);
  ask(d, "q1", "turn-1");
  CHECK(d.last()["messages"] == json::parse(R"([{"role":"user","content":"q1"}])"));
  answer(d, "another");
  const auto entries = json::parse(d.memory)["entries"];
  REQUIRE(entries.size() == 2);
  CHECK(entries[1]["text"] == "another");
  ask(d, "q3", "turn-3");
  d.says_json(delta(" \n", "stop"));
  d.says("[DONE]");
  CHECK(json::parse(d.memory)["entries"].size() == 2);
}

TEST_CASE("a memory that is none is an empty one") {
  for (const auto* memory :
       {"", "x", "[]", "{}", R"({"v":2,"entries":[{"turn":"1","role":"user","text":"x"}]})",
        R"({"v":1,"entries":7})", R"({"v":1})", R"({"v":{},"entries":{}})"}) {
    auto d = driver();
    d.memory = memory;
    ask(d, "q");
    CHECK(d.last()["messages"].size() == 1);
  }
}

TEST_CASE("a memory stays within its limit whatever was said") {
  auto spec = model();
  spec.model.context_bytes = std::size_t{10} << 20;
  spec.model.context_messages = 1000;
  auto d = driver(spec);
  for (int i = 0; i < 6; ++i) {
    ask(d, std::string(50'000, '\n'), "turn-" + std::to_string(i));
    d.says_json(delta(std::string(1 << 20, i % 2 == 0 ? 'x' : '"')));
    d.says("[DONE]");
    CHECK(d.memory.size() <= (std::size_t{256} << 10));
    CHECK(json::parse(d.memory)["entries"].size() >= 2);
  }
}

TEST_CASE("an answer cut at the model's limit is an answer") {
  auto d = driver();
  ask(d, "q");
  d.says_json(delta("as far as", "length"));
  d.says("[DONE]");
  CHECK(d.heard<agent_says::end>().size() == 1);
  CHECK(d.heard<agent_says::status>().size() == 1);
  CHECK(json::parse(d.memory)["entries"][1]["text"] == "as far as");
}

TEST_CASE("the end of the stream: after a reason it is the end, before it an interruption") {
  for (const auto reason : {how::closed, how::broken}) {
    auto d = driver();
    ask(d, "q");
    d.says_json(delta("Hi", "stop"));
    REQUIRE(d.alarm_after);
    d.closed(reason, 200);
    CHECK(d.heard<agent_says::end>().size() == 1);
    CHECK_FALSE(d.gave_up);
    auto other = driver();
    ask(other, "q");
    other.says_json(delta("Hi"));
    other.closed(reason, 200);
    CHECK(other.gave_up->ending == turn_ending::interrupted);
    CHECK(other.memory.empty());
  }
  auto patient = driver();
  ask(patient, "q");
  patient.says_json(delta("Hi", "stop"));
  patient.alarm(); // a server that keeps the connection open and says nothing more
  CHECK(patient.heard<agent_says::end>().size() == 1);
  auto silent = driver();
  ask(silent, "q");
  silent.closed(how::closed, 200);
  CHECK(silent.gave_up->ending == turn_ending::interrupted);
  auto broken = driver();
  ask(broken, "q");
  broken.closed(how::protocol, 0, "an event over the limit");
  CHECK(broken.gave_up->ending == turn_ending::malformed);
}

TEST_CASE("servers that do not know stream_options are asked once without") {
  auto d = driver();
  ask(d, "q");
  d.closed(d.last_wire(),
           {how::rejected, 400, {}, R"({"error":{"message":"Unknown field stream_options"}})"});
  CHECK(d.running);
  REQUIRE(d.links.size() == 2);
  d.opened();
  CHECK_FALSE(d.last().contains("stream_options"));
  CHECK(d.last()["stream"] == true);
  SECTION("and answer then") {
    answer(d, "a");
    CHECK(d.heard<agent_says::end>().size() == 1);
  }
  SECTION("or refuse again, which is told") {
    d.closed(d.last_wire(),
             {how::rejected, 400, {}, R"({"error":{"message":"Unknown field stream_options"}})"});
    CHECK(d.links.size() == 2);
    CHECK(d.heard<agent_says::error>().size() == 1);
  }
  SECTION("or are gone") {
    d.closed(how::refused);
    CHECK(d.gave_up->ending == turn_ending::unreachable);
  }
}

TEST_CASE("models that want max_completion_tokens get it") {
  auto spec = model();
  spec.model.max_tokens = 7;
  auto d = driver(spec);
  ask(d, "q");
  d.closed(
      d.last_wire(),
      {how::rejected,
       400,
       {},
       R"({"error":{"message":"'max_tokens' is not supported, use 'max_completion_tokens' instead."}})"});
  d.opened();
  CHECK_FALSE(d.last().contains("max_tokens"));
  CHECK(d.last()["max_completion_tokens"] == 7);
}

TEST_CASE("what a server refuses is told in words") {
  struct refused {
    int status;
    std::string body;
    std::chrono::milliseconds after;
    std::string code, details;
    bool retryable;
  };
  const refused table[] = {
      {429, R"({"error":{"message":"Slow down.","code":"rate_limit"}})", std::chrono::seconds(20),
       "HTTP 429: too many requests; again in 20 s", "Slow down.", true},
      {429, R"({"error":{"message":"No money.","type":"insufficient_quota"}})",
       std::chrono::seconds(20), "HTTP 429: the account's quota is used up", "No money.", false},
      {503, "<html><body>Bad</body></html>", std::chrono::minutes(5),
       "HTTP 503: it is overloaded; again in 5 min", "", true},
      {529, "", {}, "HTTP 529: it is overloaded", "", true},
      {500, "plain\nwords \x01", {}, "HTTP 500: the server failed", "plain words", true},
      {404,
       R"({"error":{"message":"model 'x' not found","code":"model_not_found"}})",
       {},
       "HTTP 404: no such model",
       "model 'x' not found",
       false},
      {404,
       R"({"error":"model \"x\" not found, try pulling it first"})",
       {},
       "HTTP 404: no such address or model",
       "model \"x\" not found, try pulling it first",
       false},
      {422,
       R"({"detail":[{"loc":["body","messages"],"msg":"field required"}]})",
       {},
       "HTTP 422: not accepted",
       "body.messages: field required",
       false},
      {301, "", {}, "HTTP 301: it has moved", "", false},
      {400, "\xff\xfe", {}, "HTTP 400: not accepted", "", false},
  };
  for (const auto& r : table) {
    auto d = driver();
    ask(d, "q");
    d.closed(d.last_wire(), {how::rejected, r.status, {}, r.body, r.after});
    REQUIRE(d.heard<agent_says::error>().size() == 1);
    const auto told = d.heard<agent_says::error>()[0];
    CHECK(told.code == r.code);
    CHECK(told.code.size() <= 64);
    CHECK(told.details == r.details);
    CHECK(told.retryable == r.retryable);
    CHECK(d.links.size() == 1);
  }
  for (const int status : {401, 403}) {
    auto d = driver();
    ask(d, "q");
    d.closed(d.last_wire(), {how::rejected, status, {}, R"({"error":{"message":"bad key sk-1"}})"});
    CHECK(d.gave_up->ending == turn_ending::rejected);
    CHECK(d.gave_up->detail == std::to_string(status));
  }
  auto d = driver();
  ask(d, "q");
  d.closed(d.last_wire(), {how::rejected, 500, {}, std::string(100'000, 'w')});
  CHECK(d.heard<agent_says::error>()[0].details.size() <= 300);
}

TEST_CASE("a model that is not configured says what to configure") {
  auto spec = model();
  spec.model.name.clear();
  auto d = driver(spec);
  d.begin("q");
  REQUIRE(d.heard<agent_says::error>().size() == 1);
  CHECK(d.heard<agent_says::error>()[0].details.find("model") != std::string::npos);
  CHECK(d.links.empty());
}

TEST_CASE("a turn that the model may have had is asked again only of an idempotent one") {
  session_turn turn;
  turn.again = true;
  turn.what.id = turn_id{"turn-1"};
  turn.what.text = "q";
  auto d = driver();
  d.begin(turn);
  CHECK(d.gave_up->ending == turn_ending::interrupted);
  CHECK(d.links.empty());
  auto spec = model();
  spec.idempotent = true;
  auto other = driver(spec);
  other.begin(turn);
  CHECK(other.links.size() == 1);
}

TEST_CASE("a model asks nothing: an answer to it finds no question") {
  session_turn turn;
  turn.what.id = turn_id{"turn-2"};
  turn.what.answer = turn_answer{"c1", true};
  auto d = driver();
  d.begin(turn);
  CHECK(d.heard<agent_says::error>().size() == 1);
  CHECK(d.links.empty());
  auto running = driver();
  ask(running, "q");
  running.decide("c1", true);
  CHECK(running.running);
}

TEST_CASE("stopping a model closes its connection") {
  auto d = driver();
  ask(d, "q");
  d.says_json(delta("Hi"));
  d.cancel();
  CHECK(d.closes == std::vector<wire_id>{d.last_wire()});
  CHECK(d.gave_up->ending == turn_ending::cancelled);
  CHECK(d.memory.empty());
  d.says_json(delta("late"));
  CHECK(d.answer() == "Hi");
}

TEST_CASE("images go along with their question and are not kept") {
  for (const auto speaks : {agent_model::api::chat, agent_model::api::responses}) {
    session_turn turn;
    turn.what.id = turn_id{"turn-1"};
    turn.what.text = "what is this?";
    turn.files = {{"in/a.png", "a.png", "image/png", "PNG", false},
                  {"in/b.txt", "b.txt", "text/plain", "text", false},
                  {"in/c.jpg", "c.jpg", "image/jpeg", "", true},
                  {"in/d.svg", "d.svg", "image/svg+xml", "<svg/>", false}};
    auto d = driver(model(speaks));
    d.begin(turn);
    d.opened();
    const auto said = d.last()[speaks == agent_model::api::chat ? "messages" : "input"];
    const auto parts = said[0]["content"];
    REQUIRE(parts.size() == 2);
    if (speaks == agent_model::api::chat)
      CHECK(parts == json::parse(R"([{"type":"text","text":"what is this?"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,UE5H"}}])"));
    else
      CHECK(parts == json::parse(R"([{"type":"input_text","text":"what is this?"},
        {"type":"input_image","image_url":"data:image/png;base64,UE5H"}])"));
  }
}
