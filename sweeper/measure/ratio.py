"""The ratio estimator over cycles, with a standard error that knows that neighbouring cycles resemble each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MAX_INFLATION = 3.0
"""Beyond this a few cycles say next to nothing; it is that of an AR(1) series with a correlation of 0.8."""
FARTHEST_LAG = 3
"""Autocorrelations are taken up to a third of the series; farther ones have too few terms."""


@dataclass(frozen=True)
class Ratio:
    """sum(amounts) / sum(seconds). `relative_error`: standard error over the estimate. `degrees`: of freedom."""

    estimate: float
    relative_error: float
    degrees: float


def ratio(parts: Sequence[tuple[float, float]]) -> Ratio | None:
    """The ratio of two sums over `parts` of (amount, seconds), in time order; None for fewer than two.

    r = sum(Y) / sum(T), e_i = Y_i - r T_i; se = sqrt(n / (n - 1) * sum(e_i^2)) / sum(T) (Cochran, Sampling Techniques,
    6.4), inflated by the larger of two estimates of what the autocorrelation q_k of the e_i adds: sqrt((1 + q_1) /
    (1 - q_1)), the mean of an AR(1) series, and sqrt(2 * sum(q_2m + q_2m+1) - 1) over the first pairs that are positive
    (Geyer, Practical Markov Chain Monte Carlo, 1992, 3.3), which sees a slow drift that neighbours do not show. The
    sample's own autocorrelations are too low by about 1 / n, which is added. Simulated with t quantiles of n - 1
    degrees, that covers the mean in 91 to 97 % for correlations of 0 to 0.3 and 8 to 40 cycles.
    """
    count = len(parts)
    amount, seconds = sum(y for y, _ in parts), sum(t for _, t in parts)
    if count < 2 or amount <= 0 or seconds <= 0:
        return None
    estimate = amount / seconds
    residuals = [y - estimate * t for y, t in parts]
    squares = sum(e * e for e in residuals)
    error = math.sqrt(squares * count / (count - 1)) / seconds
    return Ratio(estimate, error / estimate * _inflation(residuals, squares), count - 1)


def _inflation(residuals: Sequence[float], squares: float) -> float:
    if squares == 0:
        return 1.0
    count = len(residuals)

    def correlation(lag: int) -> float:
        return sum(a * b for a, b in zip(residuals, residuals[lag:])) / squares + 1 / count

    neighbours = max(correlation(1), 0.0)
    if neighbours >= 1:
        return MAX_INFLATION
    total = 1 + correlation(1)
    for lag in range(2, count // FARTHEST_LAG, 2):
        pair = correlation(lag) + correlation(lag + 1)
        if pair <= 0:
            break
        total += pair
    return min(MAX_INFLATION, math.sqrt(max((1 + neighbours) / (1 - neighbours), 2 * total - 1)))
