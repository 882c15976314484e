"""Sessions that do not count because the machine was busy, and when it is never quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from sweeper.model.findings import FindingKind
from sweeper.model.trial import Outcome, Purpose, TrialResult

MAX_VOIDS = 3
"""Attempts that other programs may void before a configuration is given up, or the machine is taken as it is."""
LONG_WAIT_SECONDS = 55.0
"""A wait that took so long was ended by its limit, a minute at the least, not by quiet."""
RECENT = 8
"""Sessions after which waiting is tried again."""


def never_quiet(results: Sequence[TrialResult]) -> bool:
    """Whether the user's own settings, measured before all else, were disturbed MAX_VOIDS times without once counting.

    From then on everything is measured under that load, and says so. Where the attempt that counted found the machine
    quiet after all, later disturbances void again: numbers from both must not be mixed.
    """
    tried = [
        trial for trial in results if trial.purpose is Purpose.BASELINE and trial.outcome is not Outcome.INTERRUPTED
    ]
    voids = list(takewhile(lambda trial: trial.outcome is Outcome.DISTURBED, tried))
    counted = tried[len(voids) :]
    was_busy = not counted or any(note.kind is FindingKind.MACHINE_BUSY for note in counted[0].warnings)
    return len(voids) >= MAX_VOIDS and was_busy


def voids_in_a_row(results: Sequence[TrialResult]) -> int:
    """How many of the last sessions were disturbed."""
    return len(list(takewhile(lambda trial: trial.outcome is Outcome.DISTURBED, reversed(results))))


def waited_in_vain(results: Sequence[TrialResult]) -> bool:
    """Whether one of the last sessions waited long for a quiet machine, and then counted all the same.

    A background that is never quite quiet and never too much is not worth waiting for before every trial.
    """
    return any(
        trial.is_ok and trial.contention is not None and trial.contention.waited_seconds >= LONG_WAIT_SECONDS
        for trial in results[-RECENT:]
    )


def given_up(results: Sequence[TrialResult]) -> set[str]:
    """Keys of configurations that were disturbed MAX_VOIDS times: other programs are not going to let them be."""
    voids = Counter(trial.key for trial in results if trial.outcome is Outcome.DISTURBED)
    return {key for key, count in voids.items() if count >= MAX_VOIDS}
