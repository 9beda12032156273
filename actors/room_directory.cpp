#include "actors/room_directory.hpp"

namespace pb {
namespace {

using directory_ptr = room_directory_actor::stateful_pointer<room_directory_state>;
using slot = room_directory_state::slot;

/// Whatever a room is handed keeps it from going.
template <class Message>
void hand(directory_ptr self, slot& s, Message m) {
  s.used = self->clock().now();
  s.resting = false;
  self->send(s.actor, std::move(m));
}

/// Asks rooms to go. Who stays is asked again when it was quiet for as long once more.
void let_rest(directory_ptr self) {
  auto& st = self->state;
  st.looking = !st.names.empty();
  if (!st.looking)
    return;
  const auto now = self->clock().now();
  std::vector<quiet_room<slot, caf::actor_clock::time_point>> quiet;
  for (auto& [id, s] : st.rooms)
    if (s.actor && !s.closing && !s.behind && s.in_flight == 0 && s.asked == 0)
      quiet.push_back({s.used, &s});
  for (const auto& q : who_may_rest(std::move(quiet), st.names.size(), now, st.deps->rest)) {
    hand(self, *q.room, may_rest{q.quiet_for});
    q.room->resting = true;
  }
  st.clock.after(st.deps->rest.look, [self] { let_rest(self); });
}

slot& activate(directory_ptr self, const room_id& id) {
  auto& st = self->state;
  auto& s = st.rooms[id];
  s.used = self->clock().now();
  s.resting = false;
  if (!std::exchange(st.looking, true))
    st.clock.after(st.deps->rest.look, [self] { let_rest(self); });
  if (!s.actor && !s.closing) {
    s.actor = self->spawn(room, id, st.deps, room_directory_actor{self});
    self->monitor(s.actor);
    st.names[s.actor.id()] = id;
    s.in_flight = s.asked = 0;
    s.behind = false; // a newborn reads everything from the disk
    ++st.activated;
    st.living.set(static_cast<double>(st.names.size()));
  }
  return s;
}

/// A room that died has unfinished work on the disk: it is born again, later each time.
void on_down(directory_ptr self, const caf::down_msg& m) {
  auto& st = self->state;
  const auto n = st.names.find(m.source.id());
  if (n == st.names.end())
    return;
  const auto id = n->second;
  st.names.erase(n);
  st.living.set(static_cast<double>(st.names.size()));
  auto& s = st.rooms[id];
  s.actor = nullptr;
  if (!m.reason || m.reason == caf::exit_reason::user_shutdown || st.draining || s.closing) {
    if (!s.behind)
      st.rooms.erase(id);
    return;
  }
  ++st.restarts;
  const auto f = to_fault(m.reason);
  st.deps->around.log->error("room_died", {}, "a room actor died and is started again: " + f.cause,
                             {{"room", id}});
  const auto wait =
      backoff(st.engine, s.deaths++, std::chrono::milliseconds(100), std::chrono::seconds(30));
  st.clock.after(wait, [self, id] { activate(self, id); });
}

/// A question that the room answers before it may go.
template <class Answer, class Question>
void ask(directory_ptr self, const room_id& id, Question q, std::function<void(Answer)> then,
         std::function<void(caf::error&)> otherwise) {
  auto& s = self->state.rooms[id];
  ++s.asked;
  s.resting = false;
  const auto answered = [self, id, who = s.actor.id()] {
    const auto i = self->state.rooms.find(id);
    if (i != self->state.rooms.end() && i->second.actor && i->second.actor.id() == who)
      --i->second.asked;
  };
  self->request(s.actor, std::chrono::seconds(60), std::move(q))
      .then(
          [answered, then = std::move(then)](Answer a) {
            answered();
            then(std::move(a));
          },
          [answered, otherwise = std::move(otherwise)](caf::error& e) {
            answered();
            otherwise(e);
          });
}

/// Everything that was left on the disk is looked at by newborn rooms.
void open_doors(directory_ptr self) {
  self->state.open = true;
  self->request(self->state.deps->store, std::chrono::seconds(60), store_load{})
      .then(
          [self](const loaded_state& all) {
            for (const auto& id : all.rooms_with_work)
              activate(self, id);
          },
          [self](caf::error& e) { self->quit(std::move(e)); });
}

/// No message is acted on before the rooms are known.
void await_rooms(directory_ptr self) {
  self->request(self->state.deps->topology, caf::infinite, await_topology{})
      .then([self](done) { open_doors(self); },
            [self](caf::error& e) { self->quit(std::move(e)); });
}

/// The room finishes what runs, for a minute; what is still open then stays where it was asked.
caf::result<done> close_up(directory_ptr self, const room_id& id) {
  auto& s = self->state.rooms[id];
  s.closing = true;
  if (!s.actor) {
    self->state.rooms.erase(id);
    return done{};
  }
  auto promise = self->make_response_promise<done>();
  auto over = [self, id, promise, actor = s.actor]() mutable {
    auto& mine = self->state;
    if (const auto i = mine.rooms.find(id); i != mine.rooms.end() && i->second.actor == actor) {
      self->demonitor(actor.address());
      mine.names.erase(actor.id());
      mine.rooms.erase(i);
      mine.living.set(static_cast<double>(mine.names.size()));
      self->send_exit(actor, caf::exit_reason::user_shutdown);
    }
    promise.deliver(done{});
  };
  self->request(s.actor, std::chrono::minutes(1), drain{})
      .then([over](done) mutable { over(); }, [over](caf::error&) mutable { over(); });
  return promise;
}

/// What an agent says outside turns goes to the room that has, or had, that number.
caf::result<done> push(directory_ptr self, const agent_pushed& m) {
  auto& st = self->state;
  if (!st.open || st.draining || st.pushes >= room_directory_state::push_cap) {
    st.pushes_refused.inc();
    return to_error({fault_code::busy, "no pushes are taken now", {}});
  }
  ++st.pushes;
  auto promise = self->make_response_promise<done>();
  auto fail = [self, promise](caf::error& e) mutable {
    --self->state.pushes;
    promise.deliver(std::move(e));
  };
  self->request(st.deps->store, std::chrono::seconds(60), store_find_chat{m.chat})
      .then(
          [self, m, promise, fail](const found_room& found) mutable {
            auto* s = found.room ? &activate(self, found.room->id) : nullptr;
            if (!s || !s->actor) {
              auto e = to_error({s ? fault_code::busy : fault_code::not_found,
                                 s ? "the room is being moved" : "no such chat",
                                 {}});
              return fail(e);
            }
            ask<done>(
                self, found.room->id, room_push{m.agent, m.what},
                [self, promise](done) mutable {
                  --self->state.pushes;
                  promise.deliver(done{});
                },
                fail);
          },
          fail);
  return promise;
}

caf::result<room_moved> move(directory_ptr self, const move_room& m) {
  if (!self->state.open || self->state.draining)
    return to_error({fault_code::busy, "the rooms are not open", {}});
  auto promise = self->make_response_promise<room_moved>();
  const auto fail = [promise](caf::error& e) mutable { promise.deliver(std::move(e)); };
  // Looked for first: no room is born for a name that means nothing.
  self->request(self->state.deps->store, std::chrono::seconds(60), store_find_room{m.room})
      .then(
          [self, m, promise, fail](const found_room& found) mutable {
            if (!found.room || found.room->kind != room_kind::chat) {
              promise.deliver(to_error({fault_code::not_found, "no such chat", {}}));
              return;
            }
            auto& s = activate(self, m.room);
            if (!s.actor) {
              promise.deliver(to_error({fault_code::busy, "the room is being closed", {}}));
              return;
            }
            ask<room_moved>(
                self, m.room, m, [promise](const room_moved& r) mutable { promise.deliver(r); },
                fail);
          },
          fail);
  return promise;
}

void deliver(directory_ptr self, const std::vector<inbox_row>& rows) {
  auto& st = self->state;
  if (!st.open)
    return; // on the disk; read from there when the doors open
  // One message a room and batch; the order within a room is the order of admission.
  std::vector<std::pair<room_id, std::vector<inbox_row>>> by_room;
  std::unordered_map<room_id, std::size_t> place;
  for (const auto& r : rows) {
    const auto [i, fresh] = place.try_emplace(r.event.room, by_room.size());
    if (fresh)
      by_room.emplace_back(r.event.room, std::vector<inbox_row>{});
    by_room[i->second].second.push_back(r);
  }
  for (auto& [id, events] : by_room) {
    auto& s = st.rooms[id];
    if ((!s.actor && s.deaths > 0) || s.closing)
      continue; // its next birth reads them from the disk
    activate(self, id);
    if (s.behind || s.in_flight + events.size() > room_directory_state::window) {
      s.behind = true;
      st.left_on_disk += events.size();
      st.spilled.add(static_cast<double>(events.size()));
      if (s.in_flight == 0) {
        s.behind = false;
        hand(self, s, catch_up{});
      }
      continue;
    }
    s.in_flight += events.size();
    hand(self, s, room_events{std::move(events)});
  }
}

} // namespace

room_directory_actor::behavior_type room_directory(directory_ptr self, room_deps deps) {
  auto& st = self->state;
  st.deps = std::make_shared<const room_deps>(std::move(deps));
  st.engine = engine_for(st.deps->around, "room_directory");
  st.living = st.deps->around.numbers->gauge_of("patchbay_rooms_active", "Room actors that live");
  st.spilled = st.deps->around.numbers->counter_of(
      "patchbay_room_events_left_on_disk_total",
      "Events that a room's window had no place for: the room reads them from the disk");
  st.pushes_refused = st.deps->around.numbers->counter_of(
      "patchbay_pushes_refused_total", "What agents said outside turns while too much waited");
  self->set_down_handler([self](caf::down_msg& m) { on_down(self, m); });
  self->set_exit_handler([self](caf::exit_msg& m) {
    self->state.draining = true;
    for (auto& [id, s] : self->state.rooms)
      if (s.actor)
        self->send_exit(s.actor, caf::exit_reason::user_shutdown);
    self->quit(std::move(m.reason));
  });
  await_rooms(self);
  return {[self](const room_events& m) { deliver(self, m.rows); },
          [self](const wake_rooms& m) {
            if (self->state.open)
              for (const auto& id : m.rooms)
                activate(self, id);
          },
          [self](const room_handled& m) {
            auto& rooms = self->state.rooms;
            const auto i = rooms.find(m.room);
            if (i == rooms.end())
              return;
            auto& s = i->second;
            s.in_flight -= std::min(s.in_flight, m.events);
            s.deaths = 0;
            if (s.behind && s.in_flight == 0 && s.actor) {
              s.behind = false;
              hand(self, s, catch_up{});
            }
          },
          [self](const room_idle& m) {
            auto& mine = self->state;
            const auto i = mine.rooms.find(m.room);
            if (i == mine.rooms.end() || !i->second.actor || i->second.actor.id() != m.who ||
                !i->second.resting || i->second.asked > 0 || i->second.in_flight > 0 ||
                i->second.behind)
              return;
            auto actor = i->second.actor;
            self->demonitor(actor.address());
            mine.names.erase(actor.id());
            mine.rooms.erase(i);
            ++mine.passivated;
            mine.living.set(static_cast<double>(mine.names.size()));
            self->send_exit(actor, caf::exit_reason::user_shutdown);
          },
          [self](const row_delivered& m) {
            if (const auto i = self->state.rooms.find(m.room);
                i != self->state.rooms.end() && i->second.actor)
              hand(self, i->second, m);
          },
          [self](const room_changed& m) {
            if (const auto i = self->state.rooms.find(m.room);
                i != self->state.rooms.end() && i->second.actor)
              hand(self, i->second, m);
          },
          [self](const agent_pushed& m) { return push(self, m); },
          [self](const restore_chat& m) {
            if (auto& s = activate(self, m.room); s.actor)
              hand(self, s, m);
          },
          [self](const move_room& m) { return move(self, m); },
          [self](const close_room& m) { return close_up(self, m.room); },
          [self](tick t) { self->state.clock.ring(t); },
          [self](drain) -> caf::result<done> {
            auto& mine = self->state;
            mine.draining = true;
            auto left = std::make_shared<std::size_t>(mine.names.size());
            auto promise = self->make_response_promise<done>();
            if (*left == 0) {
              promise.deliver(done{});
              return promise;
            }
            auto one = [promise, left]() mutable {
              if (--*left == 0)
                promise.deliver(done{});
            };
            for (auto& [id, s] : mine.rooms)
              if (s.actor)
                self->request(s.actor, std::chrono::seconds(3600), drain{})
                    .then([one](done) mutable { one(); }, [one](caf::error&) mutable { one(); });
            return promise;
          },
          [self](get_status) {
            auto& mine = self->state;
            return status_report{room_directory_state::name,
                                 "{\"active\":" + std::to_string(mine.names.size()) +
                                     ",\"activated\":" + std::to_string(mine.activated) +
                                     ",\"passivated\":" + std::to_string(mine.passivated) +
                                     ",\"restarts\":" + std::to_string(mine.restarts) +
                                     ",\"left_on_disk\":" + std::to_string(mine.left_on_disk) +
                                     "}"};
          }};
}

} // namespace pb
