"""Whether a session can still matter, told from its first buffer.

Until the first update all of its time is collecting, and a whole cycle, which has an update in it, is no faster.
Decisions are counted, not steps: those arrive in whole trajectories.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, takewhile

from sweeper.measure.first_update import Fill
from sweeper.model.measurement import Sample

SETTLING_SECONDS = 1.0
"""After the first action: episodes begin, and networks run for the first time."""
RACE_SECONDS = 4.0
"""Of collecting, at the least: a machine's speed wanders over seconds."""
OPTIMISM = 1.5
"""Times what was seen: the same configuration measured twice can differ by a quarter, and seconds differ by more."""


def collecting_rate(samples: Sequence[Sample], fill: Fill) -> float | None:
    """Agent steps per second until a behaviour had what it needs for its first update; None where too little was seen.

    From there on an update may go on, beside collecting too. `fill`: those steps, by behaviour.
    """
    before = list(takewhile(lambda sample: not _may_update(sample, fill), samples))
    acted = [later for earlier, later in pairwise(before) if later.decisions > earlier.decisions]
    if not acted:
        return None
    settled = [sample for sample in acted if sample.seconds >= acted[0].seconds + SETTLING_SECONDS]
    if not settled or settled[-1].seconds - settled[0].seconds < RACE_SECONDS:
        return None
    return (settled[-1].decisions - settled[0].decisions) / (settled[-1].seconds - settled[0].seconds)


def is_outpaced(samples: Sequence[Sample], fill: Fill, rival: float) -> bool:
    """Whether even OPTIMISM times what is collected falls short of `rival`, agent steps per second."""
    rate = collecting_rate(samples, fill)
    return rate is not None and OPTIMISM * rate < rival


def _may_update(sample: Sample, fill: Fill) -> bool:
    usual = fill.get("", math.inf)
    counts = sample.behaviors.items()
    return any(count.policy_updates or count.decisions >= fill.get(name, usual) for name, count in counts)
