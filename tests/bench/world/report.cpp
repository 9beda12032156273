// What a run says at its end.

#include "tests/bench/world/run.hpp"

#include <algorithm>

namespace pb::bench {

namespace {} // namespace

std::string run::report() const {
  json_object o;
  o.add("error", failure_);
  o.add("rooms", std::uint64_t{plan_.form.rooms});
  o.add("agents", std::uint64_t{plan_.form.agents});
  o.add("open", std::uint64_t{plan_.open});
  o.add("deltas", std::uint64_t{plan_.form.deltas});
  o.add("body_bytes", std::uint64_t{plan_.form.body_bytes});
  o.add("start_up_s", start_up_s_);
  if (plan_.restart) {
    report_restart(o);
  } else if (plan_.bursts > 0) {
    report_admission(o);
  } else {
    if (idle_.rss_kb != 0) {
      o.add("rss_idle_kb", idle_.rss_kb);
      o.add("rss_touched_kb", touched_.rss_kb);
    }
    if (plan_.outage_s > 0)
      report_storm(o);
    else if (!plan_.memory)
      report_load(o);
  }
  o.add("rss_kb", size_.rss_kb);
  o.add("rss_peak_kb", size_.peak_kb);
  o.add("threads", size_.threads);
  const auto& all = oracle_.counts;
  o.add("injected", all.injected);
  o.add("lost", oracle_.open());
  o.add("told", all.told);
  o.add("broken", all.broken);
  o.add("doubled", all.doubled);
  o.add("wrong", all.wrong);
  o.add("disordered", all.disordered);
  o.add("misrouted", all.misrouted);
  o.add("repeated", all.repeated);
  o.add("unknown_requests", all.unknown);
  o.add("exit_code", static_cast<double>(exit_code_));
  o.add("complaints", oracle_.complaints());
  return o.text();
}

void run::report_load(json_object& o) const {
  const auto answered = static_cast<double>(last_.answered - first_.answered);
  const auto each = std::max(answered, 1.0);
  const auto wall = static_cast<double>(std::max<std::int64_t>(1, end_.wall_ns - begin_.wall_ns));
  const auto subject_cpu = static_cast<double>(end_.subject_ns - begin_.subject_ns);
  const auto world_cpu = static_cast<double>(end_.world_ns - begin_.world_ns);
  const auto per_message = [each](std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(to - from) / each;
  };
  auto sorted = oracle_.latencies_ns;
  std::sort(sorted.begin(), sorted.end());
  o.add("seconds", wall / 1e9);
  o.add("answered", last_.answered - first_.answered);
  o.add("cpu_us_per_message", subject_cpu / 1e3 / each);
  o.add("messages_per_s", answered / wall * 1e9);
  o.add("p50_us", quantile_us(sorted, 0.5));
  o.add("p99_us", quantile_us(sorted, 0.99));
  o.add("p999_us", quantile_us(sorted, 0.999));
  report_rate(o);
  o.add("sends_per_message", per_message(first_.sends, last_.sends));
  o.add("typing_per_message", per_message(first_.typing, last_.typing));
  o.add("requests_per_message", per_message(first_.requests, last_.requests));
  o.add("polls_per_message", per_message(first_.polls, last_.polls));
  o.add("agent_connections_per_message",
        per_message(first_.agent_connections, last_.agent_connections));
  o.add("subject_cores", subject_cpu / wall);
  o.add("world_cores", world_cpu / wall);
  report_others(o, begin_, end_);
}

/// CPU that neither the subject nor we took, and what the hypervisor took, in cores.
void run::report_others(json_object& o, const usage& from, const usage& to) const {
  const auto wall = static_cast<double>(std::max<std::int64_t>(1, to.wall_ns - from.wall_ns));
  const auto ours = to.subject_ns - from.subject_ns + to.world_ns - from.world_ns;
  const auto foreign = static_cast<double>(to.machine_ns - from.machine_ns - ours);
  o.add("foreign_cores", std::max(0.0, foreign) / wall);
  o.add("stolen_cores", static_cast<double>(to.stolen_ns - from.stolen_ns) / wall);
}

} // namespace pb::bench
