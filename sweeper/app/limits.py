"""What a session is held to, from the sessions before it; and the two clocks that a study goes by."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import takewhile

from sweeper.model.trial import Outcome, Purpose, TrialResult

PILOTS = (Purpose.BASELINE, Purpose.ANCHOR)
SILENCES = 10
MIN_STALL_SECONDS = 30.0
"""A player that writes a file, a learner that collects its garbage: silence for so long is no failure yet."""


def stall_seconds(results: Sequence[TrialResult], most: float) -> float:
    """How long a session may show no progress: SILENCES times the longest silence of those that were measured.

    At least MIN_STALL_SECONDS; `most` if nothing is known.
    """
    found = [trial.longest_silence_seconds for trial in results if trial.is_ok and trial.longest_silence_seconds]
    return min(most, max(MIN_STALL_SECONDS, SILENCES * max(found))) if found else most


def warmup_cycles(results: Sequence[TrialResult], purpose: Purpose) -> int | None:
    """Fixed for the study by its pilots, the sessions of the baseline before any search: the largest of theirs.

    None for a pilot itself. Without a measured pilot only the first cycle is dropped, in which torch sets itself up.
    """
    pilots = list(takewhile(lambda trial: trial.purpose in PILOTS, results))
    if purpose in PILOTS and len(pilots) == len(results):
        return None
    decided = [trial.warmup_cycles or 1 for trial in pilots if trial.outcome is Outcome.OK]
    return max(decided, default=1)


def seconds_to(until: datetime) -> float:
    """From now, by the clock on the wall: a machine that slept, or whose clock was set, has as much less of it."""
    return until.timestamp() - time.time()


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
