#pragma once
// Port: a line to somebody who speaks in texts: a WebSocket, one HTTP exchange, or a child process.

#include "bridges/http.hpp"
#include "messages/values/sandbox.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pb {

/// What a link runs over. All behave alike: on_open, then texts either way, then on_closed.
enum class carrier {
  websocket, ///< a text is a text frame; seen from either end
  http,      ///< one exchange, see http_link
  process, ///< a text is a line (without its end) of the child's stdin or stdout, see child_process
};

/// Thread-safe; every call returns at once.
class link {
public:
  virtual ~link() = default;
  /// False: the outbound queue is full (its cap is link_request::send_queue) or the link is closed.
  virtual bool send(std::string text) = 0;
  /// Tells that `bytes` of received text were worked off. Reading pauses when more than
  /// link_request::unread_limit bytes were handed over and not yet worked off.
  virtual void consumed(std::size_t bytes) = 0;
  /// Closes with a WebSocket close code; on_closed follows. Frames that were queued go out first.
  virtual void close(int code = 1000) = 0;
};

struct link_closed {
  enum class how {
    refused,   ///< never open: nobody listens, TLS failed, host unknown
    rejected,  ///< never open: the server answered the upgrade with another status
    timed_out, ///< never open within the deadline, or the peer stopped answering pings
    closed,    ///< a close frame came, or we closed
    broken,    ///< the connection ended without a close frame
    protocol,  ///< the peer broke a rule: frame too large, not text, invalid UTF-8
  };
  how reason = how::broken;
  int code = 0;      ///< close code of the peer; HTTP status; exit status of a child
  std::string cause; ///< for the log
  std::string
      body{}; ///< http, rejected: the answer's body, cut to error_body_limit; UTF-8 or empty
  std::chrono::milliseconds retry_after{0}; ///< http, rejected: as the answer says; 0: it does not
};

/// Called from the I/O thread, one call at a time. Nothing is called after on_closed, and on_closed
/// is called exactly once for every link.
class link_listener {
public:
  virtual ~link_listener() = default;
  virtual void on_open() = 0;
  virtual void on_text(std::string text) = 0;
  virtual void on_closed(link_closed why) = 0;
};

/// carrier::http. on_open: the connection stands and nothing was sent. The first send() sends the
/// request with this text as its body (GET: it must be empty); a second one returns false. An
/// answer of 2xx: `text/event-stream` gives one text for each event (its data lines joined by a
/// line feed; events without data are left out), any other type gives the whole body as one text
/// (none if it is empty); then on_closed `closed` with the status. Any other answer: on_closed
/// `rejected` with status and body. Ends in the middle of the answer: `broken`. An event or body
/// over frame_limit, text that is not UTF-8, or an encoding other than gzip and deflate (identity
/// is asked for): `protocol`. Redirects are not followed. close() ends the exchange at once, with
/// code 0. There are no pings: a peer that is silent is silent; only one that takes nothing of the
/// request for three times ping_after is `timed_out`.
struct http_link {
  std::string method = "POST";
};

/// carrier::process. Starts `command` without a shell in the folder `cwd`, with `env` as its whole
/// environment beside PATH, HOME and LANG, in a process group of its own, with no descriptor of
/// ours but the three pipes. close(): stdin is closed, SIGTERM to the group after a second, SIGKILL
/// two seconds later; what it says meanwhile is dropped. on_closed, when it has ended and what was
/// left of its group, too: `refused` it cannot be started; `closed` it ended or we closed, code =
/// exit status; `broken` it ended by a signal, or closed its stdout and lived on; `protocol` a line
/// over frame_limit or not UTF-8. After a signal, code = 128 + signal. Empty lines and an
/// unfinished last one are no texts. send() of a text with a line feed returns false. It ends when
/// we do, however.
struct child_process {
  std::vector<std::string> command;                     ///< the first one is looked up in PATH
  std::string cwd;                                      ///< must be there
  std::vector<std::pair<std::string, std::string>> env; ///< also in the place of those three
  /// The child may write beneath `cwd` and $TMPDIR only, a folder of its own that is removed at the
  /// end, and to devices such as /dev/null; it can read what its user can. By Landlock, which Linux
  /// has since 5.13; before 6.2 a file elsewhere may still be truncated. `automatic` without it:
  /// the first line of on_stderr says so. `required` without it: `refused`. `off`: no $TMPDIR
  /// either.
  sandbox_mode sandbox = sandbox_mode::automatic;
  std::function<void(std::string line)> on_stderr{}; ///< from the I/O thread; cut to 1,000 bytes
};

struct link_request {
  std::string url; ///< ws or wss; http or https; empty for a process
  http_headers headers;
  carrier by = carrier::websocket;
  http_link http{};
  child_process child{};
  std::chrono::milliseconds connect_timeout{10'000}; ///< until on_open
  std::size_t frame_limit = std::size_t{8} << 20;
  std::size_t unread_limit = std::size_t{16} << 20;
  std::size_t send_queue = 64;                  ///< frames
  std::chrono::milliseconds ping_after{20'000}; ///< silence before a ping; dead after three times
};

class dialer {
public:
  virtual ~dialer() = default;
  /// The link may be used at once: frames sent before on_open wait for the handshake.
  virtual std::shared_ptr<link> dial(link_request request,
                                     std::shared_ptr<link_listener> events) = 0;
};

} // namespace pb
