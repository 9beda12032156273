// Serves the development homeserver on a free port of loopback until SIGTERM, for foreign clients.
// Prints one line: ready {"homeserver": "http://127.0.0.1:PORT"}

#include "bridges/matrix/homeserver/file_journal.hpp"
#include "bridges/matrix/homeserver/homeserver.hpp"
#include "bridges/net/io.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <future>
#include <iostream>
#include <optional>
#include <string>

namespace {

using nlohmann::json;

struct arguments {
  std::string record, data;
  std::uint16_t port = 0;
  bool faults = false, frozen_media = false;
};

std::optional<arguments> read(int count, char** words) {
  arguments out;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto value = [&]() -> std::string { return i + 1 < count ? words[++i] : ""; };
    if (word == "--record")
      out.record = value();
    else if (word == "--data")
      out.data = value();
    else if (word == "--port")
      out.port = static_cast<std::uint16_t>(std::strtoul(value().c_str(), nullptr, 10));
    else if (word == "--faults")
      out.faults = true;
    else if (word == "--frozen-media")
      out.frozen_media = true;
    else
      return std::nullopt;
  }
  return out;
}

/// JSON as it is, anything else as its length.
json body_of(const std::string& body) {
  if (body.empty())
    return nullptr;
  auto parsed = json::parse(body, nullptr, false);
  return parsed.is_discarded() ? json{{"_raw_len", body.size()}} : parsed;
}

json headers_of(const pb::http_headers& headers) {
  json out = json::object();
  for (const auto& h : headers)
    if (strcasecmp(h.name.c_str(), "Authorization") != 0)
      out[h.name] = h.value;
  return out;
}

} // namespace

int main(int count, char** words) {
  const auto args = read(count, words);
  if (!args) {
    std::cerr << "usage: homeserver_host [--port N] [--record FILE] [--data DIR] [--faults]\n"
                 "                       [--frozen-media]  # no downloads without a token\n";
    return 64;
  }
  std::ofstream record;
  if (!args->record.empty())
    record.open(args->record, std::ios::app);

  pb::homeserver_options options;
  options.allow_faults = args->faults;
  options.old_media_paths = !args->frozen_media;
  const auto largest = options.max_upload_bytes;
  if (!args->data.empty()) {
    auto opened = pb::open_file_journal(args->data);
    if (!opened) {
      std::cerr << opened.error().sentence << ' ' << opened.error().cause << '\n';
      return 69;
    }
    options.keep = std::move(*opened);
    options.max_media_bytes = std::size_t{2} << 30;
  }
  if (record.is_open())
    options.recorder = [&](const pb::server_request& q, const pb::http_response& a) {
      record << json{{"request",
                      {{"method", q.method},
                       {"path", q.path},
                       {"query", q.query},
                       {"headers", headers_of(q.headers)},
                       {"body", body_of(q.body)}}},
                     {"response",
                      {{"status", a.status},
                       {"headers", headers_of(a.headers)},
                       {"body", body_of(a.body)}}}}
                    .dump(-1, ' ', false, json::error_handler_t::replace)
             << std::endl;
    };

  std::promise<void> stop;
  bool stopping = false;
  pb::io_runtime io;
  pb::homeserver hs(std::move(options), io.clock());
  io.on_signals({SIGTERM, SIGINT}, [&](int) {
    if (!std::exchange(stopping, true))
      stop.set_value();
  });
  pb::server_options listen;
  listen.port = args->port;
  listen.body_limit = largest + (std::size_t{1} << 20);
  listen.read_timeout = std::chrono::minutes(2);
  auto server = pb::make_http_server(io, listen, hs.handler());
  if (!server) {
    std::cerr << server.error().cause << '\n';
    return 69;
  }
  const auto port = (*server)->port();
  std::cerr << pb::homeserver_banner(port) << std::endl;
  std::cout << "ready " << json{{"homeserver", "http://127.0.0.1:" + std::to_string(port)}}.dump()
            << std::endl;
  stop.get_future().wait();
  server->reset();
  io.stop();
  return 0;
}
