#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

TEST_CASE("registration asks for the dummy stage first, then makes an account and a device") {
  lab l;
  const auto nobody = l.nobody();
  const json wish{{"username", "alice"}, {"password", "secret"}, {"device_id", "PHONE"}};
  const auto first = nobody.call("POST", "/register", wish);
  CHECK(first.status == 401);
  CHECK(first.body.at("flows") == json::parse(R"([{"stages":["m.login.dummy"]}])"));
  auto second = wish;
  second["auth"] = {{"type", "m.login.dummy"}, {"session", first.body.at("session")}};
  const auto made = nobody.ok("POST", "/register", second);
  CHECK(made.at("user_id") == "@alice:localhost");
  CHECK(made.at("device_id") == "PHONE");
  const client alice(*l.hs, "@alice:localhost", made.at("access_token"), "PHONE");
  CHECK(alice.ok("GET", "/account/whoami") ==
        json{{"user_id", "@alice:localhost"}, {"is_guest", false}, {"device_id", "PHONE"}});

  SECTION("a name can be taken once, and a session used once") {
    CHECK(nobody.call("POST", "/register", second).errcode() == "M_USER_IN_USE");
    second["username"] = "bob";
    CHECK(nobody.call("POST", "/register", second).errcode() == "M_UNKNOWN");
  }
  SECTION("a name with capitals or spaces is refused") {
    CHECK(nobody.call("POST", "/register", {{"username", "Not Good"}}).errcode() ==
          "M_INVALID_USERNAME");
  }
}

TEST_CASE("registration can be closed") {
  homeserver_options options;
  options.open_registration = false;
  lab l(std::move(options));
  CHECK(l.nobody().call("POST", "/register", {{"username", "eve"}}).errcode() == "M_FORBIDDEN");
}

TEST_CASE("login takes a password, by name or by user id, and refuses a wrong one") {
  lab l;
  l.user("bob");
  const auto login = [&](const std::string& user, const std::string& password) {
    return l.nobody().call("POST", "/login",
                           {{"type", "m.login.password"},
                            {"identifier", {{"type", "m.id.user"}, {"user", user}}},
                            {"password", password}});
  };
  CHECK(login("bob", "pw-bob").status == 200);
  CHECK(login("@bob:localhost", "pw-bob").status == 200);
  const auto wrong = login("bob", "nope");
  CHECK(wrong.status == 403);
  CHECK(wrong.body == json{{"errcode", "M_FORBIDDEN"}, {"error", "Invalid username or password"}});
  CHECK(login("nobody", "x").body == wrong.body);
  CHECK(l.nobody().call("POST", "/login", {{"type", "m.login.sso"}}).errcode() == "M_UNKNOWN");
  CHECK(l.nobody().call("POST", "/login", {{"type", 7}}).errcode() == "M_BAD_JSON");
}

TEST_CASE("a login to an existing device ends the device's old token") {
  lab l;
  const auto first = l.user("bob", "BOT");
  const auto second = l.user("bob", "BOT");
  CHECK(first.call("GET", "/account/whoami").errcode() == "M_UNKNOWN_TOKEN");
  CHECK(second.ok("GET", "/devices").at("devices").size() == 1);
}

TEST_CASE("tokens are asked for, checked, and end with logout") {
  lab l;
  CHECK(l.nobody().call("GET", "/account/whoami").errcode() == "M_MISSING_TOKEN");
  const client stranger(*l.hs, "", "syt_invented", "");
  const auto unknown = stranger.call("GET", "/account/whoami");
  CHECK(unknown.status == 401);
  CHECK(unknown.body.at("soft_logout") == false);
  const auto bob = l.user("bob");
  const auto by_query = l.nobody().call("GET", "/account/whoami?access_token=" + bob.token);
  CHECK(by_query.status == 200);
  const auto since = bob.sync().at("next_batch").get<std::string>();
  const auto poll = bob.begin("GET", "/_matrix/client/v3/sync?timeout=30000&since=" + since);
  CHECK_FALSE(poll->response);
  bob.ok("POST", "/logout", json::object());
  CHECK(client::read(poll).errcode() == "M_UNKNOWN_TOKEN");
  CHECK(bob.call("GET", "/sync").errcode() == "M_UNKNOWN_TOKEN");
}

