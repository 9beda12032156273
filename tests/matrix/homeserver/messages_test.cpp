#include "tests/matrix/homeserver/fixture.hpp"

using namespace pb;
using namespace pb::test;

namespace {

struct two {
  lab l;
  client bob = l.user("bob"), alice = l.user("alice");
  std::string room = bob.create({{"invite", json::array({alice.user})}});
  std::string path = client::room_path(room);
  two() { alice.join(room); }

  reply_view send(const client& c, const std::string& txn, const json& content,
                  const std::string& type = "m.room.message") const {
    return c.call("PUT", path + "/send/" + type + "/" + txn, content);
  }
};

const json text{{"msgtype", "m.text"}, {"body", "hello, agent"}};

} // namespace

TEST_CASE("the same transaction id on the same device and path is one event") {
  two t;
  const auto first = t.send(t.bob, "t1", text).body.at("event_id");
  CHECK(t.send(t.bob, "t1", text).body.at("event_id") == first);
  CHECK(t.send(t.bob, "t1", {{"msgtype", "m.text"}, {"body", "other"}}).body.at("event_id") ==
        first);
  CHECK(t.send(t.bob, "t2", text).body.at("event_id") != first);
  const auto other = t.l.user("bob", "OTHER");
  CHECK(t.send(other, "t1", text).body.at("event_id") != first);
  CHECK(t.send(t.alice, "t1", text).body.at("event_id") != first);
  // A new token of the same device keeps the scope.
  const auto again = t.l.user("bob", t.bob.device);
  CHECK(t.send(again, "t1", text).body.at("event_id") == first);
  t.l.clock.advance(24LL * 3600 * 1000 + 1);
  CHECK(t.send(again, "t1", text).body.at("event_id") != first);
}

