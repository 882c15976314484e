"""What sessions said about the two phases."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sweeper.model.measurement import Phases
from sweeper.model.trial import Stage, TrialResult
from sweeper.search.phase.coordinates import SWITCH

WHITE = 0.08
"""Relative deviation of one cycle beyond what the machine does to all of a session (facts on search, 12)."""
MOST = 200
"""Sessions that are read; thinking about them all takes a second."""
LEAST_ERROR = 0.01
LEAST_SHARE = 0.001
"""Of the time: a phase that takes less is not told from none."""


@dataclass(frozen=True)
class Reading:
    """One session: natural logarithms of seconds a step.

    `collecting` and `updating` where the phases could be told apart, else `total`. `error`: relative standard error of
    each, the machine's wandering left out. `middle` and `seconds`: of the measured window, on the clock of the world.
    """

    key: str
    middle: float
    seconds: float
    error: float
    total: float
    collecting: float | None = None
    updating: float | None = None

    @property
    def is_apart(self) -> bool:
        """Whether both phases are known."""
        return self.collecting is not None


def readings(trials: Iterable[TrialResult]) -> list[Reading]:
    """Of all measured sessions; of very many the fastest and the latest.

    Those that confirm are left out, for they choose nobody, and so are those that ran in turn.
    """
    found = [trial for trial in trials if trial.is_ok and not trial.slices and trial.stage is not Stage.CONFIRMATION]
    if len(found) > MOST:
        latest, others = found[-MOST // 2 :], found[: -MOST // 2]
        fastest = sorted(others, key=lambda trial: trial.steps_per_second or 0.0)[-MOST // 2 :]
        found = sorted((*fastest, *latest), key=lambda trial: trial.number)
    return [_reading(trial) for trial in found]


def _reading(trial: TrialResult) -> Reading:
    rate, seconds = trial.steps_per_second or 1.0, trial.measured_seconds or 1.0
    before = (trial.startup_seconds or 0.0) + (trial.warmup_seconds or 0.0)
    middle = datetime.fromisoformat(trial.started_at).timestamp() + before + seconds / 2
    error = max(LEAST_ERROR, WHITE / math.sqrt(max(1, trial.cycles or 1)))
    total = -math.log(rate)
    share = None if trial.params.get(SWITCH) else _updating_share(trial.phases)
    if share is None:
        return Reading(trial.key, middle, seconds, error, total)
    return Reading(trial.key, middle, seconds, error, total, total + math.log1p(-share), total + math.log(share))


def _updating_share(phases: Phases | None) -> float | None:
    if phases is None or phases.collect_seconds + phases.update_seconds <= 0:
        return None
    share = phases.update_seconds / (phases.collect_seconds + phases.update_seconds)
    return min(1 - LEAST_SHARE, max(LEAST_SHARE, share))
