"""How good is a session's number? Within: parts of long sessions against the whole. Between: interleaved repeats.

Parts are stopped as a session is in a study of eight hours, the figure without further name, and as in one of twenty
minutes. Sessions in which the machine itself changed its speed, by the time of a gradient step, count like all others,
and their errors are printed apart too: there the whole says little about its parts. Coverage of the nominal 95 %
interval: in simulation, where the truth is known, and as measured, where a part's interval should hold the whole's
rate. REUSE=1 reads the last recording again instead of making one; REPEATS=0 makes no repeats.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from sweeper.measure.rate import Estimate, Rule, estimate
from sweeper.measure.ratio import ratio
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress
from sweeper.quantiles import t_quantile
from tests.benchmarks.common import (
    MAX_SECONDS,
    OVERNIGHT_MAX_SECONDS,
    SHORT,
    deviation_percent,
    finish,
    percent,
    rule_of,
    table,
)
from tests.benchmarks.recording import CASES, FILE, Recorded, load_or_record, record

SIMULATIONS = 2_000 if SHORT else 20_000


def whole(session: Recorded) -> Estimate | None:
    """All cycles of a session after the first: its truth."""
    rule = rule_of(session.case)
    return estimate(session.samples, Rule(0.0, 1e9, rule.cut, 1))


def parts(session: Recorded, max_seconds: float) -> Iterator[Estimate]:
    """What trials with this limit would have said that began at updates throughout a long session.

    All of them have room for the limit: of late ones without it only those would count that are soon precise.
    """
    rule = rule_of(session.case, max_seconds=max_seconds)
    latest = session.samples[-1].seconds - max_seconds
    starts = [
        index for index, sample in enumerate(session.samples) if sample.kind == "update" and sample.seconds <= latest
    ]
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


@dataclass
class Errors:
    """How far parts of sessions are off, in per cent of the whole, and whether their intervals hold it."""

    percents: list[float] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)

    def add(self, found: Iterable[Estimate], truth: float) -> None:
        for part in found:
            self.percents += percent([abs(part.ratio.estimate / truth - 1)])
            self.covered.append(part.interval[0] <= truth <= part.interval[1])

    @property
    def median(self) -> float | None:
        return statistics.median(self.percents) if self.percents else None

    @property
    def worst(self) -> float | None:
        return max(self.percents, default=None)

    @property
    def coverage(self) -> float | None:
        return 100 * statistics.mean(self.covered) if self.covered else None


def rate_of_repeat(session: Recorded) -> float | None:
    found = estimate(session.samples, rule_of(session.case))
    return found.ratio.estimate if found else None


def main() -> None:
    sessions = load_or_record() if os.environ.get("REUSE") else record()
    counted = [session for session in sessions if session.disturbance is None]
    total, quick, steady, unsteady, rows, between = Errors(), Errors(), Errors(), Errors(), [], []
    changed = 0
    for case in CASES:
        own, truths = Errors(), []
        for session in counted:
            if session.case == case and session.long and (truth := whole(session)) is not None:
                found = list(parts(session, OVERNIGHT_MAX_SECONDS))
                for errors in (own, total, steady if session.is_steady else unsteady):
                    errors.add(found, truth.ratio.estimate)
                quick.add(parts(session, MAX_SECONDS), truth.ratio.estimate)
                truths.append(truth)
                changed += not session.is_steady
        repeats = [
            rate
            for session in counted
            if session.case == case and not session.long and (rate := rate_of_repeat(session)) is not None
        ]
        deviation = deviation_percent(repeats)
        between += [deviation] if deviation is not None else []
        rows.append(
            (
                case.name,
                ", ".join(f"{truth.ratio.estimate:,.0f}" for truth in truths),
                truths[0].method.value if truths else None,
                len(own.percents),
                own.median,
                own.worst,
                len(repeats),
                deviation,
            )
        )
    table(
        ("configuration", "steps/s", "method", "parts", "median error %", "worst %", "repeats", "between %"),
        rows,
    )
    if len(counted) < len(sessions):
        print(f"{len(sessions) - len(counted)} of {len(sessions)} sessions were disturbed and are left out.")
    if unsteady.percents:
        print(f"In {changed} long sessions the machine changed its speed; their parts err by {unsteady.median:.2f} %.")
    chooser = np.random.default_rng(1)
    cells = [(count, rho, simulated_coverage(count, rho, chooser)) for count in (8, 12, 20) for rho in (0.0, 0.15, 0.3)]
    table(("cycles", "correlation", "coverage % of a nominal 95 %"), cells)
    if total.percents and quick.percents:
        print(
            f"Parts err by {total.median:.2f} % with the {OVERNIGHT_MAX_SECONDS:.0f} s that a session has overnight, "
            f"by {quick.median:.2f} % with the {MAX_SECONDS:.0f} s of a study of twenty minutes."
        )
    print(
        f"Recorded in {FILE}. Parts overlap each other, so the coverage as measured is an indication, not a test; and "
        f"one of {OVERNIGHT_MAX_SECONDS:.0f} s is half of its whole, which makes its error look smaller by up to 30 %."
    )
    finish(
        {
            "median_error_percent": total.median,
            "worst_error_percent": total.worst,
            "quick_median_error_percent": quick.median,
            "steady_median_error_percent": steady.median,
            "unsteady_median_error_percent": unsteady.median,
            "unsteady_sessions": changed,
            "coverage_percent": min(cell[2] for cell in cells),
            "coverage_percent_highest": max(cell[2] for cell in cells),
            "coverage_percent_as_measured": total.coverage,
            "quick_coverage_percent_as_measured": quick.coverage,
            "between_percent": math.sqrt(statistics.mean(b * b for b in between)) if between else None,
            "configurations": sum(row[3] > 0 for row in rows),
        }
    )


if __name__ == "__main__":
    main()
