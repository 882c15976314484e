"""Looking again and again at a comparison that grows, without crying wolf: when a contender counts as faster.

Every look at growing data is another chance to be fooled, so the error that is allowed in all is shared out among the
looks beforehand: the level of a look grows with the rounds behind it (the gate's rule, docs/sources.md, 8.3), and
the last look, when nothing more can be measured, has what is left. The shares add up (Bonferroni), so the error is kept
whatever the looks have in common; a little power is paid for that. Several rivals share a look's level by Holm's rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sweeper.quantiles import t_quantile

LOOKS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Rounds after which a verdict may fall."""
ERROR = 0.025
"""Probability, over all looks and rivals, of calling one faster that is not."""
MIN_ROUNDS = 2
"""Fewer leave the spread to the prior alone, and do not get what the looks that never came have left over."""
POWER = 0.8
MOST_ROUNDS = 1_000
"""That anybody would plan for."""


def level(rounds: int, is_last: bool = False) -> float:
    """The error that the look after so many rounds may spend; 0 where there is no look."""
    if is_last and rounds >= MIN_ROUNDS:
        return ERROR - sum(level(look) for look in LOOKS if look < rounds)
    return ERROR * rounds / sum(LOOKS) if rounds in LOOKS else 0.0


def rejected(chances: Mapping[str, float], level: float) -> set[str]:
    """Of hypotheses by name with their probabilities, those that Holm's rule rejects at `level` in all."""
    found: set[str] = set()
    for rank, name in enumerate(sorted(chances, key=lambda name: chances[name])):
        if chances[name] >= level / (len(chances) - rank):
            break
        found.add(name)
    return found


def rounds_to_show(log_ratio: float, deviation: float, degrees: float, rivals: int) -> int:
    """Rounds after which a true difference would be shown in about four of five studies, also beyond the last look.

    `deviation`: of a reading of ln(rate) within its round, with `degrees` of freedom behind it, more with each round.
    """
    needed = 0.0
    for rounds in LOOKS:
        known = degrees + rivals * (rounds - 1)
        needed = t_quantile(known, 1 - level(rounds) / rivals) + t_quantile(known, POWER)
        if log_ratio >= needed * deviation * math.sqrt(2 / rounds):
            return rounds
    return math.ceil(min(MOST_ROUNDS, 2 * (needed * deviation / max(log_ratio, 1e-9)) ** 2))
