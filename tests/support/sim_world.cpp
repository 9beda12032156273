#include "tests/support/sim_world.hpp"

#include "tests/support/body_files.hpp"

#include <stdexcept>

namespace pb::test {

using namespace std::chrono_literals;

namespace {

http_result lost_exchange(http_error error, const char* cause, bool sent) {
  http_failure f;
  f.error = error;
  f.cause = cause;
  f.sent = sent;
  return http_result{tl::unexpect, std::move(f)};
}

} // namespace

// -- sim_http
// -----------------------------------------------------------------------------------------

struct sim_http::flight {
  http_request request;
  http_done done;
  bool over = false;
  bool undead = false;
  std::function<void()> gone; ///< the server wants to know that we went away

  void finish(http_result r) {
    if (std::exchange(over, true))
      return;
    done(delivered(request, std::move(r)));
  }
};

namespace {

class sim_reply final : public http_reply {
public:
  sim_reply(std::function<void(http_result)> answer,
            std::function<void(std::function<void()>)> gone)
      : answer_(std::move(answer)), gone_(std::move(gone)) {}
  ~sim_reply() override {
    if (!said_)
      answer_(streamed_ ? lost_exchange(http_error::closed, "cut", true)
                        : http_result{http_response{500, {}, "dropped"}});
  }
  void send(http_response r) override {
    if (!std::exchange(said_, true))
      answer_(std::move(r));
  }
  void stream(http_response) override { streamed_ = true; }
  bool chunk(std::string) override { return true; }
  void end() override {}
  void on_gone(std::function<void()> gone) override { gone_(std::move(gone)); }

private:
  std::function<void(http_result)> answer_;
  std::function<void(std::function<void()>)> gone_;
  bool said_ = false, streamed_ = false;
};

server_request as_served(const http_request& r) {
  server_request s;
  s.method = r.method;
  const auto q = r.target.find('?');
  s.path = r.target.substr(0, q);
  s.query = q == std::string::npos ? "" : r.target.substr(q + 1);
  s.headers = r.headers;
  s.body = body_of(r);
  s.peer = "127.0.0.1";
  return s;
}

} // namespace

sim_http::sim_http(virtual_timers& clock, homeserver& server, std::uint64_t seed)
    : clock_(clock), server_(server), luck_(seed ^ 0x5eed) {}

std::chrono::milliseconds sim_http::delay() {
  return std::chrono::milliseconds(static_cast<std::int64_t>(luck_() % 5));
}

http_ticket sim_http::send(http_request request, http_done done) {
  const auto ticket = ++last_;
  if (dead)
    return ticket;
  auto f = std::make_shared<flight>();
  flights_[ticket] = f;
  const auto chance = [this](double p) {
    return p > 0 && static_cast<double>(luck_() % 1'000'000) < p * 1'000'000;
  };
  http_fate how;
  if (fate) {
    how = fate(request);
  } else {
    how.lost = chance(lose_request);
    how.cut = chance(lose_answer);
  }
  if (seen.size() < 10'000) {
    seen.push_back(request);
    seen.back().from = seen.back().into = nullptr; // else the files stay open
  }
  f->request = std::move(request);
  f->undead = how.undead;
  f->done = std::move(done);
  if (told)
    f->done = [this, weak = std::weak_ptr<flight>(f), next = std::move(f->done)](http_result r) {
      if (const auto one = weak.lock())
        told(one->request, r);
      next(std::move(r));
    };
  clock_.after(f->request.timeout, [weak = std::weak_ptr<flight>(f), this, ticket] {
    const auto late = weak.lock(); // weak: it may hold files, and not until its last deadline
    if (!late)
      return;
    late->finish(lost_exchange(http_error::timeout, "no answer in time", true));
    if (late->gone)
      std::exchange(late->gone, {})();
    flights_.erase(ticket);
  });
  clock_.after(delay() + how.there, [this, f, ticket, how] { reach(f, ticket, how); });
  return ticket;
}

/// The request is at the server's door.
void sim_http::reach(const std::shared_ptr<flight>& f, http_ticket ticket, const http_fate& how) {
  if (f->over) {
    if (f->undead && !down && !how.lost && !how.instead)
      server_.handle(as_served(f->request),
                     std::make_shared<sim_reply>([](http_result) {}, [](std::function<void()>) {}));
    return;
  }
  if (down || how.lost) {
    f->finish(lost_exchange(http_error::connect, "connection refused", false));
    flights_.erase(ticket);
    return;
  }
  if (how.instead) {
    clock_.after(delay() + how.back, [this, f, ticket, got = *how.instead] {
      f->finish(got);
      flights_.erase(ticket);
    });
    return;
  }
  auto answer = [this, here = std::weak_ptr<bool>(here_), f, ticket, how](http_result got) {
    if (here.expired())
      return; // the server's last answers, on its own way out
    if (got && served)
      served(f->request, *got);
    if (got && how.after)
      got = *how.after;
    if (got && how.keep_bytes)
      got->body.resize(std::min(got->body.size(), *how.keep_bytes));
    clock_.after(delay() + how.back,
                 [this, f, ticket, cut = how.cut, got = std::move(got)]() mutable {
                   if (cut)
                     f->finish(lost_exchange(http_error::closed, "connection reset", true));
                   else
                     f->finish(std::move(got));
                   flights_.erase(ticket);
                 });
  };
  if (how.twice)
    server_.handle(as_served(f->request),
                   std::make_shared<sim_reply>([](http_result) {}, [](std::function<void()>) {}));
  server_.handle(as_served(f->request),
                 std::make_shared<sim_reply>(
                     answer, [f](std::function<void()> gone) { f->gone = std::move(gone); }));
}

void sim_http::forget_all() {
  for (auto& [ticket, f] : flights_) {
    f->over = true;
    if (f->gone)
      clock_.after(0ms, std::exchange(f->gone, {}));
  }
  flights_.clear();
}

void sim_http::cancel(http_ticket ticket) {
  const auto i = flights_.find(ticket);
  if (i == flights_.end())
    return;
  auto f = i->second;
  flights_.erase(i);
  clock_.after(0ms, [f] {
    if (f->gone)
      std::exchange(f->gone, {})();
    f->finish(lost_exchange(http_error::cancelled, "cancelled", true));
  });
}

// -- sim_world
// ----------------------------------------------------------------------------------------

namespace {

homeserver_options server_options_of(const sim_options& o, std::function<unix_ms()> now) {
  homeserver_options h;
  h.now = std::move(now);
  h.seed = o.seed + 1;
  h.allow_faults = true;
  h.limits = o.limits;
  return h;
}

std::string percent(const std::string& s) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[u >> 4]);
      out.push_back(digits[u & 15]);
    }
  }
  return out;
}

} // namespace