TEST_CASE("an expired token says whether the device is still there") {
  lab l;
  const auto bob = l.user("bob", "BOT");
  l.hs->expire_tokens(bob.user, true);
  const auto soft = bob.call("GET", "/sync");
  CHECK(soft.status == 401);
  CHECK(soft.body.at("soft_logout") == true);
  const auto again = l.user("bob", "BOT");
  l.nobody().ok("POST", "/_dev/expire", {{"user", bob.user}, {"soft", false}});
  CHECK(again.call("GET", "/sync").body.at("soft_logout") == false);
}

TEST_CASE("a token with an end is exchanged for another, and the old ones end with its first use") {
  lab l;
  l.user("bob", "BOT");
  const json body{{"type", "m.login.password"},
                  {"identifier", {{"type", "m.id.user"}, {"user", "bob"}}},
                  {"password", "pw-bob"},
                  {"device_id", "BOT"},
                  {"refresh_token", true}};
  CHECK_FALSE(l.nobody().ok("POST", "/login", body).contains("refresh_token"));
  l.hs->set_token_life(std::chrono::minutes(5));
  const auto login = l.nobody().ok("POST", "/login", body);
  CHECK(login.at("expires_in_ms") == 300'000);
  const auto who = [&](const json& answer) {
    return client(*l.hs, "@bob:localhost", answer.at("access_token"), "BOT")
        .call("GET", "/account/whoami");
  };
  const auto refresh = [&](const json& answer) {
    return l.nobody().call("POST", "/refresh", {{"refresh_token", answer.at("refresh_token")}});
  };
  CHECK(who(login).status == 200);
  const auto lost = refresh(login); // its answer never arrived
  const auto second = refresh(login);
  REQUIRE(second.status == 200);
  CHECK(who(login).status == 200); // until the new one is used
  CHECK(who(lost.body).status == 401);
  CHECK(who(second.body).status == 200);
  CHECK(who(login).status == 401);
  CHECK(refresh(login).status == 401);
  const auto third = refresh(second.body), fourth = refresh(third.body);
  REQUIRE(fourth.status == 200); // the use of a refresh token counts as well
  CHECK(who(second.body).status == 401);
  CHECK(refresh(second.body).status == 401);
}

TEST_CASE("a token whose time is over is a soft logout, and its refresh token still counts") {
  lab l;
  l.user("bob", "BOT");
  l.hs->set_token_life(std::chrono::minutes(5));
  const auto login = l.nobody().ok("POST", "/login",
                                   {{"type", "m.login.password"},
                                    {"identifier", {{"type", "m.id.user"}, {"user", "bob"}}},
                                    {"password", "pw-bob"},
                                    {"device_id", "BOT"},
                                    {"refresh_token", true}});
  const client bob(*l.hs, "@bob:localhost", login.at("access_token"), "BOT");
  l.clock.advance(300'000);
  const auto over = bob.call("GET", "/account/whoami");
  CHECK(over.status == 401);
  CHECK(over.body.at("soft_logout") == true);
  const json body{{"refresh_token", login.at("refresh_token")}};
  CHECK(l.nobody().call("POST", "/refresh", body).status == 200);
  l.hs->expire_tokens("@bob:localhost", false);
  CHECK(l.nobody().call("POST", "/refresh", body).status == 401);
}

TEST_CASE("profiles start with the user name and a change reaches the rooms") {
  lab l;
  const auto bob = l.user("bob");
  const auto room = bob.create();
  const auto path = "/profile/" + encoded(bob.user);
  CHECK(bob.ok("GET", path) == json{{"displayname", "bob"}});
  bob.ok("PUT", path + "/displayname", {{"displayname", "Bob the bot"}});
  CHECK(bob.ok("GET", path + "/displayname") == json{{"displayname", "Bob the bot"}});
  CHECK(bob.ok("GET", client::room_path(room) + "/joined_members")
            .at("joined")
            .at(bob.user)
            .at("display_name") == "Bob the bot");
  const auto alice = l.user("alice");
  CHECK(alice.call("PUT", path + "/displayname", {{"displayname", "x"}}).errcode() ==
        "M_FORBIDDEN");
  CHECK(bob.call("GET", "/profile/" + encoded("@ghost:localhost")).errcode() == "M_NOT_FOUND");
}

TEST_CASE("unknown paths, wrong methods and other origins get the answers of a real server") {
  lab l;
  const auto bob = l.user("bob");
  CHECK(bob.call("GET", "/nothing/here").status == 404);
  CHECK(bob.call("GET", "/nothing/here").errcode() == "M_UNRECOGNIZED");
  CHECK(bob.call("DELETE", "/sync").status == 405);
  CHECK(bob.call("DELETE", "/sync").errcode() == "M_UNRECOGNIZED");
  const auto preflight = bob.raw("OPTIONS", "/_matrix/client/v3/sync");
  CHECK(preflight.status == 200);
  CHECK(preflight.header("Access-Control-Allow-Origin") == "*");
  CHECK(bob.call("GET", "/nothing").header("Access-Control-Allow-Origin") == "*");
  CHECK(bob.raw("GET", "/_matrix/client/r0/account/whoami").status == 200);
  CHECK(bob.raw("GET", "/_matrix/client/v3/rooms/%zz/state").errcode() == "M_INVALID_PARAM");
  CHECK(bob.raw("GET", "/_matrix/client/v3/rooms/%ff/state").errcode() == "M_INVALID_PARAM");
}

TEST_CASE("what a server says of itself is there for every client") {
  lab l;
  const auto bob = l.user("bob");
  CHECK(l.nobody().ok("GET", "/_matrix/client/versions").at("versions").back() == "v1.11");
  CHECK(bob.ok("GET", "/capabilities").at("capabilities").at("m.room_versions").at("default") ==
        "10");
  CHECK(bob.ok("GET", "/pushrules/").at("global").contains("override"));
  CHECK(bob.call("GET", "/pushrules/else").status == 404);
  CHECK(bob.ok("GET", "/voip/turnServer") == json::object());
  CHECK(bob.call("GET", "/room_keys/version").errcode() == "M_NOT_FOUND");
  const auto known =
      l.nobody().raw("GET", "/.well-known/matrix/client", {}, {{"Host", "127.0.0.1:8008"}});
  CHECK(known.body.at("m.homeserver").at("base_url") == "http://127.0.0.1:8008");
  CHECK(homeserver_banner(8008).find("development") != std::string::npos);
}

TEST_CASE("bodies that are not what the endpoint takes are refused by kind") {
  lab l;
  const auto bob = l.user("bob");
  CHECK(bob.raw("POST", "/_matrix/client/v3/createRoom", "").errcode() == "M_NOT_JSON");
  CHECK(bob.raw("POST", "/_matrix/client/v3/createRoom", "{\"a\":").errcode() == "M_NOT_JSON");
  CHECK(bob.raw("POST", "/_matrix/client/v3/createRoom", "\"\xff\"").errcode() == "M_NOT_JSON");
  CHECK(bob.raw("POST", "/_matrix/client/v3/createRoom", "[1]").errcode() == "M_BAD_JSON");
  const std::string deep(100'000, '[');
  CHECK(bob.raw("POST", "/_matrix/client/v3/createRoom", deep).errcode() == "M_BAD_JSON");
  CHECK(bob.call("POST", "/createRoom", {{"name", 7}}).errcode() == "M_BAD_JSON");
  CHECK(bob.call("POST", "/createRoom", {{"invite", "x"}}).errcode() == "M_BAD_JSON");
  CHECK(bob.call("POST", "/createRoom", {{"invite", {"x"}}}).errcode() == "M_INVALID_PARAM");
  CHECK(bob.call("POST", "/createRoom", {{"room_version", "1"}}).errcode() ==
        "M_UNSUPPORTED_ROOM_VERSION");
}
