"""How good is a session's number? Within: parts of long sessions against the whole. Between: interleaved repeats.

Coverage of the nominal 95 % interval: in simulation, where the truth is known, and as measured, where a part's interval
should hold the whole's rate. Halves of the sessions stand beside the parts: what is still off at that length is no
matter of stopping too early. REUSE=1 reads the last recording again instead of making one.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from sweeper.measure.cycles import cutting
from sweeper.measure.rate import Estimate, Rule, estimate
from sweeper.measure.ratio import ratio
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress
from sweeper.quantiles import t_quantile
from sweeper.trainer_config import Behavior
from tests.benchmarks.common import PRECISION, SHORT, Case, deviation_percent, finish, percent, table
from tests.benchmarks.recording import FILE, LONG_SECONDS, Recorded, load_or_record, record

HALF_SECONDS = LONG_SECONDS / 2
SIMULATIONS = 2_000 if SHORT else 20_000


def rule_of(case: Case) -> Rule:
    size = int(case.params.get("hyperparameters.buffer_size") or 2048)
    behavior = Behavior("Car", "ppo", 128, size, None, bool(case.params["threaded"]), 64, 3)
    return Rule(PRECISION, 60.0, cutting([behavior]), 1)


def whole(session: Recorded) -> Estimate | None:
    """All cycles of a session after the first: its truth."""
    rule = rule_of(session.case)
    return estimate(session.samples, Rule(0.0, 1e9, rule.cut, 1))


def parts(session: Recorded, rule: Rule) -> Iterator[Estimate]:
    """What trials would have said that began at updates throughout a long session, and stopped by this rule."""
    starts = [index for index, sample in enumerate(session.samples) if sample.kind == "update"]
    for start in starts[:: max(1, len(starts) // 12)]:
        stopped = stop(session.samples[start:], rule)
        if stopped is not None:
            yield stopped


def stop(samples: tuple[Sample, ...], rule: Rule) -> Estimate | None:
    """The estimate at the sample at which the rule has enough."""
    for count in range(2, len(samples) + 1):
        if samples[count - 1].kind == "update" and rule(samples[:count]) is Progress.ENOUGH:
            return estimate(samples[:count], rule)
    return None


def off(found: Iterable[Estimate], truth: Estimate) -> list[float]:
    """Errors of estimates, in per cent of the true rate."""
    return percent(abs(part.ratio.estimate / truth.ratio.estimate - 1) for part in found)


def simulated_coverage(count: int, correlation: float, chooser: np.random.Generator) -> float:
    """Share of intervals that hold the true rate: AR(1) cycle times, bursts that overshoot the buffer."""
    covered = 0
    for _ in range(SIMULATIONS):
        noise = chooser.normal(size=count)
        for index in range(1, count):
            noise[index] = correlation * noise[index - 1] + math.sqrt(1 - correlation**2) * noise[index]
        seconds = 2.0 * (1 + 0.08 * noise)
        steps = 2048 + chooser.uniform(0, 200, size=count)
        found = ratio(list(zip(steps.tolist(), seconds.tolist())))
        assert found is not None
        covered += abs(2148 / 2.0 / found.estimate - 1) <= found.relative_error * t_quantile(found.degrees)
    return 100 * covered / SIMULATIONS


def main() -> None:
    sessions = load_or_record() if os.environ.get("REUSE") else record()
    rows, errors, halves, covered = [], [], [], []
    for session in (session for session in sessions if session.long):
        truth = whole(session)
        if truth is None:
            continue
        rule = rule_of(session.case)
        found = list(parts(session, rule))
        own = off(found, truth)
        errors += own
        halves += off(parts(session, replace(rule, precision=0.0, max_seconds=HALF_SECONDS)), truth)
        covered += [part.interval[0] <= truth.ratio.estimate <= part.interval[1] for part in found]
        repeats = [
            done.ratio.estimate
            for other in sessions
            if other.case.name == session.case.name and not other.long and not other.disturbance
            if (done := estimate(other.samples, rule_of(other.case))) is not None
        ]
        rows.append(
            (
                session.case.name, truth.ratio.estimate, found[0].method.value if found else None, len(found),
                statistics.median(own) if own else None,
                max(own) if own else None,
                len(repeats), deviation_percent(repeats), session.disturbance or "",
            )
        )  # fmt: skip
    table(
        (
            "configuration",
            "steps/s",
            "method",
            "parts",
            "median error %",
            "worst %",
            "repeats",
            "between %",
            "disturbed",
        ),
        rows,
    )
    chooser = np.random.default_rng(1)
    cells = [(count, rho, simulated_coverage(count, rho, chooser)) for count in (8, 12, 20) for rho in (0.0, 0.15, 0.3)]
    table(("cycles", "correlation", "coverage % of a nominal 95 %"), cells)
    between = [row[7] for row in rows if row[7] is not None]
    measured = 100 * sum(covered) / len(covered) if covered else None
    if halves:
        print(
            f"Halves of the sessions, {HALF_SECONDS:.0f} s each, err by {statistics.median(halves):.2f} % (median), "
            f"{max(halves):.2f} % at worst: so much is left at that length."
        )
    print(f"Recorded in {FILE}. Parts overlap, so the coverage as measured is an indication, not a test.")
    finish(
        {
            "median_error_percent": statistics.median(errors) if errors else None,
            "worst_error_percent": max(errors) if errors else None,
            "halves_median_error_percent": statistics.median(halves) if halves else None,
            "coverage_percent": min(cell[2] for cell in cells),
            "coverage_percent_highest": max(cell[2] for cell in cells),
            "coverage_percent_as_measured": measured,
            "between_percent": math.sqrt(statistics.mean(b * b for b in between)) if between else None,
            "configurations": len(rows),
        }
    )


if __name__ == "__main__":
    main()
