"""Rounds of a confirmation on paper: whole sessions one after another, or all alive at once and run in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.model.trial import TrialResult

SLICES = 4
"""Of each contender in a round of sessions that run in turn; then they are started again, because what belongs to a
session is in none of its slices. Two to four are right whatever that is (docs/sources.md, (e))."""
SLICE_CYCLES = 3
MIN_SLICE_SECONDS = 3.0
"""Shorter slices would be all resuming and suspending."""
MAX_SLICE_SECONDS = 15.0
"""Others stand still for so long, and must survive it."""
SUSPEND_SECONDS = 0.5
"""From a slice's last edge to the moment when everything stands still."""
END_SECONDS = 5.0
"""A learner's clean end."""


@dataclass(frozen=True)
class Round:
    """A round of the confirmation: whole sessions one after another, or all alive at once and run in turn.

    `slice_cycles`: whole cycles in each contender's slice; empty for whole sessions. `seconds`: all that it takes.
    """

    seconds: float
    slice_cycles: tuple[int, ...] = ()

    @property
    def is_in_turn(self) -> bool:
        """Whether its sessions are alive together."""
        return bool(self.slice_cycles)


def turns_of(known: Sequence[Sequence[TrialResult]], margin: float) -> Round:
    """A round of sessions that are alive together, from what is known of each contender; `margin`: what time is times.

    The cycle that a suspension cut is run to its end first, and does not count.
    """
    cycles = [cycle_seconds(trials) for trials in known]
    start_seconds = sum(
        max((trial.startup_seconds or 0.0) + (trial.warmup_seconds or 0.0) for trial in trials) + END_SECONDS
        for trials in known
    )
    counts = tuple(slice_cycles(cycle) for cycle in cycles)
    slices = sum((count + 0.5) * cycle + SUSPEND_SECONDS for count, cycle in zip(counts, cycles))
    return Round(margin * (start_seconds + SLICES * slices), counts)


def cycle_seconds(trials: Sequence[TrialResult]) -> float:
    """The longest mean cycle of these sessions; infinite where none has told."""
    found = [trial.measured_seconds / trial.cycles for trial in trials if trial.measured_seconds and trial.cycles]
    return max(found, default=math.inf)


def slice_cycles(cycle_seconds: float) -> int:
    """Whole cycles in a slice that is long enough."""
    wanted = max(SLICE_CYCLES, math.ceil(MIN_SLICE_SECONDS / cycle_seconds))
    return max(1, min(wanted, int(MAX_SLICE_SECONDS / cycle_seconds)))
