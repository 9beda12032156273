// One creation of rooms: a row says how far it is, and whatever happens it goes on from there.
// createRoom has no transaction id, so an unknown outcome is resolved by looking for the intent's
// name in the markers of the rooms that we are in.

#include "actors/crash_point.hpp"
#include "actors/matrix/topology.hpp"
#include "actors/phrases.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;
using kind_t = intent_row::kind_t;
using step_t = intent_row::step_t;

namespace {

/// Synapse draws twice from the sender's bucket for one createRoom.
constexpr double room_cost = 2;

/// A refusal at the second draw costs the first: who comes back as soon as there is one unit never
/// gets two, and leaves the stump of a room each time. So the pause grows beyond what the server
/// asks for.
matrix::matrix_failure rested(matrix::matrix_failure f, unsigned tries) {
  if (f.kind == matrix::matrix_failure::kind_t::rate_limited && f.retry_after)
    f.retry_after = *f.retry_after + 6s * (1 << std::min(tries, 4U));
  return f;
}

/// The chat that an intent has made.
room_row row_of(const intent_row& intent) {
  room_row row;
  row.id = intent.room;
  row.kind = room_kind::chat;
  row.owner = intent.owner;
  row.chat = intent.chat;
  row.platform = intent.platform;
  row.agent = intent.agent;
  row.space = intent.space;
  row.intent = intent.id;
  row.title = intent.title;
  return row;
}

} // namespace

