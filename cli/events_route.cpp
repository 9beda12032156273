#include "cli/events_route.hpp"

#include "bridges/admin/guard.hpp"

#include <mutex>
#include <utility>

namespace pb::cli {

namespace {

/// How many events of each agent are on their way.
class counters {
public:
  /// Nothing: there are too many. The count goes down with the last copy of the result.
  static std::shared_ptr<void> take(const std::shared_ptr<counters>& all, const agent_id& agent) {
    const std::lock_guard lock(all->guard_);
    auto& n = all->open_[agent];
    if (n >= events_at_once)
      return nullptr;
    ++n;
    return {static_cast<void*>(&n), [all](void* count) {
              const std::lock_guard again(all->guard_);
              --*static_cast<std::size_t*>(count);
            }};
  }

private:
  std::mutex guard_;
  std::map<agent_id, std::size_t> open_; ///< nodes stay where they are
};

void refuse_event(const fault& f, const api_done& done) {
  switch (f.code) {
  case fault_code::not_found:
    return done(404, api_error("unknown_chat", "No chat of this agent has this chat_id.",
                               "Take chat_id from USER_MESSAGE or from the address of the "
                               "connection; earlier numbers of a room count, too."));
  case fault_code::refused:
    return done(410, api_error("room_left", "Nobody can be told in this chat any more.",
                               "Do not send this event again."));
  case fault_code::conflict:
    return done(409, api_error("conflict", "This event cannot be taken as things are.",
                               "Do not send it again as it is."));
  default:
    return done(503, api_error("busy", "The router cannot take the event now.",
                               "Send it again in a while: an event_id is told once only."));
  }
}

/// What the agent that the token belongs to may do; else the answer is given. Who shows the wrong
/// token learns nothing of which agents there are.
std::optional<events_access> who_posts(const events_desk& desk, const agent_id& named,
                                       const std::string& shown, const api_done& done) {
  if (shown.empty()) {
    done(401, api_error("unauthorised", "This needs the agent's events_token.",
                        "Send the header Authorization: Bearer TOKEN with the secret that "
                        "events_token of the registry names."));
    return std::nullopt;
  }
  auto access = desk.access(named);
  const bool known = access.has_value();
  const bool takes = known && access->token && !access->token->empty();
  // Compared in any case: the time that it takes tells nothing either.
  const bool own = admin::same_secret(shown, takes ? access->token->show() : "no such token");
  if (takes && own)
    return access;
  if (admin::same_secret(shown, desk.admin_token)) {
    if (!known)
      done(404, api_error("unknown_agent", "The registry has no agent of this id.",
                          "GET /api/v1/agents lists them."));
    else if (!takes)
      done(403, api_error("no_events_token", "This agent has no events_token.",
                          "Give it one in the registry: events_token: {env: NAME}."));
    else
      done(403, api_error("forbidden", "This takes the agent's own token, not the console's.",
                          "Show the secret that events_token of the registry names."));
    return std::nullopt;
  }
  done(403, api_error("forbidden", "This is not the token of an agent of this id.",
                      "Show the secret that events_token of the registry names; an agent without "
                      "events_token cannot post events."));
  return std::nullopt;
}

} // namespace

api_route events_route(events_desk desk) {
  const auto shared = std::make_shared<const events_desk>(std::move(desk));
  const auto open = std::make_shared<counters>();
  auto run = [shared, open](const api_request& r, const api_done& done) {
    const agent_id agent{r.params.at("id")};
    const auto access = who_posts(*shared, agent, r.bearer, done);
    if (!access)
      return;
    auto event = decode_posted_push(r.body);
    if (!event) {
      const bool large = event.error().code == fault_code::too_large;
      return done(large ? 413 : 400,
                  api_error(large ? "too_large" : "bad_request",
                            "The event is not understood: " + event.error().sentence + '.',
                            "The body is {event_id, kind, text, attachments?, chat_id}; see "
                            "docs/agents.md."));
    }
    if (!access->enabled)
      return done(409, api_error("agent_disabled", "This agent is not enabled.",
                                 "Set enabled: true in the registry."));
    auto place = counters::take(open, agent);
    if (!place)
      return done(503, api_error("busy", "Too many events of this agent are on their way.",
                                 "Send it again when the others are answered."));
    shared->deliver(agent, std::move(*event),
                    [done, place = std::move(place)](const std::optional<fault>& wrong) {
                      if (wrong)
                        return refuse_event(*wrong, done);
                      done(200, R"({"accepted":true})");
                    });
  };
  return {{"POST"}, std::move(run), true};
}

} // namespace pb::cli
