"""How good is a session's number? Within: parts of long sessions against the whole. Between: interleaved repeats.

Coverage of the nominal 95 % interval: in simulation, where the truth is known, and as measured, where a part's interval
should hold the whole's rate. Where the machine itself changed its speed in a long session, by the time of a gradient
step, the whole is no truth about its parts: such sessions are made again, and their errors are printed apart. Halves of
the sessions stand beside the parts: what is still off at that length is no matter of stopping too early. REUSE=1 reads
the last recording again instead of making one, EXTEND=1 adds the long sessions that it lacks; REPEATS=0 makes no
repeats.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from sweeper.measure.rate import Estimate, Rule, estimate
from sweeper.measure.ratio import ratio
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress
from sweeper.quantiles import t_quantile
from tests.benchmarks.common import SHORT, deviation_percent, finish, percent, rule_of, table
from tests.benchmarks.recording import CASES, FILE, LONG_SECONDS, Recorded, extend, load_or_record, record

HALF_SECONDS = LONG_SECONDS / 2
SIMULATIONS = 2_000 if SHORT else 20_000


def whole(session: Recorded) -> Estimate | None:
    """All cycles of a session after the first: its truth."""
    rule = rule_of(session.case)
    return estimate(session.samples, Rule(0.0, 1e9, rule.cut, 1))


def parts(session: Recorded, rule: Rule) -> Iterator[Estimate]:
    """What trials would have said that began at updates throughout a long session, and stopped by this rule.

    All of them have room for the rule's limit: of late ones without it only those would count that are soon precise.
    """
    latest = session.samples[-1].seconds - rule.max_seconds
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


@dataclass
class Errors:
    """What the long sessions of one case, or of all of them, say."""

    parts: list[float] = field(default_factory=list)
    halves: list[float] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    sessions: int = 0

    def add(self, session: Recorded, truth: Estimate) -> None:
        self.sessions += 1
        rule = rule_of(session.case)
        found = list(parts(session, rule))
        self.parts += off(found, truth)
        self.halves += off(parts(session, replace(rule, precision=0.0, max_seconds=HALF_SECONDS)), truth)
        self.covered += [part.interval[0] <= truth.ratio.estimate <= part.interval[1] for part in found]


def middle(errors: Sequence[float]) -> float | None:
    """Their median; None without any."""
    return statistics.median(errors) if errors else None


def rate_of_repeat(session: Recorded) -> float | None:
    found = estimate(session.samples, rule_of(session.case))
    return found.ratio.estimate if found else None


def recorded() -> list[Recorded]:
    """A new recording, the last one, or the last one with what it lacks."""
    if os.environ.get("EXTEND"):
        return extend(load_or_record())
    return load_or_record() if os.environ.get("REUSE") else record()


def main() -> None:
    sessions = recorded()
    counted = [session for session in sessions if session.disturbance is None]
    total, unsteady, rows, between = Errors(), Errors(), [], []
    for session in counted:
        if session.long and not session.is_steady and (truth := whole(session)) is not None:
            unsteady.add(session, truth)
    for case in CASES:
        own, truths = Errors(), []
        for session in counted:
            if session.case == case and session.long and session.is_steady and (truth := whole(session)) is not None:
                truths.append(truth)
                own.add(session, truth)
                total.add(session, truth)
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
                len(own.parts),
                middle(own.parts),
                max(own.parts, default=None),
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
    if unsteady.parts:
        print(
            f"In {unsteady.sessions} of {unsteady.sessions + total.sessions} long sessions the machine changed its "
            f"speed; their parts err by {middle(unsteady.parts):.2f} %, {max(unsteady.parts):.2f} % at worst."
        )
    chooser = np.random.default_rng(1)
    cells = [(count, rho, simulated_coverage(count, rho, chooser)) for count in (8, 12, 20) for rho in (0.0, 0.15, 0.3)]
    table(("cycles", "correlation", "coverage % of a nominal 95 %"), cells)
    if total.halves:
        print(
            f"Half sessions, {HALF_SECONDS:.0f} s each, err by {middle(total.halves):.2f} %, "
            f"{max(total.halves):.2f} % at worst: so much is left at that length."
        )
    print(
        f"Recorded in {FILE}. A part is up to half of its whole, which makes errors look smaller by up to 30 %, and "
        "parts overlap, so the coverage as measured is an indication, not a test."
    )
    finish(
        {
            "median_error_percent": middle(total.parts),
            "worst_error_percent": max(total.parts, default=None),
            "steady_sessions": total.sessions,
            "unsteady_sessions": unsteady.sessions,
            "unsteady_median_error_percent": middle(unsteady.parts),
            "all_median_error_percent": middle([*total.parts, *unsteady.parts]),
            "halves_median_error_percent": middle(total.halves),
            "coverage_percent": min(cell[2] for cell in cells),
            "coverage_percent_highest": max(cell[2] for cell in cells),
            "coverage_percent_as_measured": 100 * statistics.mean(total.covered) if total.covered else None,
            "between_percent": math.sqrt(statistics.mean(b * b for b in between)) if between else None,
            "configurations": sum(row[3] > 0 for row in rows),
        }
    )


if __name__ == "__main__":
    main()
