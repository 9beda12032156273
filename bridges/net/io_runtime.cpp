#include "bridges/net/core.hpp"

namespace pb {

io_runtime::io_runtime() : core_(std::make_shared<net::core>()) { core_->start(); }

io_runtime::~io_runtime() { stop(); }

bool io_runtime::post(std::function<void()> f) { return core_->post(std::move(f)); }

timers& io_runtime::clock() { return *core_; }

void io_runtime::on_signals(std::vector<int> signals, std::function<void(int)> f) {
  core_->on_signals(std::move(signals), std::move(f));
}

void io_runtime::stop(std::chrono::milliseconds grace) { core_->stop(grace); }

const net_counters& io_runtime::counters() const { return core_->counters; }

} // namespace pb
