#include "tests/simulate/story.hpp"

#include "tests/simulate/oracle.hpp"

#include <algorithm>

namespace pb::simulate {

using namespace std::chrono_literals;

namespace {

weather weather_of(std::uint64_t seed, const run_options& how) {
  auto sky = weather::drawn(seed);
  for (const auto& name : how.without)
    sky.switch_off(name);
  return sky;
}

test::sim_options options_of(std::uint64_t seed, const weather& sky) {
  test::sim_options o;
  o.seed = seed;
  o.queue_limit = sky.queue_limit;
  o.max_message_bytes = 2'000;
  if (sky.restless > 0)
    o.rest = {2s, 1, 0ms, 300ms};
  return o;
}

/// The router's warnings, as lines of the trace. They explain a failure; the oracle never reads
/// them.
class trace_logger final : public memory_logger {
public:
  trace_logger(chronicle& book, const virtual_timers& clock)
      : memory_logger(log_level::warning), book_(book), clock_(clock) {}
  void write(log_level level, std::string_view event, const trace&, std::string_view text,
             log_fields fields = {}) override {
    std::string room;
    for (const auto& f : fields)
      if (f.key == "room")
        room = f.value;
    if (level >= log_level::warning)
      book_.note(clock_.now(), room,
                 "  log: " + std::string{event} + ": " + std::string{text.substr(0, 160)});
  }

private:
  chronicle& book_;
  const virtual_timers& clock_;
};

/// The protocol of a seed's agents; half of the seeds stay with our own, whose agents say the most.
const scripted::tongue& tongue_of(std::uint64_t seed) {
  dice d(seed, 6);
  const auto& all = scripted::tongues();
  const auto& drawn =
      all[static_cast<std::size_t>(d.between(0, static_cast<std::int64_t>(all.size()) - 1))];
  // A child has no address by which the story could tell agents apart.
  return d.chance(0.5) || drawn.name == "acp of a child" ? all.front() : drawn;
}

agent_spec agent_named(const std::string& id, bool idempotent, const scripted::tongue& speaks) {
  agent_spec a;
  speaks.spell(a);
  a.connection = connection_mode::turn;
  a.path = agent_spec{}.path;
  a.id = agent_id{id};
  a.label = id;
  a.base_url = "http://127.0.0.1:7000/" + id;
  a.idempotent = idempotent;
  a.limits.connect = 5s;
  a.limits.first_event = 10s;
  a.limits.event_idle = 30s;
  a.limits.turn = 2min;
  a.limits.concurrent_turns = 3;
  return a;
}

} // namespace

story::story(std::uint64_t seed, const run_options& how)
    : seed_(seed), sky_(weather_of(seed, how)), book_(how.aloud), mood_{0, 0, false, dice(seed, 2)},
      acts_(seed, 3), net_(seed, 4), minds_(seed, 5), w_(options_of(seed, sky_)),
      speaks_(tongue_of(seed)), far_(speaks_.make(w_.clock, w_.agent)) {
  w_.agents.agents.clear();
  for (const auto& a :
       {agent_named("agent_1", true, speaks_), agent_named("agent_2", false, speaks_),
        agent_named("agent_3", false, speaks_)})
    w_.agents.agents.emplace(a.id, a);
  w_.agents.default_agent = agent_id{"agent_2"};
  w_.process.confirmation_ttl = std::chrono::seconds(40);
  w_.log = std::make_shared<trace_logger>(book_, w_.clock);
  wire_up(how.planted);
}

void story::wire_up(const plant* planted) {
  w_.around_disk = [this, planted](std::shared_ptr<store> real) -> std::shared_ptr<store> {
    std::shared_ptr<store> top = std::make_shared<witness_store>(std::move(real), book_);
    if (planted && planted->disk)
      top = planted->disk(top);
    return std::make_shared<moody_store>(top, mood_);
  };
  if (planted && planted->http)
    w_.around_http = [this, planted](std::shared_ptr<http_client> real) {
      return planted->http(std::move(real), w_.clock);
    };
  if (planted && planted->dial)
    w_.around_dial = planted->dial;
  w_.http->fate = [this](http_request& r) { return fate_of(r); };
  w_.http->served = [this](const http_request& r, const http_response& got) {
    book_.on_served(w_.clock.now(), r, got);
  };
  w_.http->told = [this](const http_request& r, const http_result& got) {
    book_.on_told(w_.clock.now(), r, got);
  };
  w_.dial.answered_by([this](scripted::far_end end) { return far_->accept(std::move(end)); });
  w_.dial.plan([this](const link_request& r) { return dial_plan_of(r); });
  w_.agent.use([this](const scripted::heard& h) { return answer_of(h); });
}

run_result story::tell() {
  static const char* const names[] = {"alice", "bob", "carol", "dave"};
  note({}, "agents speak " + std::string(speaks_.name) + ", weather: " + sky_.text());
  for (int i = 0; i < sky_.people; ++i) {
    people_.emplace_back(names[i]);
    w_.person(names[i]);
    w_.agents.users[user_id{"@" + people_.back() + ":localhost"}] = {
        agent_id{"agent_" + std::to_string(acts_.between(1, 3))}};
  }
  w_.person("mallory");
  w_.start();
  up_ = true;
  ++book_.starts;
  // The first position is fixed in peace: what is said before it is history.
  w_.run_until([this] { return w_.ready; });
  for (const auto& who : people_)
    if (acts_.chance(0.5)) {
      places_[w_.invite_bot(who)] = {false, true, who, false, false};
      live(20s);
      w_.accept_invitations(who);
    }
  stormy_ = true;
  mood_.full = sky_.disk_full;
  mood_.broken = sky_.commit_error;
  if (sky_.buckets) {
    rate_limits tight;
    tight.message = call_rate{1.0, 5};
    w_.server.set_limits(tight);
  }
  for (const auto& who : people_)
    if (rooms_of(who, true).empty() && std::none_of(places_.begin(), places_.end(), [&](auto& p) {
          return p.second.lobby && p.second.owner == who;
        })) {
      places_[w_.invite_bot(who)] = {false, true, who, false, false};
      live(acts_.long_tail(500));
    }
  for (int i = 0; i < sky_.acts && book_.violations.empty(); ++i)
    act();
  heal();
  run_result out;
  out.seed = seed_;
  if (book_.violations.empty()) {
    if (quiet_within(std::chrono::minutes(90))) {
      call_back();
      ask_last();
      (void)quiet_within(std::chrono::minutes(30));
    }
    live(30s);
    collect_asked();
    judge(w_, book_, people_);
  }
  out.violations = book_.violations;
  out.lines = book_.last_lines(out.violations.empty() ? "" : out.violations.front().room, 30);
  out.hash = book_.hash();
  out.steps = w_.steps;
  out.crashes = book_.crashes;
  out.messages = book_.all_said.size();
  out.turns = book_.all_asked.size();
  out.sky = std::string(speaks_.name) + ", " + sky_.text();
  return out;
}

/// Every USER_MESSAGE, also one that an agent did not answer.
void story::collect_asked() {
  for (const auto& h : w_.agent.user_messages()) {
    const auto chat = h.url.find("/v1/agent_ws/");
    book_.all_asked.push_back(
        {agent_of(h.url), h.frame.value("text", ""), h.frame.value("message_id", ""),
         chat == std::string::npos ? 0 : std::stoll(h.url.substr(chat + 13))});
  }
}

// -- acts --

void story::act() {
  for (const auto& who : people_)
    w_.accept_invitations(who);
  if (acts_.chance(sky_.outage))
    return outage();
  if (acts_.chance(sky_.kill))
    return kill();
  if (acts_.chance(sky_.stop))
    return stop();
  if (acts_.chance(sky_.expel))
    return expel();
  if (acts_.chance(0.1))
    call_back();
  if (acts_.chance(sky_.doubled_events)) {
    fault_rule f;
    f.path_regex = "/sync";
    f.duplicate_events = true;
    f.times = 2;
    w_.server.add_fault(f);
  }
  if (acts_.chance(sky_.says_limited)) {
    fault_rule f;
    f.path_regex = "/sync";
    f.force_limited = true;
    f.times = 2;
    w_.server.add_fault(f);
  }
  people_act();
  live(acts_.long_tail(400));
}

void story::outage() {
  note({}, "the homeserver is out of reach");
  w_.http->down = true;
  const auto parts = acts_.between(1, 5);
  for (std::int64_t i = 0; i < parts; ++i) {
    people_act();
    if (acts_.chance(sky_.kill))
      kill();
    live(acts_.long_tail(3'000));
  }
  w_.http->down = false;
  note({}, "the homeserver is back");
}

/// Kill -9: after so many messages of actors, or as soon as an admission waits for its COMMIT; now
/// and then again as soon as it lives.
void story::kill() {
  do {
    w_.run_steps(static_cast<std::uint64_t>(acts_.between(0, 300)), acts_.time(0, 4'000));
    if (acts_.chance(0.3)) {
      people_act();
      for (int i = 0; i < 300 && !book_.admission_open; ++i)
        w_.run_steps(1, 20ms);
    }
    die("kill -9");
    rise();
  } while (acts_.chance(0.3));
}

void story::stop() {
  note({}, "SIGTERM");
  const auto code = w_.stop();
  if (!code)
    book_.fail("E2 a stop ends within a minute", {}, "the router is still there");
  else if (*code != 0 && !mood_.broke)
    book_.fail("E2 a stop ends within a minute", {}, "exit code " + std::to_string(*code));
  die("stopped");
  rise();
}

void story::die(const char* how) {
  w_.crash();
  up_ = false;
  ++book_.crashes;
  book_.on_death();
  note({}, std::string{how} + ", step " + std::to_string(w_.steps));
  if (const auto cursor = w_.disk->cursor(); cursor && *cursor)
    book_.check_cursor(**cursor, "after: " + std::string{how});
}

void story::rise() {
  while (acts_.chance(0.4)) {
    if (acts_.chance(0.6))
      people_act();
    w_.run_for(acts_.long_tail(300));
  }
  if (acts_.chance(sky_.new_token)) {
    // Operators are no faster than packets: what the dead process sent has arrived by then. (If it
    // had not, nobody could know: its transaction ids do not count for the new token.)
    w_.run_for(std::chrono::minutes(2));
    const auto other = w_.server.log_in("bot", "secret", "NEW" + std::to_string(++last_device_));
    w_.process.homeserver.access_token = secret{other->access_token};
    note({}, "another token, another device");
  }
  note({}, "start");
  ++book_.starts;
  up_ = true;
  w_.start();
}

/// Time passes; a process that ends is started again, as a service manager does.
void story::live(std::chrono::milliseconds time) {
  if (!up_)
    return w_.run_for(time);
  const auto until = w_.clock.now() + time;
  while (w_.clock.now() < until) {
    if (!w_.run_until([this] { return w_.ended.has_value(); }, until - w_.clock.now()))
      break;
    if (!mood_.broke || w_.ended->first != 70)
      book_.fail("E1 the process ends only when the disk failed", {},
                 "exit " + std::to_string(w_.ended->first) + ": " + w_.ended->second);
    die("it ended itself");
    w_.run_for(100ms);
    note({}, "start");
    ++book_.starts;
    up_ = true;
    w_.start();
  }
}

/// The bot's account leaves a room, or is thrown out by who made it.
void story::expel() {
  const auto who = acts_.one_of(people_);
  const bool lobby = acts_.chance(0.5);
  const auto rooms = rooms_of(who, lobby);
  if (rooms.empty())
    return;
  const auto room = acts_.one_of(rooms);
  if (!ready(room))
    return;
  try {
    if (lobby) {
      w_.call(who, "POST", "/rooms/" + room + "/kick", {{"user_id", "@bot:localhost"}});
    } else {
      json levels;
      for (const auto& e : w_.server.events(room))
        if (e.at("type") == "m.room.power_levels")
          levels = e.at("content");
      levels["users"]["@" + who + ":localhost"] = 100; // so that they can invite it again
      if (!w_.server.send("@bot:localhost", room, "m.room.power_levels", levels, "") ||
          !w_.server.send("@bot:localhost", room, "m.room.member", {{"membership", "leave"}},
                          "@bot:localhost"))
        return;
    }
  } catch (const std::runtime_error&) {
    return;
  }
  places_[room].expelled = true;
  places_[room].ready = false;
  book_.rooms_left.insert(room);
  note(room, "the bot is out");
}

void story::call_back() {
  for (auto& [room, p] : places_)
    if (p.expelled)
      try {
        w_.call(p.owner, "POST", "/rooms/" + room + "/invite", {{"user_id", "@bot:localhost"}});
        p.expelled = false;
        note(room, p.owner + " invites the bot back");
      } catch (const std::runtime_error&) {
      }
  if (!stormy_)
    live(1min);
}

// -- the end --

void story::heal() {
  note({}, "everything heals");
  stormy_ = false;
  mood_.full = mood_.broken = 0;
  w_.server.clear_faults();
  w_.server.set_limits({});
  w_.http->down = false;
  live(1s);
}

bool story::quiet_within(std::chrono::minutes limit) {
  const auto until = w_.clock.now() + limit;
  std::string left;
  bool restarted = false;
  do {
    live(5s);
    for (const auto& who : people_)
      w_.accept_invitations(who);
    const auto counts = w_.disk->counts();
    const auto intents = w_.disk->intents();
    const auto invites = w_.disk->invites();
    if (!counts || !intents || !invites)
      break;
    left = std::to_string(counts->inbox_pending) + " in the inbox, " +
           std::to_string(counts->outbox_waiting) + " in the outbox, " +
           std::to_string(counts->turns_open) + " turns, " + std::to_string(intents->size()) +
           " creations, " + std::to_string(invites->size()) + " invitations";
    if (counts->inbox_pending + counts->outbox_waiting + counts->turns_open == 0 &&
        intents->empty() && invites->empty() && w_.ready) {
      live(2s); // a sync that is under way
      return true;
    }
    // That a row was sent may be forgotten on a full disk: the next process sends the same bytes
    // under the same transaction id, and marks it then.
    if (counts->inbox_pending + counts->turns_open == 0 && !restarted &&
        w_.clock.now() + limit - 10min > until) {
      restarted = true;
      die("started anew");
      up_ = true;
      ++book_.starts;
      w_.start();
    }
  } while (w_.clock.now() < until && book_.violations.empty());
  if (book_.violations.empty())
    book_.fail("L1 everything comes to rest after the faults", {},
               "still open after " + std::to_string(limit.count()) + " minutes: " + left +
                   (w_.ready ? "" : "; the router is not ready"));
  return false;
}

void story::ask_last() {
  for (const auto& who : people_)
    for (const auto& room : rooms_of(who, false)) {
      const auto before = book_.all_said.size();
      speak(who, room, wish::text);
      if (book_.all_said.size() > before)
        book_.all_said.back().owed = book_.all_said.back().last = true;
    }
}

run_result run_seed(std::uint64_t seed, const run_options& how) { return story(seed, how).tell(); }

} // namespace pb::simulate
