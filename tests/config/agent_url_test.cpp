#include "messages/values/agent_url.hpp"

#include <catch2/catch.hpp>

using namespace pb;

namespace {

std::string joined(const std::string& base, const std::string& path) {
  agent_spec agent;
  agent.base_url = base;
  agent.path = path;
  return agent_url(agent, platform_chat_id{42});
}

} // namespace

TEST_CASE("an agent's address has exactly one slash between base and path") {
  for (const auto* base :
       {"http://h:7000/agent_1", "http://h:7000/agent_1/", "http://h:7000/agent_1//"})
    for (const auto* path :
         {"/v1/agent_ws/{chat_id}/", "v1/agent_ws/{chat_id}/", "//v1/agent_ws/{chat_id}/"})
      CHECK(joined(base, path) == "ws://h:7000/agent_1/v1/agent_ws/42/");
}

TEST_CASE("http becomes ws, https becomes wss, ws and wss stay") {
  CHECK(joined("http://h", "/{chat_id}") == "ws://h/42");
  CHECK(joined("https://h", "/{chat_id}") == "wss://h/42");
  CHECK(joined("ws://h", "/{chat_id}") == "ws://h/42");
  CHECK(joined("wss://h", "/{chat_id}") == "wss://h/42");
}

TEST_CASE("the chat's number may stand anywhere, also in a query and more than once") {
  CHECK(joined("http://h", "/ws?chat={chat_id}&again={chat_id}") == "ws://h/ws?chat=42&again=42");
  CHECK(joined("http://h", "?chat={chat_id}") == "ws://h/?chat=42");
  CHECK(joined("http://h", "/{chat_id}{chat_id}") == "ws://h/4242");
}
