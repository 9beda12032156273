#pragma once
// What the tests of the Matrix client share.

#include "bridges/http.hpp"
#include "bridges/matrix/sync.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace pb::matrix::test {

/// An exchange that was recorded at a real homeserver.
struct capture {
  std::string method, path;
  http_response response;
};

inline capture load_capture(const std::filesystem::path& file) {
  std::ifstream in(file);
  const nlohmann::json j = nlohmann::json::parse(in);
  capture c;
  c.method = j["request"]["method"];
  c.path = j["request"]["path"];
  c.response.status = j["response"]["status"];
  for (const auto& [name, value] : j["response"]["headers"].items())
    c.response.headers.push_back({name, value.get<std::string>()});
  c.response.body = j["response"]["body"].dump();
  return c;
}

/// The few that are part of the project.
inline capture committed(const std::string& name) {
  return load_capture("tests/matrix/client/captures/" + name + ".json");
}

inline http_result ok(std::string body) { return http_response{200, {}, std::move(body)}; }

inline http_result status(int code, std::string body, http_headers headers = {}) {
  return http_response{code, std::move(headers), std::move(body)};
}

/// A sync body with one joined room whose timeline is these events.
inline std::string sync_with(const std::string& events) {
  return R"({"next_batch":"s1","rooms":{"join":{"!r:hs":{"timeline":{"events":[)" + events +
         R"(],"limited":false,"prev_batch":"p1"}}}}})";
}

/// A message that nothing is wrong with.
inline std::string good_event(const std::string& id = "$good") {
  return R"({"type":"m.room.message","event_id":")" + id +
         R"(","sender":"@a:hs","origin_server_ts":5,"content":{"msgtype":"m.text","body":"hi"}})";
}

} // namespace pb::matrix::test
