"""How many cycles at a session's start do not belong to its steady state."""

from __future__ import annotations

from collections.abc import Sequence


def mser(values: Sequence[float]) -> int:
    """The number of leading values to drop: at least 1, at most a third.

    Marginal Standard Error Rule: the d that minimises var(values[d:]) / (n - d) (White, An Effective Truncation
    Heuristic for Bias Reduction in Simulation Output, Simulation 69(6), 1997). The first cycle is dropped whatever it
    says: torch sets itself up in the update that begins it.
    """
    limit = max(1, len(values) // 3)
    return min(range(1, limit + 1), key=lambda dropped: (_squared_error(values[dropped:]), dropped))


def _squared_error(values: Sequence[float]) -> float:
    count = len(values)
    if count < 2:
        return float("inf")
    mean = sum(values) / count
    return sum((value - mean) ** 2 for value in values) / count**2
