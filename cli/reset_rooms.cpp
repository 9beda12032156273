// The homeserver's part of a reset: leave and forget.

#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/api.hpp"
#include "cli/doctor.hpp"
#include "cli/reset.hpp"
#include "cli/wall_clock.hpp"
#include "persistence/sqlite/inspect.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace pb::cli::reset {
namespace {

using matrix::matrix_failure;

bool token_lost(const matrix_failure& f) {
  return f.kind == matrix_failure::kind_t::unauthorised ||
         f.kind == matrix_failure::kind_t::soft_logout;
}

std::set<std::string> begun_before(const std::string& file) {
  std::set<std::string> rooms;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with('!') && line.size() <= 255)
      rooms.insert(line);
  return rooms;
}

/// On disk before the first room is left: a left room is in no list any more.
bool write_down(const std::string& file, const std::set<std::string>& rooms) {
  const auto fresh = file + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    for (const auto& r : rooms)
      out << r << '\n';
    out.flush();
    if (!out)
      return false;
  }
  std::error_code ec;
  std::filesystem::rename(fresh, file, ec);
  return !ec;
}

} // namespace

result<signed_in> sign_in(blocking_http& http, const settings& s) {
  const auto where = matrix::split_url(s.homeserver.url);
  if (!where)
    return tl::unexpected(where.error());
  signed_in in;
  in.session = {where->origin, where->prefix, {}, s.homeserver.user, s.homeserver.device};
  std::optional<std::string> token;
  if (s.homeserver.access_token)
    token = s.homeserver.access_token->show();
  else if (const auto seen = inspect_database(doctor::database_path(s));
           seen && seen->account && !seen->account->access_token.empty())
    token = seen->account->access_token;
  if (token) {
    in.session.access_token = *token;
    const auto who =
        matrix::read::whoami(ask_patiently(http, matrix::ask::whoami(in.session), {}), wall_now());
    if (who && !s.homeserver.user.empty() && who->user != s.homeserver.user)
      return fail(fault_code::configuration, "the token is " + who->user.value + "'s",
                  "the token belongs to " + who->user.value + ", the configuration names " +
                      s.homeserver.user.value + "; nothing was changed");
    if (who) {
      in.session.user = who->user;
      return in;
    }
    if (!token_lost(who.error()) || s.homeserver.access_token || !s.homeserver.password)
      return fail(fault_code::unreachable, who.error().cause,
                  s.homeserver.url + " does not take our token (" + who.error().cause +
                      "); nothing was changed");
  }
  if (!s.homeserver.password)
    return fail(fault_code::configuration, "no token and no password",
                "there is no access token and no password for " + s.homeserver.user.value +
                    "; nothing was changed");
  const auto got = matrix::read::login(
      ask_patiently(http,
                    matrix::ask::login_password(in.session, s.homeserver.user.value,
                                                s.homeserver.password->show(), s.homeserver.device,
                                                "patchbay"),
                    {}),
      wall_now());
  if (!got)
    return fail(fault_code::unreachable, got.error().cause,
                "the login at " + s.homeserver.url + " is refused (" + got.error().cause +
                    "); nothing was changed");
  in.session.user = got->user;
  in.session.access_token = got->access_token;
  in.log_out = true;
  return in;
}

void sign_out(blocking_http& http, const signed_in& who) {
  if (!who.log_out)
    return;
  http_request r;
  r.method = "POST";
  r.origin = who.session.origin;
  r.target = who.session.prefix + "/_matrix/client/v3/logout";
  r.headers = {{"Authorization", "Bearer " + who.session.access_token},
               {"Content-Type", "application/json"}};
  r.body = "{}";
  (void)http.ask(std::move(r));
}

server_end leave_rooms(blocking_http& http, const session_ref& s, const std::string& progress_file,
                       bool dry_run, const std::function<void(const std::string&)>& tell) {
  server_end end;
  patience how;
  how.tries = 6;
  how.on_wait = [&](std::chrono::milliseconds pause, const std::string& why) {
    tell("waiting " + std::to_string((pause.count() + 999) / 1000) + " s: " + why);
  };
  const auto joined = matrix::read::joined_rooms(
      ask_patiently(http, matrix::ask::joined_rooms(s), how), wall_now());
  if (!joined) {
    end.trouble = "the list of rooms did not come: " + joined.error().cause;
    return end;
  }
  auto all = begun_before(progress_file);
  for (const auto& room : *joined)
    all.insert(room.value);
  if (dry_run) {
    for (const auto& room : all)
      end.rooms.push_back({room, "would be left and forgotten"});
    return end;
  }
  if (!all.empty() && !write_down(progress_file, all)) {
    end.trouble = progress_file + " cannot be written";
    return end;
  }
  for (const auto& room : all) {
    const room_id id{room};
    const auto left =
        matrix::read::done(ask_patiently(http, matrix::ask::leave(s, id), how), wall_now());
    // Not in it any more (or never): forgetting tells the rest.
    if (!left && (token_lost(left.error()) || !left.error().final())) {
      end.rooms.push_back({room, "not left: " + left.error().cause, true});
      end.trouble = left.error().cause;
      return end;
    }
    const auto forgotten =
        matrix::read::done(ask_patiently(http, matrix::ask::forget(s, id), how), wall_now());
    if (forgotten ||
        (forgotten.error().final() && forgotten.error().kind != matrix_failure::kind_t::refused)) {
      end.rooms.push_back({room, "left and forgotten"});
      continue;
    }
    end.rooms.push_back({room,
                         (left ? "left, but not forgotten: " : "not left: ") +
                             (left ? forgotten.error().cause : left.error().cause),
                         true});
    if (!forgotten.error().final()) {
      end.trouble = forgotten.error().cause;
      return end;
    }
  }
  if (std::none_of(end.rooms.begin(), end.rooms.end(), [](const item& i) { return i.failed; })) {
    std::error_code ec;
    std::filesystem::remove(progress_file, ec);
  }
  return end;
}

} // namespace pb::cli::reset
