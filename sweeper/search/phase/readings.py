"""What sessions said about the two phases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sweeper.model.measurement import Phases
from sweeper.model.trial import Stage, TrialResult, configuration_key
from sweeper.search.phase.coordinates import BATCH, SWITCH

WHITE = 0.08
"""Relative deviation of one cycle beyond what the machine does to all of a session (docs/sources.md, 12)."""
MOST = 200
"""Sessions that are read; thinking about them all takes a second."""
TOLD_ERROR = 0.06
"""Relative deviation of an update's time that was told from some gradient steps (docs/sources.md, 12: 3 to 6 %)."""
LEAST_ERROR = 0.01
LEAST_SHARE = 0.001
"""Of the time: a phase that takes less is not told from none."""


@dataclass(frozen=True)
class Reading:
    """One session: natural logarithms of seconds a step.

    `collecting` and `updating` where the phases could be told apart, else `total`; `collecting` alone of a session that
    ended before its first update, because it cannot become the fastest. `error`: relative standard error of
    each, the machine's wandering left out. `updating_of`: `updating` by the key of configurations with another batch
    size, where the session told that. `middle` and `seconds`: of the measured window, on the clock of the world.
    """

    key: str
    middle: float
    seconds: float
    error: float
    total: float | None
    collecting: float | None = None
    updating: float | None = None
    updating_of: Mapping[str, float] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[float, int]]:
        """What was read, and of what: 0 for collecting, 1 for updating, 2 for both together."""
        if self.collecting is None:
            return [] if self.total is None else [(self.total, 2)]
        return [(self.collecting, 0)] + ([] if self.updating is None else [(self.updating, 1)])


def readings(trials: Iterable[TrialResult]) -> list[Reading]:
    """Of all measured sessions; of very many the fastest and the latest.

    Those that confirm are left out, for they choose nobody, and so are those that ran in turn.
    """
    found = [
        trial
        for trial in trials
        if (trial.is_ok or trial.collecting_steps_per_second)
        and not trial.slices
        and trial.stage is not Stage.CONFIRMATION
    ]
    if len(found) > MOST:
        latest, others = found[-MOST // 2 :], found[: -MOST // 2]
        fastest = sorted(others, key=lambda trial: trial.steps_per_second or 0.0)[-MOST // 2 :]
        found = sorted((*fastest, *latest), key=lambda trial: trial.number)
    return [_reading(trial) for trial in found]


def _reading(trial: TrialResult) -> Reading:
    if trial.collecting_steps_per_second:
        return _of_one_that_was_outpaced(trial, trial.collecting_steps_per_second)
    rate, seconds = trial.steps_per_second or 1.0, trial.measured_seconds or 1.0
    before = (trial.startup_seconds or 0.0) + (trial.warmup_seconds or 0.0)
    middle = datetime.fromisoformat(trial.started_at).timestamp() + before + seconds / 2
    error = max(LEAST_ERROR, WHITE / math.sqrt(max(1, trial.cycles or 1)))
    total = -math.log(rate)
    share = None if trial.params.get(SWITCH) else _updating_share(trial.phases)
    if share is None:
        return Reading(trial.key, middle, seconds, error, total)
    updating = total + math.log(share)
    told = _updating_of(trial, updating)
    return Reading(trial.key, middle, seconds, error, total, total + math.log1p(-share), updating, told)


def _of_one_that_was_outpaced(trial: TrialResult, rate: float) -> Reading:
    began = datetime.fromisoformat(trial.started_at).timestamp()
    seconds = max(1.0, trial.total_seconds - (trial.startup_seconds or 0.0))
    middle = began + trial.total_seconds - seconds / 2
    return Reading(trial.key, middle, seconds, WHITE, None, collecting=-math.log(rate))


def _updating_of(trial: TrialResult, updating: float) -> dict[str, float]:
    """ln(seconds a step) of updating with the other batch sizes that the session told of."""
    told = {int(size): seconds for size, seconds in (trial.update_seconds or {}).items() if seconds > 0}
    own = trial.params.get(BATCH)
    if not isinstance(own, int) or own not in told:
        return {}
    return {
        configuration_key({**trial.params, BATCH: size}): updating + math.log(seconds / told[own])
        for size, seconds in told.items()
        if size != own
    }


def _updating_share(phases: Phases | None) -> float | None:
    if phases is None or phases.collect_seconds + phases.update_seconds <= 0:
        return None
    share = phases.update_seconds / (phases.collect_seconds + phases.update_seconds)
    return min(1 - LEAST_SHARE, max(LEAST_SHARE, share))
