"""What a reader of one session's number should know: typed warnings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from sweeper.model.findings import Finding, FindingKind

GOOD_CYCLES = 8
"""A standard error from fewer is a guess (docs/sources.md, 8.1)."""
TREND_P = 0.01
FEW_DECISIONS = 0.5
"""In an exchange with a player, from which down most of them carry none."""
OUTLIER_MADS = 14.8
"""Median absolute deviations from the median; the limit that hyperfine uses."""


def cycle_notes(paces: Sequence[float]) -> list[Finding]:
    """Trend and outliers among `paces`, seconds per step of the measured cycles in time order."""
    notes: list[Finding] = []
    if len(paces) < GOOD_CYCLES:
        return notes
    if (slower := _trend(paces)) is not None:
        notes.append(Finding(FindingKind.TREND, {"slower": slower}))
    if outliers := _outliers(paces):
        notes.append(Finding(FindingKind.OUTLIER_CYCLES, {"outliers": outliers, "cycles": len(paces)}))
    return notes


def decision_notes(agents: float | None, envs: int) -> list[Finding]:
    """Whether `agents`, decisions in an exchange times players, are so few that exchanges mostly come for nothing."""
    if agents is None or agents / envs >= FEW_DECISIONS:
        return []
    return [Finding(FindingKind.DECISIONS_RARE, {"decisions": agents / envs})]


def _trend(paces: Sequence[float]) -> bool | None:
    """True for slower and slower, False for faster and faster, None without a trend.

    Mann's test: Kendall's S, normal with variance n (n - 1) (2n + 5) / 18 where nothing changes, continuity corrected
    (Kendall, Rank Correlation Methods, ch. 4). scipy.stats has it, and takes seconds to import.
    """
    count = len(paces)
    score = sum((after > before) - (after < before) for before, after in combinations(paces, 2))
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    probability = math.erfc(max(0, abs(score) - 1) / deviation / math.sqrt(2))
    return score > 0 if probability < TREND_P else None


def _outliers(paces: Sequence[float]) -> int:
    middle = median(paces)
    deviation = median([abs(pace - middle) for pace in paces])
    return sum(abs(pace - middle) > OUTLIER_MADS * deviation for pace in paces) if deviation else 0
