// Links: dialling within the budget, texts and their credit, ends.

#include "actors/agent/connection.hpp"

#include <algorithm>
#include <deque>
#include <mutex>

namespace pb {

using namespace std::chrono_literals;

/// Written by the I/O thread, read by the actor.
class last_lines {
public:
  void add(const std::string& line) {
    std::lock_guard lock{m_};
    lines_.push_back(line.substr(0, 200));
    if (lines_.size() > 5)
      lines_.pop_front();
  }
  std::string text() {
    std::lock_guard lock{m_};
    std::string out;
    for (const auto& line : lines_)
      out += (out.empty() ? "" : " | ") + line;
    return out;
  }

private:
  std::mutex m_;
  std::deque<std::string> lines_;
};

namespace {

/// Turns completions into messages. Weak: a link never keeps an actor, or the shutdown, alive. The
/// epoch lets the actor ignore what an old link still says.
class link_messages final : public link_listener {
public:
  link_messages(const caf::strong_actor_ptr& owner, std::uint64_t epoch)
      : owner_(caf::actor_cast<caf::weak_actor_ptr>(owner)), epoch_(epoch) {}
  void on_open() override { post(link_opened{epoch_}); }
  void on_text(std::string text) override { post(link_said{epoch_, std::move(text)}); }
  void on_closed(link_closed why) override { post(link_ended{epoch_, std::move(why)}); }

private:
  template <class T>
  void post(T message) {
    if (auto strong = owner_.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(message));
  }
  caf::weak_actor_ptr owner_;
  std::uint64_t epoch_;
};

constexpr unsigned most_dials = 3;          ///< of one turn, before anything was handed over
constexpr std::size_t stderr_lines = 1'000; ///< of one child that are logged

/// A child's stderr goes to the log: at debug, because it may hold what people said.
std::function<void(std::string)> stderr_to(const std::shared_ptr<logger>& log,
                                           const agent_id& agent,
                                           std::shared_ptr<last_lines> last) {
  return [log, agent, last = std::move(last),
          left = std::make_shared<std::size_t>(stderr_lines)](const std::string& line) {
    last->add(line);
    if (*left == 0)
      return;
    --*left;
    log->debug("agent_stderr", {}, line, {{"agent", agent}});
  };
}

} // namespace

void agent_connection_state::open_wire(seat_id id, agent_wants::open what) {
  auto& s = seats_.at(id);
  const auto epoch = ++last_epoch_;
  wires_[epoch] = {nullptr, id, what.wire, false};
  s.wires[what.wire] = epoch;
  if (!endpoints_.troubled(s.endpoint) || !deps_.budget)
    return dial(epoch, std::move(what.to));
  const auto now = self_->clock().now();
  const auto at = deps_.budget->reserve(now);
  if (!at) {
    s.wires.erase(what.wire);
    wires_.erase(epoch);
    if (turn_of(s))
      end(turn_id{s.turn}, turn_ending::unreachable, "too many agents are being dialled again");
    return;
  }
  if (*at <= now)
    return dial(epoch, std::move(what.to));
  if (auto* t = turn_of(s); t && !t->handed)
    t->last_event = *at; // nobody is silent before that
  clock_.after(std::chrono::ceil<std::chrono::milliseconds>(*at - now),
               [this, epoch, to = std::move(what.to)] { dial(epoch, to); });
}

void agent_connection_state::dial(std::uint64_t epoch, link_request to) {
  const auto w = wires_.find(epoch);
  if (w == wires_.end())
    return; // nobody wants it any more
  if (const auto s = seats_.find(w->second.seat); s != seats_.end())
    if (auto* t = turn_of(s->second); t && !t->handed)
      t->last_event = self_->clock().now();
  to.connect_timeout = spec_.limits.connect;
  to.frame_limit = spec_.limits.frame;
  to.unread_limit = unread_cap;
  if (to.by == carrier::process)
    to.child.on_stderr = stderr_to(deps_.around.log, spec_.id,
                                   w->second.complaints = std::make_shared<last_lines>());
  w->second.line = deps_.dial->dial(
      std::move(to), std::make_shared<link_messages>(caf::strong_actor_ptr(self_->ctrl()), epoch));
}

/// The session has forgotten it; what it still says belongs to no turn.
void agent_connection_state::close_wire(std::uint64_t epoch) {
  const auto i = wires_.find(epoch);
  if (i == wires_.end())
    return;
  i->second.seat = 0;
  if (i->second.line)
    i->second.line->close();
  else
    wires_.erase(i); // was never dialled
}

void agent_connection_state::on_open(std::uint64_t epoch) {
  const auto i = wires_.find(epoch);
  if (i == wires_.end())
    return;
  i->second.open = true;
  const auto s = seats_.find(i->second.seat);
  if (s == seats_.end())
    return;
  s->second.reached = true;
  endpoints_.connected(s->second.endpoint);
  feed(s->first, s->second.session->opened(i->second.name));
}

/// What the room is given is paid for by the room; what nobody hears of, at once.
void agent_connection_state::on_text(const link_said& m) {
  const auto i = wires_.find(m.epoch);
  if (i == wires_.end())
    return;
  const auto line = i->second.line;
  const auto s = seats_.find(i->second.seat);
  if (s == seats_.end()) {
    line->consumed(m.text.size());
    ++after_end_;
    return after_end_total_.inc();
  }
  last_word_ = self_->clock().now();
  if (auto* t = turn_of(s->second); t && !t->handed)
    t->last_event = *last_word_;
  const auto id = s->first;
  unpaid_ = {m.epoch, m.text.size()};
  feed(id, s->second.session->said(i->second.name, m.text));
  if (!unpaid_)
    return;
  unpaid_.reset();
  if (const auto still = seats_.find(id); still != seats_.end() && still->second.busy)
    still->second.owed[m.epoch] += m.text.size();
  else
    line->consumed(m.text.size());
}

void agent_connection_state::pay(std::map<std::uint64_t, std::size_t>& bytes) {
  for (const auto& [epoch, count] : bytes)
    if (const auto i = wires_.find(epoch); i != wires_.end() && i->second.line)
      i->second.line->consumed(count);
  bytes.clear();
}

void agent_connection_state::on_closed(const link_ended& m) {
  const auto i = wires_.find(m.epoch);
  if (i == wires_.end())
    return;
  const auto w = i->second;
  wires_.erase(i);
  const auto at = seats_.find(w.seat);
  if (at == seats_.end())
    return;
  auto& s = at->second;
  s.wires.erase(w.name);
  const bool in_order =
      m.why.reason == link_closed::how::closed || m.why.reason == link_closed::how::rejected;
  if (const auto* t = turn_of(s)) {
    if (t->marking)
      return;                       // the mark's answer finds the link gone
    if (w.complaints && !t->handed) // nobody's words are in them yet
      deps_.around.log->warning("agent_did_not_start", {},
                                "the agent's program ended before it had the message",
                                {{"agent", spec_.id},
                                 {"how", m.why.cause.substr(0, 200)},
                                 {"stderr", w.complaints->text()}});
    if (!t->handed && !in_order)
      return lost_before(turn_id{s.turn}, m.why);
  }
  if (!in_order)
    endpoints_.broke(s.endpoint);
  const auto id = w.seat;
  feed(id, s.session->closed(w.name, m.why));
  if (const auto left = seats_.find(id);
      left != seats_.end() && left->second.turn.empty() && !left->second.session->keep())
    drop_seat(id);
}

/// Nothing was handed over: a moment later the agent may be back.
void agent_connection_state::lost_before(const turn_id& id, const link_closed& why) {
  auto& t = turns_.at(id);
  if (const auto s = seats_.find(t.seat); s != seats_.end()) {
    endpoints_.failed(s->second.endpoint, self_->clock().now(), engine_);
    drop_seat(t.seat);
  }
  t.seat = 0;
  if (t.dials < most_dials && why.reason != link_closed::how::timed_out) {
    clock_.after(backoff(engine_, t.dials - 1, 250ms, 1000ms), [this, id] {
      if (const auto again = turns_.find(id); again != turns_.end() && again->second.seat == 0)
        take_seat(id);
    });
    return;
  }
  deps_.around.log->warning("agent_unreachable", t.what.turn.tr,
                            "the agent cannot be reached: " + why.cause, {{"agent", spec_.id}});
  end(id, turn_ending::unreachable, why.cause);
}

} // namespace pb
