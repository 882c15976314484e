"""What pairs and sessions of a check say beside the speed: memory, and updates per step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sweeper.compare.gate.rule import plain_mean
from sweeper.model.gate import BASELINE, CANDIDATE, Change, Pair
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import TrialResult

LEAST = 2
WIDE = 0.1
"""From the estimate of a growth to the end of its interval, at which it says nothing, however little is allowed."""
FEWER = 0.95
"""Share of the baseline's updates per step below which the candidate learns less; bursts make a per cent or two."""


def memory_growth(pairs: Sequence[Pair]) -> Change | None:
    """Of the peaks of pairs that count: a session that died early had no peak worth the name.

    None with fewer than two pairs that tell.
    """
    told = [pair.memory for pair in pairs if pair.memory is not None and pair.difference is not None]
    return plain_mean(told).change if len(told) >= LEAST else None


def memory_is_unclear(growth: Change | None, allowed: float) -> bool:
    """Whether the interval of a growth reaches beyond `allowed`, and is so wide that it says nothing."""
    if growth is None:
        return False
    high = growth.interval[1]
    return high > allowed and high - growth.estimate > max(allowed, WIDE)


def updates_of(trials: Sequence[TrialResult]) -> dict[str, PerThousandSteps]:
    """Mean updates per 1,000 steps of each side's sessions, where both tell."""
    found = {}
    for side in (BASELINE, CANDIDATE):
        told = [
            trial.updates_per_1000_steps
            for trial in trials
            if trial.contender == side and not trial.outcome.is_infeasible
        ]
        known = [updates for updates in told if updates is not None]
        if not known:
            return {}
        gradients = [updates.gradient for updates in known if updates.gradient is not None]
        found[side] = PerThousandSteps(
            math.fsum(gradients) / len(gradients) if len(gradients) == len(known) else None,
            math.fsum(updates.policy for updates in known) / len(known),
        )
    return found


def updates_shortfall(updates: Mapping[str, PerThousandSteps]) -> float | None:
    """By what share the candidate updates less per step; None where it does not, or nobody tells."""
    if len(updates) < LEAST:
        return None
    before, after = updates[BASELINE], updates[CANDIDATE]
    ratios = [after.policy / before.policy] if before.policy else []
    if before.gradient and after.gradient is not None:
        ratios.append(after.gradient / before.gradient)
    least = min(ratios, default=1.0)
    return 1 - least if least < FEWER else None
