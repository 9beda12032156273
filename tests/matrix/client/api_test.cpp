#include "bridges/matrix/api.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pb;
using namespace pb::matrix;
using namespace std::chrono_literals;

namespace {

const session_ref s{"https://hs:8448", "/pre", "tok", user_id("@bot:hs"), device_id("DEV")};
const room_id room("!r/\u00e9:hs");
const std::string in_room = "/pre/_matrix/client/v3/rooms/%21r%2F%C3%A9%3Ahs";

bool authorised(const http_request& r) {
  const std::string* h = find_header(r.headers, "Authorization");
  return h && *h == "Bearer tok";
}

} // namespace

TEST_CASE("api: every piece of a path is encoded and the prefix stays", "[api]") {
  CHECK(ask::get_state(s, room).target == in_room + "/state");
  CHECK(ask::get_state_event(s, room, "m.x/y", "!k:hs").target ==
        in_room + "/state/m.x%2Fy/%21k%3Ahs");
  CHECK(ask::put_state(s, room, "m.room.name", "", "{}").target == in_room + "/state/m.room.name/");
  CHECK(ask::get_event(s, room, event_id("$a/b")).target == in_room + "/event/%24a%2Fb");
  CHECK(ask::leave(s, room).target == in_room + "/leave");
  CHECK(ask::forget(s, room).target == in_room + "/forget");
  CHECK(ask::joined_members(s, room).target == in_room + "/joined_members");
  CHECK(ask::members(s, room, "leave").target == in_room + "/members?not_membership=leave");
  CHECK(ask::receipt(s, room, event_id("$e")).target == in_room + "/receipt/m.read/%24e");
  CHECK(ask::typing(s, room, true).target == in_room + "/typing/%40bot%3Ahs");
  CHECK(ask::whoami(s).target == "/pre/_matrix/client/v3/account/whoami");
  CHECK(ask::joined_rooms(s).target == "/pre/_matrix/client/v3/joined_rooms");
  CHECK(ask::whoami(s).origin == "https://hs:8448");
}

TEST_CASE("api: the token goes into the header only, and only where it is needed", "[api]") {
  const mxc file{"hs", "id"};
  for (const http_request& r :
       {ask::whoami(s), ask::sync(s, {}), ask::create_room(s, "{}"), ask::upload(s, "n", "", "b"),
        ask::download(s, file, media_path::authenticated, 9),
        ask::media_config(s, media_path::old)}) {
    CHECK(authorised(r));
    CHECK(r.target.find("tok") == std::string::npos);
  }
  for (const http_request& r : {ask::versions(s), ask::login_flows(s),
                                ask::login_password(s, "u", "p", device_id("D"), "n"),
                                ask::refresh(s, "r"), ask::download(s, file, media_path::old, 9)})
    CHECK_FALSE(find_header(r.headers, "Authorization"));
  session_ref evil = s;
  evil.access_token = "tok\r\nX-Evil: 1";
  CHECK(find_header(ask::whoami(evil).headers, "Authorization")->find('\n') == std::string::npos);
}

TEST_CASE("api: a long poll waits longer than the server does", "[api]") {
  sync_query q;
  q.since = "s1&x";
  q.filter = "12";
  const http_request r = ask::sync(s, q);
  CHECK(r.method == "GET");
  CHECK(r.target == "/pre/_matrix/client/v3/sync?filter=12&since=s1%26x&set_presence=offline"
                    "&timeout=30000");
  CHECK(r.timeout == 60s);
  sync_query first;
  first.full_state = true;
  first.timeout = 0ms;
  first.filter = "{\"a\":1}";
  CHECK(ask::sync(s, first).target == "/pre/_matrix/client/v3/sync?filter=%7B%22a%22%3A1%7D"
                                      "&full_state=true&set_presence=offline&timeout=0");
}

TEST_CASE("api: an outbox row leaves as it is, under its transaction id", "[api]") {
  outbox_row row;
  row.room = room;
  row.txn = "pb-00ff";
  row.body = "{\"b\" : \"not touched \\u0041\"}";
  const http_request m = ask::send(s, row);
  CHECK(m.method == "PUT");
  CHECK(m.target == in_room + "/send/m.room.message/pb-00ff");
  CHECK(m.body == row.body);
  CHECK(*find_header(m.headers, "content-type") == "application/json");
  row.kind = outbox_kind::state;
  row.type = "m.space.child";
  row.state_key = "!c:hs";
  CHECK(ask::send(s, row).target == in_room + "/state/m.space.child/%21c%3Ahs");
  CHECK(ask::send(s, row).body == row.body);
}

