#include "bridges/net/child_session.hpp"
#include "bridges/net/http_session.hpp"
#include "bridges/net/link_session.hpp"

#include <algorithm>

namespace pb::net {

namespace {

class any_dialer final : public dialer {
public:
  any_dialer(std::shared_ptr<core> c, const tls_options& tls)
      : core_(std::move(c)), tls_(make_tls_context(tls)) {}

  std::shared_ptr<link> dial(link_request request, std::shared_ptr<link_listener> events) override {
    constexpr std::chrono::milliseconds shortest{1}, longest = std::chrono::hours(24);
    request.ping_after = std::clamp(request.ping_after, shortest, longest);
    switch (request.by) {
    case carrier::http:
      return begin<http_session>(std::move(request), std::move(events));
    case carrier::process:
      return begin<child_session>(std::move(request), std::move(events));
    case carrier::websocket:
      break;
    }
    return websocket(std::move(request), std::move(events));
  }

private:
  template <class Session>
  std::shared_ptr<link> begin(link_request request, std::shared_ptr<link_listener> events) {
    auto session = std::make_shared<Session>(*core_, request);
    core_->post([session, tls = tls_, r = std::move(request), e = std::move(events)]() mutable {
      session->dial(std::move(r), std::move(tls), std::move(e));
    });
    return make_link(core_, std::move(session));
  }

  std::shared_ptr<link> websocket(link_request request, std::shared_ptr<link_listener> events) {
    auto session = std::make_shared<link_session>(
        *core_, link_limits{request.frame_limit, request.unread_limit, request.send_queue,
                            request.ping_after, request.connect_timeout});
    core_->post([session, tls = tls_, r = std::move(request),
                 events = std::move(events)]() mutable {
      auto to = parse_address(r.url, "ws");
      const bool good = std::all_of(r.headers.begin(), r.headers.end(), [](const http_header& h) {
        return valid_token(h.name) && valid_value(h.value);
      });
      if (to && good)
        session->dial(*to, std::move(r.headers), std::move(tls), std::move(events));
      else
        session->refuse(std::move(events),
                        "not a WebSocket address, or a header that cannot be sent");
    });
    return make_link(core_, std::move(session));
  }

  std::shared_ptr<core> core_;
  std::shared_ptr<tls_context> tls_;
};

} // namespace

} // namespace pb::net

namespace pb {

std::unique_ptr<dialer> make_dialer(io_runtime& io, tls_options tls) {
  return std::make_unique<net::any_dialer>(io.core(), tls);
}

} // namespace pb
