#include "actors/matrix/session.hpp"

#include "bridges/matrix/api.hpp"

namespace pb {

using namespace std::chrono_literals;

matrix_session_actor::behavior_type
matrix_session(matrix_session_actor::stateful_pointer<matrix_session_state> self,
               session_deps deps) {
  return self->state.start(std::move(deps));
}

matrix_session_actor::behavior_type matrix_session_state::start(session_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, name);
  http_ = std::make_unique<http_calls>(deps_.http, caf::strong_actor_ptr(self_->ctrl()));
  auto& numbers = *deps_.around.numbers;
  renewals_total_ = numbers.counter_of("patchbay_session_renewals_total",
                                       "Tokens that replaced an earlier one while we ran");
  lost_total_ = numbers.counter_of("patchbay_session_lost_total",
                                   "Times that the homeserver did not accept our token any more");
  self_->set_exit_handler([this](caf::exit_msg& m) {
    http_->cancel_all();
    self_->quit(std::move(m.reason));
  });
  load();
  return {[this](const session_doubt& m) { doubted(m.token); },
          [this](http_finished& m) { http_->finish(m); }, [this](tick t) { clock_.ring(t); },
          [this](get_status) {
            return status_report{
                name, "{\"step\":" + json_quote(step_) +
                          ",\"user\":" + json_quote(session_.user.value) +
                          ",\"device\":" + json_quote(session_.device.value) +
                          ",\"refreshable\":" + (refresh_token_.empty() ? "false" : "true") +
                          ",\"renewals\":" + std::to_string(renewals_) + "}"};
          }};
}