void topology_state::make_home(const user_id& who, settlement s, const room_id& origin,
                               const event_id& event, trace tr) {
  self_->request(deps_.agents, 30s, agent_for_user{who})
      .then(
          [this, who, s = std::move(s), origin, event, tr](const agent_choice& choice) mutable {
            if (!choice.agent) {
              s.outbox.push_back(message(origin, say(deps_.lang, phrase::no_agent), event, who));
              return write(std::move(s), [this, who] { job_done(who); });
            }
            intent_row intent;
            intent.id = intent_id{random_id(engine_)};
            intent.kind = kind_t::onboard;
            intent.step = step_t::space_wanted;
            intent.owner = who;
            intent.origin = origin;
            intent.origin_event = event;
            intent.agent = *choice.agent;
            intent.tr = tr;
            s.intent = intent;
            write(std::move(s), [this, intent] {
              crash_here(crash_point::intent_written);
              advance(intent);
            });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::make_chat(const new_chat& wish, caf::typed_response_promise<done> taken) {
  const auto who = wish.owner;
  auto refuse = [this, who, taken,
                 event = wish.cause.event.id](const std::string& sentence) mutable {
    wishes_.erase(event);
    taken.deliver(to_error({fault_code::refused, "no chat can be made", sentence}));
    job_done(who);
  };
  self_->request(deps_.agents, 30s, agent_for_user{who})
      .then(
          [this, wish, who, taken, refuse](const agent_choice& choice) mutable {
            if (!choice.agent)
              return refuse(say(deps_.lang, phrase::no_agent));
            self_->request(deps_.store, 60s, store_find_user{who})
                .then(
                    [this, wish, taken, standard = *choice.agent](const found_user& found) mutable {
                      const bool home = found.user && !found.user->space.empty();
                      const auto chosen = home ? found.user->agent : agent_id{};
                      const auto space = home ? found.user->space : room_id{};
                      if (chosen.empty() || chosen == standard)
                        return want_chat(wish, space, standard, taken);
                      // What they chose once may have been taken from them since then.
                      self_->request(deps_.agents, 30s, find_agent{chosen, wish.owner})
                          .then(
                              [=, this](const found_agent& agent) {
                                want_chat(wish, space,
                                          may_choose(agent, wish.owner) ? chosen : standard, taken);
                              },
                              [this](caf::error& e) { self_->quit(std::move(e)); });
                    },
                    [this](caf::error& e) { self_->quit(std::move(e)); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// As a room decides it of its owner.
bool topology_state::may_choose(const found_agent& agent, const user_id& who) const {
  const bool unlisted = !agent.listed && deps_.invites != invite_policy::registered;
  return agent.known &&
         (agent.theirs || unlisted ||
          std::find(deps_.operators.begin(), deps_.operators.end(), who) != deps_.operators.end());
}

void topology_state::want_chat(const new_chat& wish, const room_id& space, const agent_id& agent,
                               caf::typed_response_promise<done> taken) {
  intent_row intent;
  intent.id = intent_id{random_id(engine_)};
  intent.kind = space.empty() ? kind_t::onboard : kind_t::chat;
  intent.step = space.empty() ? step_t::space_wanted : step_t::chat_wanted;
  intent.owner = wish.owner;
  intent.origin = wish.cause.event.room;
  intent.origin_event = wish.cause.event.id;
  intent.title = wish.title;
  intent.agent = agent;
  intent.tr = wish.cause.tr;
  intent.space = space;
  settlement s;
  s.intent = intent;
  s.inbox.push_back({wish.cause.seq, inbox_outcome::answered});
  write(std::move(s), [this, intent, taken]() mutable {
    crash_here(crash_point::intent_written);
    wishes_.erase(intent.origin_event); // on disk: nobody asks again
    taken.deliver(done{});
    advance(intent);
  });
}

void topology_state::advance(intent_row intent, unsigned tries) {
  switch (intent.step) {
  case step_t::space_wanted:
    return create_space(std::move(intent), tries);
  case step_t::space_calling:
    return find_made(intent, matrix::space_marker_type,
                     [this, intent](std::optional<room_id> found) {
                       if (found)
                         return space_made(intent, *found);
                       auto next = intent;
                       next.step = step_t::space_wanted;
                       advance(std::move(next));
                     });
  case step_t::chat_wanted:
    return create_chat(std::move(intent), tries);
  case step_t::chat_calling:
    return find_made(intent, matrix::chat_marker_type,
                     [this, intent](std::optional<room_id> found) {
                       if (found)
                         return chat_made(intent, *found);
                       auto next = intent;
                       next.step = step_t::chat_wanted;
                       next.platform = {}; // a room that we were put out of may bear it
                       advance(std::move(next));
                     });
  case step_t::link_wanted:
    return link(std::move(intent), tries);
  }
}

void topology_state::create_space(intent_row intent, unsigned tries) {
  intent.step = step_t::space_calling;
  settlement s;
  s.intent = intent;
  write(std::move(s), [this, intent, tries] {
    matrix::space_request wish;
    auto local = intent.owner.value.substr(1, intent.owner.value.find(':') - 1);
    wish.name = (deps_.lang == language::ru ? "Агенты – " : "Agents – ") + local;
    wish.marker = {intent.owner, intent.agent, deps_.lang, intent.id};
    crash_here(crash_point::before_create_room);
    send_budgeted(
        room_cost, matrix::ask::create_room(deps_.session, matrix::compose_create_space(wish)),
        [this, intent, tries](http_result& r) {
          const auto made = matrix::read::room(r, deps_.around.wall());
          if (made)
            return space_made(intent, *made);
          if (made.error().final())
            return abandon(intent, made.error());
          // Perhaps it was made: look before asking again.
          auto next = intent;
          next.step = made.error().sent && made.error().kind != failure::kind_t::rate_limited
                          ? step_t::space_calling
                          : step_t::space_wanted;
          again(rested(made.error(), tries), tries,
                [this, next, tries] { advance(next, tries + 1); });
        });
  });
}

void topology_state::space_made(intent_row intent, const room_id& space) {
  crash_here(crash_point::room_created);
  ++made_;
  made_total_.inc();
  intent.space = space;
  intent.step = step_t::chat_wanted;
  settlement s;
  s.intent = intent;
  user_row user;
  user.id = intent.owner;
  user.space = space;
  user.agent = intent.agent;
  user.lang = deps_.lang;
  s.user = user;
  room_row row;
  row.id = space;
  row.kind = room_kind::space;
  row.owner = intent.owner;
  row.intent = intent.id;
  s.room = std::move(row);
  write(std::move(s), [this, intent] {
    crash_here(crash_point::room_recorded);
    advance(intent);
  });
}

void topology_state::create_chat(intent_row intent, unsigned tries) {
  const auto call = [this, tries](const intent_row& ready) {
    matrix::chat_request wish;
    wish.name = ready.title;
    wish.space = ready.space;
    wish.server = server();
    wish.marker = {ready.owner, ready.chat, ready.platform, ready.agent, "active", 0, ready.id};
    crash_here(crash_point::before_create_room);
    send_budgeted(
        room_cost, matrix::ask::create_room(deps_.session, matrix::compose_create_chat(wish)),
        [this, ready, tries](http_result& r) {
          const auto made = matrix::read::room(r, deps_.around.wall());
          if (made)
            return chat_made(ready, *made);
          if (made.error().final())
            return abandon(ready, made.error());
          auto next = ready;
          next.step = made.error().sent && made.error().kind != failure::kind_t::rate_limited
                          ? step_t::chat_calling
                          : step_t::chat_wanted;
          again(rested(made.error(), tries), tries,
                [this, next, tries] { advance(next, tries + 1); });
        });
  };
  intent.step = step_t::chat_calling;
  if (intent.platform.value > 0) { // drawn before, and no room bears it
    settlement s;
    s.intent = intent;
    return write(std::move(s), [call, intent] { call(intent); });
  }
  draw([this, intent, call](platform_chat_id drawn) {
    self_->request(deps_.store, 60s, store_find_user{intent.owner})
        .then(
            [this, intent, call, drawn](const found_user& found) {
              auto user = found.user.value_or(user_row{});
              auto ready = intent;
              ready.platform = drawn;
              settlement s;
              if (ready.chat.empty()) {
                const auto number = user.next_chat;
                ready.chat = "C" + std::to_string(number);
                if (ready.title.empty())
                  ready.title = chat_title(found.user ? user.lang : deps_.lang, number);
                user.id = intent.owner;
                user.next_chat = number + 1;
                s.user = user;
              }
              s.intent = ready;
              write(std::move(s), [call, ready] { call(ready); });
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

void topology_state::chat_made(intent_row intent, const room_id& room) {
  crash_here(crash_point::room_created);
  ++made_;
  made_total_.inc();
  intent.room = room;
  intent.step = step_t::link_wanted;
  settlement s;
  s.intent = intent;
  s.room = row_of(intent);
  write(
      std::move(s),
      [this, intent] {
        crash_here(crash_point::room_recorded);
        advance(intent);
      },
      [this, intent] { number_again(intent); });
}

/// Another room holds the number already: a createRoom that nobody waited for any more was carried
/// out after all. This room gets a number of its own, and its marker says so.
void topology_state::number_again(intent_row intent) {
  deps_.around.log->error("platform_chat_id_taken", intent.tr,
                          "a room was made twice under one number; the second gets its own",
                          {{"room", intent.room}, {"owner", intent.owner}});
  draw([this, intent](platform_chat_id drawn) mutable {
    intent.platform = drawn;
    auto row = row_of(intent);
    settlement s;
    s.intent = intent;
    s.room = row;
    s.outbox.push_back(state_row(engine_, deps_.around.wall(), row.id, matrix::chat_marker_type, "",
                                 matrix::compose_chat_marker(marker_of(row))));
    write(std::move(s), [this, intent] { advance(intent); });
  });
}

void topology_state::link(intent_row intent, unsigned tries) {
  auto request = matrix::ask::put_state(deps_.session, intent.space, "m.space.child",
                                        intent.room.value, matrix::compose_space_child(server()));
  send_budgeted(1, std::move(request), [this, intent, tries](http_result& r) {
    const auto linked = matrix::read::sent_event(r, deps_.around.wall());
    if (linked)
      crash_here(crash_point::link_sent);
    if (!linked && !linked.error().final())
      return again(linked.error(), tries, [this, intent, tries] { advance(intent, tries + 1); });
    if (!linked) // the chat works without its place in the Space
      deps_.around.log->error("space_link_failed", intent.tr, linked.error().cause,
                              {{"room", intent.room}, {"space", intent.space}});
    self_->request(deps_.store, 60s, store_find_user{intent.owner})
        .then(
            [this, intent](const found_user& found) {
              tell_ready(intent, found.user ? found.user->lang : deps_.lang);
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

void topology_state::tell_ready(const intent_row& intent, language lang) {
  const auto to = matrix::room_link(intent.room, {server()});
  settlement s;
  s.intent_done = intent.id;
  const auto text = intent.kind == kind_t::onboard
                        ? say(lang, phrase::home_made, {to})
                        : say(lang, phrase::chat_made, {intent.title, to});
  s.outbox.push_back(message(intent.origin, text, intent.origin_event, intent.owner));
  write(std::move(s), [this, intent] {
    deps_.around.log->info("chat_made", intent.tr, "a chat room is ready",
                           {{"room", intent.room}, {"owner", intent.owner}, {"chat", intent.chat}});
    job_done(intent.owner);
  });
}

void topology_state::abandon(const intent_row& intent, const failure& f) {
  deps_.around.log->error("provisioning_refused", intent.tr,
                          "the homeserver refuses to make a room: " + f.cause,
                          {{"owner", intent.owner}});
  settlement s;
  s.intent_done = intent.id;
  const auto why = f.errcode.empty() ? "HTTP " + std::to_string(f.status) : f.errcode;
  s.outbox.push_back(message(intent.origin, say(deps_.lang, phrase::new_chat_failed, {why}),
                             intent.origin_event, intent.owner));
  write(std::move(s), [this, who = intent.owner] { job_done(who); });
}

void topology_state::find_made(const intent_row& intent, std::string_view type,
                               std::function<void(std::optional<room_id>)> then, unsigned tries) {
  http_->send(matrix::ask::joined_rooms(deps_.session), [this, intent, type = std::string{type},
                                                         then = std::move(then),
                                                         tries](http_result& r) {
    auto got = matrix::read::joined_rooms(r, deps_.around.wall());
    if (!got)
      return again(got.error(), tries,
                   [this, intent, type, then, tries] { find_made(intent, type, then, tries + 1); });
    auto rooms = std::make_shared<std::deque<room_id>>(got->begin(), got->end());
    self_->request(deps_.store, 60s, store_rooms{})
        .then(
            [this, rooms, intent, type, then](const room_list& known) {
              // Somebody wrote there already, and the room was restored by its marker.
              const auto kind =
                  type == matrix::space_marker_type ? room_kind::space : room_kind::chat;
              for (const auto& row : known.rooms) {
                if (row.intent == intent.id && row.kind == kind)
                  return then(row.id); // a walk was faster
                std::erase(*rooms, row.id);
              }
              find_made_in(rooms, intent, type, then);
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

void topology_state::find_made_in(std::shared_ptr<std::deque<room_id>> rooms,
                                  const intent_row& intent, std::string type,
                                  std::function<void(std::optional<room_id>)> then) {
  if (rooms->empty())
    return then(std::nullopt);
  const auto room = rooms->front();
  auto request = matrix::ask::get_state_event(deps_.session, room, type, "");
  http_->send(std::move(request), [=, this](http_result& r) {
    const auto got = matrix::read::content(r, deps_.around.wall());
    if (!got && !got.error().final())
      return again(got.error(), 0, [=, this] { find_made_in(rooms, intent, type, then); });
    if (got) {
      const auto chat = matrix::parse_chat_marker(*got);
      const auto space = matrix::parse_space_marker(*got);
      if ((chat && chat->intent == intent.id) || (space && space->intent == intent.id))
        return then(room);
    }
    rooms->pop_front();
    find_made_in(rooms, intent, type, then);
  });
}

} // namespace pb
