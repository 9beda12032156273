// An operator binds the room to another agent.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"

namespace pb {

/// The other agent begins with a fresh context, as after `!clear`; what waits goes to it.
caf::result<room_moved> room_core::move(const move_room& what) {
  if (!known_ || row_.kind != room_kind::chat)
    return to_error({fault_code::not_found, "no such chat", {}});
  if (row_.state == room_state::left)
    return to_error({fault_code::refused, "the room was left", {}});
  if (draining_ || moving_)
    return to_error({fault_code::busy, "the room is being moved, or the router stops", {}});
  if (row_.agent == what.agent)
    return room_moved{false, row_.platform};
  moving_ = true;
  auto promise = self_->make_response_promise<room_moved>();
  self_->request(deps_->agents, in_house, find_agent{what.agent})
      .then(
          [this, what, promise](const found_agent& agent) mutable {
            if (!agent.known) {
              moving_ = false;
              promise.deliver(to_error({fault_code::malformed, "no such agent", {}}));
              return;
            }
            when_quiet(
                [this, what, label = agent.label, promise] { move_to(what, label, promise); });
          },
          [this, promise](caf::error& e) mutable {
            moving_ = false;
            promise.deliver(std::move(e));
          });
  return promise;
}

void room_core::move_to(const move_room& what, const std::string& label,
                        caf::typed_response_promise<room_moved> promise) {
  new_context([this, what, label, promise](platform_chat_id fresh) mutable {
    row_.agent = what.agent;
    row_.granted = true;
    settlement s;
    begin_context(fresh, s);
    if (!row_.encrypted)
      s.outbox.push_back(
          message({say(lang(), phrase::room_moved_to, {label}), matrix::delivery::notice}));
    deps_->around.log->info("room_moved", {}, "an operator bound a room to another agent",
                            {{"room", id_}, {"agent", what.agent}});
    commit(std::move(s), [this, promise]() mutable {
      moving_ = false;
      promise.deliver(room_moved{true, row_.platform});
    });
  });
}

} // namespace pb
