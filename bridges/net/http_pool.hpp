#pragma once
// Internal to bridges/net: requests and connections of one HTTP client. I/O thread only.

#include "bridges/net/address.hpp"
#include "bridges/net/core.hpp"
#include "bridges/net/tls.hpp"

#include <deque>
#include <set>
#include <unordered_set>

namespace pb::net {

class client_connection;
struct origin_pool;

/// One request on its way.
struct exchange {
  http_ticket ticket = 0;
  http_request request;
  http_done done;
  time_point due;      ///< when it is looked at, never later than it is over
  time_point deadline; ///< of the whole
  time_point moved_at; ///< the last byte either way
  bool asked = false;  ///< all of the request has left, and nothing of the answer has come
  bool ended = false;
  bool sent = false;
  bool retried = false; ///< a stale connection failed it: it gets a fresh one, once
  origin_pool* waiting_at = nullptr;
  client_connection* on = nullptr;
};
using exchange_ptr = std::shared_ptr<exchange>;

struct origin_pool {
  address where;
  std::vector<std::shared_ptr<client_connection>> idle; ///< the one used last is at the back
  std::unordered_set<std::shared_ptr<client_connection>>
      live;                         ///< all, also idle and connecting ones
  std::deque<exchange_ptr> waiting; ///< some may have ended: they are passed over
  std::size_t waiting_count = 0;    ///< those that have not
};

class http_pool final : public stoppable, public std::enable_shared_from_this<http_pool> {
public:
  http_pool(core& c, http_client_options options);
  void start();

  void begin(const exchange_ptr& ex);
  void cancel(http_ticket ticket);
  void wind_down() override { cut(); }
  void cut() override;

  // From connections:
  void released(origin_pool& at,
                const std::shared_ptr<client_connection>& c);              ///< free for the next
  void gone(origin_pool& at, const std::shared_ptr<client_connection>& c); ///< closed
  void again(origin_pool& at, const exchange_ptr& ex); ///< on a fresh connection, before all others
  void look_sooner(const exchange_ptr& ex);            ///< its patience has become shorter
  void finish(const exchange_ptr& ex, http_result r);  ///< may destroy the client: call it last

  core& io;
  const http_client_options options;
  std::shared_ptr<tls_context> tls;

private:
  void place(origin_pool& at, const exchange_ptr& ex, bool fresh);
  void connect(origin_pool& at, const exchange_ptr& ex);
  void serve(origin_pool& at);
  exchange_ptr next(origin_pool& at);
  void end(const exchange_ptr& ex, http_error error, std::string cause);
  void expire();
  [[nodiscard]] time_point due_of(const exchange& ex) const;
  void sweep();

  std::unordered_map<std::string, std::unique_ptr<origin_pool>> origins_;
  std::unordered_map<http_ticket, exchange_ptr> exchanges_;
  std::set<std::pair<time_point, http_ticket>> due_;
  lazy_timer deadline_;
  lazy_timer sweep_;
  bool sweeping_ = false;
  bool stopped_ = false;
};

} // namespace pb::net
