"""Whole checks, end to end: unchanged builds, and builds that are 5 % slower. Real learners on the racer.

The slower racer's steps cost more, by what a calibration before the checks finds to make 5 % of the throughput; what it
truly is comes from all pairs of all checks together, with its interval. `CHECKS` says how many of each (6).
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
from sweeper.app.check.run import Told, Wishes, measuring, run_check, sessions_for
from sweeper.app.prepare import memory_cap
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.rule import plain_mean
from sweeper.model.gate import CheckResult, GateVerdict
from sweeper.study.judge import Terms as Judging
from tests.benchmarks.common import CONFIG, SHORT, finish, table

CHECKS = int(os.environ.get("CHECKS", 1 if SHORT else 6))
CALIBRATION_PAIRS = 4 if SHORT else 8
STEP_MS = 0.5
STEEPER = 1.3
"""Times the cost of a step, at which the calibration looks; what makes 5 % is interpolated."""
SLOWER = 0.05
MAX_SECONDS = 1200.0


def study(root: Path, name: str, step_ms: float) -> Path:
    path = root / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "version": 1, "name": "gate", "trainer_config": "car.yaml", "env_path": "demo:racer",
                "baseline": {"num_envs": 2, "num_areas": 16}, "engine": {"no_graphics": True}, "memory_cap": "6GiB",
                "env_args": ["--work", "spin", "--step-ms", f"{step_ms:.4f}"],
            }
        )
    )  # fmt: skip
    return path


def told() -> Told:
    return Told(
        lambda text: print(f"  {text}", file=sys.stderr, flush=True),
        lambda pair, look, seconds: print(
            f"  {seconds:.0f} s: {pair.share} {pair.void or ''}", file=sys.stderr, flush=True
        ),
    )


def differences(baseline: Path, candidate: Path, pairs_wanted: int, root: Path) -> list[float]:
    """ln(candidate / baseline) of so many pairs."""
    hear, stop = told(), StopSignal()
    with measuring([str(baseline)], [str(candidate)], hear.say, stop) as (both, machine, stack):
        cap, _ = memory_cap(both[0].subject.study.spec.memory_cap, machine)
        sessions = stack.enter_context(sessions_for(machine, cap, stop))
        pairs = Pairs(both, sessions, root / "calibration", Judging(cap, None, machine.usable_cores), machine.key, stop)
        gate = Gate(pairs, Terms(SLOWER, MAX_SECONDS, 1.0, cap), hear.say, lambda pair, look: None)
        lengths = gate.begin()
        found: list[float] = []
        number = 0
        while lengths is not None and len(found) < pairs_wanted and number < 3 * pairs_wanted:
            pair, _ = pairs.pair(number, lengths)
            number += 1
            if pair.difference is not None:
                found.append(pair.difference)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        (root / "calibration").mkdir()
        (root / "car.yaml").write_text(yaml.safe_dump(CONFIG))
        usual = study(root, "usual", STEP_MS)
        steep = statistics.mean(differences(usual, study(root, "steep", STEEPER * STEP_MS), CALIBRATION_PAIRS, root))
        # Time a step is affine in its cost: 1 / rate grows by as much for each part of it.
        factor = 1 + (STEEPER - 1) * (1 / (1 - SLOWER) - 1) / max(math.expm1(-steep), 1e-6)
        slow = study(root, "slow", factor * STEP_MS)
        print(f"a step {STEEPER:g} times as costly: {100 * math.expm1(steep):+.1f} %; for 5 %: {factor:.3f} times")
        found: dict[str, list[CheckResult]] = {"unchanged": [], "slower": []}
        for number in range(CHECKS):
            for kind, candidate in (("unchanged", usual), ("slower", slow)):
                wishes = Wishes(
                    (str(usual),), (str(candidate),), SLOWER, MAX_SECONDS, 0.1,
                    folder=root / f"{kind}-{number}", same=candidate == usual,
                )  # fmt: skip
                result = run_check(wishes, told(), StopSignal()).result
                found[kind].append(result)
                print(
                    f"{kind} {number + 1}: {result.verdict.value} after {result.counted} pairs, {result.seconds:.0f} s",
                    flush=True,
                )
    rows = []
    for kind, results in found.items():
        logs = [pair.difference for result in results for pair in result.pairs if pair.difference is not None]
        mean = plain_mean(logs)
        low, high = mean.interval()
        verdicts = [result.verdict.value for result in results]
        rows.append(
            (
                kind, len(results), ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts))),
                f"{100 * math.expm1(mean.value):+.1f} ({100 * math.expm1(low):+.1f} to {100 * math.expm1(high):+.1f})",
                100 * statistics.mean(one.pair_deviation or 0.0 for one in results),
                statistics.median(one.seconds for one in results),
            )
        )  # fmt: skip
    table(("candidate", "checks", "verdicts", "true change, %", "pairs differ, %", "median s"), rows)
    everything = [one for results in found.values() for one in results]
    finish(
        {
            "unchanged": CHECKS,
            "alarms": sum(one.verdict is GateVerdict.REGRESSED for one in found["unchanged"]),
            "passed": sum(one.verdict.is_pass for one in found["unchanged"]),
            "slower": CHECKS,
            "found": sum(one.verdict is GateVerdict.REGRESSED for one in found["slower"]),
            "wrongly_passed": sum(one.verdict.is_pass for one in found["slower"]),
            "pair_spread_percent": 100 * statistics.mean(one.pair_deviation or 0.0 for one in everything),
            "median_seconds": statistics.median(one.seconds for one in everything),
        }
    )


if __name__ == "__main__":
    main()
