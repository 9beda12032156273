// A plan becomes true: people, rooms, markers and links, each step on disk by itself. What has
// changed since the plan was made is left alone; the next walk sees it.

#include "actors/matrix/topology.hpp"
#include "actors/phrases.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t writes_at_once = 100;  ///< state events in one settlement
constexpr std::size_t pending_at_most = 256; ///< of a room, while it is decided what is history

bool same(const room_row& a, const room_row& b) {
  return a.kind == b.kind && a.owner == b.owner && a.chat == b.chat && a.platform == b.platform &&
         a.agent == b.agent && a.epoch == b.epoch && a.state == b.state && a.space == b.space;
}

} // namespace

void topology_state::apply(const walk_ptr& w, reconcile_plan plan) {
  auto a = std::make_shared<applying>();
  a->w = w;
  a->plan = std::move(plan);
  const auto encrypted = [this, a](auto go_on) {
    if (a->plan.encrypted.empty())
      return go_on();
    admission known;
    known.encrypted = a->plan.encrypted;
    self_
        ->request(deps_.store, 60s,
                  store_admit{std::make_shared<const admission>(std::move(known))})
        .then([go_on](const admitted&) { go_on(); },
              [this](caf::error& e) { self_->quit(std::move(e)); });
  };
  const auto begin = [this, a, encrypted] {
    encrypted([this, a] { await_position(a, [this, a] { apply_users(a); }); });
  };
  if (a->plan.highest <= last_)
    return begin();
  self_->request(deps_.store, 60s, store_raise_chat_id{a->plan.highest})
      .then(
          [this, a, begin](done) {
            last_ = std::max(last_, a->plan.highest);
            begin();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::apply_users(const applying_ptr& a) {
  if (a->user >= a->plan.users.size())
    return apply_rooms(a);
  const auto wanted = a->plan.users[a->user++];
  self_->request(deps_.store, 60s, store_find_user{wanted.id})
      .then(
          [this, a, wanted](const found_user& now) {
            const auto before = std::find_if(a->w->in.users.begin(), a->w->in.users.end(),
                                             [&](const user_row& u) { return u.id == wanted.id; });
            const bool moved =
                now.user && (before == a->w->in.users.end() || before->space != now.user->space);
            auto person = wanted;
            if (moved) { // somebody made a Space meanwhile: only the number counts
              person = *now.user;
              person.next_chat = std::max(person.next_chat, wanted.next_chat);
            }
            settlement s;
            s.user = std::move(person);
            write(std::move(s), [this, a] { apply_users(a); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::apply_rooms(const applying_ptr& a) {
  while (a->in_flight < at_once && a->room < a->plan.rooms.size()) {
    auto& change = a->plan.rooms[a->room];
    if (change.draw && a->in_flight > 0)
      return; // one after the other, so that the ids come in the order of the rooms
    ++a->room;
    ++a->in_flight;
    if (!change.draw) {
      apply_room(a, change);
      continue;
    }
    return draw([this, a, change](platform_chat_id drawn) mutable {
      change.row.platform = drawn;
      apply_room(a, std::move(change));
    });
  }
  if (a->in_flight > 0)
    return;
  if (!a->w->gate)
    return apply_writes(a);
  self_->request(deps_.store, 60s, store_rooms{})
      .then(
          [this, a](const room_list& all) {
            for (const auto& row : all.rooms)
              if (row.kind == room_kind::chat && row.state == room_state::active)
                a->silent.push_back(row);
            tell_unanswered(a);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// After a lost database, or an old copy of it: what nobody will act on is told in its room. The
/// notice is named after the message, so that a walk that is killed and begun again says it once.
void topology_state::tell_unanswered(const applying_ptr& a) {
  while (a->in_flight < at_once && !a->silent.empty()) {
    const auto row = std::move(a->silent.back());
    a->silent.pop_back();
    ++a->in_flight;
    const auto next = [this, a] {
      --a->in_flight;
      tell_unanswered(a);
    };
    find_unanswered(a, row, [this, row, next](std::optional<event_id> event) {
      if (!event)
        return next();
      matrix::message_draft m;
      m.text = say(deps_.lang, phrase::records_lost);
      m.reply_to = *event;
      m.tells.push_back(row.owner);
      m.row = outbox_id{name_after("records lost " + event->value)};
      settlement s;
      s.outbox.push_back(message_row(engine_, deps_.around.wall(), row.id, std::move(m)));
      write(std::move(s), next, next);
    });
  }
  if (a->in_flight == 0 && a->silent.empty() && !std::exchange(a->told, true))
    apply_writes(a);
}

/// The list of rooms is older than the plan: we may have been invited back since then.
void topology_state::confirm_gone(const applying_ptr& a,
                                  const reconcile_plan::room_change& change) {
  http_->send(matrix::ask::get_state_event(deps_.session, change.row.id, "m.room.member",
                                           deps_.session.user.value),
              [this, a, change](http_result& r) {
                const auto got = matrix::read::content(r, deps_.around.wall());
                const bool sure =
                    got ? matrix::parse_member(*got).membership != "join" : got.error().final();
                if (sure) // else the next walk decides
                  return check_room(a, change);
                --a->in_flight;
                apply_rooms(a);
              });
}

void topology_state::apply_room(const applying_ptr& a, reconcile_plan::room_change change) {
  if (change.before && change.row.state == room_state::left)
    return confirm_gone(a, change);
  check_room(a, std::move(change));
}

void topology_state::check_room(const applying_ptr& a, reconcile_plan::room_change change) {
  self_->request(deps_.store, 60s, store_open_room{change.row.id, 0})
      .then(
          [this, a, change](const room_snapshot& now) {
            const bool moved = now.room.has_value() != change.before.has_value() ||
                               (now.room && !same(*now.room, *change.before)) || now.marker_waits;
            if (moved) {
              --a->in_flight;
              return apply_rooms(a);
            }
            settlement s;
            s.room = change.row;
            if (now.room)
              s.room_epoch_is = now.room->epoch;
            if (change.mark)
              s.outbox.push_back(state_row(engine_, deps_.around.wall(), change.row.id,
                                           matrix::chat_marker_type, "",
                                           matrix::compose_chat_marker(marker_of(change.row))));
            write_room(a, change, std::move(s));
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::write_room(const applying_ptr& a, const reconcile_plan::room_change& change,
                                settlement s) {
  const auto next = [this, a] {
    --a->in_flight;
    apply_rooms(a);
  };
  write(
      std::move(s),
      [this, a, room = change.row.id, next] {
        ++restored_;
        a->changed.push_back(room);
        next();
      },
      next);
}

void topology_state::apply_writes(const applying_ptr& a) {
  if (a->write >= a->plan.writes.size())
    return applied(a);
  settlement s;
  for (; a->write < a->plan.writes.size() && s.outbox.size() < writes_at_once; ++a->write) {
    const auto& w = a->plan.writes[a->write];
    s.outbox.push_back(state_row(engine_, deps_.around.wall(), w.room, w.type, w.key, w.body));
  }
  write(std::move(s), [this, a] { apply_writes(a); });
}

void topology_state::applied(const applying_ptr& a) {
  const auto end = [this, a] {
    if (rooms_)
      for (const auto& room : a->changed)
        self_->send(rooms_, room_changed{room});
    for (const auto& room : a->plan.upgraded)
      follow(room, false);
    const auto& p = a->plan;
    const auto list = [](const std::vector<reconcile_plan::remark>& remarks) {
      std::string out;
      for (const auto& r : remarks)
        out += (out.empty() ? "" : ", ") + r.room.value;
      return out;
    };
    deps_.around.log->info("matrix_reconcile_complete", {}, "local state and homeserver agree",
                           {{"joined_rooms", p.joined_rooms},
                            {"restored_user_meta", p.restored_user_meta},
                            {"restored_room_meta", p.restored_room_meta},
                            {"restored_chat_rows", p.restored_chat_rows},
                            {"repaired_chat_rows", p.repaired_chat_rows},
                            {"skipped_rooms", list(p.skipped)},
                            {"conflicts", list(p.conflicts)}});
    walk_over(a->w, to_json(p, false));
  };
  if (!deps_.serving) // whoever serves first has still to tell what nobody acted on
    return end();
  settlement s;
  s.topology_known = true;
  write(std::move(s), end);
}

void topology_state::await_position(const applying_ptr& a, step then) {
  if (!a->w->gate)
    return then();
  self_->request(deps_.store, 60s, store_load{})
      .then(
          [this, a, then](const loaded_state& all) {
            if (!all.cursor) {
              clock_.after(200ms, [this, a, then] { await_position(a, then); });
              return;
            }
            a->position = *all.cursor;
            then();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void topology_state::find_unanswered(const applying_ptr& a, const room_row& row,
                                     std::function<void(std::optional<event_id>)> then,
                                     unsigned tries) {
  matrix::messages_query q;
  q.room = row.id;
  q.from = a->position;
  q.limit = 30;
  q.filter = matrix::compose_backfill_filter();
  http_->send(matrix::ask::messages(deps_.session, q), [this, a, row, then, tries](http_result& r) {
    const auto got = matrix::read::messages(r, row.id, deps_.around.wall());
    if (!got && !got.error().final() && tries < 5)
      return again(got.error(), tries, [=, this] { find_unanswered(a, row, then, tries + 1); });
    if (!got)
      return then(std::nullopt);
    std::vector<event_id> asked; // newest first, up to where we had the last word
    for (const auto& e : got->chunk) {
      if (e.type != "m.room.message" || e.state_key)
        continue;
      if (e.sender == deps_.session.user && matrix::is_draft(e.content))
        continue; // of an answer that never came to its end
      if (e.sender == deps_.session.user)
        break;
      const auto said = matrix::parse_message(e.content);
      if (e.sender == row.owner && said.msgtype == "m.text" && !said.replaces)
        asked.push_back(e.id);
    }
    self_->request(deps_.store, 60s, store_open_room{row.id, pending_at_most})
        .then(
            [then, asked](const room_snapshot& now) {
              for (const auto& event : asked) {
                const bool waits =
                    std::any_of(now.pending.begin(), now.pending.end(),
                                [&](const inbox_row& p) { return p.event.id == event; });
                if (!waits) // what was admitted since then is answered as usual
                  return then(event);
              }
              then(std::nullopt);
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

} // namespace pb
