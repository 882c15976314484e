"""A batch of sessions against those of other days: weaker than pairs, because machine and code cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from sweeper.compare.gate.rule import FALSE_ALARM, WRONG_PASS
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

    def excludes(self, mean: float, tolerance: float) -> bool:
        """Whether a batch's mean excludes, at 5 %, that it is slower by the tolerance or more."""
        return mean - self.mean > math.log1p(-tolerance) + t_quantile(self.degrees, 1 - WRONG_PASS) * self.error


def prediction(rates: Sequence[float], batch: int) -> Prediction:
    """Of the mean ln(rate) of `batch` new sessions, from the rates of recorded ones: s * sqrt(1/m + 1/n), Student's t.

    Facts on statistics, 8.3; Hahn and Meeker, Statistical Intervals, 4.7.
    """
    logs = [math.log(rate) for rate in rates]
    count = len(logs)
    return Prediction(fmean(logs), math.sqrt(variance(logs) * (1 / count + 1 / batch)), count - 1)