sim_world::sim_world(sim_options o)
    : options(std::move(o)), server(server_options_of(options, [this] { return wall(); }), clock),
      agent(clock, scripted::echo()), dial(clock, agent, options.seed) {
  http = std::make_shared<sim_http>(clock, server, options.seed);
  store_options where;
  where.path = ":memory:";
  where.now = [this] { return wall(); };
  where.max_pages = options.max_pages;
  auto opened = open_store(where);
  if (!opened)
    throw std::runtime_error(opened.error().cause);
  disk = std::move(*opened);
  const auto bot = server.log_in("bot", "secret", "BOT");
  process.homeserver.url = "http://localhost:8008";
  process.homeserver.user = user_id{bot->user_id};
  process.homeserver.access_token = secret{bot->access_token};
  process.access.invites = options.invites;
  process.rooms.queue_limit = options.queue_limit;
  process.rooms.max_message_bytes = options.max_message_bytes;
  agent_spec spec = options.agent.value_or(agent_spec{});
  if (spec.id.empty()) {
    spec.id = agent_id{"echo"};
    spec.label = "Echo";
    spec.base_url = "http://127.0.0.1:7000/agent_1";
  }
  agents.default_agent = spec.id;
  agents.agents.emplace(spec.id, spec);
}

sim_world::~sim_world() { crash(); }

void sim_world::start() {
  system_ = std::make_unique<deterministic>(options.seed);
  system_began_ = system_->sched.clock().now();
  system_offset_ = clock.now();
  numbers_ = std::make_shared<metrics>();
  router_deps deps;
  deps.around = {log, numbers_, [this] { return wall(); }, options.seed + steps};
  deps.health = health;
  life_ = std::make_shared<mortal_store>(around_disk ? around_disk(disk) : disk);
  deps.disk = life_;
  deps.http = around_http ? around_http(http) : http;
  deps.dial = std::shared_ptr<dialer>(&dial, [](dialer*) {});
  if (around_dial)
    deps.dial = around_dial(deps.dial);
  deps.process = process;
  deps.agents = agents;
  deps.own_thread_for_store = false;
  deps.rest = options.rest;
  deps.on_ready = [this](const session_ref&) { ready = true; };
  deps.on_end = [this](int code, std::string why) { ended = {code, std::move(why)}; };
  ready = false;
  ended.reset();
  boss_ = system_->spawn(supervisor, std::move(deps));
}

void sim_world::crash() {
  if (!system_)
    return;
  // The dead are deaf and dumb: what the actors still do on their way out reaches nobody.
  life_->die();
  http->forget_all();
  http->dead = true;
  dial.break_all();
  caf::anon_send_exit(boss_, caf::exit_reason::user_shutdown);
  boss_ = nullptr;
  system_->run();
  system_.reset();
  http->dead = false;
  dial.break_all();
}

