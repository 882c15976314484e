"""How much faster one contender is than another, from all the sessions that may say so.

In a round every contender runs once, side by side: whole sessions in random order, or sessions that are alive together
and run in turn. ln(rate) = contender + time + noise: what the machine does at one time is common to a round; another
round, or a session on its own, has another time. With the variances known, generalised least squares gives the best
estimates; incomplete rounds and sessions of the reference from other times count as much as they can tell (recovery of
inter-block information; Yates 1940; Montgomery, Design and Analysis of Experiments, ch. 4).

The variances are estimated: the noise within rounds from the rounds' own residuals, that of sessions from repeats over
the whole study, each with a weak prior, because one round has no residual and two have few. Sessions that run in turn
are the mean of their slices; the session's own part, which no slice sees, is added to what the slices scatter
(docs/sources.md, (e)). Student's t with the degrees of freedom behind the variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sweeper.quantiles import bounded_exp, t_quantile, t_tail

PRIOR_SESSION_DEVIATION = 0.08
"""Of ln(rate) between sessions of one configuration, before any was seen twice: 5 to 16 % in seven recordings."""
PRIOR_DEGREES = 4
"""What the prior weighs, in repeated sessions."""
MOST_DEGREES = 8
"""What repeats over the whole study may weigh beside the rounds' own residuals: they have the study's drift in them."""
PRIOR_SESSION_EFFECT = 0.03
"""What belongs to a session that ran in turn and is in none of its slices: 0 to 3 % was seen (docs/sources.md, (e))."""
PRIOR_SESSION_EFFECT_DEGREES = 8
PRIOR_SLICE_DEVIATION = 0.07
"""Of a slice of one to three cycles, before any session had two: 5 to 10 % were seen."""


@dataclass(frozen=True)
class Reading:
    """One session of a contender: ln of its steps per second.

    `round`: in which others ran beside it; None on its own. `slices`: ln of its slices' rates, where it ran in turn.
    """

    contender: str
    log_rate: float
    round: int | None = None
    slices: tuple[float, ...] = ()


@dataclass(frozen=True)
class Ratio:
    """How many times as fast; `interval` is 95 %."""

    estimate: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Variance:
    """A variance of ln(rate), and the degrees of freedom behind it, a prior's included."""

    value: float
    degrees: float


@dataclass(frozen=True)
class Contrast:
    """Contenders compared by their readings. `repeats`: variance between sessions over the study; None without any."""

    readings: tuple[Reading, ...]
    repeats: Variance | None = None

    def knows(self, contender: str) -> bool:
        """Whether there is any reading of it."""
        return contender in self._names

    def ratio(self, one: str, other: str) -> Ratio:
        """Speed of `one` over `other`."""
        middle, error = self._difference(one, other)
        half = t_quantile(self._noise.degrees) * error
        return Ratio(bounded_exp(middle), (bounded_exp(middle - half), bounded_exp(middle + half)))

    def chance(self, one: str, other: str) -> float:
        """Probability of a difference like this, or larger, if `one` were no faster than `other` (one-sided)."""
        middle, error = self._difference(one, other)
        return t_tail(self._noise.degrees, middle / error)

    def rate(self, contender: str) -> Ratio:
        """Steps per second of a contender, over times like those of its readings."""
        estimates, covariance = self._solution
        at = self._names.index(contender)
        half = t_quantile(self._noise.degrees) * math.sqrt(float(covariance[at, at]))
        middle = float(estimates[at])
        return Ratio(bounded_exp(middle), (bounded_exp(middle - half), bounded_exp(middle + half)))

    @cached_property
    def _names(self) -> list[str]:
        return sorted({reading.contender for reading in self.readings})

    @cached_property
    def _sessions(self) -> Variance:
        """Between sessions of one configuration at different times."""
        found = self.repeats or Variance(0.0, 0.0)
        degrees = PRIOR_DEGREES + found.degrees
        squares = PRIOR_DEGREES * PRIOR_SESSION_DEVIATION**2 + found.degrees * found.value
        return Variance(squares / degrees, min(degrees, MOST_DEGREES))

    @cached_property
    def _noise(self) -> Variance:
        """Of a reading within its round, mean over the kinds of sessions that there are."""
        in_turn = [reading for reading in self.readings if reading.slices]
        prior = self._in_turn(in_turn) if in_turn else self._sessions
        squares, degrees = self._residuals
        total = prior.degrees + degrees
        return Variance((prior.degrees * prior.value + squares) / total, total)

    def _in_turn(self, readings: Sequence[Reading]) -> Variance:
        squares, degrees = PRIOR_DEGREES * PRIOR_SLICE_DEVIATION**2, float(PRIOR_DEGREES)
        for reading in readings:
            mean = sum(reading.slices) / len(reading.slices)
            squares += sum((value - mean) ** 2 for value in reading.slices)
            degrees += len(reading.slices) - 1
        slices = len(readings) / sum(1 / len(reading.slices) for reading in readings)
        return Variance(PRIOR_SESSION_EFFECT**2 + squares / degrees / slices, PRIOR_SESSION_EFFECT_DEGREES)

    @cached_property
    def _residuals(self) -> tuple[float, int]:
        """Sum of squares within rounds, contenders and rounds fitted, and its degrees of freedom."""
        import numpy

        rounds: dict[int, list[Reading]] = {}
        for reading in self.readings:
            if reading.round is not None:
                rounds.setdefault(reading.round, []).append(reading)
        rows = [reading for group in rounds.values() if len(group) > 1 for reading in group]
        if not rows:
            return 0.0, 0
        times = sorted({reading.round for reading in rows if reading.round is not None})
        matrix = numpy.zeros((len(rows), len(self._names) + len(times)))
        for row, reading in enumerate(rows):
            matrix[row, self._names.index(reading.contender)] = 1
            matrix[row, len(self._names) + times.index(reading.round or 0)] = 1
        logs = numpy.array([reading.log_rate for reading in rows])
        solution, _, rank, _ = numpy.linalg.lstsq(matrix, logs, rcond=None)
        residuals = logs - matrix @ solution
        return float(residuals @ residuals), len(rows) - int(rank)

    @cached_property
    def _solution(self) -> tuple[Any, Any]:
        """Estimates of the contenders' ln(rate), and their covariance."""
        import numpy

        count = len(self.readings)
        matrix = numpy.zeros((count, len(self._names)))
        covariance = numpy.eye(count) * self._noise.value
        for row, reading in enumerate(self.readings):
            matrix[row, self._names.index(reading.contender)] = 1
            for column, other in enumerate(self.readings):
                is_same_time = reading.round is not None and reading.round == other.round
                if row == column or is_same_time:
                    covariance[row, column] += self._sessions.value
        weights = numpy.linalg.inv(covariance)
        spread = numpy.linalg.inv(matrix.T @ weights @ matrix)
        logs = numpy.array([reading.log_rate for reading in self.readings])
        return spread @ matrix.T @ weights @ logs, spread

    def _difference(self, one: str, other: str) -> tuple[float, float]:
        """Of ln(rate), with its standard error."""
        estimates, covariance = self._solution
        at, beside = self._names.index(one), self._names.index(other)
        variance = covariance[at, at] + covariance[beside, beside] - 2 * covariance[at, beside]
        return float(estimates[at] - estimates[beside]), math.sqrt(float(variance))
