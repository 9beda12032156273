// The media actor alone: against the development homeserver, and with HTTP by hand.

#include "actors/matrix/media.hpp"
#include "bridges/matrix/compose.hpp"
#include "tests/files/support.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
namespace fs = std::filesystem;

namespace {

struct by_hand final : http_client {
  http_ticket send(http_request request, http_done done) override {
    open.emplace_back(std::move(request), std::move(done));
    return ++last;
  }
  void cancel(http_ticket) override {}
  std::vector<std::pair<http_request, http_done>> open;
  http_ticket last = 0;
};

/// What became of a request: a value or a fault.
template <class T>
struct outcome {
  std::optional<T> value;
  std::optional<fault> wrong;
  [[nodiscard]] bool none() const { return !value && !wrong; }
  [[nodiscard]] fault_code code() const { return wrong ? wrong->code : fault_code::bug; }
};

struct lone_media : deterministic, scratch {
  session_ref session{"http://h", "", "token", user_id{"@bot:h"}, device_id{"D"}};
  file_settings rules;
  std::shared_ptr<memory_logger> log = std::make_shared<memory_logger>();
  std::shared_ptr<metrics> numbers = std::make_shared<metrics>();
  std::shared_ptr<by_hand> http = std::make_shared<by_hand>();
  matrix_media_actor media;

  lone_media() { fs::create_directory(path / "ws"); }
  void begin(const std::shared_ptr<http_client>& client) {
    media = spawn(matrix_media,
                  media_deps{{log, numbers, [] { return unix_ms{1}; }, 1}, client, session, rules});
    run();
  }
  void begin() { begin(http); }
  template <class T, class Message>
  std::shared_ptr<outcome<T>> ask(Message m) {
    auto out = std::make_shared<outcome<T>>();
    spawn([to = media, m, out](caf::event_based_actor* self) {
      self->request(to, caf::infinite, m)
          .then([out](T& x) { out->value = std::move(x); },
                [out](caf::error& e) { out->wrong = to_fault(e); });
    });
    run();
    return out;
  }
  std::shared_ptr<outcome<staged_file>> fetch(const std::string& mxc = "mxc://h/abc",
                                              std::int64_t size = -1) {
    fetch_file m;
    m.file.mxc = mxc;
    m.file.name = "note.txt";
    m.file.size = size;
    m.workspace = (path / "ws").string();
    m.user = user_id{"@bob:h"};
    m.chat = platform_chat_id{7};
    return ask<staged_file>(m);
  }
  [[nodiscard]] file_order order(const std::string& named) const {
    file_order o;
    o.workspace = (path / "ws").string();
    o.path = named;
    return o;
  }
  std::shared_ptr<outcome<uploaded_file>> upload(const file_order& o) {
    upload_file m;
    m.row.id = outbox_id{"row-1"};
    m.row.body = matrix::compose_file_order(o);
    return ask<uploaded_file>(m);
  }
  /// Ends the request that was sent as number `which`; a 200 goes where it belongs.
  void answer(std::size_t which, int status, std::string body, http_headers headers = {}) {
    const auto& [request, done] = http->open.at(which);
    if (request.into && status == 200) {
      request.into->clear();
      request.into->append(std::exchange(body, {}));
    }
    done(http_response{status, std::move(headers), std::move(body)});
    run();
  }
  void fail(std::size_t which, http_error error) {
    http->open.at(which).second(tl::unexpected<http_failure>(http_failure{error, "test", true}));
    run();
  }
  [[nodiscard]] const http_request& asked(std::size_t which) const {
    return http->open.at(which).first;
  }
};

/// The same with a homeserver that keeps what it gets.
struct served_media : lone_media {
  virtual_timers clock;
  homeserver server;
  std::shared_ptr<sim_http> wire;

  static homeserver_options options() {
    homeserver_options o;
    o.seed = 1;
    o.allow_faults = true;
    o.max_upload_bytes = 100'000;
    return o;
  }
  served_media() : server(options(), clock), wire(std::make_shared<sim_http>(clock, server, 1)) {
    session.origin = "http://localhost:8008";
    session.access_token = server.log_in("bot", "secret", "BOT")->access_token;
  }
  template <class T>
  void wait(const std::shared_ptr<outcome<T>>& for_it) {
    for (int i = 0; i < 10'000 && for_it->none(); ++i) {
      clock.advance(1ms);
      run();
    }
  }
};

constexpr const char* limit_of_100 = R"({"m.upload.size":100})";

} // namespace

