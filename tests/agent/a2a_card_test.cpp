#include "bridges/agent/a2a/card.hpp"

#include "a2a_agent.hpp"
#include "bridges/agent/a2a/memory.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace pb;
using namespace pb::test::a2a;
using pb::a2a::dialect;
using pb::a2a::placed;
using pb::a2a::read_card;

const std::string base = "http://agent.test/base";

json with(json card, const char* key, json value) {
  card[key] = std::move(value);
  return card;
}

} // namespace

TEST_CASE("a2a: the card's first JSON-RPC interface that we speak is taken") {
  const auto newer = read_card(card_1_0().dump(), base);
  REQUIRE(newer);
  CHECK(newer->url == "http://agent.test/base/rpc");
  CHECK(newer->speaks == dialect::v1_0);
  CHECK(newer->streaming);

  const auto older = read_card(card_0_3(false).dump(), base);
  REQUIRE(older);
  CHECK(older->speaks == dialect::v0_3);
  CHECK_FALSE(older->streaming);

  // Both in one, as servers do that serve both: the list has the order.
  auto both = card_0_3();
  both["supportedInterfaces"] = {{{"url", "http://agent.test/two"},
                                  {"protocolBinding", "JSONRPC"},
                                  {"protocolVersion", "2.0"}},
                                 {{"url", "http://agent.test/old"},
                                  {"protocolBinding", "jsonrpc"},
                                  {"protocolVersion", "0.3"}},
                                 {{"url", "http://agent.test/new"},
                                  {"protocolBinding", "JSONRPC"},
                                  {"protocolVersion", "1.0"},
                                  {"tenant", "blue"}}};
  const auto first = read_card(both.dump(), "http://agent.test");
  REQUIRE(first);
  CHECK(first->url == "http://agent.test/old");
  CHECK(first->speaks == dialect::v0_3);
  std::swap(both["supportedInterfaces"][1], both["supportedInterfaces"][2]);
  const auto second = read_card(both.dump(), "http://agent.test");
  REQUIRE(second);
  CHECK(second->url == "http://agent.test/new");
  CHECK(second->tenant == "blue");

  // 0.3 with another main transport.
  auto beside = with(card_0_3(), "preferredTransport", "GRPC");
  CHECK_FALSE(read_card(beside.dump(), base));
  beside["additionalInterfaces"] = {
      {{"url", "http://agent.test/base/json"}, {"transport", "JSONRPC"}}};
  CHECK(read_card(beside.dump(), base)->url == "http://agent.test/base/json");
}

TEST_CASE("a2a: a card that is of no use says why, without a word of it") {
  const auto wrong = [](const std::string& text) { return read_card(text, base).error(); };
  CHECK(wrong("<html>secret</html>") == "the agent card is no card: not JSON");
  CHECK(wrong("[1]") == "the agent card is no card: not a JSON object");
  CHECK(wrong("{}") == "the agent card has no JSON-RPC interface of A2A 1.0 or 0.3");
  CHECK(wrong(with(card_0_3(), "protocolVersion", "7.0").dump()) ==
        "the agent card has no JSON-RPC interface of A2A 1.0 or 0.3");
  CHECK(wrong(with(card_0_3(), "url", "file:///etc/passwd").dump()) ==
        "the agent card's address cannot be used");
  CHECK(wrong(std::string(100'000, '[') + std::string(100'000, ']')) ==
        "the agent card is no card: JSON nested too deep");
}

TEST_CASE("a2a: whatever a card says, its agent is spoken to at the host of base_url") {
  CHECK(placed("http://agent.test/base/rpc", base) == "http://agent.test/base/rpc");
  CHECK(placed("http://AGENT.test:80/x?y=1#z", base) == "http://agent.test/x?y=1");
  CHECK(placed("https://agent.test/rpc", base) == "https://agent.test/rpc");
  CHECK(placed("/rpc", base) == "http://agent.test/rpc");
  // Not down to http, and not to another port.
  CHECK(placed("http://agent.test/rpc", "https://agent.test") == "https://agent.test/rpc");
  CHECK(placed("http://agent.test:8080/rpc", "http://agent.test") == "http://agent.test/rpc");
  // Names that only the proxy knows; the proxy's own path stays before the agent's.
  CHECK(placed("http://10.0.0.5:9000/rpc", base) == "http://agent.test/base/rpc");
  CHECK(placed("http://10.0.0.5:9000/base/rpc", base) == "http://agent.test/base/rpc");
  CHECK(placed("http://10.0.0.5:9000/basement", base) == "http://agent.test/base/basement");
  CHECK(placed("http://10.0.0.5:9000", base) == "http://agent.test/base/");
  CHECK(placed("http://169.254.169.254/latest/meta-data", "http://a:1") ==
        "http://a:1/latest/meta-data");
  CHECK(placed("http://me:secret@elsewhere.test/rpc", base) == "http://agent.test/base/rpc");
  CHECK(placed("http://agent.test@elsewhere.test/rpc", base) == "http://agent.test/base/rpc");
  CHECK(placed("ws://agent.test/rpc", base).empty());
  CHECK(placed("rpc", base).empty());
  CHECK(placed("http:///rpc", base).empty());
  CHECK(placed("http://agent.test/a b", base).empty());
  CHECK(placed("http://agent.test/\r\nHost: x", base).empty());
  CHECK(placed("http://agent.test/" + std::string(2048, 'a'), base).empty());
  CHECK(placed("http://agent.test/rpc", "ws://agent.test") == "http://agent.test/rpc");
}

TEST_CASE("a2a: what a chat remembers comes back, and what cannot be read is none") {
  pb::a2a::chat_memory m;
  m.base = base;
  m.at = pb::a2a::endpoint{"http://agent.test/rpc", dialect::v0_3, true, "blue"};
  m.context = "c";
  m.turn = "turn";
  m.task = "t";
  m.decisions = 3;
  m.shown.texts["a"] = {5, pb::a2a::hash_of("hello")};
  m.shown.files = {1, 18'446'744'073'709'551'615U};
  CHECK(pb::a2a::read_memory(pb::a2a::to_text(m)) == m);
  const pb::a2a::chat_memory none;
  CHECK(pb::a2a::read_memory(pb::a2a::to_text(none)) == none);
  for (const std::string bad :
       {"", "no", "[]", "{}", R"({"v":2,"context":"c"})", "{\"v\":1", "\xFF"})
    CHECK(pb::a2a::read_memory(bad) == none);
  CHECK(pb::a2a::read_memory(R"({"v":1,"context":5,"at":{"url":7},"decisions":-1})") == none);
  CHECK(pb::a2a::read_memory(
            R"({"v":1,"shown":{"texts":{"a":[1],"b":[-1,"2"],"c":[1,2]},"files":["x",3]}})") ==
        none);
  const auto whole = pb::a2a::to_text(m);
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK(pb::a2a::read_memory(whole.substr(0, n)) == none);
}
