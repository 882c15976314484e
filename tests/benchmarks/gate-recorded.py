"""The gate's rule on recorded pairs of one configuration: windows as time gave them, one side scaled for power.

Both sides are the same; each restart gives slices of each. Contiguous windows of pairs keep the machine's drift, which
drawing at random would lose. Windows that overlap are not independent: their effective number, those that do not
overlap, is what the counts are out of. `RESTARTS` says how many are recorded (36).
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.check.gate import Gate, Terms
from sweeper.app.check.pairs import Pairs
from sweeper.app.check.run import measuring, sessions_for
from sweeper.app.prepare import memory_cap
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.rule import LOOKS, Call, Rule
from sweeper.study.judge import Terms as Judging
from tests.benchmarks.common import CONFIG, SHORT, finish, table
from tests.helpers.gate import decided

RESTARTS = int(os.environ.get("RESTARTS", 6 if SHORT else 36))
SLOWER = 0.05


def recorded(root: Path) -> tuple[list[float], int]:
    """ln(candidate / baseline) of each pair that counts, in order of time; and how many slices stand behind them."""
    study = {
        "version": 1, "name": "gate", "trainer_config": "car.yaml", "env_path": "demo:racer", "memory_cap": "6GiB",
        "baseline": {"num_envs": 2, "num_areas": 16}, "engine": {"no_graphics": True},
        "env_args": ["--work", "spin", "--step-ms", "0.5"],
    }  # fmt: skip
    (root / "car.yaml").write_text(yaml.safe_dump(CONFIG))
    (root / "study.yaml").write_text(yaml.safe_dump(study))
    stop = StopSignal()
    words = [str(root / "study.yaml")]
    with measuring(words, words, lambda text: print(text, file=sys.stderr), stop) as (both, machine, stack):
        cap, _ = memory_cap(both[0].subject.study.spec.memory_cap, machine)
        sessions = stack.enter_context(sessions_for(machine, cap, stop))
        pairs = Pairs(both, sessions, root, Judging(cap, None, machine.usable_cores), machine.key, stop)
        gate = Gate(pairs, Terms(SLOWER, math.inf, 1.0, cap), lambda text: None, lambda pair, look: None)
        lengths = gate.begin()
        found: list[float] = []
        slices = number = 0
        while lengths is not None and number < RESTARTS:
            pair, _ = pairs.pair(number, lengths)
            number += 1
            if pair.difference is not None:
                found.append(pair.difference)
                slices += 2 * (len(pair.slices) or 1)
            print(f"{number} of {RESTARTS}: {pair.share} {pair.void or ''}", file=sys.stderr, flush=True)
    return found, slices


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        logs, slices = recorded(Path(folder))
    rows, alarms, found, windows = [], 0, 0, 0
    for most in (count for count in LOOKS if count <= len(logs)):
        rule = Rule(SLOWER, most)
        starts = range(0, len(logs) - most + 1, most)
        unchanged = [decided(rule, logs[at : at + most]) for at in starts]
        slower = [decided(rule, [one + math.log1p(-SLOWER) for one in logs[at : at + most]]) for at in starts]
        called = sum(one.call is Call.REGRESSED for one in unchanged)
        seen = sum(one.call is Call.REGRESSED for one in slower)
        passed = sum(one.call is Call.PASS for one in unchanged)
        rows.append((most, len(starts), called, passed, seen, statistics.mean(one.pairs for one in unchanged)))
        alarms, found, windows = called, seen, len(starts)
    spread = 100 * statistics.stdev(logs) if len(logs) > 1 else None
    print(f"{len(logs)} pairs of one configuration with itself; they differ by {spread} %")
    table(("most pairs", "windows", "alarms", "passed", "found at 5 %", "pairs to a verdict"), rows)
    finish(
        {
            "sessions": slices,
            "pairs": len(logs),
            "pair_spread_percent": spread,
            "alarms": alarms,
            "windows": windows,
            "found_at_5_percent": found,
            "by_most_pairs": {
                str(row[0]): {"windows": row[1], "alarms": row[2], "passed": row[3], "found": row[4]} for row in rows
            },
        }
    )


if __name__ == "__main__":
    main()