TEST_CASE_METHOD(served_media, "a file goes up as the event says and comes down again") {
  begin(wire);
  write("ws/out/table.txt", "one, two\n");
  auto o = order("/workspace/out/table.txt");
  o.caption = "the table";
  o.turn = turn_id{"T"};
  const auto up = upload(o);
  wait(up);
  REQUIRE(up->value);
  const auto event = nlohmann::json::parse(up->value->body);
  CHECK(event.at("msgtype") == "m.file");
  CHECK(event.at("body") == "the table");
  CHECK(event.at("filename") == "table.txt");
  CHECK(event.at("info").at("mimetype") == "text/plain");
  CHECK(event.at("info").at("size") == 9);
  CHECK(event.at("io.patchbay.delivery").at("id") == "row-1");

  const auto down = fetch(event.at("url"), 9);
  wait(down);
  REQUIRE(down->value);
  CHECK(down->value->path == "incoming/7/note.txt");
  CHECK(down->value->size == 9);
  CHECK(read("ws/incoming/7/note.txt") == "one, two\n");
  CHECK(count("ws/incoming/7") == 1);
}

TEST_CASE_METHOD(served_media, "the homeserver's own limit counts, too, before a byte is sent") {
  begin(wire);
  write("ws/large", std::string(100'001, 'x'));
  write("ws/fits", std::string(100'000, 'x'));
  const auto large = upload(order("large"));
  wait(large);
  CHECK(large->code() == fault_code::too_large);
  const auto fits = upload(order("fits"));
  wait(fits);
  CHECK(fits->value);
  std::size_t uploads = 0, limits = 0;
  for (const auto& r : wire->seen) {
    uploads += r.method == "POST" ? 1 : 0;
    limits += r.target.ends_with("media/config") ? 1 : 0;
  }
  CHECK(uploads == 1);
  CHECK(limits == 1); // asked once, and known for an hour
}

TEST_CASE_METHOD(served_media, "a file that nobody has is not found, and leaves nothing") {
  begin(wire);
  const auto got = fetch("mxc://localhost/nothing");
  wait(got);
  CHECK(got->code() == fault_code::not_found);
  CHECK(count("ws/incoming/7") == 0);
}

TEST_CASE_METHOD(served_media, "one event of a room") {
  begin(wire);
  server.log_in("alice", "secret", "PHONE");
  sim_http& w = *wire;
  http_request make;
  make.method = "POST";
  make.origin = session.origin;
  make.target = "/_matrix/client/v3/createRoom";
  make.headers = {{"Authorization", "Bearer " + session.access_token}};
  make.body = "{}";
  w.send(make, [](http_result) {});
  clock.advance(1s);
  const room_id room{server.rooms().at(0)};
  const auto id = server.send("@bot:localhost", room.value, "m.room.message",
                              {{"msgtype", "m.text"}, {"body", "hello"}});
  REQUIRE(id);
  const auto got = ask<fetched_event>(fetch_event{room, event_id{*id}});
  wait(got);
  REQUIRE(got->value);
  CHECK(got->value->event.id.value == *id);
  const auto none = ask<fetched_event>(fetch_event{room, event_id{"$none"}});
  wait(none);
  CHECK(none->code() == fault_code::not_found);
}

TEST_CASE_METHOD(lone_media, "what cannot be a file is refused without asking anybody") {
  rules.max_bytes = 1000;
  begin();
  CHECK(fetch("http://evil/x")->code() == fault_code::malformed);
  CHECK(fetch("mxc://h/../x")->code() == fault_code::malformed);
  CHECK(fetch("mxc://h/x", 1001)->code() == fault_code::too_large);
  CHECK(http->open.empty());
  CHECK(is_final(fault_code::malformed));
}

TEST_CASE_METHOD(lone_media, "a file that is longer than it said is cut at the limit") {
  rules.max_bytes = 1000;
  begin();
  const auto got = fetch("mxc://h/x", 10);
  CHECK(asked(0).response_limit == 1000);
  fail(0, http_error::too_large);
  CHECK(got->code() == fault_code::too_large);
  CHECK(got->wrong->cause.starts_with("files.max_bytes"));
  CHECK(count("ws/incoming/7") == 0);
  CHECK(log->count("media_failed") == 1);
}

TEST_CASE_METHOD(lone_media, "an old homeserver is asked at the old place, without the token") {
  begin();
  const auto got = fetch();
  CHECK(asked(0).target == "/_matrix/client/v1/media/download/h/abc");
  answer(0, 404, R"({"errcode":"M_UNRECOGNIZED"})");
  CHECK(asked(1).target == "/_matrix/media/v3/download/h/abc");
  CHECK_FALSE(find_header(asked(1).headers, "Authorization"));
  answer(1, 200, "text");
  REQUIRE(got->value);
  CHECK(read("ws/incoming/7/note.txt") == "text");
}

TEST_CASE_METHOD(lone_media, "a redirect is followed without the token, three times at most") {
  begin();
  const auto got = fetch();
  answer(0, 307, "", {{"Location", "https://cdn.example.org/file?x=1#y"}});
  CHECK(asked(1).origin == "https://cdn.example.org");
  CHECK(asked(1).target == "/file?x=1");
  CHECK(asked(1).headers.empty());
  CHECK(asked(1).into);
  answer(1, 308, "", {{"Location", "https://cdn2.example.org"}});
  CHECK(asked(2).target == "/");
  answer(2, 308, "", {{"Location", "https://cdn3.example.org/"}});
  answer(3, 308, "", {{"Location", "https://cdn4.example.org/"}});
  CHECK(got->code() == fault_code::refused);
  CHECK(http->open.size() == 4);
}

TEST_CASE_METHOD(lone_media, "trouble is told apart by whether it can pass") {
  begin();
  const auto after = [&](auto&& end) {
    const auto got = fetch();
    end(http->open.size() - 1);
    return got->code();
  };
  const auto with = [&](http_error e) { return after([&, e](std::size_t i) { fail(i, e); }); };
  const auto status = [&](int s, const char* body) {
    return after([&, s, body](std::size_t i) { answer(i, s, body); });
  };
  CHECK(with(http_error::connect) == fault_code::unreachable);
  CHECK(with(http_error::closed) == fault_code::unreachable);
  CHECK(with(http_error::timeout) == fault_code::timed_out);
  CHECK(with(http_error::disk) == fault_code::storage);
  CHECK(with(http_error::disk_full) == fault_code::disk_full);
  CHECK(status(502, "<html>") == fault_code::unreachable);
  CHECK(status(504, R"({"errcode":"M_NOT_YET_UPLOADED"})") == fault_code::unreachable);
  CHECK(status(401, R"({"errcode":"M_UNKNOWN_TOKEN"})") == fault_code::unauthorised);
  CHECK(status(403, R"({"errcode":"M_FORBIDDEN"})") == fault_code::refused);
  CHECK(status(502, R"({"errcode":"M_TOO_LARGE"})") == fault_code::too_large);
  for (const auto code :
       {fault_code::unreachable, fault_code::timed_out, fault_code::storage, fault_code::disk_full,
        fault_code::unauthorised, fault_code::rate_limited, fault_code::busy})
    CHECK_FALSE(is_final(code));
  CHECK(is_final(fault_code::refused));
  CHECK(is_final(fault_code::too_large));
  CHECK(count("ws/incoming/7") == 0);
}

TEST_CASE_METHOD(lone_media, "where the homeserver asks to wait we wait, for a minute as a whole") {
  begin();
  constexpr const char* slow = R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":25000})";
  const auto got = fetch();
  answer(0, 429, slow);
  advance(24s);
  CHECK(http->open.size() == 1);
  advance(2s);
  answer(1, 429, slow);
  advance(26s);
  answer(2, 429, slow); // 75 s
  CHECK(got->code() == fault_code::rate_limited);
  const auto other = fetch();
  answer(3, 429, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":100})");
  advance(1s);
  answer(4, 200, "text");
  CHECK(other->value);
}

TEST_CASE_METHOD(lone_media, "four files move at a time, 64 wait, and the next is told") {
  begin();
  std::vector<std::shared_ptr<outcome<staged_file>>> all;
  for (std::size_t i = 0; i < 4 + matrix_media_state::lane_cap + 1; ++i)
    all.push_back(fetch());
  CHECK(http->open.size() == 4);
  CHECK(all.back()->code() == fault_code::busy);
  CHECK(all[67]->none());
  CHECK(numbers->text().find("patchbay_media_busy_total 1\n") != std::string::npos);
  // An event does not wait behind files.
  const auto event = ask<fetched_event>(fetch_event{room_id{"!r:h"}, event_id{"$e"}});
  CHECK(http->open.size() == 5);
  answer(0, 200, "text");
  CHECK(all[0]->value);
  CHECK(http->open.size() == 6); // the next file
  for (std::size_t i = 1; i < http->open.size(); ++i)
    if (i != 4)
      answer(i, 200, "text");
  for (std::size_t i = 0; i < 68; ++i)
    CHECK(all[i]->value);
  CHECK(all[67]->value->path == "incoming/7/note (68).txt");
}

TEST_CASE_METHOD(lone_media, "what must not leave a workspace is not even opened") {
  begin();
  write("secret", "SECRET");
  write("ws/config/key", "SECRET");
  write("ws/.env", "SECRET");
  fs::create_symlink(path / "secret", path / "ws/link");
  const auto first = upload(order("config/key"));
  answer(0, 200, limit_of_100);
  CHECK(first->code() == fault_code::refused);
  CHECK(upload(order("a/../config/key"))->code() == fault_code::refused);
  CHECK(upload(order("/workspace//config/./key"))->code() == fault_code::refused);
  CHECK(upload(order(".env"))->code() == fault_code::refused);
  CHECK(upload(order("link"))->code() == fault_code::refused);
  CHECK(upload(order("../secret"))->code() == fault_code::refused);
  CHECK(upload(order((path / "secret").string()))->code() == fault_code::refused);
  CHECK(upload(order("nothing"))->code() == fault_code::not_found);
  auto homeless = order("a");
  homeless.workspace.clear();
  CHECK(upload(homeless)->code() == fault_code::refused);
  CHECK(http->open.size() == 1);
  for (const auto& line : log->lines())
    CHECK(line.text.find("key") == std::string::npos); // no names in the log
}

TEST_CASE_METHOD(lone_media, "a long answer goes up as its own bytes") {
  begin();
  auto o = order("answer.md");
  o.workspace.clear();
  o.text = "# Long\n";
  const auto got = upload(o);
  answer(0, 200, "{}");
  CHECK(asked(1).body == "# Long\n");
  CHECK_FALSE(asked(1).from);
  REQUIRE(find_header(asked(1).headers, "Content-Type"));
  CHECK(*find_header(asked(1).headers, "Content-Type") == "text/markdown; charset=utf-8");
  answer(1, 200, R"({"content_uri":"mxc://h/xyz"})");
  REQUIRE(got->value);
  const auto event = nlohmann::json::parse(got->value->body);
  CHECK(event.at("url") == "mxc://h/xyz");
  CHECK(event.at("info").at("mimetype") == "text/markdown");
  CHECK(event.at("filename") == "answer.md");
}

TEST_CASE_METHOD(lone_media,
                 "a picture carries its size, a page that pretends to be one does not") {
  begin();
  const std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\x2c\0\0\0\x96\x08\2\0\0\0", 29);
  write("ws/a.png", png);
  write("ws/b.png", "<html><script>1</script></html>");
  const auto picture = upload(order("a.png"));
  answer(0, 200, "{}");
  CHECK(asked(1).from->size() == 29);
  answer(1, 200, R"({"content_uri":"mxc://h/a"})");
  REQUIRE(picture->value);
  auto event = nlohmann::json::parse(picture->value->body);
  CHECK(event.at("msgtype") == "m.image");
  CHECK(event.at("info").at("w") == 300);
  CHECK(event.at("info").at("h") == 150);
  const auto page = upload(order("b.png"));
  answer(2, 200, R"({"content_uri":"mxc://h/b"})");
  REQUIRE(page->value);
  event = nlohmann::json::parse(page->value->body);
  CHECK(event.at("msgtype") == "m.file");
  CHECK(event.at("info").at("mimetype") == "text/plain");
}

TEST_CASE_METHOD(lone_media, "the homeserver's limit is asked for again after an hour") {
  begin();
  write("ws/a", std::string(50, 'x'));
  const auto wait_for_it = upload(order("a")), with_it = upload(order("a"));
  CHECK(http->open.size() == 1); // once for both
  answer(0, 404, R"({"errcode":"M_UNRECOGNIZED"})");
  CHECK(asked(1).target == "/_matrix/media/v3/config");
  answer(1, 200, R"({"m.upload.size":49})");
  CHECK(wait_for_it->code() == fault_code::too_large);
  CHECK(with_it->code() == fault_code::too_large);
  advance(59min);
  CHECK(upload(order("a"))->code() == fault_code::too_large);
  advance(2min);
  const auto later = upload(order("a"));
  fail(2, http_error::timeout); // what was known goes on counting
  CHECK(later->code() == fault_code::too_large);
  advance(2min);
  const auto raised = upload(order("a"));
  answer(3, 200, limit_of_100);
  CHECK(raised->none());
  CHECK(asked(4).method == "POST");
}

TEST_CASE_METHOD(lone_media, "a renewed token is used from then on") {
  begin();
  auto renewed = session;
  renewed.access_token = "fresh";
  caf::anon_send(media, session_renewed{renewed});
  run();
  fetch();
  CHECK(*find_header(asked(0).headers, "Authorization") == "Bearer fresh");
}

TEST_CASE_METHOD(lone_media, "whose end comes with files on their way leaves none behind") {
  begin();
  fetch();
  CHECK(count("ws/incoming/7") == 1);
  caf::anon_send_exit(media, caf::exit_reason::user_shutdown);
  run();
  http->open.clear();
  CHECK(count("ws/incoming/7") == 0);
}
