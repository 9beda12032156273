#include "cli/lists_route.hpp"

#include <charconv>

namespace pb::cli {
namespace {

constexpr std::int64_t most = 200;

/// Nothing: it is there, and no number from 1 to `limit`.
std::optional<std::int64_t> number(const api_request& r, const char* name, std::int64_t otherwise,
                                   std::int64_t limit) {
  const auto i = r.query.find(name);
  if (i == r.query.end())
    return otherwise;
  std::int64_t n = 0;
  const auto end = i->second.data() + i->second.size();
  const auto [at, error] = std::from_chars(i->second.data(), end, n);
  return error == std::errc{} && at == end && n >= 1 && n <= limit ? std::optional{n}
                                                                   : std::nullopt;
}

void ask(const caf::weak_actor_ptr& weak, list_aside::kind what, const api_request& r,
         const api_done& answer) {
  const auto limit = number(r, "limit", 50, most);
  const auto before = number(r, "cursor", 0, std::int64_t{1} << 62);
  if (!limit || !before)
    return answer(400, api_error("bad_request", "limit or cursor is out of range",
                                 "limit is 1 to 200; take cursor from `next` of the page before"));
  auto strong = weak.lock();
  if (!strong)
    return answer(503, api_error("stopping", "the router is stopping", "try again when it runs"));
  list_aside m;
  m.what = what;
  m.before = *before;
  m.limit = static_cast<std::size_t>(*limit);
  m.answer = std::make_shared<std::function<void(bool, std::vector<std::string>, std::int64_t)>>(
      [answer](bool good, const std::vector<std::string>& items, std::int64_t next) {
        if (good)
          return answer(200, api_page(items, next > 0 ? std::to_string(next) : ""));
        answer(503, api_error("unavailable", "the database does not answer", "see /readyz"));
      });
  caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(m));
}

} // namespace

api_route poison_route(const supervisor_actor& boss) {
  return {{"GET"},
          [weak = caf::actor_cast<caf::weak_actor_ptr>(boss)](const api_request& r,
                                                              const api_done& answer) {
            ask(weak, list_aside::kind::poison, r, answer);
          },
          false};
}

api_route outbox_route(const supervisor_actor& boss) {
  return {{"GET"},
          [weak = caf::actor_cast<caf::weak_actor_ptr>(boss)](const api_request& r,
                                                              const api_done& answer) {
            const auto state = r.query.find("state");
            if (state == r.query.end() || state->second != "dead")
              return answer(501, api_error("not_there_yet",
                                           "only dead letters are listed in this version",
                                           "ask for ?state=dead; /metrics counts what waits"));
            ask(weak, list_aside::kind::dead, r, answer);
          },
          false};
}

api_route confirmations_route(const supervisor_actor& boss) {
  return {{"GET"},
          [weak = caf::actor_cast<caf::weak_actor_ptr>(boss)](const api_request& r,
                                                              const api_done& answer) {
            const auto state = r.query.find("state");
            const auto wanted = state == r.query.end() ? "open" : state->second;
            if (wanted != "open" && wanted != "all")
              return answer(400, api_error("bad_request", "state is neither open nor all",
                                           "ask for ?state=open or ?state=all"));
            ask(weak,
                wanted == "open" ? list_aside::kind::open_confirmations
                                 : list_aside::kind::confirmations,
                r, answer);
          },
          false};
}

} // namespace pb::cli
