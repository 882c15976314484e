"""The gate's rule on recorded pairs of one configuration: windows as time gave them, one side scaled for power.

Both sides are the same; each restart gives slices of each. Contiguous windows of pairs keep the machine's drift, which
drawing at random would lose. Windows that overlap are not independent: their effective number, those that do not
overlap, is what the counts are out of. `RESTARTS` says how many pairs are wanted (36): those of `gate-live`'s unchanged
checks, and as many as are missing.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.check.gate import Gate, Terms
from sweeper.app.check.pairs import Pairs
from sweeper.app.check.run import concluded, measuring, sessions_for
from sweeper.app.clock import now
from sweeper.app.prepare import memory_cap
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.rule import LOOKS, Call, Rule, plain_mean, slice_scatter
from sweeper.model.gate import Because, GateVerdict
from sweeper.study.judge import Terms as Judging
from tests.benchmarks.common import SHORT, finish, table
from tests.benchmarks.gating import SLOWER, STEP_MS, keep, kept, study
from tests.helpers.gate import decided

RESTARTS = int(os.environ.get("RESTARTS", 6 if SHORT else 36))
KIND = "recorded"
ENDLESS_SECONDS = 1e6


def record(wanted: int) -> None:
    """One check without a limit to its pairs, until so many count."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root, stop = Path(folder), StopSignal()
        words = [str(study(root, "usual", STEP_MS))]
        with measuring(words, words, lambda text: print(text, file=sys.stderr), stop) as (both, machine, stack):
            cap, _ = memory_cap(both[0].subject.study.spec.memory_cap, machine)
            sessions = stack.enter_context(sessions_for(both[0].subject.study, machine, cap, stop))
            pairs = Pairs(both, sessions, root, Judging(cap, None, machine.usable_cores), machine.key, stop)
            gate = Gate(pairs, Terms(SLOWER, ENDLESS_SECONDS, 1.0, cap), lambda text: None, lambda pair, look: None)
            lengths = gate.begin()
            while lengths is not None and len(gate.differences) < wanted and len(gate.found) < 2 * wanted:
                lengths = gate.measure(lengths)
                print(f"{len(gate.differences)} of {wanted}", file=sys.stderr, flush=True)
            ended = (GateVerdict.INCONCLUSIVE, Because.NOT_ENOUGH_PAIRS)
            keep(KIND, STEP_MS, concluded(gate, both, machine, now(), *ended))


def recorded() -> tuple[list[float], list[tuple[float, ...]]]:
    """ln(candidate / baseline) of each pair, and of its slices, in order of time.

    Checks end when they are sure, but what follows in the next one knows nothing of that.
    """
    found = [*kept("unchanged"), *kept(KIND)]
    logs = [one for check in found for one in check.differences]
    return logs, [one for check in found for one in check.slices]


def main() -> None:
    if (missing := RESTARTS - len(recorded()[0])) > 0:
        record(missing)
    logs, slices = recorded()
    rows: dict[int, dict[str, float]] = {}
    for most in (count for count in LOOKS if count <= len(logs)):
        rule = Rule(SLOWER, most)
        starts = range(0, len(logs) - most + 1, most)
        windows_of = [(logs[at : at + most], slices[at : at + most]) for at in starts]
        unchanged = [decided(rule, pairs, behind) for pairs, behind in windows_of]
        slower = [decided(rule, [one + math.log1p(-SLOWER) for one in pairs], behind) for pairs, behind in windows_of]
        rows[most] = {
            "windows": len(starts),
            "alarms": sum(one.call is Call.REGRESSED for one in unchanged),
            "passed": sum(one.call is Call.PASS for one in unchanged),
            "found": sum(one.call is Call.REGRESSED for one in slower),
            "wrongly_passed": sum(one.call is Call.PASS for one in slower),
            "pairs": statistics.mean(one.pairs for one in unchanged),
        }
    mean = plain_mean(logs)
    low, high = mean.interval()
    spread, scatter = 100 * statistics.stdev(logs), 100 * slice_scatter(slices)
    print(f"{len(logs)} pairs of one configuration with itself differ by {spread:.1f} %, by slices {scatter:.1f} %")
    print(f"the candidate seems {100 * mean.value:+.2f} % faster ({100 * low:+.2f} to {100 * high:+.2f})")
    header = ("most pairs", "windows", "alarms", "passed", "found at 5 %", "passed at 5 %", "pairs to a verdict")
    table(header, [(most, *row.values()) for most, row in rows.items()])
    finish(
        {
            "slices": 2 * sum(map(len, slices)),
            "pairs": len(logs),
            "pair_spread_percent": spread,
            "pair_spread_by_slices_percent": scatter,
            "bias_percent": 100 * mean.value,
            "bias_percent_interval": [100 * low, 100 * high],
            "by_most_pairs": rows,
        }
    )


if __name__ == "__main__":
    main()
