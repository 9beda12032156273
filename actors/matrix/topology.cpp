#include "actors/matrix/topology.hpp"

#include "actors/phrases.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;

topology_actor::behavior_type topology(topology_actor::stateful_pointer<topology_state> self,
                                       topology_deps deps) {
  return self->state.start(std::move(deps));
}

topology_actor::behavior_type topology_state::start(topology_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, "topology" + std::to_string(deps_.around.wall()));
  http_ = std::make_unique<http_calls>(deps_.http, caf::strong_actor_ptr(self_->ctrl()));
  refused_total_ = deps_.around.numbers->counter_of("patchbay_invites_refused_total",
                                                    "Invitations by people who may not");
  made_total_ =
      deps_.around.numbers->counter_of("patchbay_rooms_made_total", "Rooms that we created");
  self_->set_exit_handler([this](caf::exit_msg& m) {
    http_->cancel_all();
    self_->quit(std::move(m.reason));
  });
  load();
  return {[this](draw_chat_id) {
            auto promise = self_->make_response_promise<platform_chat_id>();
            draw([promise](platform_chat_id drawn) mutable { promise.deliver(drawn); });
            return promise;
          },
          [this](await_topology) -> caf::result<done> {
            if (open_)
              return done{};
            waiting_.push_back(self_->make_response_promise<done>());
            return waiting_.back();
          },
          [this](const room_upgraded& m) { follow(m.room, true); },
          [this](const run_reconcile& m) {
            auto w = std::make_shared<walk>();
            w->dry = m.dry_run;
            w->asked.push_back(self_->make_response_promise<reconcile_report>());
            auto promise = w->asked.back();
            begin_walk(std::move(w));
            return promise;
          },
          [this](attach_rooms& m) { rooms_ = std::move(m.rooms); },
          [this](session_renewed& m) { deps_.session = std::move(m.session); },
          [this](const new_invites& m) {
            for (const auto& row : m.invites)
              invited(row);
          },
          [this](const new_chat& m) {
            auto taken = self_->make_response_promise<done>();
            // Asked again by a room that was born anew: the first asking counts.
            if (!wishes_.insert(m.cause.event.id).second) {
              taken.deliver(done{});
              return taken;
            }
            if (!enqueue(m.owner, [this, m, taken] { make_chat(m, taken); })) {
              wishes_.erase(m.cause.event.id);
              taken.deliver(to_error({fault_code::busy, "too many jobs of one person", {}}));
            }
            return taken;
          },
          [this](const find_home& m) {
            auto taken = self_->make_response_promise<done>();
            const bool room = enqueue(m.user, [this, m, taken]() mutable {
              settlement s;
              s.inbox.push_back({m.cause.seq, inbox_outcome::answered});
              show_home(m.user, std::move(s), m.cause.event.room, m.cause.event.id, m.tr);
              taken.deliver(done{}); // from here on it is ours, on disk or tried again
            });
            if (!room)
              taken.deliver(to_error({fault_code::busy, "too many jobs of one person", {}}));
            return taken;
          },
          [this](const person_choice& m) {
            auto taken = self_->make_response_promise<done>();
            if (!enqueue(m.user, [this, m, taken] { choose(m, taken); }))
              taken.deliver(to_error({fault_code::busy, "too many jobs of one person", {}}));
            return taken;
          },
          [this](const invite_guest& m) { invite(m, 0); },
          [this](const restore_unknown& m) { return restore(m.room); },
          [this](http_finished& m) { http_->finish(m); },
          [this](tick t) { clock_.ring(t); },
          [this](get_status) {
            return status_report{
                name, "{\"people_waiting\":" + std::to_string(jobs_.size()) +
                          ",\"invites_refused\":" + std::to_string(refused_) +
                          ",\"rooms_made\":" + std::to_string(made_) +
                          ",\"rooms_restored\":" + std::to_string(restored_) +
                          ",\"rooms_known\":" + (open_ ? "true" : "false") +
                          ",\"last_reconcile_at\":" + std::to_string(last_walk_.value_or(0)) +
                          ",\"last_reconcile\":" + last_report_ + "}"};
          }};
}

