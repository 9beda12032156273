// What people choose for themselves, and whom they let into a room.

#include "actors/matrix/topology.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;

namespace {
constexpr unsigned invite_tries = 5;
}

/// One of the person's jobs, so that no creation of a chat writes their record at the same time.
void topology_state::choose(const person_choice& wish, caf::typed_response_promise<done> taken) {
  self_->request(deps_.store, 60s, store_find_user{wish.user})
      .then(
          [this, wish, taken](const found_user& found) mutable {
            if (!found.user || found.user->space.empty()) {
              taken.deliver(to_error({fault_code::not_found, "this person has no Space", {}}));
              return job_done(wish.user);
            }
            auto user = *found.user;
            if (wish.agent)
              user.agent = *wish.agent;
            if (wish.lang)
              user.lang = *wish.lang;
            self_->request(deps_.store, 60s, store_find_room{user.space})
                .then(
                    [this, wish, taken, user](const found_room& space) mutable {
                      settlement s;
                      s.user = user;
                      const auto intent = space.room ? space.room->intent : intent_id{};
                      s.outbox.push_back(state_row(
                          engine_, deps_.around.wall(), user.space, matrix::space_marker_type, "",
                          matrix::compose_space_marker({user.id, user.agent, user.lang, intent})));
                      if (wish.answer)
                        s.outbox.push_back(*wish.answer);
                      if (wish.inbox_seq > 0)
                        s.inbox.push_back({wish.inbox_seq, inbox_outcome::answered});
                      write(std::move(s), [this, wish, taken]() mutable {
                        taken.deliver(done{});
                        job_done(wish.user);
                      });
                    },
                    [this](caf::error& e) { self_->quit(std::move(e)); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// Best effort: who lets somebody in can do it again.
void topology_state::invite(const invite_guest& wish, unsigned tries) {
  auto look =
      matrix::ask::get_state_event(deps_.session, wish.room, "m.room.member", wish.guest.value);
  http_->send(std::move(look), [this, wish, tries](http_result& r) {
    const auto got = matrix::read::content(r, deps_.around.wall());
    if (got) {
      const auto is = matrix::parse_member(*got).membership;
      if (is == "join" || is == "invite" || is == "ban")
        return;
    } else if (!got.error().final() && tries < invite_tries) {
      return again(got.error(), tries, [this, wish, tries] { invite(wish, tries + 1); });
    }
    send_budgeted(
        1, matrix::ask::invite(deps_.session, wish.room, wish.guest),
        [this, wish, tries](http_result& answer) {
          const auto done_now = matrix::read::done(answer, deps_.around.wall());
          if (done_now)
            return;
          if (!done_now.error().final() && tries < invite_tries)
            return again(done_now.error(), tries, [this, wish, tries] { invite(wish, tries + 1); });
          deps_.around.log->warning("invite_failed", {}, "cannot invite: " + done_now.error().cause,
                                    {{"room", wish.room}});
        });
  });
}

} // namespace pb
