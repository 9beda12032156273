#pragma once
// Bytes as an HTTP request: "METHOD path?query", lines of "Name: value", an empty line, the body.
// Nothing is checked: the parser of our server would refuse much of what comes out here.

#include "bridges/http_server.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace pb::fuzz {

inline std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

inline server_request request_of(std::string_view text) {
  server_request r;
  auto line = take_line(text);
  const auto blank = line.find(' ');
  r.method = line.substr(0, blank);
  line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  const auto mark = line.find('?');
  r.path = line.substr(0, mark);
  if (mark != std::string_view::npos)
    r.query = line.substr(mark + 1);
  for (line = take_line(text); !line.empty(); line = take_line(text)) {
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos)
      r.headers.push_back(
          {std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
  r.body = text;
  r.peer = "127.0.0.1";
  return r;
}

/// Counts the answers and keeps the last.
struct kept_reply final : http_reply {
  http_response last;
  int answers = 0;
  void send(http_response response) override {
    last = std::move(response);
    ++answers;
  }
  void stream(http_response head) override { send(std::move(head)); }
  bool chunk(std::string) override { return true; }
  void end() override {}
  void on_gone(std::function<void()>) override {}
};

} // namespace pb::fuzz
