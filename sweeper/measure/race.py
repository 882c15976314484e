"""Whether a session can still matter, told from its first buffer.

Until the first update all of its time is collecting, and a whole cycle, which has an update in it, is no faster.
Decisions are counted, not steps: those arrive in whole trajectories.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

from sweeper.model.measurement import Sample

SETTLING_SECONDS = 1.0
"""After the first action: episodes begin, and networks run for the first time."""
RACE_SECONDS = 4.0
"""Of collecting, at the least: a machine's speed wanders over seconds."""
OPTIMISM = 1.5
"""Times what was seen; the same configuration measured twice differs by a quarter at most (facts on statistics)."""


def collecting_rate(samples: Sequence[Sample]) -> float | None:
    """Agent steps per second while the first buffer was filled, to the last action in it; None where too little was
    seen of that."""
    before_updates = list(takewhile(lambda sample: not sample.policy_updates, samples))
    acted = [after for before, after in pairwise(before_updates) if after.decisions > before.decisions]
    if not acted:
        return None
    settled = [sample for sample in acted if sample.seconds >= acted[0].seconds + SETTLING_SECONDS]
    if not settled or settled[-1].seconds - settled[0].seconds < RACE_SECONDS:
        return None
    return (settled[-1].decisions - settled[0].decisions) / (settled[-1].seconds - settled[0].seconds)


def is_outpaced(samples: Sequence[Sample], rival: float) -> bool:
    """Whether even OPTIMISM times what is collected falls short of `rival`, agent steps per second."""
    rate = collecting_rate(samples)
    return rate is not None and OPTIMISM * rate < rival
