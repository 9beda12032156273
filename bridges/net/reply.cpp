#include "bridges/net/reply.hpp"

#include "bridges/net/server_connection.hpp"

namespace pb::net {

namespace {

constexpr std::size_t most_waiting = std::size_t{1} << 20;

class server_reply final : public http_reply {
public:
  server_reply(std::shared_ptr<core> c, std::shared_ptr<server_connection> connection,
               std::shared_ptr<reply_state> state)
      : core_(std::move(c)), connection_(std::move(connection)), state_(std::move(state)) {}
  server_reply(const server_reply&) = delete;
  server_reply& operator=(const server_reply&) = delete;
  ~server_reply() override {
    if (step_ != step::done)
      core_->post([c = connection_, s = state_] { c->dropped(s); });
  }

  void send(http_response response) override {
    if (!advance(step::fresh, step::done))
      return;
    if (core_->on_thread()) { // the usual case: saves a round through the queue
      core_->guarded([&] { connection_->answer(state_, std::move(response)); });
      return;
    }
    core_->post([c = connection_, s = state_, r = std::move(response)]() mutable {
      c->answer(s, std::move(r));
    });
  }

  void stream(http_response head) override {
    if (!advance(step::fresh, step::streaming))
      return;
    if (core_->on_thread())
      core_->guarded([&] { connection_->begin_stream(state_, head); });
    else
      core_->post([c = connection_, s = state_, h = std::move(head)] { c->begin_stream(s, h); });
  }

  bool chunk(std::string data) override {
    if (step_ != step::streaming || state_->gone || state_->waiting > most_waiting)
      return false;
    if (data.empty())
      return true; // as a chunk it would end the stream
    state_->waiting += data.size();
    // Posted even on the I/O thread, so that it never overtakes a stream() of another thread.
    return core_->post(
        [c = connection_, s = state_, d = std::move(data)] { c->stream_chunk(s, d); });
  }

  void end() override {
    if (advance(step::streaming, step::done))
      core_->post([c = connection_, s = state_] { c->end_stream(s); });
  }

  void on_gone(std::function<void()> gone) override {
    // Always later: called back from within this very call, the handler would not be ready for it.
    core_->post([io = core_.get(), s = state_, f = std::move(gone)]() mutable {
      if (s->complete || s->gone_told)
        return;
      s->on_gone = std::move(f);
      if (s->gone) {
        s->gone_told = true;
        auto call = std::move(s->on_gone);
        s->on_gone = nullptr;
        io->guarded(call);
      }
    });
  }

private:
  enum class step { fresh, streaming, done };

  bool advance(step from, step to) { return step_.compare_exchange_strong(from, to); }

  std::shared_ptr<core> core_; // declared first: the socket must go before the context
  std::shared_ptr<server_connection> connection_;
  std::shared_ptr<reply_state> state_;
  std::atomic<step> step_{step::fresh};
};

} // namespace

std::shared_ptr<http_reply> make_reply(std::shared_ptr<core> c,
                                       std::shared_ptr<server_connection> connection,
                                       std::shared_ptr<reply_state> state) {
  return std::make_shared<server_reply>(std::move(c), std::move(connection), std::move(state));
}

} // namespace pb::net
