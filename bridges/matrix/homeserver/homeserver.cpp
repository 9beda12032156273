#include "bridges/matrix/homeserver/homeserver.hpp"

#include "bridges/matrix/homeserver/router.hpp"

#include <chrono>
#include <random>
#include <utility>

namespace pb {
namespace {

using hs::json;

unix_ms system_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t system_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

/// Browsers of the console's page and of web clients call from other origins.
void add_cors(http_response& response) {
  response.headers.push_back({"Access-Control-Allow-Origin", "*"});
  response.headers.push_back(
      {"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"});
  response.headers.push_back(
      {"Access-Control-Allow-Headers", "X-Requested-With, Content-Type, Authorization, Date"});
}

class cors_reply final : public http_reply {
public:
  using observer = std::function<void(const http_response&)>;
  cors_reply(std::shared_ptr<http_reply> to, bool cors, observer seen)
      : to_(std::move(to)), cors_(cors), seen_(std::move(seen)) {}
  void send(http_response response) override {
    if (cors_)
      add_cors(response);
    if (seen_)
      seen_(response);
    to_->send(std::move(response));
  }
  void stream(http_response head) override { to_->stream(std::move(head)); }
  bool chunk(std::string data) override { return to_->chunk(std::move(data)); }
  void end() override { to_->end(); }
  void on_gone(std::function<void()> gone) override { to_->on_gone(std::move(gone)); }

private:
  std::shared_ptr<http_reply> to_;
  bool cors_;
  observer seen_;
};

http_response internal_error() {
  return hs::error_answer(hs::api_error(500, "M_UNKNOWN", "Internal server error"));
}

fault to_fault(const hs::api_error& error) {
  const auto text = hs::text_or_empty(error.body, "error");
  return {error.status == 403 ? fault_code::unauthorised : fault_code::refused,
          hs::text_or_empty(error.body, "errcode") + ": " + text, text};
}

} // namespace

struct homeserver::impl {
  hs::server s;
  hs::router routes;
  std::function<void(const server_request&, const http_response&)> recorder;

  impl(homeserver_options o, timers& clock)
      : s(std::move(o.server_name), o.now ? std::move(o.now) : system_now,
          o.seed != 0 ? o.seed : system_seed(),
          {o.max_event_bytes, o.max_events, o.max_accounts, o.max_upload_bytes, o.max_media_bytes},
          std::move(o.keep), clock),
        recorder(std::move(o.recorder)) {
    s.open_registration = o.open_registration;
    s.allow_faults = o.allow_faults;
    s.old_media_paths = o.old_media_paths;
    s.rates.limits = o.limits;
    s.token_life = o.token_life.count();
    s.w.on_change = [this](hs::account& who) { s.syncs.note(who); };
  }

  /// nullopt: the endpoint answers later.
  std::optional<http_response> run(hs::call& c) {
    try {
      if (s.w.broken())
        hs::refuse(500, "M_UNKNOWN", "The development homeserver cannot write its journal.");
      return routes.run(s, c);
    } catch (const hs::api_error& error) {
      return hs::error_answer(error);
    } catch (const std::exception&) {
      return internal_error();
    }
  }

  std::string user_of(const server_request& request) {
    hs::call c{request, nullptr, {}, {}, json::object(), nullptr, {}};
    try {
      c.query = hs::parse_query(request.query).value_or(hs::fields{});
      hs::authenticate(s, c);
    } catch (const hs::api_error&) {
      return {};
    }
    return c.who->id;
  }

  void handle(const server_request& request, std::shared_ptr<http_reply> reply) {
    const bool control = request.path.starts_with("/_dev/");
    cors_reply::observer seen;
    if (recorder && !control)
      seen = [this, request, weak = std::weak_ptr(s.alive)](const http_response& response) {
        if (!weak.expired())
          recorder(request, response);
      };
    reply = std::make_shared<cors_reply>(std::move(reply), !control, std::move(seen));
    if (request.method == "OPTIONS" && !control)
      return reply->send({200, {{"Content-Type", "application/json"}}, "{}"});
    std::shared_ptr<const fault_rule> rule;
    if (!control && !s.faults.empty())
      rule = s.faults.take(request, user_of(request));
    if (rule) {
      reply = hs::tampered(std::move(reply), rule, s.clock);
      if (rule->answer && !rule->commit)
        return reply->send(*rule->answer);
    }
    hs::call c{request, reply, {}, {}, json::object(), nullptr, {}};
    auto response = run(c);
    // Polls of others first: they were waiting before this request came.
    wake();
    if (response)
      reply->send(*std::move(response));
  }

  void wake() {
    try {
      s.syncs.wake_all(s.w);
    } catch (const std::exception&) {
      // A reply that cannot be sent is the server's loss; the poll comes again.
    }
  }

