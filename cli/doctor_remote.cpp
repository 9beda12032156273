// What answers over the network: the homeserver.

#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/retry_after.hpp"
#include "cli/doctor.hpp"
#include "cli/wall_clock.hpp"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

namespace pb::cli::doctor {
namespace {

using namespace std::chrono_literals;
using matrix::matrix_failure;

constexpr unix_ms clock_tolerance = 60'000;

http_request soon(http_request r) {
  r.timeout = std::min<std::chrono::milliseconds>(r.timeout, 10s);
  return r;
}

std::string plural(std::int64_t n, const char* unit) {
  return std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
}

void look_at_clock(const http_response& answer, unix_ms before, unix_ms after, findings& into) {
  const auto* text = find_header(answer.headers, "Date");
  const auto theirs = text ? parse_http_date(*text, after) : std::nullopt;
  if (!theirs) {
    into.push_back({"clock", verdict::warning, "the homeserver tells no date to compare with",
                    "make sure that this machine's clock is set by NTP"});
    return;
  }
  const auto off = *theirs + 500 - (before + after) / 2; // their header is cut to whole seconds
  const auto size = off < 0 ? -off : off;
  const auto words = size < 1'000 ? std::string{"the homeserver's and ours agree"}
                                  : "the homeserver's is " + plural(size / 1000, "second") +
                                        (off > 0 ? " ahead of ours" : " behind ours");
  if (size > clock_tolerance)
    into.push_back({"clock", verdict::warning, words,
                    "set both clocks by NTP: what expires is measured against ours"});
  else
    into.push_back({"clock", verdict::ok, words, {}});
}

/// The end of a login for this look alone.
void log_out(blocking_http& http, const session_ref& s) {
  http_request r;
  r.method = "POST";
  r.origin = s.origin;
  r.target = s.prefix + "/_matrix/client/v3/logout";
  r.headers = {{"Authorization", "Bearer " + s.access_token}, {"Content-Type", "application/json"}};
  r.body = "{}";
  (void)http.ask(soon(std::move(r)));
}

void compare_account(const matrix::whoami_answer& who, const settings& s,
                     const std::optional<account_row>& account, bool own_device, findings& into) {
  const auto& wanted = s.homeserver.user;
  const auto name = who.user.value + (own_device ? ", device " + who.device.value : "");
  if (!wanted.empty() && who.user != wanted)
    into.push_back({"account", verdict::failed,
                    "the homeserver says " + who.user.value + ", the configuration " + wanted.value,
                    "make homeserver.user_id and the token those of one account"});
  else if (account && account->user != who.user)
    into.push_back(
        {"account", verdict::failed,
         "the database was written for " + account->user.value + ", not for " + who.user.value,
         "use the data_dir of that account, or an empty one"});
  else if (account && own_device && account->device != who.device)
    into.push_back({"account", verdict::warning,
                    name + "; the database was written with device " + account->device.value,
                    "nothing: the next start reconciles unsent messages by reading the rooms"});
  else
    into.push_back({"account", verdict::ok, name + (account ? ", as in the database" : ""), {}});
}

/// Proves that the password is right with a session of its own, so that the router's goes on.
bool try_password(blocking_http& http, session_ref& s, const settings& conf, findings& into) {
  const auto got =
      matrix::read::login(http.ask(soon(matrix::ask::login_password(
                              s, conf.homeserver.user.value, conf.homeserver.password->show(),
                              device_id{"PATCHBAY-DOCTOR"}, "patchbay doctor"))),
                          wall_now());
  if (got) {
    s.access_token = got->access_token;
    into.push_back({"login", verdict::ok, "the password is accepted", {}});
    return true;
  }
  // Only a refusal speaks of the password; a server that is slow or in trouble says nothing of it.
  const auto& why = got.error();
  const bool limited = why.kind == matrix_failure::kind_t::rate_limited;
  const bool refused = why.final() || why.kind == matrix_failure::kind_t::unauthorised;
  into.push_back({"login", limited ? verdict::warning : verdict::failed,
                  (refused ? "the login is refused: " : "the login was not answered: ") + why.cause,
                  limited   ? "wait and try again"
                  : refused ? "put the right password into the configuration"
                            : "look at the homeserver, then try again"});
  return false;
}

/// True: `s` holds a token that works.
bool present_token(blocking_http& http, session_ref& s, const settings& conf,
                   const std::optional<account_row>& account, findings& into) {
  const bool configured = conf.homeserver.access_token.has_value();
  s.access_token = configured ? conf.homeserver.access_token->show() : account->access_token;
  const auto who = matrix::read::whoami(http.ask(soon(matrix::ask::whoami(s))), wall_now());
  if (who) {
    into.push_back({"login", verdict::ok, "the token is accepted", {}});
    compare_account(*who, conf, account, true, into);
    return true;
  }
  if (!configured && conf.homeserver.password)
    return false; // an old session of the router: it would log in anew, and so do we
  into.push_back({"login", verdict::failed, "the token is refused: " + who.error().cause,
                  "put a valid access token into the configuration"});
  return false;
}

void look_at_limits(blocking_http& http, const session_ref& s, findings& into) {
  http_request r;
  r.origin = s.origin;
  r.target =
      s.prefix + "/_synapse/admin/v1/users/" + matrix::encode(s.user.value) + "/override_ratelimit";
  r.headers = {{"Authorization", "Bearer " + s.access_token}};
  const auto got = http.ask(soon(std::move(r)));
  const std::string next =
      "give the bot relief: curl -X POST -H \"Authorization: Bearer $ADMIN_TOKEN\" -d "
      "'{\"messages_per_second\": 0, \"burst_count\": 0}' " +
      s.origin + s.prefix + "/_synapse/admin/v1/users/" + s.user.value +
      "/override_ratelimit (Synapse; another server has its own way)";
  if (!got || got->status != 200) {
    into.push_back({"rate limits", verdict::warning,
                    "this account may not ask whether it is limited" +
                        (got ? " (HTTP " + std::to_string(got->status) + ")" : std::string{}) +
                        "; Synapse allows 0.2 messages a second without relief",
                    next});
    return;
  }
  const auto body = nlohmann::json::parse(got->body, nullptr, false);
  const auto rate = body.is_object() && body.contains("messages_per_second") &&
                            body["messages_per_second"].is_number()
                        ? std::optional{body["messages_per_second"].get<double>()}
                        : std::nullopt;
  if (rate && *rate == 0)
    into.push_back({"rate limits", verdict::ok, "none for this account", {}});
  else
    into.push_back(
        {"rate limits", verdict::warning,
         rate ? "this account may send " + nlohmann::json(*rate).dump() + " messages a second"
              : "this account has the server's default limits",
         next});
}

void look_at_media(blocking_http& http, const session_ref& s, findings& into) {
  auto got = matrix::read::media_config(
      http.ask(soon(matrix::ask::media_config(s, matrix::media_path::authenticated))), wall_now());
  if (!got)
    got = matrix::read::media_config(
        http.ask(soon(matrix::ask::media_config(s, matrix::media_path::old))), wall_now());
  if (!got)
    into.push_back({"media", verdict::warning,
                    "the homeserver does not tell its file limit: " + got.error().cause,
                    "nothing, if people send no files"});
  else if (*got)
    into.push_back(
        {"media", verdict::ok, "files up to " + std::to_string(**got / (1 << 20)) + " MiB", {}});
  else
    into.push_back({"media", verdict::ok, "the homeserver names no file limit", {}});
}

} // namespace

void look_at_homeserver(blocking_http& http, const settings& s,
                        const std::optional<account_row>& account, findings& into) {
  const auto where = matrix::split_url(s.homeserver.url);
  if (!where) {
    into.push_back({"homeserver", verdict::failed, where.error().cause, where.error().sentence});
    return;
  }
  session_ref session{where->origin, where->prefix, {}, s.homeserver.user, s.homeserver.device};
  const auto before = wall_now();
  const auto raw = http.ask(soon(matrix::ask::versions(session)));
  const auto after = wall_now();
  const auto versions = matrix::read::versions(raw, after);
  if (!versions) {
    into.push_back(
        {"homeserver", verdict::failed, s.homeserver.url + ": " + versions.error().cause,
         "check homeserver.url (the address of the server itself, not of a web client)"});
    return;
  }
  into.push_back({"homeserver",
                  verdict::ok,
                  s.homeserver.url + " answers in " + std::to_string(after - before) +
                      " ms, newest version " +
                      (versions->versions.empty() ? "unknown" : versions->versions.back()),
                  {}});
  look_at_clock(*raw, before, after, into);
  bool in = false, own = false;
  if (s.homeserver.access_token || (account && !account->access_token.empty()))
    in = present_token(http, session, s, account, into);
  if (!in && !s.homeserver.access_token && s.homeserver.password) {
    in = own = try_password(http, session, s, into);
    if (in)
      if (const auto who =
              matrix::read::whoami(http.ask(soon(matrix::ask::whoami(session))), wall_now()))
        compare_account(*who, s, account, false, into);
  }
  if (!in)
    return;
  look_at_limits(http, session, into);
  look_at_media(http, session, into);
  if (own)
    log_out(http, session);
}

} // namespace pb::cli::doctor
