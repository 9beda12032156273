#include "cli/embedded.hpp"

#include "bridges/agent/demo/demo_agent.hpp"
#include "bridges/matrix/homeserver/file_journal.hpp"
#include "bridges/matrix/homeserver/homeserver.hpp"
#include "cli/wall_clock.hpp"

#include <filesystem>

namespace pb::cli {

namespace {

constexpr std::uint16_t homeserver_port = 8008;
constexpr const char* bot = "patchbay";
constexpr const char* person = "alice";

} // namespace

result<std::unique_ptr<http_server>> serve_near(io_runtime& io, server_options wish,
                                                http_handler handler, ws_handler links) {
  auto made = make_http_server(io, wish, handler, links);
  if (made || made.error().code != fault_code::conflict || wish.port == 0)
    return made;
  wish.port = 0;
  return make_http_server(io, std::move(wish), std::move(handler), std::move(links));
}

result<std::unique_ptr<embedded_world>> embedded_world::start(io_runtime& io, const data_dir& home,
                                                              settings& process, registry& agents) {
  std::unique_ptr<embedded_world> all{new embedded_world};
  auto keep = open_file_journal(home.path() + "/homeserver");
  if (!keep)
    return tl::unexpected(keep.error());
  const auto password = home.secret_file("embedded.password");
  if (!password)
    return tl::unexpected(password.error());
  homeserver_options options;
  options.now = wall_now;
  options.keep = std::move(*keep);
  options.max_media_bytes = std::size_t{2} << 30; // on disk
  const auto largest = options.max_upload_bytes;
  all->server_ = std::make_unique<homeserver>(std::move(options), io.clock());
  const auto ours = all->server_->log_in(bot, *password, process.homeserver.device.value);
  const auto theirs = all->server_->log_in(person, password->substr(0, 16), "FIRST");
  if (!ours || !theirs)
    return tl::unexpected(ours ? theirs.error() : ours.error());
  server_options where;
  where.port = homeserver_port;
  where.body_limit =
      largest + (std::size_t{1} << 20); // a little more is refused in Matrix's own words
  where.read_timeout = std::chrono::minutes(2);
  auto http = serve_near(io, where, all->server_->handler());
  if (!http)
    return tl::unexpected(http.error());
  all->http_ = std::move(*http);
  all->url_ = "http://127.0.0.1:" + std::to_string(all->http_->port());
  all->accounts_.push_back({theirs->user_id, password->substr(0, 16)});
  process.homeserver.embedded = true;
  process.homeserver.url = all->url_;
  process.homeserver.user = user_id{ours->user_id};
  process.homeserver.access_token = secret{ours->access_token};

  if (agents.agents.empty()) {
    // Incoming files land here, and the agent's own ones leave from here.
    std::error_code failed;
    const auto workspace = std::filesystem::absolute(home.path() + "/workspace", failed).string();
    std::filesystem::create_directories(workspace, failed);
    if (failed)
      return fail(fault_code::storage, workspace + ": " + failed.message(),
                  "the folder " + workspace + " cannot be made (" + failed.message() +
                      "); make data_dir writable");
    server_options agent_at;
    auto agent = make_http_server(
        io, agent_at,
        [](server_request, std::shared_ptr<http_reply> reply) {
          reply->send({404, {}, "this is the demonstration agent: it speaks WebSocket\n"});
        },
        make_demo_agent(io.clock(), wall_now, {.workspace = workspace}));
    if (!agent)
      return tl::unexpected(agent.error());
    all->agent_ = std::move(*agent);
    agent_spec demo;
    demo.id = agent_id{"demo"};
    demo.label = "Demo";
    demo.base_url = "http://127.0.0.1:" + std::to_string(all->agent_->port());
    demo.workspace = workspace;
    demo.connection = connection_mode::chat; // it also speaks up by itself
    agents.default_agent = demo.id;
    agents.agents.emplace(demo.id, std::move(demo));
  }
  return all;
}

embedded_world::~embedded_world() = default;

std::string embedded_world::banner() const { return homeserver_banner(http_->port()); }

void embedded_world::stop() {
  if (agent_)
    agent_->stop();
  http_->stop();
}

} // namespace pb::cli
