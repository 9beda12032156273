#include "actors/crash_point.hpp"
#include "actors/supervisor.hpp"
#include "bridges/net/io.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/data_dir.hpp"
#include "cli/embedded.hpp"
#include "cli/registry_keeper.hpp"
#include "cli/version.hpp"
#include "cli/wall_clock.hpp"
#include "persistence/sqlite/open.hpp"

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <malloc.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace pb::cli {
namespace {

using namespace std::chrono_literals;

struct router_config : caf::actor_system_config {
  router_config() {
    add_message_types<caf::id_block::patchbay>();
    // Ours, never read from a stray file: one thread is fastest on few cores, and a busy actor
    // gives way after 50 messages.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1U);
    set("scheduler.max-throughput", 50U);
  }
};

int exit_code_of(const fault& f) {
  switch (f.code) {
  case fault_code::configuration:
  case fault_code::newer_schema:
  case fault_code::foreign_file:
    return configuration;
  case fault_code::bug:
    return bug;
  default:
    return unavailable;
  }
}

int give_up(const fault& f) {
  complain(f.sentence.empty() ? f.cause : f.sentence);
  return exit_code_of(f);
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    complain("cannot stay on CPU " + std::to_string(cpu));
}

/// What the actors tell the main thread.
class happenings {
public:
  void ready(const session_ref& who) {
    std::lock_guard lock{m_};
    ready_ = who;
    changed_.notify_one();
  }
  void end(int code, std::string sentence) {
    std::lock_guard lock{m_};
    end_ = {code, std::move(sentence)};
    changed_.notify_one();
  }
  /// Blocks until the end; `on_ready` runs here, once, when the router serves.
  std::pair<int, std::string> wait(const std::function<void(const session_ref&)>& on_ready) {
    std::unique_lock lock{m_};
    for (bool told = false;;) {
      changed_.wait(lock, [&] { return end_ || (ready_ && !told); });
      if (end_)
        return *end_;
      told = true;
      on_ready(*ready_);
    }
  }

private:
  std::mutex m_;
  std::condition_variable changed_;
  std::optional<session_ref> ready_;
  std::optional<std::pair<int, std::string>> end_;
};

/// Everything that runs, in the order in which it is taken down again (last member first).
struct router {
  explicit router(config::loaded c) : conf(std::move(c)) {}

  config::loaded conf;
  std::shared_ptr<logger> log;
  std::shared_ptr<metrics> numbers;
  std::shared_ptr<health_board> health = std::make_shared<health_board>();
  happenings news;
  std::shared_ptr<registry_keeper> registry_files;
  config::command_line given;
  std::optional<router_deps::reconcile_only> reconcile;

  int run(const data_dir& home);

private:
  /// The console, and the agents' own address where one is set.
  struct doors {
    std::shared_ptr<http_server> console, agents;
    void close();
  };
  doors open_doors(io_runtime& io, const supervisor_actor& boss, const embedded_world* world,
                   const data_dir& home, const std::string& token, std::string& link);
  void keep_registry(const supervisor_actor& boss, settings as_read, bool no_agents);
  void announce(const session_ref& who, const embedded_world* world, const std::string& console);
  void wait_for_actors(caf::actor_system& sys);
};

void router::announce(const session_ref& who, const embedded_world* world,
                      const std::string& console) {
  nlohmann::ordered_json ready{{"version", version},
                               {"console", console},
                               {"homeserver", conf.process.homeserver.url},
                               {"bot", who.user.value},
                               {"agents", nlohmann::json::array()}};
  for (const auto& [id, spec] : conf.agents.agents)
    ready["agents"].push_back(id.value);
  if (world) {
    ready["accounts"] = nlohmann::json::array();
    for (const auto& a : world->accounts())
      ready["accounts"].push_back({{"user_id", a.user}, {"password", a.password}});
    std::cerr << "\n  Open the console:  " << console << "\n"
              << "  Homeserver:        " << world->url() << "  (for development, loopback only)\n";
    for (const auto& a : world->accounts())
      std::cerr << "  Account:           " << a.user << "  password " << a.password << "\n";
    std::cerr << "  The bot:           " << who.user.value << "\n\n";
  }
  std::cout << "ready " << ready.dump() << std::endl;
}

void router::wait_for_actors(caf::actor_system& sys) {
  // ~actor_system waits for ever for an actor that does not end; a named culprit is better.
  for (int i = 0; i < 500 && sys.registry().running() > 0; ++i)
    std::this_thread::sleep_for(10ms);
  if (const auto left = sys.registry().running(); left > 0) {
    log->error("actors_left", {}, "actors do not end", {{"running", left}});
    std::cerr.flush();
    ::_exit(bug);
  }
}

void router::doors::close() {
  for (auto* door : {&console, &agents})
    if (*door) {
      (*door)->stop();
      door->reset();
    }
}

/// What cannot listen is not there, and ends the router.
router::doors router::open_doors(io_runtime& io, const supervisor_actor& boss,
                                 const embedded_world* world, const data_dir& home,
                                 const std::string& token, std::string& link) {
  const auto refused = [&](const char* what, const char* key, const address& at, const fault& f) {
    caf::anon_send(
        boss, router_failed{exit_code_of(f), std::string(what) + " cannot listen on " + at.host +
                                                 ":" + std::to_string(at.port) + " (" + f.cause +
                                                 "); free the port or set " + key});
    return doors{};
  };
  console_wiring wiring;
  wiring.health = health;
  wiring.numbers = numbers;
  wiring.supervisor = boss;
  wiring.token = token;
  wiring.listen = conf.process.admin.listen.host;
  wiring.registry = registry_files;
  wiring.clock = &io.clock();
  wiring.net = &io.counters();
  nlohmann::json console{{"homeserver", nullptr},
                         {"bot", conf.process.homeserver.user.value},
                         {"accounts", nlohmann::json::array()}};
  if (world) {
    console["homeserver"] = world->url();
    for (const auto& a : world->accounts())
      console["accounts"].push_back({{"user_id", a.user}, {"password", a.password}});
  }
  wiring.console_json = console.dump();
  server_options where;
  where.address = conf.process.admin.listen.host;
  where.port = conf.process.admin.listen.port;
  auto admin = conf.process.admin.listen_given ? make_http_server(io, where, make_console(wiring))
                                               : serve_near(io, where, make_console(wiring));
  if (!admin)
    return refused("the console", "admin.listen", conf.process.admin.listen, admin.error());
  doors open;
  open.console = std::move(*admin);
  if (const auto& at = conf.process.agents_api) {
    server_options theirs;
    theirs.address = at->host;
    theirs.port = at->port;
    theirs.max_connections = 256;
    wiring.listen = at->host;
    auto agents = make_http_server(io, theirs, make_agents_api(wiring));
    if (!agents)
      return refused("the address of agents' events", "agents_api.listen", *at, agents.error());
    open.agents = std::move(*agents);
    log->info("agents_api_listens", {}, "agents may post their events here",
              {{"address", at->host}, {"port", open.agents->port()}});
  }
  const auto host =
      where.address.find(':') == std::string::npos ? where.address : "[" + where.address + "]";
  const auto address = host + ":" + std::to_string(open.console->port());
  link = "http://" + address + "/#token=" + token;
  if (!home.note("admin.address", address)) // other commands find the running router by it
    log->warning("admin_address_not_written", {}, "the file admin.address cannot be written", {});
  return open;
}

/// The supervisor is held weakly: who watches files never keeps the router alive.
void router::keep_registry(const supervisor_actor& boss, settings as_read, bool no_agents) {
  registry_keeper::wiring w;
  w.given = given;
  w.in_force = conf.agents;
  if (as_read.homeserver.embedded && no_agents) // the demonstration agent was put in their place
    w.fallback = conf.agents;
  w.process = std::move(as_read);
  w.log = log;
  w.numbers = numbers;
  w.wall = wall_now;
  w.apply = [weak = caf::actor_cast<caf::weak_actor_ptr>(boss)](registry now,
                                                                std::function<void()> in_force) {
    apply_now m{std::move(now), std::make_shared<std::function<void()>>(std::move(in_force))};
    if (!*m.answer)
      m.answer = nullptr;
    if (auto strong = weak.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(m));
    else if (m.answer)
      (*m.answer)();
  };
  registry_files = std::make_shared<registry_keeper>(std::move(w));
}

int router::run(const data_dir& home) {
  const auto as_read = conf.process;
  const bool no_agents = conf.agents.agents.empty();
  io_runtime io;
  std::unique_ptr<embedded_world> world;
  if (conf.process.homeserver.embedded) {
    auto started = embedded_world::start(io, home, conf.process, conf.agents);
    if (!started)
      return give_up(started.error());
    world = std::move(*started);
    std::cerr << world->banner() << '\n';
  }
  store_options disk_options;
  disk_options.path =
      conf.process.storage.path.empty() ? home.path() + "/patchbay.db" : conf.process.storage.path;
  disk_options.synchronous = conf.process.storage.synchronous;
  auto disk = open_store(disk_options);
  if (!disk)
    return give_up(disk.error());
  if ((*disk)->was_restored())
    log->warning("database_restored", {},
                 "this database is a backup that was brought back: what happened since is history, "
                 "and nothing that waits is sent before its room was read");
  std::string token;
  if (conf.process.admin.token) {
    token = conf.process.admin.token->show();
  } else {
    auto made = home.secret_file("admin.token");
    if (!made)
      return give_up(made.error());
    token = *made;
  }

  std::shared_ptr<http_client> http = make_http_client(io);
  std::shared_ptr<dialer> dial = make_dialer(io);
  int code = 0;
  {
    router_config caf_config;
    caf::actor_system sys{caf_config};
    router_deps deps;
    deps.around = {log, numbers, wall_now, std::random_device{}()};
#ifdef __GLIBC__
    deps.around.tidy = [] { ::malloc_trim(0); };
#endif
    deps.around.seed = (deps.around.seed << 32) ^ static_cast<std::uint64_t>(wall_now());
    deps.health = health;
    deps.disk = std::move(*disk);
    deps.http = http;
    deps.dial = dial;
    deps.process = conf.process;
    deps.agents = conf.agents;
    deps.version = version;
    deps.reconcile = reconcile;
    std::string console_link;
    deps.on_ready = [this](const session_ref& who) { news.ready(who); };
    deps.on_end = [this](int c, std::string sentence) { news.end(c, std::move(sentence)); };

    auto boss = sys.spawn(supervisor, std::move(deps));
    doors open;
    if (!reconcile) {
      keep_registry(boss, as_read, no_agents);
      open = open_doors(io, boss, world.get(), home, token, console_link);
    }
    auto weak = caf::actor_cast<caf::weak_actor_ptr>(boss);
    io.on_signals({SIGTERM, SIGINT, SIGHUP},
                  [weak, l = log, files = registry_files, count = 0](int signal) mutable {
                    if (signal == SIGHUP) {
                      if (files)
                        files->reload();
                      return;
                    }
                    if (++count > 1) {
                      l->warning("stopped_at_once", {}, "a second signal: stopping at once");
                      ::_exit(128 + signal);
                    }
                    if (auto strong = weak.lock())
                      caf::anon_send(caf::actor_cast<caf::actor>(strong), stop_router{});
                  });
    log->info("router_started", {}, "patchbay is starting",
              {{"version", version}, {"commit", commit}, {"agents", conf.agents.agents.size()}});
    boss = nullptr;
    const auto [end_code, sentence] =
        news.wait([&](const session_ref& who) { announce(who, world.get(), console_link); });
    code = end_code;
    if (!sentence.empty())
      complain(sentence);
    open.close();
    if (registry_files)
      registry_files->stop();
    wait_for_actors(sys);
  }
  if (world)
    world->stop();
  io.stop();
  return code;
}

} // namespace

int run(const run_options& options) {
#ifdef __GLIBC__
  // An arena for each thread would keep free what another one needs: with 10,000 rooms a sixth of
  // our memory, for no time that could be measured (scripts/bench --scenario agents).
  ::mallopt(M_ARENA_MAX, 2);
#endif
  ::umask(077);
  config::loaded conf;
  if (!load_configuration(options.config, conf))
    return configuration;
  if (const char* at = std::getenv("PATCHBAY_CRASH_AT"); at && *at) {
    if (!arm_crash(at)) {
      complain("PATCHBAY_CRASH_AT=" + std::string{at} +
               ": no such point; write POINT or POINT:N, " + "where POINT is one of " +
               std::string{crash_point_names()});
      return usage;
    }
    complain("PATCHBAY_CRASH_AT is set: this process kills itself at " + std::string{at});
  }
  if (options.pin)
    pin_to(*options.pin);
  auto home = data_dir::open(conf.process.data_dir);
  if (!home)
    return give_up(home.error());
  router all{std::move(conf)};
  all.given = options.config;
  all.log = make_logger(all.conf.process.log.format, all.conf.process.log.level);
  all.numbers = std::make_shared<metrics>();
  return all.run(*home);
}

int run_reconcile_only(config::loaded conf, bool dry_run,
                       const std::function<void(const std::string&)>& report) {
  ::umask(077);
  auto home = data_dir::open(conf.process.data_dir);
  if (!home)
    return give_up(home.error());
  router all{std::move(conf)};
  all.log = make_logger(all.conf.process.log.format, log_level::warning);
  all.numbers = std::make_shared<metrics>();
  all.reconcile = router_deps::reconcile_only{dry_run, report};
  return all.run(*home);
}

} // namespace pb::cli
