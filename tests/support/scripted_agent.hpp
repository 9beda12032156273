#pragma once
// An agent that does what a test says, and remembers everything that it was told: behind a real
// WebSocket server (handler) or without any socket, in virtual time (fake_dialer).

#include "bridges/http_server.hpp"
#include "bridges/link.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace pb::scripted {

using nlohmann::json;

struct step {
  enum class what {
    send,          ///< the frame
    wait,          ///< for `delay`
    close,         ///< with `code`; what follows is not done
    break_off,     ///< the connection ends without a close frame (behind a real server: code 1011)
    await_cancel,  ///< until CANCEL comes
    await_confirm, ///< until CONFIRM comes: for `frame` (an id), or any that no step has waited for
    tell_decision, ///< a chunk "id=yes " of the CONFIRM that was waited for last, or opened the
                   ///< turn
  };
  what act = what::send;
  std::string frame;
  std::chrono::milliseconds delay{0};
  int code = 1000;
};

step send(const json& frame);
step raw(std::string text); ///< any text as a frame
step wait(std::chrono::milliseconds delay);
step hang_up(int code = 1000);
step break_off();
step await_cancel();
step await_confirm(std::string id = {}); ///< passed at once if it has come in this turn already
step tell_decision();

step chunk(std::string_view text); ///< AGENT_EVENT_TEXT_CHUNK
step tool_call(std::string_view id, std::string_view name, std::string_view args);
step tool_result(std::string_view id, std::string_view name, const json& result);
step confirm(std::string_view id, std::string_view prompt, std::int64_t expires_in = 0); ///< 0: no
step send_file(std::string_view path);
step push(std::string_view event_id, std::string_view kind, std::string_view text);
json push_frame(std::string_view event_id, std::string_view kind, std::string_view text);
step end(); ///< AGENT_EVENT_END
step end(std::int64_t input_tokens, std::int64_t output_tokens);
step error(std::string_view code, std::string_view details = {});

/// A frame that the agent got.
struct heard {
  std::size_t connection = 0; ///< from 1, in the order of connecting
  std::string url;            ///< as dialled; behind a real server path and query
  std::string type;           ///< "" if the frame has none
  json frame;                 ///< discarded value if it is not JSON
};

/// What to do about a frame that opens a turn: USER_MESSAGE, or CONFIRM while nothing runs.
using script = std::function<std::vector<step>(const heard& opening)>;

script always(std::vector<step> steps);
script echo(); ///< the text that came, in one chunk, and END
/// One for USER_MESSAGE, another for a CONFIRM that opens a turn.
script by_opening(script message, script confirmation);
/// By the first word of the text; what is not there: echo. A CONFIRM that opens a turn is told and
/// ended.
script by_word(std::map<std::string, std::vector<step>> words);

struct connection_end {
  std::size_t connection = 0;
  link_closed why;
};

/// The connections may live in another thread (one) than the test that asks.
class agent {
public:
  agent(timers& clock, script what);
  ~agent();
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;

  /// From the next turn on.
  void use(script what);
  /// False: CANCEL changes nothing unless the script awaits it. Otherwise it ends the turn with
  /// END.
  void obey_cancel(bool yes);
  /// Out of turn, as when a task ends later: on this connection, if it is open.
  bool say(std::size_t connection, const json& frame);
  /// Put message_id of USER_MESSAGE into every frame that is an object without one.
  void echo_message_id(bool yes);

  [[nodiscard]] ws_handler handler();
  /// `cut` ends the connection without a close frame.
  std::shared_ptr<link_listener> accept(std::string url, std::shared_ptr<link> wire,
                                        std::function<void()> cut = {});

  [[nodiscard]] std::vector<heard> all() const;
  [[nodiscard]] std::vector<heard> of_type(std::string_view type) const;
  [[nodiscard]] std::vector<heard> user_messages() const { return of_type("USER_MESSAGE"); }
  [[nodiscard]] std::vector<heard> confirms() const { return of_type("CONFIRM"); }
  [[nodiscard]] std::size_t connections() const; ///< ever
  [[nodiscard]] std::size_t open() const;
  [[nodiscard]] std::vector<connection_end> ends() const;

private:
  struct shared;
  class conversation;
  std::shared_ptr<shared> state_;
};

/// How a dial goes.
struct dial_plan {
  /// shut: it opens and is gone before anybody hears of it, as behind a proxy without a backend.
  enum class how { open, refuse, reject, never_open, shut };
  how outcome = how::open;
  int status = 503; ///< of reject (http: once the request has been sent, as it is there)
  std::chrono::milliseconds delay{0}; ///< until the outcome (never_open: connect_timeout counts)
};

/// The far end of a link, for who answers there.
struct far_end {
  link_request request;
  std::shared_ptr<link> wire;
  std::function<void(link_closed)> end; ///< the router hears that it ended so
};
/// Who hears what the router says on a link that has been opened; null: nobody ever does.
using acceptor = std::function<std::shared_ptr<link_listener>(far_end)>;

/// A dialer without sockets: links to a scripted agent whose frames arrive in order, each up to
/// `most` later by a seeded engine. One thread; every callback comes from the timers.
class fake_dialer final : public dialer {
public:
  fake_dialer(timers& clock, agent& peer, std::uint64_t seed = 1,
              std::chrono::milliseconds most = std::chrono::milliseconds(5));
  /// Links that are still open end without a word.
  ~fake_dialer() override;
  fake_dialer(const fake_dialer&) = delete;
  fake_dialer& operator=(const fake_dialer&) = delete;

  /// Somebody else answers from now on.
  void answered_by(acceptor who) { accept_ = std::move(who); }

  void plan(dial_plan every) {
    plan_ = [every](const link_request&) { return every; };
  }
  void plan(std::function<dial_plan(const link_request&)> by_request) {
    plan_ = std::move(by_request);
  }

  std::shared_ptr<link> dial(link_request request, std::shared_ptr<link_listener> events) override;

  [[nodiscard]] const std::vector<link_request>& dialled() const { return dialled_; }
  [[nodiscard]] std::size_t open() const; ///< links that have not ended yet
  /// Bytes that were given to the router and not worked off, on the link where they are most.
  [[nodiscard]] std::size_t most_unread() const { return *most_unread_; }
  /// Every open link ends without a close frame, as when a cable is pulled.
  void break_all();

private:
  class wire;
  class wire_end;
  class refusal;
  struct luck;
  timers& clock_;
  acceptor accept_;
  std::shared_ptr<luck> luck_;
  std::shared_ptr<std::size_t> most_unread_ = std::make_shared<std::size_t>(0);
  std::function<dial_plan(const link_request&)> plan_;
  std::vector<link_request> dialled_;
  std::vector<std::weak_ptr<wire>> wires_;
};

} // namespace pb::scripted
