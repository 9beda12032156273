// A token that does not count any more while we run: soft logout, hard logout, the end of its time.

#include "actors/matrix/session.hpp"
#include "bridges/matrix/api.hpp"

namespace pb {

using namespace std::chrono_literals;

namespace {
constexpr auto look_every = 60s;
constexpr unsigned looks_for_a_login = 15; ///< a password that is refused is tried again so rarely
constexpr auto calm = 10min;               ///< without a doubt: false alarms are forgotten
} // namespace

bool matrix_session_state::refused(const failure& f) {
  return f.kind == failure::kind_t::unauthorised || f.kind == failure::kind_t::soft_logout;
}

void matrix_session_state::doubted(const std::string& token) {
  if (!running_ || mending_ || token != session_.access_token)
    return; // somebody is late: it is being looked after, or another one counts already
  mending_ = true;
  step_ = "asking whether the token still counts";
  const auto now = self_->clock().now();
  if (now - last_alarm_ > calm)
    false_alarms_ = 0;
  last_alarm_ = now;
  const auto look = [this] {
    http_->send(matrix::ask::whoami(session_), [this](http_result& r) {
      const auto got = matrix::read::whoami(r, deps_.around.wall());
      if (got && got->user == session_.user) {
        ++false_alarms_;
        return token_counts();
      }
      if (!got && !refused(got.error()))
        return wait(got.error(), [this] {
          mending_ = false;
          doubted(session_.access_token);
        });
      lost_total_.inc();
      deps_.around.log->warning("session_doubted", {},
                                "the homeserver does not accept our token any more: " +
                                    (got ? "it belongs to " + got->user.value : got.error().cause),
                                {{"user", session_.user}, {"device", session_.device}});
      mend();
    });
  };
  // Whoever is refused although the token counts asks again at once: not faster than this.
  if (false_alarms_ > 0)
    clock_.after(backoff(engine_, false_alarms_, 1000ms, 60s), look);
  else
    look();
}

void matrix_session_state::mend() {
  mending_ = true;
  if (by_password_ && !refresh_token_.empty())
    return refresh();
  if (by_password_ && deps_.homeserver.password)
    return log_in();
  if (!running_)
    return log_in(); // says what is missing
  await_token(by_password_ ? "and there is no password to log in again"
                           : "and it came from the configuration");
}

void matrix_session_state::refresh() {
  step_ = "renewing the token";
  mending_ = true;
  http_->send(matrix::ask::refresh(session_, refresh_token_), [this](http_result& r) {
    const auto got = matrix::read::refresh(r, deps_.around.wall());
    if (got) {
      session_.access_token = got->access_token;
      if (!got->refresh_token.empty())
        refresh_token_ = got->refresh_token;
      return established(session_.user, session_.device, got->life);
    }
    const auto& f = got.error();
    if (!refused(f) && !f.final())
      return wait(f, [this] { refresh(); });
    deps_.around.log->warning("session_refresh_refused", {},
                              "the homeserver refuses our refresh token: " + f.cause,
                              {{"user", session_.user}, {"device", session_.device}});
    refresh_token_.clear();
    if (!running_)
      return mend();
    mending_ = false; // the token itself may count until its time is over
    doubted(session_.access_token);
  });
}

void matrix_session_state::await_token(const std::string& why) {
  step_ = "waiting for a token that counts";
  deps_.health->sync_trouble(deps_.around.wall(),
                             "the homeserver does not accept our token any more, " + why +
                                 "; make it valid again, or put a valid one or the password into "
                                 "the configuration and restart");
  deps_.around.log->error("session_lost", {},
                          "the homeserver does not accept our token, " + why +
                              "; nothing is lost meanwhile. Put a valid one or the password into "
                              "the configuration and restart",
                          {{"user", session_.user}, {"device", session_.device}});
  clock_.after(look_every, [this] { look_again(); });
}

void matrix_session_state::look_again() {
  http_->send(matrix::ask::whoami(session_), [this](http_result& r) {
    const auto got = matrix::read::whoami(r, deps_.around.wall());
    if (got && got->user == session_.user)
      return token_counts();
    if (++looks_ % looks_for_a_login == 0 && by_password_ && deps_.homeserver.password)
      return log_in();
    clock_.after(look_every, [this] { look_again(); });
  });
}

/// At four fifths of its life; what still uses the old one may go on until the new one is used.
void matrix_session_state::renew_before_end(life of_token) {
  clock_.cancel(renewal_timer_);
  if (!of_token || refresh_token_.empty())
    return;
  renewal_timer_ = clock_.after(*of_token * 4 / 5, [this] {
    if (!mending_)
      refresh();
  });
}

void matrix_session_state::token_counts() {
  mending_ = false;
  failures_ = 0;
  told_.reset();
  step_ = "established";
  self_->send(deps_.supervisor, session_renewed{session_});
}

} // namespace pb
