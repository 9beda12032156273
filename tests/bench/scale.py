"""Many agents: the scenarios agents, dead-agent, storm, reload and growth of scripts/bench."""
import json
import re
import time
import urllib.request

from report import doubts, median, spread, table

MEMORY_TARGET_MB, MEMORY_AIM_MB = 90, 60
DISPATCH_TARGET_MS = 5
BACK_TARGET_S, CONNECT_BUDGET = 60, 20
RELOADS, RATE = 100, 500


def scale_cases(case, scenarios, quick):
    """`case` makes one, as scripts/bench's Case."""
    cases = []
    if "agents" in scenarios:
        cases.append(case("agents", rooms=10000, agents=1000, memory=True, settled=10000,
                          world=["--rate", str(RATE)], title=f"agents: 1,000 agents, 10,000 rooms, "
                          f"then {RATE} turns/s"))
    if "dead-agent" in scenarios:
        for what, more in (("none dead", {}), ("one refuses", {"refused": 1, "world": ["--dead", "1"]}),
                           ("one is silent", {"world": ["--dead", "1"]})):
            more["world"] = more.get("world", []) + ["--rate", "200"]
            cases.append(case("dead-agent", rooms=1000, agents=1000, title=f"dead-agent: {what}", **more))
    if "storm" in scenarios:
        cases.append(case("storm", rooms=1000, agents=1000, memory=True, kept=True,
                          world=["--echo", "--outage", "5"],
                          title="storm: 1,000 agents away for 5 s, all at once"))
    if "reload" in scenarios:
        cases.append(case("reload", rooms=1000, agents=50, deltas=4, once=True,
                          window=30 if quick else 150, during=reloads,
                          world=["--rate", "50", "--pace-ms", "100", "--may-fail"],
                          title="reload: one agent of 50 goes and comes back under load"))
    if "growth" in scenarios:
        def point(axis, value, **more):
            settings = {"rooms": 1000, "agents": 10, "window": 1.5, "warm_up": 0.5, **more}
            cases.append(case("growth", once=True, title=f"growth {axis} {value:,}", **settings))
        for n in (1, 10, 100, 1000):
            point("agents", n, agents=n)
        for n in (100, 1000, 10000):
            point("rooms", n, rooms=n)
        for n in (120, 1200, 12000):
            point("bytes", n, bytes=n)
        for n in (1, 5, 50):
            point("chunks", n, deltas=n)
    return cases


# -- reload -----------------------------------------------------------------------------------------

def reloads(world, where, case):
    """Takes an agent with rooms out of the registry and puts it back, until the world ends. How
    often the router said, by its metrics, that it has applied the file."""
    registry, address = where / "matrix-agents.yaml", where / "data" / "admin.address"
    whole = registry.read_text()
    one = f"agent-{case.agents}"
    entry = re.search(rf"  - id: {one}\n(?:    .*\n)+", whole).group(0)
    # Nobody may be left who lists an agent that is not there.
    without = re.sub(rf", {one}\b|\b{one}, ", "", whole.replace(entry, ""))

    def applied():
        try:
            with urllib.request.urlopen(f"http://{address.read_text().strip()}/metrics", timeout=2) as answer:
                found = re.search(r'patchbay_registry_reloads_total\{result="applied"\} (\d+)', answer.read().decode())
            return int(found.group(1)) if found else 0
        except OSError:  # not there yet, or no more
            return None
    done, text = 0, without
    while world.poll() is None and done < RELOADS:
        before = applied()
        if before is None:
            time.sleep(0.05)
            continue
        fresh = registry.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(registry)
        end = time.monotonic() + 5
        now = before
        while world.poll() is None and now in (before, None) and time.monotonic() < end:
            time.sleep(0.02)
            now = applied()
        if now is not None and now > before:
            done += 1
            text = whole if text is without else without
    return {"reloads": done}


# -- tables -----------------------------------------------------------------------------------------

def verdict(what, value, target, unit):
    if value is None:
        return f"{what}: not measured"
    return f"{what}: {value:,.1f} {unit}, target under {target} {unit}: {'met' if value < target else 'MISSED'}"