std::optional<int> sim_world::stop() {
  caf::anon_send(boss_, stop_router{});
  if (!run_until([this] { return ended.has_value(); }, 1min))
    return std::nullopt;
  return ended->first;
}

bool sim_world::advance_to_next(std::chrono::milliseconds until) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  std::optional<milliseconds> next = clock.next_due();
  if (system_ && !system_->sched.clock().schedule().empty()) {
    const auto due = system_->sched.clock().schedule().begin()->first - system_began_;
    const auto at = system_offset_ + std::chrono::ceil<milliseconds>(due);
    if (!next || at < *next)
      next = at;
  }
  const auto to = std::max(clock.now(), std::min(next.value_or(until), until));
  const bool more = next && *next <= until;
  if (system_) {
    const auto target = system_began_ + (to - system_offset_);
    const auto by = target - system_->sched.clock().now();
    if (by.count() > 0 || more)
      system_->sched.advance_time(std::max(by, decltype(by)::zero()));
  }
  clock.advance(to - clock.now());
  return more;
}

void sim_world::run_for(std::chrono::milliseconds time) {
  run_until([] { return false; }, time);
}

bool sim_world::run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto until = clock.now() + limit;
  for (;;) {
    while (system_ && steps < last_step_ && system_->step())
      ++steps;
    if (done() || steps >= last_step_)
      return true;
    if (!advance_to_next(until) && !(system_ && !system_->sched.jobs.empty()))
      return done();
  }
}

void sim_world::run_steps(std::uint64_t count, std::chrono::milliseconds limit) {
  last_step_ = steps + count;
  run_until([] { return false; }, limit);
  last_step_ = std::numeric_limits<std::uint64_t>::max();
}

void sim_world::person(const std::string& localpart) {
  const auto login = server.log_in(localpart, "secret-" + localpart, "PHONE");
  tokens_[localpart] = login->access_token;
}

json sim_world::call(const std::string& who, const std::string& method, const std::string& path,
                     const json& body) {
  server_request r;
  r.method = method;
  const auto q = path.find('?');
  r.path = "/_matrix/client/v3" + path.substr(0, q);
  r.query = q == std::string::npos ? "" : path.substr(q + 1);
  r.headers = {{"Authorization", "Bearer " + tokens_.at(who)}};
  r.body = method == "GET" ? "" : body.dump();
  std::optional<http_result> got;
  server.handle(r, std::make_shared<sim_reply>([&](http_result x) { got = std::move(x); },
                                               [](std::function<void()>) {}));
  if (!got || !*got || (*got)->status != 200)
    throw std::runtime_error(
        method + " " + path + ": " +
        (got && *got ? std::to_string((*got)->status) + " " + (*got)->body : "no answer"));
  return json::parse((*got)->body);
}

std::string sim_world::invite_bot(const std::string& who) {
  const auto made = call(who, "POST", "/createRoom",
                         {{"preset", "trusted_private_chat"},
                          {"is_direct", true},
                          {"invite", {process.homeserver.user.value}}});
  return made.at("room_id");
}

void sim_world::accept_invitations(const std::string& who) {
  const auto user = "@" + who + ":localhost";
  for (const auto& room : server.rooms())
    for (const auto& member : server.members(room, "invite"))
      if (member == user)
        call(who, "POST", "/join/" + percent(room));
}

std::vector<std::string> sim_world::joined(const std::string& who) {
  return call(who, "GET", "/joined_rooms").at("joined_rooms");
}

std::string sim_world::onboard(const std::string& who) {
  person(who);
  const auto lobby = invite_bot(who);
  std::string chat;
  run_until([&] {
    accept_invitations(who);
    for (const auto& room : joined(who))
      for (const auto& e : server.events(room))
        if (e.at("type") == "io.patchbay.chat")
          chat = room;
    return !chat.empty() && !answers(lobby).empty();
  });
  if (chat.empty())
    throw std::runtime_error("no chat was made for " + who);
  return chat;
}

std::string sim_world::upload(const std::string& who, const std::string& bytes) {
  server_request r;
  r.method = "POST";
  r.path = "/_matrix/media/v3/upload";
  r.headers = {{"Authorization", "Bearer " + tokens_.at(who)}, {"Content-Type", "text/plain"}};
  r.body = bytes;
  std::optional<http_result> got;
  server.handle(r, std::make_shared<sim_reply>([&](http_result x) { got = std::move(x); },
                                               [](std::function<void()>) {}));
  if (!got || !*got || (*got)->status != 200)
    throw std::runtime_error("the upload was refused");
  return json::parse((*got)->body).at("content_uri");
}

} // namespace pb::test