TEST_CASE("api: bodies say what the specification asks for", "[api]") {
  using nlohmann::json;
  const json login =
      json::parse(ask::login_password(s, "b\"ot", "p\\w\n", device_id("DEV"), "Patchbay").body);
  CHECK(login == json{{"type", "m.login.password"},
                      {"identifier", {{"type", "m.id.user"}, {"user", "b\"ot"}}},
                      {"password", "p\\w\n"},
                      {"device_id", "DEV"},
                      {"initial_device_display_name", "Patchbay"},
                      {"refresh_token", true}});
  CHECK(ask::refresh(s, "r\"1").body == R"({"refresh_token":"r\"1"})");
  CHECK(ask::refresh(s, "r").target == "/pre/_matrix/client/v3/refresh");
  CHECK(ask::typing(s, room, true).body == R"({"typing":true,"timeout":30000})");
  CHECK(ask::typing(s, room, false).body == R"({"typing":false})");
  CHECK(ask::invite(s, room, user_id("@a:hs")).body == R"({"user_id":"@a:hs"})");
  CHECK(ask::receipt(s, room, event_id("$e")).body == "{}");
  CHECK(ask::redact(s, room, event_id("$e"), "t", "").body == "{}");
  CHECK(ask::redact(s, room, event_id("$e"), "t", "why").body == R"({"reason":"why"})");
  CHECK(ask::redact(s, room, event_id("$e"), "t/1", "").target == in_room + "/redact/%24e/t%2F1");
  CHECK(ask::create_filter(s, "{}").target == "/pre/_matrix/client/v3/user/%40bot%3Ahs/filter");
  CHECK(ask::put_account_data(s, "io.patchbay", "{}").target ==
        "/pre/_matrix/client/v3/user/%40bot%3Ahs/account_data/io.patchbay");
}

TEST_CASE("api: a join names its servers under the new and the old name", "[api]") {
  CHECK(ask::join(s, room_id("!hash"), {"a:1", "b"}).target ==
        "/pre/_matrix/client/v3/join/%21hash?server_name=a%3A1&via=a%3A1&server_name=b&via=b");
  CHECK(ask::join(s, room_id("!hash"), {}).target == "/pre/_matrix/client/v3/join/%21hash");
}

TEST_CASE("api: pages of messages are asked for between two positions", "[api]") {
  messages_query q;
  q.room = room;
  q.from = "p";
  q.to = "s";
  q.filter = "{}";
  CHECK(ask::messages(s, q).target ==
        in_room + "/messages?dir=b&from=p&to=s&limit=100&filter=%7B%7D");
  q = {};
  q.room = room;
  q.backwards = false;
  CHECK(ask::messages(s, q).target == in_room + "/messages?dir=f&limit=100");
}

TEST_CASE("api: media is asked for at both places and within a limit", "[api]") {
  const mxc file{"[::1]:8", "a_-9"};
  const http_request r = ask::download(s, file, media_path::authenticated, 1234);
  CHECK(r.target == "/pre/_matrix/client/v1/media/download/%5B%3A%3A1%5D%3A8/a_-9");
  CHECK(r.response_limit == 1234);
  CHECK(ask::download(s, file, media_path::old, 1).target ==
        "/pre/_matrix/media/v3/download/%5B%3A%3A1%5D%3A8/a_-9");
  CHECK(ask::media_config(s, media_path::authenticated).target ==
        "/pre/_matrix/client/v1/media/config");
  CHECK(ask::media_config(s, media_path::old).target == "/pre/_matrix/media/v3/config");
  const http_request up = ask::upload(s, "a b.pdf", "text/x\r\nEvil: 1", "bytes");
  CHECK(up.target == "/pre/_matrix/media/v3/upload?filename=a%20b.pdf");
  CHECK(find_header(up.headers, "Content-Type")->find('\r') == std::string::npos);
  CHECK(up.body == "bytes");
}