def report_agents(case, results):
    rows = [["subject", "RSS MB idle", "each room spoke", "dispatch p50 ms", "p99 ms", "p99.9 ms",
             "CPU µs/msg", "cores subject/world/foreign", "note"]]
    for name, all_runs in results.items():
        runs = [r for r in all_runs if not r.get("error")]
        cores = "/".join(f"{median(runs, k) or 0:.2f}"
                         for k in ("subject_cores", "world_cores", "foreign_cores"))
        rows.append([name, spread(runs, "rss_idle_kb", 1024, 1), spread(runs, "rss_touched_kb", 1024, 1),
                     *(spread(runs, f"dispatch_{p}_us", 1e3, 2) for p in ("p50", "p99", "p999")),
                     spread(runs, "cpu_us_per_message"), cores, doubts(all_runs)])
    print(f"\n{case.name()}\n\n{table(rows)}")
    runs = [r for r in results.get("router", []) if not r.get("error")]
    if runs:
        print(verdict("memory", median(runs, "rss_touched_kb") / 1024, MEMORY_TARGET_MB, "MB") +
              f", aim {MEMORY_AIM_MB}")
        print(verdict("dispatch p99", median(runs, "dispatch_p99_us") / 1e3, DISPATCH_TARGET_MS, "ms"))


def report_dead(all_results):
    rows = [["case", "subject", "dispatch p50 ms", "p99 ms", "answer p99 ms", "told", "CPU µs/msg", "note"]]
    for case, results in all_results:
        for name, all_runs in results.items():
            runs = [r for r in all_runs if not r.get("error")]
            rows.append([case.name(), name, spread(runs, "dispatch_p50_us", 1e3, 2),
                         spread(runs, "dispatch_p99_us", 1e3, 2), spread(runs, "p99_us", 1e3, 2),
                         spread(runs, "told"), spread(runs, "cpu_us_per_message"), doubts(all_runs)])
    print("\ndead-agent: the other 999 of 1,000, at 200 turns/s\n\n" + table(rows))


def report_storm(case, results):
    print(f"\n{case.name()}")
    for run in results.get("router", []):
        if run.get("error"):
            continue
        back = run["all_back_s"]
        print(f"all back after {back:,.1f} s (half after {run['back_p50_s']:,.1f}; target under "
              f"{BACK_TARGET_S}): {'met' if 0 <= back < BACK_TARGET_S else 'MISSED'}\n"
              f"handshakes: {run['handshakes']:,}, at most {run['most_handshakes_in_a_second']:,} in a second, "
              f"after the first second {run['most_later_in_a_second']:,} (budget {CONNECT_BUDGET}); by second "
              f"{json.dumps([int(n) for n in run['handshakes_by_second']][:70])}\n"
              f"told that there is no answer: {run['told']:,}; sessions {run['sessions_before']:,} before, "
              f"{run['sessions_after']:,} after; files {run['files_before']:,} → {run['files_after']:,}, threads "
              f"{run['threads_before']} → {run['threads']}")


def report_reload(case, results):
    print(f"\n{case.name()}")
    for run in results.get("router", []):
        print(f"{run.get('reloads', 0)} reloads of {RELOADS}, {run.get('answered', 0):,} answers in the window, "
              f"{run.get('told', 0):,} told that the agent is gone; broken turns {run.get('broken', '-')} "
              f"(must be 0), lost {run.get('lost', '-')}, doubled {run.get('doubled', '-')}; "
              f"dispatch p99 {run.get('dispatch_p99_us', 0) / 1e3:,.1f} ms {run.get('error', '')}")


def report_growth(all_results):
    names = list(all_results[0][1]) if all_results else []
    rows = [["what grows", *(f"{n} CPU µs/msg" for n in names), *(f"{n} p99 ms" for n in names),
             *(f"router/{n}" for n in names if n != "router" and "router" in names), "note"]]
    for case, results in all_results:
        cpu = {n: median([r for r in results[n] if not r.get("error")], "cpu_us_per_message") for n in names}
        row = [case.name().removeprefix("growth ")]
        row += [f"{cpu[n]:,.0f}" if cpu[n] else "FAILED" for n in names]
        row += [spread(results[n], "p99_us", 1e3, 1) for n in names]
        for n in names:
            if n != "router" and "router" in names:
                row.append(f"x{cpu['router'] / cpu[n]:.2f}" if cpu["router"] and cpu[n] else "-")
        rows.append(row + ["; ".join(w for n in names if (w := doubts(results[n])))])
    print("\ngrowth (W=64; 1,000 rooms, 10 agents, 120 bytes, 5 chunks unless said)\n\n" + table(rows))


def report_scale(gathered):
    """gathered: scenario → [(case, results)]."""
    for scenario, all_results in gathered.items():
        if scenario == "dead-agent":
            report_dead(all_results)
        elif scenario == "growth":
            report_growth(all_results)
        else:
            for case, results in all_results:
                {"agents": report_agents, "storm": report_storm, "reload": report_reload}[scenario](case, results)