void matrix_session_state::load() {
  self_->request(deps_.store, 60s, store_load{})
      .then(
          [this](loaded_state& all) {
            account_ = all.account;
            const auto& wanted = deps_.homeserver.user;
            if (account_ && !wanted.empty() && account_->user != wanted)
              return give_up(78, "the database was written for " + account_->user.value +
                                     ", but the configuration says " + wanted.value +
                                     "; use the data_dir of that account, or an empty one");
            auto where = matrix::split_url(deps_.homeserver.url);
            if (!where)
              return give_up(78, where.error().sentence.empty() ? where.error().cause
                                                                : where.error().sentence);
            session_.origin = where->origin;
            session_.prefix = where->prefix;
            session_.user = wanted;
            find_server();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void matrix_session_state::find_server() {
  step_ = "looking for the homeserver";
  http_->send(matrix::ask::versions(session_), [this](http_result& r) {
    const auto got = matrix::read::versions(r, deps_.around.wall());
    if (!got) {
      // Not where we were logged in before: that is a proxy whose homeserver is away.
      if (!account_ && (got.error().kind == failure::kind_t::not_found ||
                        got.error().kind == failure::kind_t::unrecognised))
        return give_up(69, "no Matrix homeserver answers at " + deps_.homeserver.url +
                               "; check homeserver.url (the address of the server itself, not of a "
                               "web client)");
      return wait(got.error(), [this] { find_server(); });
    }
    failures_ = 0;
    if (deps_.homeserver.access_token)
      return present_token(deps_.homeserver.access_token->show(), false);
    if (account_ && !account_->access_token.empty()) {
      session_.device = account_->device;
      refresh_token_ = account_->refresh_token;
      return present_token(account_->access_token, true);
    }
    log_in();
  });
}

void matrix_session_state::present_token(std::string token, bool ours) {
  step_ = "asking who the token belongs to";
  session_.access_token = std::move(token);
  http_->send(matrix::ask::whoami(session_), [this, ours](http_result& r) {
    const auto got = matrix::read::whoami(r, deps_.around.wall());
    if (!got) {
      const auto kind = got.error().kind;
      if (kind == failure::kind_t::unauthorised || kind == failure::kind_t::soft_logout) {
        by_password_ = ours;
        if (ours)
          return mend();
        return give_up(69, "the homeserver does not accept the access token (" + got.error().cause +
                               "); put a valid one for " + deps_.homeserver.user.value +
                               " where homeserver.access_token points to");
      }
      return wait(got.error(), [this, ours] { present_token(session_.access_token, ours); });
    }
    if (!deps_.homeserver.user.empty() && got->user != deps_.homeserver.user)
      return give_up(69, "the access token belongs to " + got->user.value +
                             ", but homeserver.user_id is " + deps_.homeserver.user.value +
                             "; use the token of that account, or correct "
                             "user_id");
    by_password_ = ours;
    established(got->user, got->device, std::nullopt);
  });
}

void matrix_session_state::log_in() {
  if (!deps_.homeserver.password)
    return give_up(
        78, "there is neither an access token nor a password; set homeserver.access_token or "
            "homeserver.password");
  step_ = "logging in";
  // The stored device, so that transaction ids keep their scope.
  const auto device =
      account_ && !account_->device.empty() ? account_->device : deps_.homeserver.device;
  http_->send(
      matrix::ask::login_password(session_, deps_.homeserver.user.value,
                                  deps_.homeserver.password->show(), device, "Patchbay"),
      [this](http_result& r) {
        const auto got = matrix::read::login(r, deps_.around.wall());
        if (!got) {
          const bool no = got.error().final() || refused(got.error());
          if (no && running_)
            return await_token("and the password is refused, too (" + got.error().cause + ")");
          if (no)
            return give_up(69, "the homeserver refuses the login of " +
                                   deps_.homeserver.user.value + " (" + got.error().cause +
                                   "); check user_id and password");
          return wait(got.error(), [this] { log_in(); });
        }
        if (got->user != deps_.homeserver.user)
          return give_up(69, "the login is that of " + got->user.value +
                                 ", but homeserver.user_id is " + deps_.homeserver.user.value);
        session_.access_token = got->access_token;
        refresh_token_ = got->refresh_token;
        by_password_ = true;
        established(got->user, got->device, got->life);
      });
}

/// On disk before it is used: from the first use on, what it replaces counts no more.
void matrix_session_state::established(const user_id& user, const device_id& device,
                                       life of_token) {
  session_.user = user;
  session_.device = device;
  if (account_ && account_->device != device)
    deps_.around.log->warning(
        "session_device_changed", {},
        "the device is another one than before: what may have been sent under "
        "the old one is looked for in its room before it is sent again",
        {{"before", account_->device}, {"now", device}});
  account_row row{user, device, by_password_ ? session_.access_token : std::string{},
                  by_password_ ? refresh_token_ : std::string{}};
  account_ = row;
  self_->request(deps_.store, in_house, store_save_account{std::move(row)})
      .then(
          [this, of_token](done) {
            renew_before_end(of_token);
            if (running_) {
              ++renewals_;
              renewals_total_.inc();
              deps_.around.log->info("session_renewed", {}, "the homeserver gave us another token",
                                     {{"user", session_.user}, {"device", session_.device}});
              return token_counts();
            }
            running_ = true;
            mending_ = false;
            failures_ = 0;
            step_ = "established";
            deps_.around.log->info("session_ready", {}, "logged in to the homeserver",
                                   {{"user", session_.user}, {"device", session_.device}});
            self_->send(deps_.store, session_renewed{session_});
            self_->send(deps_.supervisor, session_ready{session_});
          },
          [this, user, device, of_token](caf::error& e) {
            const auto f = to_fault(e);
            if (f.code != fault_code::disk_full && f.code != fault_code::storage)
              return self_->quit(std::move(e));
            deps_.around.log->error("session_not_saved", {},
                                    "the token cannot be written, so it is not used: " + f.cause,
                                    {});
            clock_.after(backoff(engine_, failures_++, 1000ms, 30s),
                         [this, user, device, of_token] { established(user, device, of_token); });
          });
}

void matrix_session_state::wait(const failure& f, std::function<void()> again) {
  const auto now = self_->clock().now();
  deps_.health->sync_trouble(deps_.around.wall(), "the homeserver does not serve us: " + f.cause);
  if (!told_ || now - *told_ >= 60s) {
    told_ = now;
    deps_.around.log->warning("homeserver_unreachable", {},
                              "the homeserver does not serve us yet, trying on: " + f.cause,
                              {{"url", deps_.homeserver.url}});
  }
  const auto delay =
      f.retry_after ? std::max(*f.retry_after, 500ms) : backoff(engine_, failures_++, 500ms, 30s);
  clock_.after(delay, std::move(again));
}

void matrix_session_state::give_up(int exit_code, std::string sentence) {
  step_ = "given up";
  self_->send(deps_.supervisor, router_failed{exit_code, std::move(sentence)});
}

} // namespace pb
