"""What a session is held to, from the sessions before it."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.model.trial import Stage, TrialResult

SILENCES = 10
MIN_STALL_SECONDS = 30.0
"""A player that writes a file, a learner that collects its garbage: silence for so long is no failure yet."""


def stall_seconds(results: Sequence[TrialResult], most: float) -> float:
    """How long a session may show no progress: SILENCES times the longest silence of those that were measured.

    At least MIN_STALL_SECONDS; `most` if nothing is known.
    """
    found = [trial.longest_silence_seconds for trial in results if trial.is_ok and trial.longest_silence_seconds]
    return min(most, max(MIN_STALL_SECONDS, SILENCES * max(found))) if found else most


def warmup_cycles(results: Sequence[TrialResult], stage: Stage) -> int | None:
    """Fixed for the study by its pilots, the sessions of the reference before any search: the largest of theirs.

    None for a pilot itself. Without a measured pilot only the first cycle is dropped, in which torch sets itself up.
    """
    if stage is Stage.PILOT:
        return None
    return max((trial.warmup_cycles or 1 for trial in results if trial.stage is Stage.PILOT and trial.is_ok), default=1)
