"""A batch of sessions against those of other days: weaker than pairs, because machine and code cannot be told apart.

What belongs to a day is in all of its sessions, so days are what is counted, not sessions: two of them know one
difference between days, and the alarm is then far below anything but a large slowdown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from sweeper.compare.gate.rule import FALSE_ALARM, WRONG_PASS
from sweeper.model.gate import Change
from sweeper.quantiles import t_quantile

MIN_SESSIONS = 5
MIN_DAYS = 2
BATCH = 3
"""Sessions of a batch; an alarm is only one when a second, fresh batch repeats it."""


@dataclass(frozen=True)
class Prediction:
    """Of ln(rate) of a batch's mean, from recorded sessions: mean, standard error of prediction, degrees of freedom."""

    mean: float
    error: float
    degrees: int

    @property
    def alarm_below(self) -> float:
        """Means below it come in 1 % of unchanged batches."""
        return self.mean - t_quantile(self.degrees, 1 - FALSE_ALARM) * self.error

    def change(self, mean: float) -> Change:
        """Of a batch with this mean, with its 95 % interval."""
        difference, half = mean - self.mean, t_quantile(self.degrees) * self.error
        low, high = difference - half, difference + half
        return Change(math.expm1(difference), (math.expm1(low), math.expm1(high)))

    def excludes(self, mean: float, tolerance: float) -> bool:
        """Whether a batch's mean excludes, at 5 %, that it is slower by the tolerance or more."""
        return mean - self.mean > math.log1p(-tolerance) + t_quantile(self.degrees, 1 - WRONG_PASS) * self.error


def prediction(days: Sequence[Sequence[float]], batch: int) -> Prediction:
    """Of the mean ln(rate) of `batch` new sessions of another day, from the rates of each recorded day.

    s * sqrt(1 + 1/n) of the n days' means, Student's t (docs/sources.md, 8.3; Hahn and Meeker, Statistical
    Intervals, 4.7); and beside it the sessions' own spread within a day, of which the batch has its share.
    """
    logs = [[math.log(rate) for rate in day] for day in days]
    means, count = [fmean(day) for day in logs], len(logs)
    degrees = sum(len(day) - 1 for day in logs)
    within = sum(variance(day) * (len(day) - 1) for day in logs if len(day) > 1) / degrees if degrees else 0.0
    return Prediction(fmean(means), math.sqrt(variance(means) * (1 + 1 / count) + within / batch), count - 1)


def growth(recorded: Sequence[float], found: Sequence[float]) -> Change:
    """Of peaks of memory, with its 95 % interval. What a day does to them is little, so each session counts."""
    expected = prediction([[peak] for peak in recorded], len(found))
    return expected.change(fmean(math.log(peak) for peak in found))
