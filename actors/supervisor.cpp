#include "actors/supervisor.hpp"

#include "actors/matrix/media.hpp"
#include "actors/matrix/sender.hpp"
#include "actors/matrix/session.hpp"
#include "actors/matrix/sync.hpp"
#include "actors/matrix/topology.hpp"
#include "actors/persistence.hpp"

namespace pb {

using namespace std::chrono_literals;

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self, router_deps deps) {
  return self->state.start(std::move(deps));
}

supervisor_actor::behavior_type supervisor_state::start(router_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, name);
  self_->set_down_handler([this](caf::down_msg& m) { on_down(m); });
  // Nobody is left behind: without a supervisor the others would run on unseen.
  self_->set_exit_handler([this](caf::exit_msg& m) {
    for (auto i = children_.rbegin(); i != children_.rend(); ++i)
      if (i->actor)
        self_->send_exit(i->actor, caf::exit_reason::user_shutdown);
    self_->quit(std::move(m.reason));
  });
  start_from(0);
  return {[this](session_ready& m) {
            session_ = std::move(m.session);
            for (auto i : {media_part, sender_part, topology_part, rooms_part, sync_part})
              children_[i].wanted = !deps_.reconcile || i <= topology_part;
            start_from(media_part);
            if (deps_.reconcile)
              only_reconcile(true);
          },
          [this](const session_renewed& m) {
            session_ = m.session;
            for (const auto i : {store_part, media_part, sender_part, topology_part, sync_part})
              if (children_[i].actor)
                self_->send(caf::actor_cast<renewal_sink>(children_[i].actor), m);
          },
          [this](router_failed& m) { fail(m.exit_code, std::move(m.sentence)); },
          [this](stop_router) { stop(); },
          [this](const restart_child& m) {
            if (m.generation == generation_ && !stopping_)
              start_from(std::exchange(restart_from_, parts));
          },
          [this](stop_next) { next_stop(); },
          [this](tick t) {
            if (t.generation == stop_generation_ && awaited_)
              stop_overdue();
          },
          [this](const collect_status& m) { gather(m); },
          [this](const reconcile_now& m) { reconcile_beside_the_work(m); },
          [this](const list_aside& m) { list(m); },
          [this](const push_now& m) { push(m); },
          [this](apply_now& m) { apply(m); },
          [this](const drain_now& m) { set_drain(m); },
          [this](const list_rooms& m) { list(m); },
          [this](const move_now& m) { move(m); },
          [this](get_status) {
            std::string list;
            for (const auto& line : journal_)
              list += (list.empty() ? "" : ",") + json_quote(line);
            return status_report{name,
                                 "{\"stopping\":" + std::string(stopping_ ? "true" : "false") +
                                     ",\"journal\":[" + list + "]}"};
          }};
}

/// Asks topology for the plan and, unless that is all, for its outcome; then ends.
void supervisor_state::only_reconcile(bool dry_run) {
  self_->request(handle<topology_actor>(topology_part), caf::infinite, run_reconcile{dry_run})
      .then(
          [this, dry_run](const reconcile_report& report) {
            deps_.reconcile->report(report.json);
            if (dry_run && !deps_.reconcile->dry_run)
              return only_reconcile(false); // the plan is shown before it is applied
            stop();
          },
          [this](caf::error& e) { fail(70, "the reconciliation died: " + to_fault(e).cause); });
}

void supervisor_state::reconcile_beside_the_work(const reconcile_now& m) {
  auto answer = m.answer;
  if (stopping_ || !children_[topology_part].actor)
    return (*answer)(false, R"({"code":"not_ready","message":"there is no session with the )"
                            R"(homeserver yet","hint":"see /readyz"})");
  self_->request(handle<topology_actor>(topology_part), caf::infinite, run_reconcile{m.dry_run})
      .then([answer](const reconcile_report& report) { (*answer)(true, report.json); },
            [answer](caf::error&) {
              (*answer)(false, R"({"code":"failed","message":"the reconciliation died","hint":)"
                               R"("the log says more; it runs again at the next start"})");
            });
}

void supervisor_state::note(std::string_view what, std::string_view whom) {
  journal_.push_back(std::to_string(deps_.around.wall()) + " " + std::string{what} + " " +
                     std::string{whom});
  if (journal_.size() > 256)
    journal_.pop_front();
  deps_.around.log->debug("supervisor_journal", {}, what, {{"actor", whom}});
}

void supervisor_state::start_from(std::size_t first) {
  for (auto i = first; i < parts; ++i) {
    auto& c = children_[i];
    if (!c.wanted)
      continue;
    if (c.actor) { // still there from before: the old one must not work beside the new one
      self_->demonitor(c.actor);
      self_->send_exit(c.actor, caf::exit_reason::kill);
    }
    c.actor = make(i);
    self_->monitor(c.actor);
    note("start", c.label);
  }
  if (first <= rooms_part && children_[rooms_part].actor && children_[sender_part].actor)
    self_->send(handle<matrix_sender_actor>(sender_part),
                delivery_subscribe{caf::actor_cast<delivery_sink>(children_[rooms_part].actor)});
  if (first <= rooms_part && children_[rooms_part].actor && children_[topology_part].actor)
    self_->send(handle<topology_actor>(topology_part),
                attach_rooms{handle<room_directory_actor>(rooms_part)});
  if (first <= rooms_part && children_[rooms_part].actor && children_[agents_part].actor)
    self_->send(handle<agent_directory_actor>(agents_part),
                attach_pushes{caf::actor_cast<push_sink>(children_[rooms_part].actor)});
}

