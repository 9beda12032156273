// Our answers against those of a real homeserver: whatever the captured answer has, ours has, of
// the same type. The captures lie beside the project; without them this is skipped.

#include "tests/matrix/homeserver/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

using namespace pb;
using namespace pb::test;

namespace {

const std::filesystem::path folder = "../shared/data/homeserver-captures";

json capture(const std::string& name) {
  std::ifstream in(folder / (name + ".json"));
  return json::parse(in).at("response");
}

/// Paths of all values with their types; names that are ids are "*", entries of lists are "[]".
void shape(const json& value, const std::string& at, std::set<std::string>& out) {
  if (at.ends_with("/content") || at == "/unstable_features")
    return; // what people write, not what the server forms
  if (value.is_object()) {
    if (value.value("type", json()) == "m.push_rules")
      return;
    for (const auto& [key, part] : value.items())
      shape(part, at + '/' + (key.find_first_of("!@$") == 0 ? "*" : key), out);
  } else if (value.is_array()) {
    for (const auto& part : value)
      shape(part, at + "/[]", out);
  } else if (!value.is_null()) {
    out.insert(at + ' ' + (value.is_number() ? "number" : value.type_name()));
  }
}

void same_shape(const std::string& name, const reply_view& ours) {
  INFO(name << ": " << ours.body.dump().substr(0, 300));
  const auto real = capture(name);
  CHECK(ours.status == real.at("status"));
  if (ours.status >= 400) {
    CHECK(ours.body.at("errcode") == real.at("body").at("errcode"));
    CHECK(ours.body.at("error").is_string());
    CHECK(ours.body.contains("soft_logout") == real.at("body").contains("soft_logout"));
    CHECK(ours.body.contains("retry_after_ms") == real.at("body").contains("retry_after_ms"));
    return;
  }
  std::set<std::string> wanted, got;
  shape(real.at("body"), "", wanted);
  shape(ours.body, "", got);
  for (const auto& path : wanted) {
    INFO(path);
    CHECK(got.contains(path));
  }
}

} // namespace