TEST_CASE("what cannot be an event is refused") {
  two t;
  CHECK(t.send(t.bob, "1", {{"msgtype", "m.text"}, {"body", "x"}, {"n", 1.5}}).errcode() ==
        "M_BAD_JSON");
  CHECK(t.send(t.bob, "2", {{"msgtype", "m.text"}, {"body", "x"}, {"n", 9007199254740992}})
            .errcode() == "M_BAD_JSON");
  CHECK(t.send(t.bob, "3", {{"msgtype", "m.text"}, {"body", 7}}).errcode() == "M_BAD_JSON");
  CHECK(t.send(t.bob, "4", {{"body", "x"}}).errcode() == "M_BAD_JSON");
  const auto big = t.send(t.bob, "5", {{"msgtype", "m.text"}, {"body", std::string(70'000, 'x')}});
  CHECK(big.status == 413);
  CHECK(big.body == json{{"errcode", "M_TOO_LARGE"}, {"error", "event too large"}});
  CHECK(t.send(t.bob, "6", {{"msgtype", "m.text"}, {"body", std::string(64'000, 'x')}}).status ==
        200);
  CHECK(t.send(t.bob, "7", json::object(), std::string(256, 't')).status == 413);
  CHECK(
      t.send(t.bob, "8", {{"m.relates_to", "x"}, {"msgtype", "m.text"}, {"body", "x"}}).errcode() ==
      "M_BAD_JSON");
}

TEST_CASE("a reaction comes once, and again after it was redacted") {
  two t;
  const auto target = t.alice.say(t.room, "question");
  const json reaction{
      {"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", target}, {"key", "+"}}}};
  const auto first = t.send(t.bob, "r1", reaction, "m.reaction");
  CHECK(first.status == 200);
  const auto second = t.send(t.bob, "r2", reaction, "m.reaction");
  CHECK(second.status == 400);
  CHECK(second.errcode() == "M_DUPLICATE_ANNOTATION");
  CHECK(t.send(t.alice, "r1", reaction, "m.reaction").status == 200);
  t.bob.ok("PUT",
           t.path + "/redact/" + encoded(first.body.at("event_id").get<std::string>()) + "/x",
           json::object());
  CHECK(t.send(t.bob, "r3", reaction, "m.reaction").status == 200);
}

TEST_CASE("a redaction empties the event for all, and needs the right") {
  two t;
  const auto own = t.alice.say(t.room, "oops");
  const auto foreign = t.bob.say(t.room, "stays");
  const auto redact = [&](const client& c, const std::string& id, const std::string& txn) {
    return c.call("PUT", t.path + "/redact/" + encoded(id) + "/" + txn, {{"reason", "typo"}});
  };
  CHECK(redact(t.alice, foreign, "1").errcode() == "M_FORBIDDEN");
  const auto done = redact(t.alice, own, "2");
  CHECK(done.status == 200);
  CHECK(redact(t.alice, own, "2").body == done.body);
  CHECK(redact(t.bob, "$none", "3").errcode() == "M_NOT_FOUND");
  const auto seen = t.bob.ok("GET", t.path + "/event/" + encoded(own));
  CHECK(seen.at("content").empty());
  CHECK(seen.at("unsigned").at("redacted_because").at("redacts") == own);
  CHECK(seen.at("unsigned").at("redacted_because").at("content").at("reason") == "typo");
  CHECK(redact(t.bob, t.l.hs->events(t.room).front().at("event_id"), "4").status == 403);
}

TEST_CASE("paging reaches the first event backwards and the last one forwards") {
  two t;
  for (int i = 0; i < 25; ++i)
    t.alice.say(t.room, std::to_string(i));
  const auto total = t.l.hs->events(t.room).size();
  for (const std::string dir : {"b", "f"}) {
    std::vector<std::string> ids;
    std::string from;
    int pages = 0;
    for (;;) {
      REQUIRE(++pages < 50);
      const auto page = t.bob.ok("GET", t.path + "/messages?limit=7&dir=" + dir +
                                            (from.empty() ? "" : "&from=" + from));
      CHECK(page.contains("start"));
      for (const auto& e : page.at("chunk"))
        ids.push_back(e.at("event_id"));
      if (!page.contains("end"))
        break;
      CHECK(page.at("end") != from);
      from = page.at("end");
    }
    REQUIRE(ids.size() == total);
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == total);
    const auto all = t.l.hs->events(t.room);
    CHECK(ids.front() == (dir == "b" ? all.back() : all.front()).at("event_id"));
    CHECK(ids.back() == (dir == "b" ? all.front() : all.back()).at("event_id"));
  }
}

TEST_CASE("a page may be empty and still have an end") {
  two t;
  const auto first = t.alice.say(t.room, "first");
  for (int i = 0; i < 150; ++i)
    t.bob.say(t.room, "noise");
  const auto filter = "&filter=" + encoded(json{{"senders", json::array({t.alice.user})},
                                                {"types", json::array({"m.room.message"})}}
                                               .dump());
  const auto page = t.bob.ok("GET", t.path + "/messages?dir=b&limit=10" + filter);
  CHECK(page.at("chunk").empty());
  REQUIRE(page.contains("end"));
  const auto rest = t.bob.ok("GET", t.path + "/messages?dir=b&limit=10&from=" +
                                        page.at("end").get<std::string>() + filter);
  REQUIRE(rest.at("chunk").size() == 1);
  CHECK(rest.at("chunk")[0].at("event_id") == first);
}

TEST_CASE("paging names its wrong parameters") {
  two t;
  CHECK(t.bob.call("GET", t.path + "/messages").errcode() == "M_MISSING_PARAM");
  CHECK(t.bob.call("GET", t.path + "/messages?dir=x").errcode() == "M_INVALID_PARAM");
  CHECK(t.bob.call("GET", t.path + "/messages?dir=b&from=bogus").errcode() == "M_INVALID_PARAM");
  CHECK(t.bob.call("GET", t.path + "/messages?dir=b&limit=x").errcode() == "M_INVALID_PARAM");
  CHECK(t.bob.call("GET", t.path + "/messages?dir=b&filter=%7B").errcode() == "M_NOT_JSON");
}

TEST_CASE("history before a join is hidden where the room says so") {
  lab l;
  const auto bob = l.user("bob"), alice = l.user("alice");
  const auto make = [&](const std::string& rule) {
    const auto room = bob.create(
        {{"preset", "public_chat"},
         {"initial_state", json::array({{{"type", "m.room.history_visibility"},
                                         {"content", {{"history_visibility", rule}}}}})}});
    bob.say(room, "before");
    alice.join(room);
    bob.say(room, "after");
    return bodies(alice.ok("GET", client::room_path(room) + "/messages?dir=f").at("chunk"));
  };
  CHECK(make("shared") == std::vector<std::string>{"before", "after"});
  CHECK(make("joined") == std::vector<std::string>{"after"});
  CHECK(make("invited") == std::vector<std::string>{"after"});
}

TEST_CASE("edits, replies and threads are kept as they were sent, and found by relation") {
  two t;
  const auto root = t.bob.say(t.room, "draft");
  const json edit{{"msgtype", "m.text"},
                  {"body", "* final"},
                  {"m.new_content", {{"msgtype", "m.text"}, {"body", "final"}}},
                  {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", root}}}};
  const auto id = t.send(t.bob, "e1", edit).body.at("event_id").get<std::string>();
  CHECK(t.alice.ok("GET", t.path + "/event/" + encoded(id)).at("content") == edit);
  const auto base = "/_matrix/client/v1" + t.path + "/relations/" + encoded(root);
  CHECK(t.alice.ok("GET", base + "/m.replace/m.room.message").at("chunk")[0].at("event_id") == id);
  CHECK(t.alice.ok("GET", base + "/m.thread").at("chunk").empty());
  const json nested{{"msgtype", "m.text"},
                    {"body", "x"},
                    {"m.relates_to", {{"rel_type", "m.thread"}, {"event_id", id}}}};
  CHECK(t.send(t.bob, "e2", nested).errcode() == "M_UNKNOWN");
  const auto around = t.alice.ok("GET", t.path + "/context/" + encoded(root) + "?limit=4");
  CHECK(around.at("event").at("event_id") == root);
  CHECK(around.at("events_before").size() == 2);
  CHECK(around.at("events_after").size() == 1);
}

TEST_CASE("media goes up and comes down on the authenticated and on the older path") {
  two t;
  const auto up = t.bob.raw("POST", "/_matrix/media/v3/upload?filename=re%22port.pdf",
                            std::string("%PDF\0data", 9), {{"Content-Type", "application/pdf"}});
  REQUIRE(up.status == 200);
  const auto uri = up.body.at("content_uri").get<std::string>();
  REQUIRE(uri.starts_with("mxc://localhost/"));
  const auto id = uri.substr(16);
  for (const std::string& path :
       std::vector<std::string>{"/_matrix/client/v1/media/download/localhost/" + id,
                                "/_matrix/media/r0/download/localhost/" + id + "/other.pdf",
                                "/_matrix/media/v3/thumbnail/localhost/" + id}) {
    const auto down = t.alice.raw("GET", path);
    CHECK(down.status == 200);
    CHECK(down.raw.body == std::string("%PDF\0data", 9));
    CHECK(down.header("Content-Type") == "application/pdf");
    CHECK(down.header("Content-Disposition").starts_with("attachment; filename=\""));
    CHECK(down.header("Content-Disposition").find("re\"port") == std::string::npos);
  }
  CHECK(t.l.nobody().raw("GET", "/_matrix/client/v1/media/download/localhost/" + id).status == 401);
  CHECK(t.bob.raw("GET", "/_matrix/client/v1/media/download/localhost/none").errcode() ==
        "M_NOT_FOUND");
  CHECK(t.bob.raw("GET", "/_matrix/client/v1/media/download/else.org/" + id).status == 404);
  CHECK(t.bob.ok("GET", "/_matrix/client/v1/media/config").at("m.upload.size") == 67'108'864);
  CHECK(t.l.nobody().raw("POST", "/_matrix/media/v3/upload", "x").status == 401);
}

TEST_CASE("media has a limit for each file and for all together") {
  homeserver_options options;
  options.max_upload_bytes = 10;
  options.max_media_bytes = 15;
  lab l(std::move(options));
  const auto bob = l.user("bob");
  const auto up = [&](std::size_t n) {
    return bob.raw("POST", "/_matrix/media/v3/upload", std::string(n, 'x'));
  };
  CHECK(up(11).errcode() == "M_TOO_LARGE");
  CHECK(up(10).status == 200);
  CHECK(up(6).errcode() == "M_RESOURCE_LIMIT_EXCEEDED");
}

TEST_CASE("keys and messages to devices: stored, handed out once, acknowledged by the token") {
  two t;
  const json keys{{"user_id", t.bob.user},
                  {"device_id", t.bob.device},
                  {"algorithms", json::array()},
                  {"keys", json::object()},
                  {"signatures", json::object()}};
  const json one{{"signed_curve25519:A", {{"key", "a"}}}};
  CHECK(t.bob.ok("POST", "/keys/upload", {{"device_keys", keys}, {"one_time_keys", one}})
            .at("one_time_key_counts")
            .at("signed_curve25519") == 1);
  CHECK(t.bob
            .call("POST", "/keys/upload",
                  {{"one_time_keys", {{"signed_curve25519:A", {{"key", "b"}}}}}})
            .errcode() == "M_UNKNOWN");
  CHECK(t.alice.ok("POST", "/keys/query", {{"device_keys", {{t.bob.user, json::array()}}}})
            .at("device_keys")
            .at(t.bob.user)
            .at(t.bob.device) == keys);
  const json claim{{"one_time_keys", {{t.bob.user, {{t.bob.device, "signed_curve25519"}}}}}};
  CHECK(t.alice.ok("POST", "/keys/claim", claim).at("one_time_keys").contains(t.bob.user));
  CHECK(t.alice.ok("POST", "/keys/claim", claim).at("one_time_keys").empty());

  auto since = t.bob.sync().at("next_batch").get<std::string>();
  for (int i = 0; i < 120; ++i)
    t.alice.ok("PUT", "/sendToDevice/x.test/" + std::to_string(i),
               {{"messages", {{t.bob.user, {{"*", {{"n", i}}}}}}}});
  t.alice.ok("PUT", "/sendToDevice/x.test/119",
             {{"messages", {{t.bob.user, {{"*", {{"n", -1}}}}}}}});
  const auto first = t.bob.sync(since);
  CHECK(first.at("to_device").at("events").size() == 100);
  CHECK(t.bob.sync(since).at("to_device") == first.at("to_device")); // not acknowledged yet
  const auto second = t.bob.sync(first.at("next_batch"));
  REQUIRE(second.at("to_device").at("events").size() == 20);
  CHECK(second.at("to_device").at("events").back().at("content").at("n") == 119);
  CHECK_FALSE(t.bob.sync(second.at("next_batch")).contains("to_device"));
}

TEST_CASE("what a browser may show is inline, all else an attachment with its name") {
  two t;
  const auto head = [&](const std::string& type, const std::string& name) {
    const auto up = t.bob.raw("POST", "/_matrix/media/v3/upload?filename=" + encoded(name), "x",
                              {{"Content-Type", type}});
    const auto id = up.body.at("content_uri").get<std::string>().substr(16);
    return t.alice.raw("GET", "/_matrix/client/v1/media/download/localhost/" + id)
        .header("Content-Disposition");
  };
  CHECK(head("image/png", "a.png") == "inline; filename=\"a.png\"");
  CHECK(head("text/plain; charset=utf-8", "a.txt") == "inline; filename=\"a.txt\"");
  CHECK(head("audio/flac", "") == "inline");
  for (const auto* unsafe : {"text/html", "image/svg+xml", "application/pdf", "application/zip"})
    CHECK(head(unsafe, "a") == "attachment; filename=\"a\"");
  CHECK(head("text/html", "отчёт") ==
        "attachment; filename*=utf-8''%D0%BE%D1%82%D1%87%D1%91%D1%82");
}

TEST_CASE("64 MiB go up and come down, one byte more does not, and the old path can be closed") {
  homeserver_options options;
  options.old_media_paths = false;
  lab l(std::move(options));
  const auto bob = l.user("bob");
  std::string bytes(std::size_t{64} << 20, 'x');
  bytes.back() = 'y';
  const auto up = bob.raw("POST", "/_matrix/media/v3/upload", bytes);
  REQUIRE(up.status == 200);
  const auto id = up.body.at("content_uri").get<std::string>().substr(16);
  CHECK(bob.raw("GET", "/_matrix/client/v1/media/download/localhost/" + id).raw.body == bytes);
  CHECK(bob.raw("GET", "/_matrix/media/v3/download/localhost/" + id).errcode() == "M_NOT_FOUND");
  CHECK(bob.raw("POST", "/_matrix/media/v3/upload", bytes + 'z').errcode() == "M_TOO_LARGE");
}
