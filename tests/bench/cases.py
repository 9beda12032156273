"""What scripts/bench runs: one Case for each line of its tables."""
from scale import scale_cases

BURST_EVENTS, BURST_ROOMS = 1000, 100
SCALE = ("agents", "dead-agent", "storm", "reload", "growth")
SCENARIOS = ("B1", "B2", "memory", "restart", "admission", "stream", *SCALE)


class Case:
    def __init__(self, scenario, open_=64, deltas=5, sync="full", rooms=100, agents=10, memory=False,
                 once=False, settled=0, unfinished=0, bursts=0, cold=False, damage=None, **more):
        self.scenario, self.open, self.deltas, self.sync = scenario, open_, deltas, sync
        self.rooms, self.agents, self.memory = rooms, agents, memory
        self.once = once or memory  # whatever the number of repetitions
        self.settled, self.unfinished, self.bursts, self.cold = settled, unfinished, bursts, cold
        self.damage = damage  # SQL that makes the database tell a lie
        self.bytes = more.pop("bytes", None)  # of a text, if not the usual
        self.window, self.warm_up = more.pop("window", None), more.pop("warm_up", None)
        self.world = more.pop("world", [])  # more options of the world
        self.refused = more.pop("refused", 0)  # the last so many agents: nobody listens at their address
        self.kept = more.pop("kept", False)  # connection: chat
        self.during = more.pop("during", None)  # called with the running world and the directory
        self.title = more.pop("title", None)
        assert not more, more

    def name(self):
        if self.title:
            return self.title
        if self.memory:
            return f"{self.scenario} {self.rooms} rooms"
        if self.scenario == "restart":
            return (f"restart {'cold' if self.cold else 'warm'}, {self.rooms:,} rooms, "
                    f"{3 * self.settled:,} settled rows, {self.unfinished:,} unfinished messages, "
                    f"{self.agents} agents, D={self.deltas} {self.sync.upper()}")
        if self.scenario == "admission":
            return (f"admission of {BURST_EVENTS:,} events over {BURST_ROOMS} rooms in one response, "
                    f"{self.sync.upper()}")
        return (f"{self.scenario} W={self.open} D={self.deltas} {self.sync.upper()}, {self.rooms} rooms, "
                f"{self.agents} agents")


def cases_for(options):
    syncs = [options.sync] if options.sync else ["full", "normal"] if options.full else ["full"]
    cases = []
    if "B1" in options.scenario:
        if options.full:
            cases += [Case("B1", w, d, s) for s in syncs for w in (1, 8, 64, 1000) for d in (0, 5, 50)]
        else:
            cases += [Case("B1", 64, 5, s) for s in syncs] + [Case("B1", 1, 5, s) for s in syncs]
            if not options.sync:
                cases.append(Case("B1", 64, 5, "normal"))
    if "B2" in options.scenario:
        sizes = (1, 100, 1000, 10000) if options.full else (10000,)
        cases += [Case("B2", 64, 5, syncs[0], rooms=n, once=not options.full) for n in sizes]
    if "memory" in options.scenario:
        cases += [Case("memory", rooms=n, memory=True) for n in (100, 1000, 10000)]
    if "restart" in options.scenario:
        # An inbox row, a turn and an outbox row for each settled message.
        cases += [Case("restart", sync=syncs[0], rooms=10000, settled=33334, unfinished=1000, cold=cold)
                  for cold in (False, True)]
    if "admission" in options.scenario:
        cases.append(Case("admission", sync=syncs[0], rooms=BURST_ROOMS, settled=10 * BURST_ROOMS,
                          bursts=options.bursts + 1))
    return cases + scale_cases(Case, options.scenario, options.quick)
