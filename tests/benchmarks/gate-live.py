"""Whole checks, end to end: unchanged builds, and builds that are 5 % slower. Real learners on the racer.

The slower racer's steps cost more, by what a calibration before the checks finds to make 5 % of the throughput; what it
truly is comes from all pairs of all checks together, with its interval. `CHECKS` says how many of each (6); those that
ended are kept, and the rest is measured (tests/benchmarks/gating.py).
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.check.run import Told, Wishes, run_check
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.rule import Mean, plain_mean
from sweeper.model.gate import CheckResult
from tests.benchmarks.common import SHORT, finish, table
from tests.benchmarks.gating import SLOWER, STEP_MS, Kept, keep, kept, study

CHECKS = int(os.environ.get("CHECKS", 1 if SHORT else 6))
STEEPER = 1.4
"""Times the cost of a step, at which the calibration looks; what makes 5 % is interpolated."""
MAX_SECONDS = 300.0 if SHORT else 1200.0
CALIBRATION, UNCHANGED, SLOW = "calibration", "unchanged", "slower"


def check(root: Path, step_ms: float) -> CheckResult:
    """One of the usual build against one whose steps cost so much."""
    usual = study(root, "usual", STEP_MS)
    candidate = usual if step_ms == STEP_MS else study(root, "candidate", step_ms)
    told = Told(
        lambda text: print(f"  {text}", file=sys.stderr, flush=True),
        lambda pair, look, seconds: print(
            f"  {seconds:.0f} s: {pair.difference} {pair.void or ''}", file=sys.stderr, flush=True
        ),
    )
    wishes = Wishes(
        (str(usual),), (str(candidate),), SLOWER, MAX_SECONDS, 0.1, folder=root / "check", same=candidate == usual
    )
    return run_check(wishes, told, StopSignal()).result


def slow_step_ms(found: Kept) -> float:
    """Cost of a step at which the throughput is 5 % less: time a step is affine in it, by this calibration."""
    slowdown = math.expm1(-statistics.mean(found.differences))
    return STEP_MS * (1 + (STEEPER - 1) * (1 / (1 - SLOWER) - 1) / slowdown)


def pooled(found: Sequence[Kept]) -> Mean:
    """Of the pairs of all checks."""
    return plain_mean([one for check in found for one in check.differences])


def row(kind: str, found: Sequence[Kept]) -> Sequence[object]:
    verdicts = [one.verdict for one in found]
    mean = pooled(found)
    low, high = mean.interval()
    growths = [one.memory_growth for one in found if one.memory_growth is not None]
    return (
        kind, len(found), ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts))),
        f"{100 * math.expm1(mean.value):+.1f} ({100 * math.expm1(low):+.1f} to {100 * math.expm1(high):+.1f})",
        100 * statistics.mean(statistics.stdev(one.differences) for one in found),
        statistics.median(len(one.differences) for one in found), statistics.median(one.seconds for one in found),
        f"{100 * min(growths):+.1f} to {100 * max(growths):+.1f}" if growths else None,
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        if not kept(CALIBRATION):
            keep(CALIBRATION, STEEPER * STEP_MS, check(root, STEEPER * STEP_MS))
        slower = slow_step_ms(kept(CALIBRATION)[0])
        print(f"a step of {slower:.3f} ms instead of {STEP_MS} is to cost {SLOWER:.0%}", flush=True)
        for number in range(CHECKS):
            for kind, step_ms in ((UNCHANGED, STEP_MS), (SLOW, slower)):
                if len(kept(kind)) <= number:
                    found = keep(kind, step_ms, check(root, step_ms))
                    print(f"{kind} {number + 1}: {found.verdict}, {found.seconds:.0f} s", flush=True)
    unchanged, slow = kept(UNCHANGED), kept(SLOW)
    header = (
        "candidate", "checks", "verdicts", "all pairs, %", "pairs differ, %", "pairs", "median s", "memory, %",
    )  # fmt: skip
    table(header, [row(UNCHANGED, unchanged), row(SLOW, slow)])
    everything = [*unchanged, *slow]
    finish(
        {
            "unchanged": len(unchanged),
            "alarms": sum(one.verdict == "regressed" for one in unchanged),
            "passed": sum(one.verdict in ("pass", "improved") for one in unchanged),
            "slower": len(slow),
            "found": sum(one.verdict == "regressed" for one in slow),
            "wrongly_passed": sum(one.verdict in ("pass", "improved") for one in slow),
            "slower_percent": 100 * math.expm1(pooled(slow).value),
            "pair_spread_percent": 100 * statistics.mean(statistics.stdev(one.differences) for one in everything),
            "void_pairs": sum(one.void for one in everything),
            "median_seconds": statistics.median(one.seconds for one in everything),
        }
    )


if __name__ == "__main__":
    main()
