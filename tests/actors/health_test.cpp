#include "actors/health.hpp"

#include <catch2/catch.hpp>

TEST_CASE("ready means a good sync, a writable database and no stop") {
  pb::health_board board;
  board.database(1, true);
  CHECK_FALSE(board.read().ready);
  CHECK_FALSE(board.read().why.empty());
  board.synced(5);
  CHECK(board.read().ready);
  CHECK(board.read().since == 5);
  board.sync_trouble(9, "it is down");
  CHECK_FALSE(board.read().ready);
  CHECK(board.read().why == "it is down");
  CHECK(board.read().since == 9);
  board.synced(12);
  CHECK(board.read().since == 12);
  board.database(13, false);
  CHECK_FALSE(board.read().ready);
  board.database(14, true);
  board.synced(20);
  CHECK(board.read().since == 14); // since when, not the last good sync
  CHECK(board.read().last_good_sync == 20);
  board.stopping(21);
  board.synced(22);
  CHECK_FALSE(board.read().ready);
}