  template <class F>
  auto guarded(F f) -> result<decltype(f())> {
    try {
      auto value = f();
      wake();
      return value;
    } catch (const hs::api_error& error) {
      wake();
      return tl::unexpected(to_fault(error));
    }
  }
};

homeserver::homeserver(homeserver_options options, timers& clock)
    : impl_(std::make_unique<impl>(std::move(options), clock)) {}

homeserver::~homeserver() = default;

void homeserver::handle(server_request request, std::shared_ptr<http_reply> reply) {
  impl_->handle(request, std::move(reply));
}

http_handler homeserver::handler() {
  return [this](server_request request, std::shared_ptr<http_reply> reply) {
    impl_->handle(request, std::move(reply));
  };
}

result<dev_login> homeserver::log_in(const std::string& localpart, const std::string& password,
                                     const std::string& device) {
  return impl_->guarded([&] {
    auto& w = impl_->s.w;
    if (!hs::is_localpart(localpart))
      hs::refuse(400, "M_INVALID_USERNAME", "This cannot be a user name.");
    auto* who = w.find('@' + localpart + ':' + w.server_name);
    if (who == nullptr)
      who = &w.add_account(localpart, password);
    else if (!w.password_fits(*who, password))
      hs::forbid("The account exists with another password.");
    const auto [token, id] = w.log_in(*who, device, {});
    return dev_login{who->id, token, id};
  });
}

bool homeserver::has_account(const std::string& localpart) const {
  auto& w = impl_->s.w;
  return w.find('@' + localpart + ':' + w.server_name) != nullptr;
}

std::vector<json> homeserver::events(const std::string& room) const {
  std::vector<json> out;
  if (const auto* r = impl_->s.w.find_room(room))
    for (const auto& e : r->timeline)
      out.push_back(hs::wire_form(*e, {impl_->s.w.now(), {}}, false));
  return out;
}

std::vector<std::string> homeserver::rooms() const {
  std::vector<std::string> out;
  for (const auto& [id, r] : impl_->s.w.rooms())
    out.push_back(id);
  return out;
}

std::vector<std::string> homeserver::members(const std::string& room,
                                             const std::string& membership) const {
  std::vector<std::string> out;
  if (const auto* r = impl_->s.w.find_room(room))
    for (const auto& [key, history] : r->state)
      if (key.first == "m.room.member" && r->membership(key.second) == membership)
        out.push_back(key.second);
  return out;
}

result<std::string> homeserver::send(const std::string& user, const std::string& room,
                                     const std::string& type, const json& content,
                                     const std::optional<std::string>& state_key) {
  return impl_->guarded([&] {
    hs::event e;
    e.sender = user;
    e.type = type;
    e.content = content;
    e.state_key = state_key;
    return impl_->s.send(impl_->s.any_room(room), std::move(e))->id;
  });
}

std::string homeserver::inject_event(const std::string& user, const std::string& room,
                                     const std::string& type, const json& content,
                                     const json& overlay) {
  return impl_
      ->guarded([&] {
        hs::event e;
        e.sender = user;
        e.room = impl_->s.any_room(room).id;
        e.type = type;
        e.content = content;
        e.overlay = overlay;
        return impl_->s.w.append(std::move(e))->id;
      })
      .value_or(std::string());
}

std::uint64_t homeserver::add_fault(fault_rule rule) {
  return impl_->s.faults.add(std::move(rule));
}

void homeserver::clear_faults() { impl_->s.faults.clear(); }

std::uint64_t homeserver::fault_hits(std::uint64_t id) const { return impl_->s.faults.hits(id); }

void homeserver::set_limits(rate_limits limits) { impl_->s.rates.limits = limits; }

void homeserver::set_token_life(std::chrono::milliseconds life) {
  impl_->s.token_life = life.count();
}

void homeserver::expire_tokens(const std::string& user, bool soft) {
  if (auto* who = impl_->s.w.find(user)) {
    impl_->s.w.expire(*who, soft);
    hs::api_error error(401, "M_UNKNOWN_TOKEN", "Access token has expired");
    error.body["soft_logout"] = soft;
    impl_->s.syncs.end(user, "", hs::error_answer(error));
  }
}

homeserver::counts homeserver::status() const {
  const auto& s = impl_->s;
  return {s.w.event_total(), s.w.rooms().size(),   s.w.accounts().size(), s.syncs.waiting(),
          s.w.media_total(), s.w.replayed().lines, s.w.replayed().broken};
}

std::string homeserver_banner(std::uint16_t port) {
  return "Development homeserver on http://127.0.0.1:" + std::to_string(port) +
         ": for development on this machine only. Anybody on loopback may register, nothing is "
         "encrypted, there is no federation. Do not expose it and keep nothing in it that matters.";
}

} // namespace pb
