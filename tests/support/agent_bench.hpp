#pragma once
// One agent's connection actor alone with a scripted agent, in virtual time; and an agent directory
// in the same way.

#include "actors/agent/directory.hpp"
#include "actors/persistence.hpp"
#include "persistence/sqlite/open.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/scripted_agent.hpp"
#include "tests/support/store_wrapper.hpp"
#include "tests/support/virtual_timers.hpp"

namespace pb::test {

/// Takes the dispatched mark of turns whose rooms it does not know.
class marking_store final : public store_wrapper {
public:
  using store_wrapper::store_wrapper;
  result<void> dispatch(const turn_row& turn) override {
    marks.push_back(turn);
    return {};
  }
  std::vector<turn_row> marks;
};

/// What a room would hear.
struct heard_by_room {
  bool acks = true;
  caf::actor connection;
  std::vector<agent_batch> batches;
  std::vector<turn_over> overs;
  std::size_t slow = 0;
  std::vector<agent_pushed> pushed;
  bool hold_pushes = false; ///< until one with the event id "release" comes
  std::optional<fault> refuse_pushes;
  std::vector<caf::typed_response_promise<done>> held;

  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& b : batches)
      for (const auto& e : b.events)
        if (const auto* one = std::get_if<T>(&e))
          out.push_back(*one);
    return out;
  }
  std::string text() const {
    std::string out;
    for (const auto& c : all<agent_says::text_chunk>())
      out += c.text;
    return out;
  }
};

inline turn_sink::behavior_type listening_room(turn_sink::pointer self,
                                               std::shared_ptr<heard_by_room> r) {
  return {[self, r](const agent_batch& b) {
            r->batches.push_back(b);
            if (r->acks)
              self->send(caf::actor_cast<agent_connection_actor>(r->connection),
                         agent_ack{b.turn, b.seq});
          },
          [r](const turn_over& o) { r->overs.push_back(o); }, [r](const turn_slow&) { ++r->slow; }};
}

inline push_sink::behavior_type listening_pushes(push_sink::pointer self,
                                                 std::shared_ptr<heard_by_room> r) {
  return {[self, r](const agent_pushed& p) -> caf::result<done> {
    if (p.what.event_id == "release") {
      for (auto& promise : std::exchange(r->held, {}))
        promise.deliver(done{});
      return done{};
    }
    r->pushed.push_back(p);
    if (r->refuse_pushes)
      return to_error(*r->refuse_pushes);
    if (!r->hold_pushes)
      return done{};
    r->held.push_back(self->make_response_promise<done>());
    return r->held.back();
  }};
}

class agent_bench {
public:
  explicit agent_bench(agent_spec with = {}) : spec(std::move(with)) {
    if (spec.id.empty())
      spec.id = agent_id{"a"};
    if (spec.base_url.empty())
      spec.base_url = "http://127.0.0.1:7000";
    disk = std::make_shared<marking_store>(*open_store({.path = ":memory:"}));
    store_ = sys.spawn(persistence, around(), std::make_shared<health_board>(), disk,
                       std::chrono::milliseconds(std::chrono::hours(1)));
    room = sys.spawn(listening_room, heard);
    pushes = sys.spawn(listening_pushes, heard);
    began_ = sys.sched.clock().now();
  }
  ~agent_bench() {
    heard->connection = nullptr;
    heard->held.clear();
  }

  surroundings around() {
    return {log, numbers, [] { return unix_ms{1'790'000'000'000}; }, 1};
  }
  connection_deps deps() {
    return {around(), std::shared_ptr<dialer>(&net, [](dialer*) {}), store_, budget};
  }
  /// The connection actor; pushes are attached.
  void open() {
    connection = sys.spawn(agent_connection, spec, deps());
    heard->connection = caf::actor_cast<caf::actor>(connection);
    caf::anon_send(connection, attach_pushes{pushes});
  }
  /// A turn with this text, or with the answer to a confirmation.
  void ask(const std::string& id, const std::string& text, std::int64_t chat = 1,
           std::optional<turn_answer> answer = {}) {
    if (!connection)
      open();
    run_turn t;
    t.turn.id = turn_id{id};
    t.turn.agent = spec.id;
    t.turn.room = room_id{"!r" + std::to_string(chat)};
    t.turn.chat = {chat};
    t.turn.text = text;
    t.turn.answer = std::move(answer);
    t.inbox_seq = ++asked_;
    t.attempts = attempts;
    t.sink = room;
    tell(std::move(t));
  }
  template <class T>
  void tell(T message) {
    caf::anon_send(connection, std::move(message));
  }
  void answer(const std::string& turn, const std::string& name, bool yes) {
    tell(answer_confirm{turn_id{turn}, name, yes});
    run_for(std::chrono::milliseconds(20));
  }
  std::vector<turn_ending> endings() const {
    std::vector<turn_ending> out;
    for (const auto& o : heard->overs)
      out.push_back(o.ending);
    return out;
  }
  double number(const std::string& name) const {
    const auto text = numbers->text();
    const auto at = text.find("\n" + name + "{agent=\"" + spec.id.value + "\"} ");
    return at == std::string::npos ? -1 : std::stod(text.substr(text.find("} ", at) + 2));
  }

  void run_for(std::chrono::milliseconds time) {
    using std::chrono::milliseconds;
    const auto until = clock.now() + time;
    for (bool more = true; more;) {
      sys.run();
      auto next = clock.next_due();
      if (const auto& due = sys.sched.clock().schedule(); !due.empty()) {
        const auto at = std::chrono::ceil<milliseconds>(due.begin()->first - began_);
        next = next ? std::min(*next, at) : at;
      }
      more = next && *next <= until;
      const auto to = std::max(clock.now(), more ? *next : until);
      const auto by = began_ + to - sys.sched.clock().now();
      sys.sched.advance_time(std::max(by, decltype(by)::zero()));
      clock.advance(to - clock.now());
    }
    sys.run();
  }

  agent_spec spec;
  virtual_timers clock;
  scripted::agent peer{clock, scripted::echo()};
  scripted::fake_dialer net{clock, peer, 3};
  std::shared_ptr<connect_budget> budget = std::make_shared<connect_budget>();
  std::shared_ptr<memory_logger> log = std::make_shared<memory_logger>();
  std::shared_ptr<metrics> numbers = std::make_shared<metrics>();
  std::shared_ptr<marking_store> disk;
  std::shared_ptr<heard_by_room> heard = std::make_shared<heard_by_room>();
  deterministic sys;
  int attempts = 0; ///< of the turns that are asked: how often each was handed over before
  turn_sink room;
  push_sink pushes;
  agent_connection_actor connection;

private:
  persistence_actor store_;
  caf::actor_clock::time_point began_;
  std::int64_t asked_ = 0;
};

} // namespace pb::test