caf::actor supervisor_state::make(std::size_t which) {
  const auto as_actor = [](const auto& h) { return caf::actor_cast<caf::actor>(h); };
  const auto store = [this] { return handle<persistence_actor>(store_part); };
  switch (which) {
  case store_part:
    if (deps_.own_thread_for_store)
      return as_actor(self_->spawn<caf::detached>(persistence, deps_.around, deps_.health,
                                                  deps_.disk, deps_.process.storage.retention));
    return as_actor(self_->spawn(persistence, deps_.around, deps_.health, deps_.disk,
                                 deps_.process.storage.retention));
  case agents_part:
    return as_actor(
        self_->spawn(agent_directory, deps_.agents,
                     connection_deps{deps_.around, deps_.dial, store(),
                                     std::make_shared<connect_budget>(), deps_.process.files}));
  case session_part:
    return as_actor(self_->spawn(
        matrix_session, session_deps{deps_.around, deps_.http, deps_.health,
                                     deps_.process.homeserver, store(), supervisor_actor{self_}}));
  case media_part:
    return as_actor(self_->spawn(
        matrix_media, media_deps{deps_.around, deps_.http, *session_, deps_.process.files}));
  case sender_part:
    return as_actor(self_->spawn(
        matrix_sender, sender_deps{deps_.around, deps_.http, *session_, store(),
                                   handle<matrix_session_actor>(session_part), deps_.process.lang,
                                   handle<matrix_media_actor>(media_part)}));
  case topology_part:
    return as_actor(self_->spawn(
        topology,
        topology_deps{deps_.around, deps_.http, *session_, store(),
                      handle<agent_directory_actor>(agents_part),
                      handle<matrix_sender_actor>(sender_part), deps_.process.access.invites,
                      deps_.process.access.operators, deps_.process.lang, !deps_.reconcile}));
  case rooms_part: {
    room_deps d;
    d.around = deps_.around;
    d.rules = {session_->user,
               deps_.process.access.operators,
               deps_.process.rooms.queue_limit,
               deps_.process.rooms.max_message_bytes,
               deps_.process.lang,
               deps_.process.access.invites == invite_policy::registered};
    d.timing = deps_.timing;
    d.rest = deps_.rest;
    const auto& s = deps_.process.streaming;
    d.streaming.mode = s.mode;
    d.streaming.min_interval = s.min_interval;
    d.streaming.max_interval = s.max_interval;
    d.streaming.max_edits = s.max_edits;
    d.confirmation_ttl = deps_.process.confirmation_ttl;
    d.deny_files = deps_.process.files.deny;
    d.version = deps_.version;
    d.store = store();
    d.agents = handle<agent_directory_actor>(agents_part);
    d.topology = handle<topology_actor>(topology_part);
    d.sender = handle<matrix_sender_actor>(sender_part);
    d.media = handle<matrix_media_actor>(media_part);
    return as_actor(self_->spawn(room_directory, std::move(d)));
  }
  default: {
    sync_deps d{deps_.around,
                deps_.http,
                deps_.health,
                *session_,
                store(),
                handle<room_directory_actor>(rooms_part),
                handle<topology_actor>(topology_part),
                handle<matrix_session_actor>(session_part),
                deps_.process.lang,
                {},
                deps_.poll};
    d.on_first_sync = [who = *session_, tell = deps_.on_ready] {
      // Runs inside matrix_sync: only what was copied is touched.
      if (tell)
        tell(who);
    };
    return as_actor(self_->spawn(matrix_sync, std::move(d)));
  }
  }
}

void supervisor_state::on_down(const caf::down_msg& m) {
  for (std::size_t i = 0; i < parts; ++i) {
    auto& c = children_[i];
    if (!c.actor || c.actor.address() != m.source)
      continue;
    c.actor = nullptr;
    if (stopping_) {
      note("stopped", c.label);
      if (awaited_ == i) {
        awaited_.reset();
        self_->send(self_, stop_next{});
      }
      return;
    }
    if (restart_from_ <= i)
      return; // ended by us: it is about to be started again
    const auto f = to_fault(m.reason);
    deps_.around.log->error("actor_died", {}, "an actor died: " + f.cause, {{"actor", c.label}});
    note("died", c.label);
    if (i == store_part)
      return fail(70, "the database failed and only a new process may look at it again (" +
                          f.cause + "); check the disk, then start again");
    restart(i);
    return;
  }
}

void supervisor_state::restart(std::size_t first) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      self_->clock().now().time_since_epoch());
  const auto wait = children_[first].budget.failed(now, deps_.restarts, engine_);
  if (!wait) {
    note("escalate", children_[first].label);
    return fail(70, std::string{"the actor "} + children_[first].label +
                        " died too often; this is a bug, the log above says more");
  }
  restart_from_ = std::min(restart_from_, first);
  for (auto i = restart_from_ + 1; i < parts; ++i)
    if (children_[i].actor)
      self_->send_exit(children_[i].actor, caf::exit_reason::user_shutdown);
  if (restart_from_ <= session_part)
    for (auto i : {media_part, sender_part, topology_part, rooms_part, sync_part})
      children_[i].wanted = false; // the session comes first
  note("restart", children_[first].label);
  self_->delayed_send(self_, *wait, restart_child{children_[first].label, ++generation_});
}

void supervisor_state::fail(int code, std::string sentence) {
  if (stopping_)
    return;
  exit_code_ = code;
  sentence_ = std::move(sentence);
  stop();
}

} // namespace pb
