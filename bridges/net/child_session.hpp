#pragma once
// Internal to bridges/net: carrier::process, a child whose stdin and stdout speak in lines.

#include "bridges/net/line.hpp"
#include "bridges/net/lines.hpp"
#include "bridges/net/spawn.hpp"
#include "bridges/net/temporary_folder.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>

namespace pb::net {

struct tls_context;

/// Lives from dial until the child is reaped; then comes on_closed, and the listener is let go of.
class child_session final : public line, public std::enable_shared_from_this<child_session> {
public:
  child_session(core& c, const link_request& limits);
  ~child_session() override;

  bool send(std::string text) override;
  void consumed(std::size_t bytes) override;
  void close(int code) override;

  // The others are for the I/O thread. A child knows nothing of TLS.
  void dial(link_request request, const std::shared_ptr<tls_context>& tls,
            std::shared_ptr<link_listener> events);
  void wind_down() override;
  void cut() override;

private:
  using stream = asio::posix::basic_stream_descriptor<executor>;

  void start();
  void await_start();
  void started(std::size_t told);
  void opened();
  void queue(std::string text);
  void write();
  void close_input();
  void read();
  void work();
  void take_line();
  void output_ended();
  void listen_to_complaints();
  std::size_t read_complaints(error_code& ec);
  void complain(std::string_view bytes);

  void await_exit();
  void exited();
  void reap();
  void conclude();

  void end_with(link_closed verdict, std::chrono::milliseconds patience);
  void begin_close(std::chrono::milliseconds patience);
  void signal_group(int number) const;
  void tick();
  void set_deadline();
  void finish(link_closed why);

  core& core_;
  const std::size_t send_queue_;
  const std::chrono::milliseconds open_timeout_;
  child_process child_;
  std::shared_ptr<link_listener> events_;
  lazy_timer timer_;
  unread_bytes unread_;
  temporary_folder temporary_;
  bool unconfined_ = false; ///< though it was wanted

  pid_t pid_ = -1;
  stream process_, in_, out_, err_, start_;
  start_failure failure_;

  std::deque<std::string> lines_;         ///< with their ends; the front is being written
  std::size_t written_ = 0;               ///< of the front
  std::atomic<std::size_t> out_count_{0}; ///< lines accepted and not written yet
  std::atomic<bool> shut_{false};         ///< nothing is accepted any more

  std::string piece_;           ///< what was read last
  std::string_view piece_left_; ///< what of it is to be done
  line_reader texts_, complaints_;

  bool open_ = false;
  bool writing_ = false;
  bool reading_ = false;
  bool out_ended_ = false;
  bool exited_ = false; ///< and reaped
  bool over_ = false;
  int status_ = 0; ///< exit status, or 128 + signal
  bool by_signal_ = false;
  std::optional<link_closed> verdict_; ///< what on_closed will tell, if not how the child ended
  bool closing_ = false;
  bool term_sent_ = false;
  time_point open_deadline_ = time_point::max();
  time_point term_at_ = time_point::max();
  time_point kill_at_ = time_point::max();
};

} // namespace pb::net
