"""A study's results as a surface to search: its sessions are drawn instead of run."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from statistics import fmean, median, variance

from sweeper.model import replay
from sweeper.model.study import StudyResult
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult, configuration_key
from sweeper.plan.space import Space
from sweeper.study.history import History

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
LEAST_CONFIGURATIONS = 4
_SAYS_SOMETHING = frozenset(Outcome) - {Outcome.OUTPACED, Outcome.DISTURBED, Outcome.INTERRUPTED, Outcome.VETOED}


class NoSurface(ValueError):
    """These results cannot be searched; why."""


@dataclass(frozen=True)
class OnlyRecorded:
    """What may be searched: configurations of which there is a session."""

    keys: frozenset[str]

    def refusal(self, params: Params) -> str | None:
        """Why not."""
        return None if configuration_key(params) in self.keys else "no session of it was recorded"

    def alteration(self, _: Params) -> str | None:
        """Nothing: it was measured as it is."""
        return None

    def update_share(self, _: Params, __: Params, ___: float | None = None) -> float | None:
        """Not known: a recording has no trainer config."""
        return None


@dataclass(frozen=True)
class Surface:
    """Recorded sessions by configuration. Bytes, and steps per second."""

    name: str
    own: Params
    cap_bytes: int
    usable_cores: int
    min_updates: float | None
    recorded: Mapping[str, tuple[TrialResult, ...]]

    @classmethod
    def of(cls, result: StudyResult) -> Surface:
        """The surface in a study's results.

        Raises:
            NoSurface: too little was recorded, or not the user's own settings.
        """
        recorded: dict[str, tuple[TrialResult, ...]] = {}
        own = result.baseline.params if result.baseline else {}
        for item in History(result.trials, own).candidates:
            # A session that ran in turn with others has a cost that is not its own.
            trials = tuple(one for one in item.trials if one.outcome in _SAYS_SOMETHING and not one.slices)
            if trials:
                recorded[item.key] = trials
        if result.baseline is None or configuration_key(own) not in recorded:
            raise NoSurface("your own settings, with which every search begins, were not measured in it")
        if len(recorded) < LEAST_CONFIGURATIONS:
            raise NoSurface(f"it holds {len(recorded)} configurations; {LEAST_CONFIGURATIONS} are needed at least")
        found = cls(
            result.study.name,
            result.baseline.params,
            result.memory_cap_bytes,
            result.machine.usable_cores,
            result.study.min_updates,
            recorded,
        )
        if not found.speeds:
            raise NoSurface("no configuration ran without a failure, so that none is the fastest")
        return found

    @cached_property
    def space(self) -> Space:
        """Every configuration with a session, and no other."""
        every = [trials[0].params for trials in self.recorded.values()]
        values = {knob: {params[knob] for params in every if knob in params} for knob in self.own}
        knobs = {knob: tuple(sorted(found, key=_order)) for knob, found in values.items() if len(found) > 1}
        return Space(knobs, self.own, OnlyRecorded(frozenset(self.recorded)), True, listed=tuple(every))

    @cached_property
    def history(self) -> History:
        """All that was recorded."""
        return History(tuple(trial for trials in self.recorded.values() for trial in trials), self.own)

    @cached_property
    def _alike(self) -> Mapping[str, tuple[float, ...]]:
        """ln(steps/s) of all sessions of what is feasible, by the key of what differs in no knob that does something.

        Else the luckiest of many equals were the best.
        """
        found: dict[str, tuple[float, ...]] = {}
        for item in self.history.ranked:
            kind = self.history.but_for_inert(item.params)
            found[kind] = (*found.get(kind, ()), *map(math.log, item.rates))
        return found

    @cached_property
    def speeds(self) -> dict[str, float]:
        """The true speed of what is feasible, as far as it is known: the geometric mean of all its sessions."""
        kinds = {item.key: self.history.but_for_inert(item.params) for item in self.history.ranked}
        return {key: math.exp(fmean(self._alike[kind])) for key, kind in kinds.items()}

    @cached_property
    def error(self) -> float | None:
        """Standard error of a true speed, relative, with as many sessions as most have; None without repeats."""
        repeats = [values for values in self._alike.values() if len(values) > 1]
        if not repeats:
            return None
        squares = sum((len(values) - 1) * variance(values) for values in repeats)
        degrees = sum(len(values) - 1 for values in repeats)
        return math.sqrt(squares / degrees / median(map(len, self._alike.values())))

    @property
    def rivals(self) -> int:
        """Configurations that cannot be told from the best: within two standard errors of a difference."""
        width = 2 * math.sqrt(2) * (self.error or 0.0)
        return sum(math.log(self.best / speed) <= width for speed in self.speeds.values())

    @cached_property
    def best(self) -> float:
        """The fastest speed that is feasible."""
        return max(self.speeds.values())

    def summary(self) -> replay.Surface:
        """Which recording it is."""
        sessions = sum(map(len, self.recorded.values()))
        return replay.Surface(
            self.name, len(self.recorded), len(self.speeds), sessions, self.best, self.error, self.rivals
        )


class Tape:
    """One search's sessions: recorded ones in random order, each once before any comes again; its clock is theirs."""

    def __init__(self, surface: Surface, seed: int) -> None:
        self._surface = surface
        self._random = random.Random(f"sessions {seed}")  # strategies draw from the seed itself
        self._left: dict[str, list[TrialResult]] = {}
        self.seconds = 0.0
        self.trials: list[TrialResult] = []

    def play(self, params: Params, purpose: Purpose = Purpose.SEARCH) -> TrialResult:
        """The next session of a configuration, at the cost that it had when it was recorded."""
        key = configuration_key(params)
        if not self._left.get(key):
            every = self._surface.recorded[key]
            self._left[key] = self._random.sample(every, len(every))
        recorded = self._left[key].pop()
        started = START + timedelta(seconds=self.seconds)
        self.seconds += recorded.total_seconds
        trial = replace(
            recorded,
            number=len(self.trials),
            purpose=purpose,
            stage=Stage.PILOT if purpose is Purpose.BASELINE else Stage.SEARCH,
            round=None,
            started_at=started.isoformat(),
            cost_seconds=recorded.total_seconds,
            excuses=(),
        )
        self.trials.append(trial)
        return trial


def _order(value: object) -> tuple[str, float, str]:
    is_number = isinstance(value, (bool, int, float))
    return ("number" if is_number else "word", float(value) if is_number else 0.0, str(value))  # type: ignore[arg-type]
