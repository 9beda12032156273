"""The tables of scripts/bench."""
import statistics

QUIET_CORES = 0.15  # more foreign CPU than this makes a run doubtful
RESTART_TARGET_MS, RESTART_AIM_MS, ADMISSION_TARGET_MS = 1000, 300, 50


def median(runs, key):
    values = [r[key] for r in runs if key in r]
    return statistics.median(values) if values else None


def spread(runs, key, scale=1.0, digits=0):
    values = sorted(r[key] / scale for r in runs if key in r)
    if not values:
        return "-"
    middle = f"{statistics.median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} [{values[0]:,.{digits}f}..{values[-1]:,.{digits}f}]"


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def doubts(runs):
    """What a reader must know before he believes a line."""
    words = []
    foreign = median(runs, "foreign_cores")
    if foreign is not None and foreign > QUIET_CORES:
        words.append(f"noisy: {foreign:.2f} cores foreign")
    if (median(runs, "world_cores") or 0) > 0.95:
        words.append("world saturated: msg/s is the world's")
    failed = sum(r["world_code"] != 0 for r in runs)
    if failed:
        words.append(f"{failed} of {len(runs)} FAILED")
    return "; ".join(words)


def report_load(case, results):
    rows = [["subject", "CPU µs/msg", "msg/s", "p50 ms", "p99 ms", "RSS MB", "sends/msg",
             "requests/msg", "cores subject/world/foreign", "note"]]
    for name, all_runs in results.items():
        runs = [r for r in all_runs if not r.get("error")]
        cores = "/".join(f"{median(runs, k) or 0:.2f}"
                         for k in ("subject_cores", "world_cores", "foreign_cores"))
        rows.append([name, spread(runs, "cpu_us_per_message", 1, 1), spread(runs, "messages_per_s"),
                     spread(runs, "p50_us", 1e3, 2), spread(runs, "p99_us", 1e3, 2),
                     spread(runs, "rss_kb", 1024, 1), spread(runs, "sends_per_message", 1, 2),
                     spread(runs, "requests_per_message", 1, 2), cores, doubts(all_runs)])
    print(f"\n{case.name()}\n\n{table(rows)}")
    names = [n for n in ("router", "floor", "echo", "peer") if n in results]
    for i, one in enumerate(names):
        for other in names[i + 1:]:
            parts = []
            for label, key in (("CPU/msg", "cpu_us_per_message"), ("msg/s", "messages_per_s"),
                               ("p50", "p50_us"), ("p99", "p99_us")):
                a, b = median(results[one], key), median(results[other], key)
                if a and b:
                    parts.append(f"{label} x{a / b:.3f}" if a < b / 10 else f"{label} x{a / b:.2f}")
            if parts:
                print(f"{one}/{other}: {', '.join(parts)}")


def report_memory(all_results):
    rows = [["subject", "rooms", "RSS MB idle", "RSS MB after one message each", "peak MB", "start s"]]
    slopes = []
    names = sorted({name for _, results in all_results for name in results})
    for name in names:
        points = []
        for case, results in all_results:
            run = results[name][0]
            if run.get("error") or "rss_idle_kb" not in run:
                rows.append([name, f"{case.rooms:,}", "FAILED", "", "", ""])
                continue
            points.append((case.rooms, run["rss_idle_kb"], run["rss_touched_kb"]))
            rows.append([name, f"{case.rooms:,}", f"{run['rss_idle_kb'] / 1024:.1f}",
                         f"{run['rss_touched_kb'] / 1024:.1f}", f"{run['rss_peak_kb'] / 1024:.1f}",
                         f"{run['start_up_s']:.2f}"])
        if len(points) > 1:
            (r0, i0, t0), (r1, i1, t1) = points[0], points[-1]
            slopes.append(f"{name}: {(i1 - i0) * 1024 / (r1 - r0):,.0f} bytes a room idle, "
                          f"{(t1 - t0) * 1024 / (r1 - r0):,.0f} after one message "
                          f"({r0:,} to {r1:,} rooms)")
    print("\nmemory\n\n" + table(rows) + "\n" + "\n".join(slopes))


def verdict(values, target):
    worst, middle = max(values), statistics.median(values)
    return (f"median {middle:,.0f} ms, worst {worst:,.0f} ms, target under {target:,} ms: "
            f"{'met' if worst < target else 'met by the median' if middle < target else 'MISSED'}")


def report_restart(case, results):
    rows = [["up to", "ms since exec", "CPU ms of the router", "CPU ms of the world"]]
    all_runs = results["router"]
    runs = [r for r in all_runs if not r.get("error")]
    for label, key in (("first unfinished message at its agent", "first"), ("all of them answered", "all"),
                       ("matrix_reconcile_complete", "walk")):
        rows.append([label, spread(runs, key + "_ms"), spread(runs, key + "_cpu_ms"),
                     spread(runs, key + "_world_cpu_ms")])
    print(f"\n{case.name()}\n\n{table(rows)}")
    print(f"RSS {spread(runs, 'rss_kb', 1024, 1)} MB, peak {spread(runs, 'rss_peak_kb', 1024, 1)} MB; "
          f"{spread(runs, 'states_read')} rooms looked at; {doubts(all_runs) or 'nothing else ran'}")
    firsts = [r["first_ms"] for r in runs if "first_ms" in r]
    if firsts:
        print(f"first: {verdict(firsts, RESTART_TARGET_MS)}, aim {RESTART_AIM_MS} ms")
    print("Floor and peer have no restart of this kind: the figures are absolute.")


def report_admission(case, results):
    rows = [["subject", "first response ms", "the others ms", "CPU ms (others)", "pages read", "note"]]
    lines = []
    for name, all_runs in results.items():
        runs = [r for r in all_runs if not r.get("error") and len(r.get("admission_ms", [])) > 1]
        firsts = [{"ms": r["admission_ms"][0]} for r in runs]
        others = [{"ms": ms, "cpu": cpu} for r in runs
                  for ms, cpu in list(zip(r["admission_ms"], r["admission_cpu_ms"]))[1:]]
        rows.append([name, spread(firsts, "ms", 1, 1), spread(others, "ms", 1, 1),
                     spread(others, "cpu", 1, 1), spread(runs, "pages_read"), doubts(all_runs)])
        if others and name == "router":
            lines.append("first: " + verdict([r["ms"] for r in firsts], ADMISSION_TARGET_MS))
            lines.append("others: " + verdict([r["ms"] for r in others], ADMISSION_TARGET_MS))
    print(f"\n{case.name()}\n\n{table(rows)}")
    print("\n".join(lines))
