// Everything that a real homeserver answered is understood, for what it was.

#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/content.hpp"
#include "tests/matrix/client/support.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>

using namespace pb;
using namespace pb::matrix;
using namespace pb::matrix::test;
using kind_t = matrix_failure::kind_t;

namespace {

const room_id room("!pfBpyswSeAtaroHnVA:localhost");

template <class T>
bool clean(const T& list) {
  return list && list->poisoned.total == 0;
}

/// Reads one answer with the reader of its request. False: not understood.
bool understood(const std::string& name, const capture& c) {
  const http_result r = c.response;
  const std::string& p = c.path;
  const auto ends = [&](std::string_view tail) { return p.ends_with(tail); };
  if (c.response.status != 200)
    return !to_failure(c.response, 0).errcode.empty();
  if (name == "media_download_v3")
    return read::download(r, 0).has_value();
  if (ends("/versions"))
    return read::versions(r, 0)->has("v1.2");
  if (ends("/login"))
    return c.method == "GET" ? read::login_flows(r, 0)->size() == 2 : read::login(r, 0).has_value();
  if (ends("/whoami"))
    return !read::whoami(r, 0)->device.empty();
  if (ends("/sync"))
    return clean(read::sync(r, 0));
  if (ends("/createRoom") || p.find("/join/") != std::string::npos)
    return read::room(r, 0).has_value();
  if (ends("/joined_rooms"))
    return read::joined_rooms(r, 0)->size() == 3;
  if (ends("/joined_members"))
    return read::joined_members(r, 0)->size() == 2;
  if (ends("/messages"))
    return clean(read::messages(r, room, 0));
  if (ends("/state"))
    return clean(read::state(r, room, 0));
  if (p.find("/send/") != std::string::npos || p.find("/state/") != std::string::npos)
    return read::sent_event(r, 0).has_value();
  if (ends("/upload"))
    return read::upload(r, 0).has_value();
  if (ends("/config"))
    return read::media_config(r, 0).value() == 52428800;
  return read::done(r, 0).has_value();
}

int read_all(const std::filesystem::path& folder) {
  int n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json")
      continue;
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    CHECK(understood(name, load_capture(entry.path())));
    ++n;
  }
  return n;
}

} // namespace

TEST_CASE("captures: the committed ones are understood", "[captures]") {
  CHECK(read_all("tests/matrix/client/captures") == 11);
}

TEST_CASE("captures: all of them are understood where they are at hand", "[captures]") {
  const std::filesystem::path all = "../shared/data/homeserver-captures";
  if (!std::filesystem::exists(all)) {
    std::cout << "skipped: " << all << " is not there\n";
    return;
  }
  CHECK(read_all(all) >= 40);
}

TEST_CASE("captures: refusals are told apart", "[captures]") {
  const matrix_failure limited = to_failure(committed("send_rate_limited").response, 0);
  CHECK(limited.kind == kind_t::rate_limited);
  CHECK(limited.retry_after == std::chrono::milliseconds(1663));
  CHECK(to_failure(committed("whoami_unknown_token").response, 0).kind == kind_t::unauthorised);
  CHECK(to_failure(committed("media_download_v1_authenticated").response, 0).kind ==
        kind_t::unrecognised);
}

TEST_CASE("captures: a page of history goes backwards and says where it stopped", "[captures]") {
  const auto page = read::messages(committed("messages_backfill").response, room, 0);
  REQUIRE(page);
  REQUIRE_FALSE(page->chunk.empty());
  CHECK(parse_message(page->chunk.front().content).body == "line 19");
  CHECK_FALSE(page->start.empty());
}

TEST_CASE("captures: a tombstone names the room that follows", "[captures]") {
  const auto r = read::sync(committed("sync_tombstone").response, 0);
  REQUIRE(r);
  std::optional<room_id> replacement;
  for (const auto& j : r->join)
    for (const auto* list : {&j.state, &j.timeline})
      for (const matrix_event& e : *list)
        if (e.type == "m.room.tombstone")
          replacement = parse_tombstone(e.content).replacement;
  REQUIRE(replacement);
  CHECK(replacement->value.starts_with("!"));
}
