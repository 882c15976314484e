"""The guide's speed-up table from sessions that ran in rounds, each row once in a round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sweeper.compare.gate.rule import plain_mean
from sweeper.model.guide import GUIDE, WORTH_IT, Row, Times
from sweeper.model.trial import Params, TrialResult

Place = tuple[int, int]
"""Environments and areas."""
BEFORE: Mapping[Place, Place] = {(2, 1): (1, 1), (4, 1): (2, 1), (8, 1): (4, 1)}
"""The row over which another one's environments are counted."""


def row(
    place: Place,
    params: Params,
    found: Mapping[Place, Sequence[TrialResult | None]],
    failed: str | None,
) -> Row:
    """A row from the sessions of all places, by round; None where one did not count. `failed`: why it never runs."""
    own = [trial for trial in found[place] if trial is not None]
    last = own[-1] if own else None
    before = BEFORE.get(place)
    rates = [trial.steps_per_second or 0.0 for trial in own]
    return Row(
        *place,
        params,
        GUIDE.get(place),
        _times(found[place], found[(1, 1)]),
        _added(found, before, place) if before else None,
        math.exp(sum(map(math.log, rates)) / len(rates)) if rates else None,
        max((trial.peak_memory_bytes for trial in own if trial.peak_memory_bytes), default=None),
        last.utilisation.cores if last and last.utilisation else None,
        last.bottleneck if last else None,
        failed,
    )


def _added(found: Mapping[Place, Sequence[TrialResult | None]], before: Place, place: Place) -> Times | None:
    """What each environment between two rows adds, on average."""
    times = _times(found[place], found[before])
    if times is None:
        return None
    more = place[0] - before[0]

    def each(value: float) -> float:
        return float(value ** (1 / more) - 1)

    interval = None if times.interval is None else (each(times.interval[0]), each(times.interval[1]))
    return Times(each(times.estimate), interval)


def _times(these: Sequence[TrialResult | None], those: Sequence[TrialResult | None]) -> Times | None:
    """From sessions of the same rounds."""
    logs = [
        math.log((one.steps_per_second or 1.0) / (other.steps_per_second or 1.0))
        for one, other in zip(these, those)
        if one is not None and other is not None
    ]
    if not logs:
        return None
    if len(logs) < 2 or these is those:
        return Times(math.exp(sum(logs) / len(logs)), None)
    mean = plain_mean(logs)
    low, high = mean.interval()
    return Times(math.exp(mean.value), (math.exp(low), math.exp(high)))


def knee(rows: Sequence[Row]) -> tuple[int | None, Row | None]:
    """The row after which another environment adds less than WORTH_IT or was not measured, and the one that showed it.

    None and None where the first was not measured.
    """
    singles = [row for row in rows if row.areas == 1]
    if not singles or singles[0].steps_per_second is None:
        return None, None
    for before, after in pairwise(singles):
        if after.added is None or after.added.estimate < WORTH_IT:
            return before.envs, after
    return singles[-1].envs, None
