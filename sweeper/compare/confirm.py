"""What confirmation sessions say: rates and speed-ups with intervals, from complete blocks only.

In a block every contender runs once. ln(rate) = contender + block + noise; the machine's slow drift goes into the
block. With c contenders in k blocks the residual variance s^2 has (c - 1)(k - 1) degrees of freedom, and the
difference of two contenders has the standard error s * sqrt(2 / k) (randomised complete block design; Montgomery,
Design and Analysis of Experiments, ch. 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeper.compare.pool import Configuration, leaders, pool
from sweeper.model.trial import Purpose, TrialResult
from sweeper.quantiles import t_quantile

LEADERS = 2
"""Configurations that are run again beside the baseline."""
MIN_BLOCKS = 2
"""One block has no spread to judge a difference by."""


@dataclass(frozen=True)
class Ratio:
    """How many times as fast; `interval` is 95 %."""

    estimate: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Blocks:
    """Rates by contender, one a block, all of the same length."""

    rates: Mapping[str, Sequence[float]]

    @property
    def count(self) -> int:
        """Number of complete blocks."""
        return min((len(rates) for rates in self.rates.values()), default=0)

    @property
    def are_enough(self) -> bool:
        """Whether differences can be judged."""
        return self.count >= MIN_BLOCKS and len(self.rates) >= 2

    def mean(self, key: str) -> float:
        """Geometric mean rate of a contender."""
        return math.exp(_mean(self._logs()[key]))

    def ratio(self, key: str, other: str) -> Ratio:
        """Speed of `key` over `other` with its 95 % interval.

        Raises:
            ValueError: too few blocks.
        """
        if not self.are_enough:
            raise ValueError(f"{self.count} complete blocks do not tell a difference from noise")
        logs = self._logs()
        difference = _mean(logs[key]) - _mean(logs[other])
        degrees = (len(logs) - 1) * (self.count - 1)
        half = t_quantile(degrees) * self._residual_deviation() * math.sqrt(2 / self.count)
        return Ratio(math.exp(difference), (math.exp(difference - half), math.exp(difference + half)))

    def rate_interval(self, key: str) -> tuple[float, float]:
        """95 % interval of a contender's mean rate over sessions like these, drift between blocks included."""
        logs = self._logs()[key]
        mean = _mean(logs)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in logs) / (len(logs) - 1))
        half = t_quantile(len(logs) - 1) * deviation / math.sqrt(len(logs))
        return math.exp(mean - half), math.exp(mean + half)

    def _logs(self) -> dict[str, list[float]]:
        return {key: [math.log(rate) for rate in rates[: self.count]] for key, rates in self.rates.items()}

    def _residual_deviation(self) -> float:
        logs = self._logs()
        blocks = [_mean([values[index] for values in logs.values()]) for index in range(self.count)]
        grand = _mean(blocks)
        total = sum(
            (values[index] - _mean(values) - blocks[index] + grand) ** 2
            for values in logs.values()
            for index in range(self.count)
        )
        return math.sqrt(total / ((len(logs) - 1) * (self.count - 1)))


def challengers(results: Sequence[TrialResult], own_key: str) -> list[Configuration]:
    """The configurations that are, or are to be, confirmed beside the user's own, fastest first.

    Once a confirmation has begun it keeps its contenders: ranked anew over all sessions, one that falls back a little
    would give way to a configuration whose only session was lucky.
    """
    last_search = _last_search(results)
    begun = {trial.key for trial in results if trial.purpose is Purpose.CONFIRM and trial.number > last_search}
    ranking = [item for item in leaders(pool(results)) if item.key != own_key]
    return [item for item in ranking if item.key in begun] if begun else ranking[:LEADERS]


def block_rates(results: Sequence[TrialResult], keys: Sequence[str]) -> list[dict[str, float]]:
    """Rates by configuration, a dictionary for each complete block.

    Only blocks made after the last search trial count: their sessions chose nobody.
    """
    last_search = _last_search(results)
    blocks: dict[int, dict[str, float]] = {}
    for trial in results:
        if trial.block is not None and trial.number > last_search and trial.is_ok and trial.steps_per_second:
            blocks.setdefault(trial.block, {})[trial.key] = trial.steps_per_second
    return [
        {key: rates[key] for key in keys} for _, rates in sorted(blocks.items()) if all(key in rates for key in keys)
    ]


def confirmed(results: Sequence[TrialResult], keys: Sequence[str]) -> Blocks:
    """The complete blocks of these contenders."""
    found = block_rates(results, keys)
    return Blocks({key: [rates[key] for rates in found] for key in keys})


def _last_search(results: Sequence[TrialResult]) -> int:
    return max((trial.number for trial in results if trial.purpose is Purpose.SEARCH), default=-1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