void topology_state::load() {
  self_->request(deps_.store, 60s, store_load{})
      .then(
          [this](loaded_state& all) {
            last_ = all.last_platform;
            load_mark(0);
            if (!deps_.serving)
              return;
            // A database that knows its rooms is looked through beside the work. Any other one may
            // not act on a message before it has found them again.
            auto w = std::make_shared<walk>();
            w->gate = !all.topology_known;
            if (!w->gate)
              open_gate();
            begin_walk(std::move(w));
            for (auto& intent : all.intents)
              enqueue(intent.owner, [this, intent] { advance(intent); });
            for (const auto& row : all.invites)
              invited(row);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

bool topology_state::enqueue(const user_id& who, step job) {
  auto& mine = jobs_[who];
  if (mine.size() >= job_cap)
    return false;
  mine.push_back(std::move(job));
  if (mine.size() == 1 && open_) { // before that nobody knows what this person has already
    auto run = mine.front();
    run();
  }
  return true;
}

void topology_state::job_done(const user_id& who) {
  const auto i = jobs_.find(who);
  if (i == jobs_.end())
    return;
  i->second.pop_front();
  if (i->second.empty()) {
    jobs_.erase(i);
    return;
  }
  auto run = i->second.front();
  run();
}

/// The registry may have changed since the last question: the agent directory has the one in force.
void topology_state::if_permitted(const user_id& who, std::function<void(bool)> then) {
  switch (deps_.invites) {
  case invite_policy::anyone:
    return then(true);
  case invite_policy::server:
    return then(matrix::server_of(who) == server());
  case invite_policy::registered:
    self_->request(deps_.agents, 30s, agent_for_user{who})
        .then([then = std::move(then)](const agent_choice& choice) { then(choice.listed); },
              [this](caf::error& e) { self_->quit(std::move(e)); });
  }
}

void topology_state::invited(const invite_row& row) {
  if (!entering_.insert(row.room).second)
    return;
  const bool queued = enqueue(row.inviter, [this, row] {
    if_permitted(row.inviter, [this, row](bool may) {
      if (may)
        enter(row, 0);
      else
        refuse(row);
    });
  });
  if (!queued) // a flood of one person: the rest stays on the disk for the next start
    entering_.erase(row.room);
}

/// Leaves without a word: a stranger learns nothing. The row goes when we are out.
void topology_state::refuse(const invite_row& row) {
  http_->send(matrix::ask::leave(deps_.session, row.room), [this, row](http_result& r) {
    const auto left = matrix::read::done(r, deps_.around.wall());
    if (!left && !left.error().final())
      return again(left.error(), 0, [this, row] { refuse(row); });
    http_->send(matrix::ask::forget(deps_.session, row.room), [this, row](http_result&) {
      ++refused_;
      refused_total_.inc();
      deps_.around.log->info("invite_refused", row.tr,
                             "an invitation by somebody who may not invite",
                             {{"room", row.room}, {"inviter", row.inviter}});
      settlement s;
      s.invite_done = row.room;
      write(std::move(s), [this, row] {
        entering_.erase(row.room);
        job_done(row.inviter);
      });
    });
  });
}

void topology_state::enter(const invite_row& row, unsigned tries) {
  const auto via = matrix::server_of(row.inviter);
  http_->send(
      matrix::ask::join(deps_.session, row.room, {via}), [this, row, tries](http_result& r) {
        const auto joined = matrix::read::room(r, deps_.around.wall());
        if (!joined) {
          // A fresh invitation over federation may be refused for minutes.
          const bool final = joined.error().final();
          if (!final || tries < 4)
            return again(joined.error(), final ? tries : 0,
                         [this, row, tries, final] { enter(row, final ? tries + 1 : tries); });
          deps_.around.log->warning("invite_failed", row.tr, "cannot join: " + joined.error().cause,
                                    {{"room", row.room}, {"inviter", row.inviter}});
          settlement s;
          s.invite_done = row.room;
          return write(std::move(s), [this, row] {
            entering_.erase(row.room);
            job_done(row.inviter);
          });
        }
        entered(row);
      });
}

/// A room that we have a record of is what it was before: we left it, and are invited back.
void topology_state::entered(const invite_row& row) {
  self_->request(deps_.store, 60s, store_find_room{row.room})
      .then(
          [this, row](const found_room& before) {
            entering_.erase(row.room);
            settlement s;
            s.invite_done = row.room;
            if (before.room && before.room->kind != room_kind::lobby) {
              s.room = before.room;
              s.room_epoch_is = before.room->epoch;
              if (s.room->state == room_state::left)
                s.room->state = room_state::active;
              // What was decided while we were out could not be marked.
              if (s.room->kind == room_kind::chat)
                s.outbox.push_back(state_row(engine_, deps_.around.wall(), row.room,
                                             matrix::chat_marker_type, "",
                                             matrix::compose_chat_marker(marker_of(*s.room))));
              deps_.around.log->info("room_entered_again", row.tr, "invited back to a room of ours",
                                     {{"room", row.room}, {"inviter", row.inviter}});
              return write(
                  std::move(s),
                  [this, row] {
                    if (rooms_)
                      self_->send(rooms_, room_changed{row.room});
                    job_done(row.inviter);
                  },
                  [this, row] { entered(row); }); // cleared meanwhile: look again
            }
            if (before.room)
              return into_lobby(row);
            look_for_marker(row, 0);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// A room without a record may be a chat whose making we did not hear of before we were put out.
void topology_state::look_for_marker(const invite_row& row, unsigned tries) {
  http_->send(matrix::ask::get_state(deps_.session, row.room), [this, row, tries](http_result& r) {
    const auto got = matrix::read::state(r, row.room, deps_.around.wall());
    if (!got && !got.error().final())
      return again(got.error(), tries, [this, row, tries] { look_for_marker(row, tries + 1); });
    settlement s;
    if (got)
      s.room = matrix::restore_room(matrix::gather_facts(row.room, deps_.session.user, got->events),
                                    deps_.session.user);
    if (!s.room)
      return into_lobby(row);
    s.invite_done = row.room;
    write(
        std::move(s),
        [this, row] {
          ++restored_;
          deps_.around.log->info("room_restored", row.tr, "a room was found again by its marker",
                                 {{"room", row.room}});
          if (rooms_)
            self_->send(rooms_, room_changed{row.room});
          job_done(row.inviter);
        },
        [this, row] { into_lobby(row); }); // its number is another room's by now
  });
}

void topology_state::into_lobby(const invite_row& row) {
  settlement s;
  s.invite_done = row.room;
  room_row lobby;
  lobby.id = row.room;
  lobby.kind = room_kind::lobby;
  lobby.owner = row.inviter;
  s.room = std::move(lobby);
  show_home(row.inviter, std::move(s), row.room, {}, row.tr);
}

/// Points to the person's Space, and makes it first if they have none.
void topology_state::show_home(const user_id& who, settlement s, const room_id& to,
                               const event_id& reply_to, trace tr) {
  self_->request(deps_.store, 60s, store_find_user{who})
      .then(
          [this, who, s = std::move(s), to, reply_to, tr](const found_user& found) mutable {
            if (!found.user || found.user->space.empty())
              return make_home(who, std::move(s), to, reply_to, tr);
            const auto link = matrix::room_link(found.user->space, {server()});
            s.outbox.push_back(
                message(to, say(deps_.lang, phrase::home_is, {link}), reply_to, who));
            write(std::move(s), [this, who] { job_done(who); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

caf::result<restore_answer> topology_state::restore(const room_id& room) {
  auto promise = self_->make_response_promise<restore_answer>();
  http_->send(matrix::ask::get_state(deps_.session, room), [this, room,
                                                            promise](http_result& r) mutable {
    const auto got = matrix::read::state(r, room, deps_.around.wall());
    if (!got) {
      promise.deliver(restore_answer{false, "its state cannot be read: " + got.error().cause});
      return;
    }
    const auto facts = matrix::gather_facts(room, deps_.session.user, got->events);
    auto row = matrix::restore_room(facts, deps_.session.user);
    if (!row) {
      promise.deliver(restore_answer{false, facts.odd_marker ? "its marker was not written by me"
                                                             : "it has no marker of mine"});
      return;
    }
    settlement s;
    s.room = std::move(row);
    write(std::move(s), [this, room, promise]() mutable {
      ++restored_;
      deps_.around.log->info("room_restored", {}, "a room was found again by its marker",
                             {{"room", room}});
      promise.deliver(restore_answer{true, {}});
    });
  });
  return promise;
}

void topology_state::again(const failure& f, unsigned tries, step what) {
  const auto delay =
      f.retry_after ? std::max(*f.retry_after, 200ms) : backoff(engine_, tries, 1000ms, 60s);
  clock_.after(delay, std::move(what));
}

void topology_state::store_trouble(caf::error& e, step again) {
  const auto f = to_fault(e);
  if (f.code != fault_code::disk_full && f.code != fault_code::storage)
    return self_->quit(std::move(e));
  clock_.after(backoff(engine_, write_failures_++, 1000ms, 30s), std::move(again));
}

void topology_state::write(settlement s, step then, step on_conflict) {
  auto shared = std::make_shared<const settlement>(std::move(s));
  self_->request(deps_.store, 60s, store_settle{shared})
      .then(
          [this, then](done) {
            write_failures_ = 0;
            then();
          },
          [this, shared, then, on_conflict](caf::error& e) {
            if (on_conflict && to_fault(e).code == fault_code::conflict)
              return on_conflict();
            store_trouble(e,
                          [this, shared, then, on_conflict] { write(*shared, then, on_conflict); });
          });
}

void topology_state::send_budgeted(double cost, http_request request, http_calls::then next) {
  self_->request(deps_.sender, caf::infinite, ask_budget{cost, send_class::state})
      .then(
          [this, request, next](done) mutable {
            http_->send(std::move(request), [this, next](http_result& r) {
              if (r && r->status == 429)
                self_->send(
                    deps_.sender,
                    budget_refused{matrix::to_failure(*r, deps_.around.wall()).retry_after});
              next(r);
            });
          },
          [this, cost, request, next](caf::error& e) {
            if (to_fault(e).code != fault_code::busy)
              return self_->quit(std::move(e));
            clock_.after(backoff(engine_, 0, 5000ms, 5000ms),
                         [this, cost, request, next] { send_budgeted(cost, request, next); });
          });
}

outbox_row topology_state::message(const room_id& room, const std::string& text,
                                   const event_id& reply_to, const user_id& mention) {
  matrix::message_draft m;
  m.text = text;
  m.kind = reply_to.empty() && mention.empty() ? matrix::delivery::notice : matrix::delivery::reply;
  m.reply_to = reply_to;
  if (!mention.empty())
    m.tells.push_back(mention);
  return message_row(engine_, deps_.around.wall(), room, std::move(m));
}

std::string topology_state::server() const { return matrix::server_of(deps_.session.user); }

} // namespace pb
