"""Collecting and updating, estimated apart, for cycles so long that a session sees only two or three of them.

A cycle of a buffer of tens of thousands of steps takes a minute: eight of them are more than a trial may cost, and the
spread of two says nothing. But collecting goes on all the while and can be cut into many blocks, and an update's time
varies little. Seconds per step = collecting seconds per decision + updating seconds per step, each with its own error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sweeper.measure.counters import UPDATE_TIMER
from sweeper.measure.cycles import BLOCK_SECONDS
from sweeper.measure.ratio import Ratio, ratio
from sweeper.model.measurement import Sample

SAME_COUNT = 0.03
"""Decisions and steps that differ by more than the bursts in flight at either end are not the same thing: in self-play
only one team's decisions become steps. The rate is then that of steps."""


@dataclass(frozen=True)
class _Update:
    sample: Sample
    seconds: float


def phase_ratio(samples: Sequence[Sample], edges: Sequence[Sample]) -> Ratio | None:
    """Steps per second over the whole cycles between `edges`; None where the phases cannot be told apart.

    The two errors are independent: (relative error of the pace)^2 = sum over phases of (share * relative error)^2, with
    the degrees of freedom of Welch and Satterthwaite.
    """
    if len(edges) < 3:
        return None
    updates = _updates(samples, edges[0], edges[-1])
    if updates is None or any(update.seconds <= 0 for update in updates[1:]):
        return None
    first, last = edges[0], edges[-1]
    steps, decisions = last.steps - first.steps, last.decisions - first.decisions
    if steps <= 0 or decisions <= 0:
        return None
    collecting = ratio(_collecting(samples, updates))
    updating = ratio([(u.seconds, after.steps - before.steps) for u, before, after in _per_cycle(updates, edges)])
    if collecting is None or updating is None:
        return None
    same = abs(decisions / steps - 1) <= SAME_COUNT
    pace_collecting = 1 / collecting.estimate * (1.0 if same else decisions / steps)
    pace = pace_collecting + updating.estimate
    parts = [
        (pace_collecting / pace * collecting.relative_error, collecting.degrees),
        (updating.estimate / pace * updating.relative_error, updating.degrees),
    ]
    variance = sum(error**2 for error, _ in parts)
    squares = sum(error**4 / degrees for error, degrees in parts)
    return Ratio(1 / pace, math.sqrt(variance), variance**2 / squares if squares else updating.degrees)


def _updates(samples: Sequence[Sample], first: Sample, last: Sample) -> list[_Update] | None:
    """Every update from `first` to `last`, with its time; None where the learner's timers do not tell (yet).

    A policy update is reported from within its timer, so its time shows in the next sample.
    """
    found: list[_Update] = []
    after: Sample | None = None
    for sample in reversed(samples):
        if sample.kind == "update" and first.seconds <= sample.seconds <= last.seconds:
            if after is None or (not sample.timers and sample is not first):
                return None
            found.append(_Update(sample, _timer(after) - _timer(sample)))
        if sample.timers:
            after = sample
    return found[::-1]


def _collecting(samples: Sequence[Sample], updates: Sequence[_Update]) -> list[tuple[float, float]]:
    """(decisions, seconds) of blocks of collecting, at least BLOCK_SECONDS each where a stretch is that long."""
    blocks: list[tuple[float, float]] = []
    for before, after in pairwise(updates):
        ends = after.sample.seconds - after.seconds
        ticks = [s for s in samples if s.kind == "tick" and before.sample.seconds < s.seconds < ends - BLOCK_SECONDS]
        start = (before.sample.seconds, before.sample.decisions)
        for tick in ticks:
            if tick.seconds - start[0] >= BLOCK_SECONDS:
                blocks.append((tick.decisions - start[1], tick.seconds - start[0]))
                start = (tick.seconds, tick.decisions)
        if ends > start[0]:
            blocks.append((after.sample.decisions - start[1], ends - start[0]))
    return blocks


def _per_cycle(updates: Sequence[_Update], edges: Sequence[Sample]) -> list[tuple[_Update, Sample, Sample]]:
    found = []
    for before, after in pairwise(edges):
        inside = [u.seconds for u in updates if before.seconds < u.sample.seconds <= after.seconds]
        found.append((_Update(after, sum(inside)), before, after))
    return found


def _timer(sample: Sample) -> float:
    return sample.timers.get(UPDATE_TIMER, (0.0, 0))[0]
