"""What confirmation sessions say: rates and speed-ups with intervals, from complete blocks only.

In a block every contender runs once: a whole session, or a slice of one while the others' are suspended. The machine's
slow drift goes into the block, so contenders are compared within blocks. With few blocks the residual variance is
pooled: ln(rate) = contender + block + noise, with c contenders in k blocks, has (c - 1)(k - 1) degrees of freedom, and
the difference of two contenders the standard error s * sqrt(2 / k) (randomised complete block design; Montgomery,
Design and Analysis of Experiments, ch. 4). With more, each pair is judged by its own differences.
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
WORTH_KNOWING = 1.1
"""Times as fast. From here on a difference that is not shown is left open and not called a tie with the user's own, nor
given for less memory: a confirmation of full length finds it in 9 of 10 studies where sessions differ by 6 %."""
LARGEST = 1e15
"""Bounds of what two blocks leave unknown go no farther: results.json has no numbers beyond 2^63."""
OWN_DIFFERENCES = 6
"""Blocks from which on a pair's own differences say enough; a slow contender's noise is then not a fast one's."""


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
        differences = [mine - theirs for mine, theirs in zip(logs[key], logs[other])]
        middle = _mean(differences)
        if self.count >= OWN_DIFFERENCES:
            degrees = self.count - 1
            error = _deviation(differences) / math.sqrt(self.count)
        else:
            degrees = (len(logs) - 1) * (self.count - 1)
            error = self._residual_deviation() * math.sqrt(2 / self.count)
        half = t_quantile(degrees) * error
        return Ratio(_exp(middle), (_exp(middle - half), _exp(middle + half)))

    def shows_faster(self, key: str, other: str) -> bool:
        """Whether `key` is faster than `other` beyond noise."""
        return self.ratio(key, other).interval[0] > 1

    def rate_interval(self, key: str) -> tuple[float, float]:
        """95 % interval of a contender's mean rate over blocks like these, drift between them included."""
        logs = self._logs()[key]
        mean = _mean(logs)
        half = t_quantile(len(logs) - 1) * _deviation(logs) / math.sqrt(len(logs))
        return _exp(mean - half), _exp(mean + half)

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
    """The configurations that are, or are to be, confirmed beside the user's own; the one to beat them first.

    They are chosen by sessions before the confirmation, and keep their rank whatever it says: ranked anew over all
    sessions, one that falls back a little would give way to a configuration whose only session was lucky.
    """
    last_search = last_search_number(results)
    before = [trial for trial in results if not (trial.purpose is Purpose.CONFIRM and trial.number > last_search)]
    whole = {item.key: item for item in pool(results)}
    ranking = [whole[item.key] for item in leaders(pool(before)) if item.key != own_key][:LEADERS]
    return [item for item in ranking if item.is_feasible]


def block_rates(results: Sequence[TrialResult], keys: Sequence[str]) -> list[dict[str, float]]:
    """Rates by configuration, a dictionary for each complete block.

    Only blocks made after the last search trial count: their sessions chose nobody. A session in slices is as many
    blocks as it has slices.
    """
    last_search = last_search_number(results)
    blocks: dict[tuple[int, int], dict[str, float]] = {}
    for trial in results:
        if trial.purpose is not Purpose.CONFIRM or trial.block is None or trial.number <= last_search:
            continue
        if trial.is_ok and trial.steps_per_second:
            for index, rate in enumerate(trial.slices or (trial.steps_per_second,)):
                if rate is not None and rate > 0:
                    blocks.setdefault((trial.block, index), {})[trial.key] = rate
    return [
        {key: rates[key] for key in keys} for _, rates in sorted(blocks.items()) if all(key in rates for key in keys)
    ]


def confirmed(results: Sequence[TrialResult], keys: Sequence[str]) -> Blocks:
    """The complete blocks of these contenders."""
    found = block_rates(results, keys)
    return Blocks({key: [rates[key] for rates in found] for key in keys})


def in_slices(results: Sequence[TrialResult]) -> bool:
    """Whether the sessions that confirm ran in turn, one of each contender."""
    last_search = last_search_number(results)
    return any(
        trial.is_ok and trial.slices and trial.purpose is Purpose.CONFIRM and trial.number > last_search
        for trial in results
    )


def last_search_number(results: Sequence[TrialResult]) -> int:
    """Number of the last search trial; -1 without any."""
    return max((trial.number for trial in results if trial.purpose is Purpose.SEARCH), default=-1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _exp(value: float) -> float:
    return math.exp(min(value, math.log(LARGEST)))


def _deviation(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