TEST_CASE("answers have the shape of a real homeserver's") {
  if (!std::filesystem::exists(folder)) {
    std::cout << "skipped: " << folder.string() << " is not there\n";
    return;
  }
  lab l;
  const auto nobody = l.nobody();
  const auto bot = l.user("bot_2"), alice = l.user("alice_2"), carol = l.user("carol_2");
  same_shape("versions", nobody.call("GET", "/_matrix/client/versions"));
  const auto login = [&](const std::string& password) {
    return nobody.call("POST", "/login",
                       {{"type", "m.login.password"},
                        {"identifier", {{"type", "m.id.user"}, {"user", "bot_2"}}},
                        {"password", password}});
  };
  same_shape("login_password_ok", login("pw-bot_2"));
  same_shape("login_forbidden", login("wrong"));
  same_shape("whoami", bot.call("GET", "/account/whoami"));
  const client stranger(*l.hs, "", "syt_unknown", "");
  same_shape("whoami_unknown_token", stranger.call("GET", "/account/whoami"));
  const auto sync = [&](const std::string& more) {
    return bot.call("GET", "/sync?timeout=0" + more);
  };
  const auto next = [](const reply_view& r) {
    return "&since=" + r.body.at("next_batch").get<std::string>();
  };
  auto last = sync("");
  same_shape("sync_initial_empty", last);
  same_shape("sync_bad_since", sync("&since=bogus"));

  const auto dm = alice.call("POST", "/createRoom",
                             {{"preset", "trusted_private_chat"},
                              {"is_direct", true},
                              {"invite", json::array({bot.user})}});
  same_shape("create_dm", dm);
  const auto direct = dm.body.at("room_id").get<std::string>();
  last = sync(next(last));
  same_shape("sync_invite", last);
  same_shape("join", bot.call("POST", "/join/" + encoded(direct), json::object()));
  const auto space = bot.create({{"name", "Agents of alice"},
                                 {"creation_content", {{"type", "m.space"}}},
                                 {"preset", "private_chat"},
                                 {"invite", json::array({alice.user})}});
  const auto room = bot.create(
      {{"name", "Chat 1"},
       {"preset", "private_chat"},
       {"invite", json::array({alice.user})},
       {"initial_state",
        json::array({{{"type", "m.space.parent"},
                      {"state_key", space},
                      {"content", {{"canonical", true}, {"via", json::array({"localhost"})}}}},
                     {{"type", "io.patchbay.chat"},
                      {"state_key", ""},
                      {"content", {{"owner", alice.user}, {"chat", "C1"}}}}})}});
  const auto path = client::room_path(room);
  same_shape("space_child",
             bot.call("PUT", client::room_path(space) + "/state/m.space.child/" + encoded(room),
                      {{"via", json::array({"localhost"})}, {"suggested", true}}));
  same_shape("space_hierarchy",
             bot.call("GET", "/_matrix/client/v1/rooms/" + encoded(space) + "/hierarchy"));
  alice.join(room);
  last = sync(next(last));
  same_shape("sync_join_own_rooms", last);
  const auto sent = alice.call("PUT", path + "/send/m.room.message/t1",
                               {{"msgtype", "m.text"}, {"body", "hello, agent"}});
  same_shape("send_text", sent);
  const auto id = sent.body.at("event_id").get<std::string>();
  same_shape("read_receipt",
             bot.call("POST", path + "/receipt/m.read/" + encoded(id), json::object()));
  alice.ok("PUT", path + "/typing/" + encoded(alice.user), {{"typing", true}});
  const auto oops = alice.say(room, "oops");
  alice.ok("PUT", path + "/redact/" + encoded(oops) + "/1", json::object());
  same_shape("sync_messages", sync(next(last)));
  last = sync(next(last));
  for (int i = 0; i < 30; ++i)
    alice.say(room, "line " + std::to_string(i));
  const auto gap = sync(next(last));
  same_shape("sync_limited_timeline", gap);
  same_shape("messages_backfill",
             bot.call("GET", path + "/messages?dir=b&limit=100&from=" +
                                 timeline(gap.body, room).at("prev_batch").get<std::string>() +
                                 "&to=" + last.body.at("next_batch").get<std::string>()));
  same_shape("sync_full_state", sync("&full_state=true"));
  same_shape("room_state", bot.call("GET", path + "/state"));
  same_shape("joined_rooms", bot.call("GET", "/joined_rooms"));
  same_shape("joined_members", bot.call("GET", path + "/joined_members"));
  same_shape("rename_forbidden_for_user",
             alice.call("PUT", path + "/state/m.room.name/", {{"name", "x"}}));
  same_shape("send_too_large",
             alice.call("PUT", path + "/send/m.room.message/big",
                        {{"msgtype", "m.text"}, {"body", std::string(70'000, 'x')}}));
  const auto strange =
      carol.create({{"name", "stranger room"}, {"invite", json::array({bot.user})}});
  last = sync(next(gap));
  same_shape("sync_stranger_invite", last);
  same_shape("reject_invite",
             bot.call("POST", client::room_path(strange) + "/leave", json::object()));
  same_shape("leave", bot.call("POST", client::room_path(direct) + "/leave", json::object()));
  same_shape("sync_after_leave", sync(next(last)));
  same_shape("forget", bot.call("POST", client::room_path(direct) + "/forget", json::object()));
  same_shape("send_forbidden_not_member",
             bot.call("PUT", client::room_path(direct) + "/send/m.room.message/zz",
                      {{"msgtype", "m.text"}, {"body", "x"}}));
  same_shape("media_config", bot.call("GET", "/_matrix/media/v3/config"));
  same_shape("media_upload",
             bot.raw("POST", "/_matrix/media/v3/upload?filename=report.pdf", "%PDF"));
  rate_limits limits;
  limits.message = call_rate{1, 1};
  l.hs->set_limits(limits);
  alice.say(room, "one");
  same_shape("send_rate_limited", alice.call("PUT", path + "/send/m.room.message/r7",
                                             {{"msgtype", "m.text"}, {"body", "7"}}));
  bot.ok("POST", "/logout", json::object());
  same_shape("sync_after_logout", sync(""));
}
