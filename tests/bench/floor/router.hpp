#pragma once
// Sync, rooms, group commit and sends of the floor: one thread, one loop.

#include "tests/bench/floor/http_lane.hpp"
#include "tests/bench/floor/store.hpp"
#include "tests/bench/floor/turn.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace pb::bench {

/// What the floor does wrong on purpose, so that the world's oracle can be tried.
enum class fault { none, lose, twice, alter, again, overtake, stray };

struct floor_settings {
  std::uint16_t port = 0; ///< of homeserver and agents, on 127.0.0.1
  std::string user_id, token, database;
  bool full = true;
  fault mistake = fault::none;
  std::uint64_t mistake_every = 100;
};

class floor_router {
public:
  explicit floor_router(floor_settings s);
  /// Until SIGTERM.
  void run();

private:
  struct room {
    std::string id, encoded, path; ///< path of its agent
    std::uint64_t chat_id = 0;
    std::deque<message> waiting;
    bool busy = false;
  };
  struct reply_row {
    std::int64_t outbox = 0;
    std::shared_ptr<turn> of;
    std::string transaction, body;
  };
  struct receipt {
    std::int64_t outbox = 0;
    std::string event_id;
  };

  void on_first_sync(std::string& body);
  void poll();
  void on_sync(const std::string& body);
  void on_answered(const std::shared_ptr<turn>& t);
  void flush();
  void start_next(std::uint32_t index);
  void put(reply_row r);
  bool slip(fault f);

  floor_settings settings_;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::endpoint server_;
  std::string host_;
  boost::asio::signal_set signals_;
  store store_;
  http_lane sync_lane_;
  std::vector<std::unique_ptr<http_lane>> send_lanes_;
  simdjson::ondemand::parser sync_parser_, frame_parser_;
  turn::listener listener_;
  std::vector<room> rooms_;
  std::unordered_map<std::string, std::uint32_t> room_index_;
  std::string since_, transaction_prefix_;
  std::int64_t next_outbox_ = 1;
  std::uint64_t slips_ = 0;
  bool stopping_ = false, polled_ = false;
  // What became ready in this turn of the loop and waits for its commit.
  std::vector<message> admitted_;
  std::vector<std::shared_ptr<turn>> ready_;
  std::vector<reply_row> answered_;
  std::vector<receipt> sent_;
};

} // namespace pb::bench
