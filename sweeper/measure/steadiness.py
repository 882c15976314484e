"""Whether the machine kept its speed while a session was measured: a shared host, heat, a power plan.

A host gives its cores to others without saying so, and two hyper-threads of one core share it: no counter of ours sees
that. But a gradient step is the same work again and again, in the same process, so its time is a gauge of the machine
that depends but little on what players do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import Sample

STRETCH_SECONDS = 20.0
"""A machine's speed wanders over tens of seconds (docs/sources.md, 12); shorter stretches show single updates."""
MIN_GRADIENT_STEPS = 10
"""In a stretch: the mean of fewer is noise."""
MAX_CHANGE = 1.25
"""Slowest over fastest stretch. On two shared cores 16 of 18 sessions of a minute stayed below; where the host had
given the cores to others as well, steps took 1.5 to 2 times as long."""


@dataclass(frozen=True)
class SpeedChange:
    """Mean seconds of a gradient step in the fastest and in the slowest stretch of a session."""

    fastest_seconds: float
    slowest_seconds: float

    @property
    def ratio(self) -> float:
        """Slowest over fastest; 1 where nothing changed."""
        return self.slowest_seconds / self.fastest_seconds


def speed_change(samples: Sequence[Sample], window: tuple[float, float]) -> SpeedChange | None:
    """Between stretches of `window`, monotonic seconds; None where it holds fewer than two with gradient steps.

    None too where several behaviours learn: the learner sums the time of their steps, which are not the same work.
    """
    timed = [sample for sample in samples if sample.timers and window[0] <= sample.seconds <= window[1]]
    if not timed or sum(count.policy_updates > 0 for count in timed[-1].behaviors.values()) != 1:
        return None
    names = sorted(name for name in timed[-1].timers if name.endswith(".update"))
    found = [SpeedChange(min(means), max(means)) for name in names if len(means := _means(timed, name)) > 1]
    return max(found, key=lambda change: change.ratio, default=None)


def steadiness_notes(samples: Sequence[Sample], window: tuple[float, float]) -> list[Finding]:
    """A warning where the machine changed its speed within `window`."""
    found = speed_change(samples, window)
    if found is None or found.ratio <= MAX_CHANGE:
        return []
    values = {"fastest_seconds": found.fastest_seconds, "slowest_seconds": found.slowest_seconds}
    return [Finding(FindingKind.MACHINE_UNSTEADY, values)]


def _means(timed: Sequence[Sample], name: str) -> list[float]:
    """Mean seconds of a gradient step in equal stretches of STRETCH_SECONDS at least, longer where steps are few."""
    means: list[float] = []
    start, last = timed[0], timed[-1]
    length = last.seconds - start.seconds
    length /= max(1, int(length / STRETCH_SECONDS))
    due = start.seconds + length
    for sample in timed:
        (total, count), before = sample.timers.get(name, (0.0, 0)), start.timers.get(name, (0.0, 0))
        steps, seconds = count - before[1], total - before[0]
        is_over = sample.seconds >= due or sample is last
        if is_over and steps >= MIN_GRADIENT_STEPS and seconds > 0:
            means.append(seconds / steps)
            start, due = sample, due + length
    return means
