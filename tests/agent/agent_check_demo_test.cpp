// `patchbay agent check` over real sockets: the demonstration agent keeps the rules.

#include "bridges/agent/demo/demo_agent.hpp"
#include "bridges/net/io.hpp"
#include "tests/agent/check_world.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>

using namespace pb;
using namespace pb::agent_check;

TEST_CASE("over sockets the demonstration agent passes every case, questions and files included") {
  std::string folder = (std::filesystem::temp_directory_path() / "patchbay-demo-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  {
    io_runtime io;
    auto server = make_http_server(
        io, {},
        [](server_request, std::shared_ptr<http_reply> reply) {
          reply->send({404, {}, {}});
        },
        make_demo_agent(io.clock(), [] { return unix_ms{0}; }, {.workspace = folder}));
    REQUIRE(server);
    const auto net = make_dialer(io);
    options asked;
    asked.agent.id = agent_id{"demo"};
    asked.agent.base_url = "http://127.0.0.1:" + std::to_string((*server)->port());
    asked.agent.workspace = asked.workspace = folder;
    asked.chat = 10;
    asked.nonce = "1a";
    asked.ask = "confirm";
    asked.task = "count to 400";
    const auto all = run({*net,
                          [] {
                            return std::chrono::duration_cast<milliseconds>(
                                std::chrono::steady_clock::now().time_since_epoch());
                          },
                          [](mailbox& box, milliseconds most) { box.wait(most); }},
                         asked);
    for (const auto& r : all.results) {
      INFO(r.what.name << ": " << r.found.why);
      CHECK(r.found.is != verdict::failed);
    }
    CHECK(all.passed());
    CHECK(names(all, verdict::skipped) == std::vector<std::string>{"sent_files"});
    server->reset();
    io.stop(500ms);
  }
  std::filesystem::remove_all(folder);
}
