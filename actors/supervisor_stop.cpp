// The end, in order: no more events in, rooms finish, what is decided leaves, the disk last.

#include "actors/supervisor.hpp"

namespace pb {

using namespace std::chrono_literals;

void supervisor_state::stop() {
  if (std::exchange(stopping_, true))
    return;
  deps_.health->stopping(deps_.around.wall());
  deps_.around.log->info("router_stopping", {}, "stopping",
                         {{"drain_ms", static_cast<std::int64_t>(deps_.process.drain.count())}});
  note("stop", "router");
  const auto deadline = self_->clock().now() + deps_.process.drain;
  const auto left = [this, deadline](std::chrono::milliseconds least) {
    return std::max(least, std::chrono::duration_cast<std::chrono::milliseconds>(
                               deadline - self_->clock().now()));
  };
  const auto go_on = [this] { self_->send(self_, stop_next{}); };
  stop_steps_ = {
      [this] { stop_part(sync_part); },
      [this] { stop_part(session_part); },
      [this, left, go_on] {
        // Turns under way may finish; those that do not are found interrupted at the next start.
        if (!children_[rooms_part].actor || exit_code_ == 70)
          return go_on();
        self_->request(handle<room_directory_actor>(rooms_part), left(1ms), drain{})
            .then([go_on](done) { go_on(); },
                  [this, go_on](caf::error&) {
                    deps_.around.log->warning(
                        "drain_overdue", {},
                        "turns are still running; their rooms are told at the "
                        "next start",
                        {});
                    go_on();
                  });
      },
      [this] { stop_part(rooms_part); },
      [this] { stop_part(topology_part); },
      [this] { stop_part(agents_part); },
      [this, left, go_on] {
        if (!children_[sender_part].actor || exit_code_ == 70)
          return go_on();
        self_
            ->request(handle<matrix_sender_actor>(sender_part), std::min(left(500ms), 5'000ms),
                      drain{})
            .then([go_on](done) { go_on(); }, [go_on](caf::error&) { go_on(); });
      },
      [this] { stop_part(sender_part); },
      [this] { stop_part(media_part); }, // until then rows of files may want it
      [this] { stop_part(store_part); },
  };
  next_stop();
}

void supervisor_state::next_stop() {
  if (ended_)
    return;
  if (stop_steps_.empty())
    return ended();
  auto step = std::move(stop_steps_.front());
  stop_steps_.pop_front();
  step();
}

void supervisor_state::stop_part(std::size_t which) {
  auto& c = children_[which];
  if (!c.actor) {
    self_->send(self_, stop_next{});
    return;
  }
  awaited_ = which;
  self_->send_exit(c.actor, caf::exit_reason::user_shutdown);
  self_->delayed_send(self_, 5s, tick{++stop_generation_});
}

void supervisor_state::stop_overdue() {
  const auto& c = children_[*awaited_];
  if (std::exchange(killed_, awaited_) == awaited_) {
    // It hangs inside a call and reads no message: only the process's end ends it.
    exit_code_ = 70;
    sentence_ = std::string{c.label} + " hangs and was left behind; look at what it waits for "
                                       "(the disk?), then start again: what is on disk is whole";
    return ended();
  }
  deps_.around.log->error("stop_overdue", {}, "an actor does not end and is killed",
                          {{"actor", c.label}});
  self_->send_exit(c.actor, caf::exit_reason::kill);
  self_->delayed_send(self_, 2s, tick{stop_generation_});
}

void supervisor_state::ended() {
  ended_ = true;
  deps_.around.log->info("router_stopped", {}, "everything is stopped",
                         {{"exit_code", exit_code_}});
  if (deps_.on_end)
    deps_.on_end(exit_code_, sentence_);
  self_->quit();
}

/// Asks everybody; who does not answer within two seconds is named as silent.
void supervisor_state::gather(const collect_status& m) {
  struct gathering {
    std::shared_ptr<std::function<void(std::string)>> answer;
    std::array<std::string, parts> found;
    std::size_t left = parts + 1;
  };
  auto all = std::make_shared<gathering>();
  all->answer = m.answer;
  const auto one = [this, all] {
    if (--all->left > 0)
      return;
    std::string list, agents = "[]";
    for (std::size_t i = 0; i < parts; ++i) {
      if (i == agents_part && all->found[i].starts_with("{\"agents\":"))
        agents = all->found[i].substr(10, all->found[i].size() - 11);
      list += std::string(list.empty() ? "" : ",") + "{\"name\":" + json_quote(children_[i].label) +
              ",\"state\":" +
              json_quote(!children_[i].actor     ? "not running"
                         : all->found[i].empty() ? "silent"
                                                 : "ok") +
              ",\"status\":" + (all->found[i].empty() || i == agents_part ? "{}" : all->found[i]) +
              "}";
    }
    const auto health = deps_.health->read();
    (*all->answer)("{\"ready\":" + std::string(health.ready ? "true" : "false") + ",\"why\":" +
                   json_quote(health.why) + ",\"stopping\":" + (stopping_ ? "true" : "false") +
                   ",\"actors\":[" + list + "],\"agents\":" + agents + "}");
  };
  for (std::size_t i = 0; i < parts; ++i) {
    if (!children_[i].actor) {
      one();
      continue;
    }
    self_->request(children_[i].actor, 2s, get_status{})
        .then(
            [all, one, i](status_report& r) {
              all->found[i] = std::move(r.json);
              one();
            },
            [one](caf::error&) { one(); });
  }
  one();
}

} // namespace pb
