// A room that was replaced is followed only if its tombstone's sender might write it and the new
// room points back. The chat's number, its platform_chat_id and what waits move in one transaction;
// a crash before it leaves everything as it was, and the next walk finds the tombstone again.

#include "actors/matrix/topology.hpp"
#include "actors/phrases.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;

namespace {
constexpr unsigned join_tries = 4; ///< a fresh room may refuse over federation for a while
}

/// `news`: the tombstone has just come; the room is told when it cannot be followed. (A walk finds
/// the same one at every start.)
void topology_state::follow(const room_id& room, bool news) {
  if (!deps_.serving || following_.contains(room))
    return;
  if (news)
    upgrade_news_.insert(room);
  self_->request(deps_.store, 60s, store_find_room{room})
      .then(
          [this](const found_room& found) {
            const bool ours = found.room && found.room->state != room_state::left &&
                              found.room->kind != room_kind::lobby;
            if (!ours || !following_.insert(found.room->id).second)
              return;
            const bool queued =
                enqueue(found.room->owner, [this, row = *found.room] { follow_from(row, 0); });
            if (!queued) // the next walk finds it again
              following_.erase(found.room->id);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::follow_from(const room_row& row, unsigned tries) {
  http_->send(matrix::ask::get_state(deps_.session, row.id), [this, row, tries](http_result& r) {
    const auto got = matrix::read::state(r, row.id, deps_.around.wall());
    if (!got && !got.error().final())
      return again(got.error(), tries, [this, row, tries] { follow_from(row, tries + 1); });
    if (!got)
      return not_followed(row, "its state cannot be read");
    const auto old = matrix::gather_facts(row.id, deps_.session.user, got->events);
    if (!old.upgraded || !old.replacement)
      return not_followed(row, "its tombstone names no room");
    if (!matrix::may_send_state(old.power, old.upgraded_by, "m.room.tombstone"))
      return not_followed(row, old.upgraded_by.value + " may not replace it");
    check_successor(row, old, 0);
  });
}

void topology_state::check_successor(const room_row& row, const matrix::room_facts& old,
                                     unsigned tries) {
  const auto next = *old.replacement;
  auto join =
      matrix::ask::join(deps_.session, next, {matrix::server_of(old.upgraded_by), server()});
  http_->send(std::move(join), [this, row, old, next, tries](http_result& r) {
    const auto joined = matrix::read::room(r, deps_.around.wall());
    if (!joined) {
      const bool final = joined.error().final();
      if (!final || tries < join_tries)
        return again(joined.error(), tries,
                     [=, this] { check_successor(row, old, final ? tries + 1 : tries); });
      return not_followed(row, "I cannot join it (" + joined.error().cause + ")");
    }
    http_->send(matrix::ask::get_state(deps_.session, next), [this, row, old,
                                                              next](http_result& answer) {
      const auto got = matrix::read::state(answer, next, deps_.around.wall());
      if (!got && !got.error().final())
        return again(got.error(), 0, [=, this] { check_successor(row, old, 0); });
      const auto facts =
          got ? matrix::gather_facts(next, deps_.session.user, got->events) : matrix::room_facts{};
      const bool fits =
          got && facts.predecessor == row.id && facts.is_space == (row.kind == room_kind::space);
      if (!fits) {
        // A room that does not point back may be anybody's: we are not its guest.
        http_->send(matrix::ask::leave(deps_.session, next), [](http_result&) {});
        return not_followed(row, "the new room does not point back to this one");
      }
      if (row.kind == room_kind::space)
        return move_space(row, facts);
      move_chat(row, facts);
    });
  });
}

void topology_state::move_chat(room_row before, const matrix::room_facts& next) {
  const auto move = [this, id = before.id, owner = before.owner, next] {
    // What ran has ended or stays where it was asked: look again at what the room is now.
    self_->request(deps_.store, 60s, store_find_room{id})
        .then(
            [this, id, owner, next](const found_room& now) {
              if (!now.room || now.room->state == room_state::left) { // we were put out meanwhile
                following_.erase(id);
                return job_done(owner);
              }
              const auto row = *now.room;
              auto moved = row;
              moved.id = next.room;
              if (!next.name.empty())
                moved.title = next.name;
              moved.encrypted = row.encrypted || next.encrypted;
              const auto wall = deps_.around.wall();
              settlement s;
              s.room = moved;
              s.moved_from = row.id;
              const auto state = [&](const room_id& room, std::string_view type, std::string key,
                                     std::string body) {
                s.outbox.push_back(
                    state_row(engine_, wall, room, type, std::move(key), std::move(body)));
              };
              state(moved.id, matrix::chat_marker_type, "",
                    matrix::compose_chat_marker(marker_of(moved)));
              if (!row.space.empty() && row.state == room_state::active) {
                state(row.space, "m.space.child", moved.id.value,
                      matrix::compose_space_child(server()));
                state(row.space, "m.space.child", row.id.value, "{}");
                state(moved.id, "m.space.parent", row.space.value,
                      matrix::compose_space_parent(server()));
              }
              s.outbox.push_back(message(moved.id, say(deps_.lang, phrase::moved_here), {}, {}));
              write(std::move(s), [this, row, moved] {
                deps_.around.log->info(
                    "room_upgraded", {}, "a chat goes on in the room that replaces its old one",
                    {{"room", row.id}, {"replacement", moved.id}, {"chat", row.chat}});
                if (rooms_)
                  self_->send(rooms_, wake_rooms{{row.id, moved.id}});
                following_.erase(row.id);
                upgrade_news_.erase(row.id);
                job_done(row.owner);
              });
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  };
  if (!rooms_)
    return move();
  self_->request(rooms_, caf::infinite, close_room{before.id})
      .then([move](done) { move(); }, [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// The person's chats are linked into the new Space; each link is a row of its own.
void topology_state::move_space(const room_row& before, const matrix::room_facts& next) {
  self_->request(deps_.store, 60s, store_rooms{})
      .then(
          [this, before, next](const room_list& all) {
            self_->request(deps_.store, 60s, store_find_user{before.owner})
                .then(
                    [this, before, next, all](const found_user& found) {
                      const auto wall = deps_.around.wall();
                      settlement s;
                      auto row = before;
                      row.id = next.room;
                      s.room = row;
                      s.moved_from = before.id;
                      user_row person = found.user.value_or(user_row{});
                      person.id = before.owner;
                      person.space = next.room;
                      s.user = person;
                      s.outbox.push_back(
                          state_row(engine_, wall, next.room, matrix::space_marker_type, "",
                                    matrix::compose_space_marker(
                                        {before.owner, person.agent, person.lang, before.intent})));
                      std::vector<room_row> chats;
                      for (const auto& r : all.rooms)
                        if (r.kind == room_kind::chat && r.space == before.id &&
                            r.state != room_state::left) {
                          chats.push_back(r);
                          chats.back().space = next.room;
                          if (r.state != room_state::active)
                            continue;
                          s.outbox.push_back(state_row(engine_, wall, next.room, "m.space.child",
                                                       r.id.value,
                                                       matrix::compose_space_child(server())));
                          s.outbox.push_back(state_row(engine_, wall, r.id, "m.space.parent",
                                                       next.room.value,
                                                       matrix::compose_space_parent(server())));
                        }
                      write(std::move(s), [this, before, next, chats] {
                        for (const auto& chat : chats) {
                          settlement one; // a crash before this one: the next walk repairs it
                          one.room = chat;
                          write(std::move(one), [this, id = chat.id] {
                            if (rooms_)
                              self_->send(rooms_, room_changed{id});
                          });
                        }
                        deps_.around.log->info("space_upgraded", {},
                                               "a Space goes on in the room that replaces it",
                                               {{"room", before.id}, {"replacement", next.room}});
                        following_.erase(before.id);
                        job_done(before.owner);
                      });
                    },
                    [this](caf::error& e) { self_->quit(std::move(e)); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::not_followed(const room_row& row, const std::string& why) {
  deps_.around.log->warning("upgrade_not_followed", {},
                            "a room was replaced, but its replacement is not followed: " + why,
                            {{"room", row.id}});
  const auto over = [this, row] {
    following_.erase(row.id);
    job_done(row.owner);
  };
  if (upgrade_news_.erase(row.id) == 0 || row.kind != room_kind::chat)
    return over();
  settlement s;
  s.outbox.push_back(
      message(row.id, say(deps_.lang, phrase::upgrade_not_followed, {why}), {}, row.owner));
  write(std::move(s), over);
}

} // namespace pb
