"""Whole studies replayed in a moment: the real loop, with sessions drawn from recorded ones instead of run."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sweeper.app.drive import Drive
from sweeper.app.prepare import Prepared
from sweeper.app.stop import StopSignal
from sweeper.app.trials import Trials
from sweeper.model.events import ignore
from sweeper.model.measurement import BehaviorCount, Sample
from sweeper.model.session import Round, SessionEnd, SessionRecord, Watcher
from sweeper.model.study import StudyResult
from sweeper.model.trial import Params, Purpose, Stage, TrialResult, configuration_key
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.turns import Contender
from sweeper.study.answer import conclude

CAP = 2**40
CYCLES = 12

Draw = Callable[[str, Purpose], float]
"""A session's rate for a configuration's key, and what it is run for."""


SLICE_EDGES = 4
START_SECONDS = 10.0
"""Of one learner with its players, and the end."""


@dataclass(frozen=True)
class SliceNoise:
    """How slices scatter about a configuration's true rate: factors of one session, and of one slice."""

    true_rate: Callable[[str], float]
    session: Callable[[], float]
    slice: Callable[[], float]


class Memory:
    """A study's store without a disk."""

    started_at = "2026-01-01T00:00:00+00:00"
    memory_cap_bytes = CAP

    def __init__(self) -> None:
        self.spent_seconds = 0.0
        self._results: list[TrialResult] = []
        self.purposes: list[Purpose] = []

    def spend(self, seconds: float) -> None:
        self.spent_seconds += seconds

    def results(self) -> tuple[TrialResult, ...]:
        return tuple(self._results)

    def start(
        self, params: Params, *, purpose: Purpose, stage: Stage, round: int | None = None, machine: str | None = None
    ) -> int:
        self.purposes.append(purpose)
        return len(self.purposes) - 1

    def finish(self, result: TrialResult, constraints: Mapping[str, float]) -> None:
        self._results.append(result)


class Replay:
    """Answers plans with drawn rates; its clock is moved by what sessions took."""

    def __init__(
        self, store: Memory, draw: Draw, seconds: Mapping[str, float], slice_noise: SliceNoise | None = None
    ) -> None:
        # Where slices are unknown no two sessions fit under the cap together, and whole ones confirm.
        self._peak_bytes = int((0.9 if slice_noise is None else 0.1) * CAP)
        self._slice_noise = slice_noise
        self.now = 1000.0
        self._store = store
        self._draw = draw
        self._seconds = seconds

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        key = configuration_key(plan.params)
        rate, seconds = self._draw(key, self._store.purposes[plan.number]), self._seconds[key]
        started = self.now
        self.now += seconds
        samples = [Sample(started, "hello"), _at("tick", started + 5.0, 0, 0, 1)]
        for number in range(1, CYCLES + 1):
            samples.append(_at("update", started + 5.0 + 2048 * number / rate, 2048 * number, number))
        return SessionRecord(SessionEnd.MEASURED, tuple(samples), started, seconds, self._peak_bytes, "pss", 0, ())

    @contextmanager
    def in_turn(
        self, contenders: Sequence[Contender], max_wait_seconds: float, max_seconds: float = math.inf
    ) -> Iterator[ReplayedTurns]:
        """Slices were not recorded: the machine's speed is that of nobody's session, and each slice scatters."""
        if self._slice_noise is None:
            raise AssertionError("slices were not recorded")
        yield ReplayedTurns(self, self._slice_noise, contenders, self._peak_bytes)


class ReplayedTurns:
    """Sessions alive together: each has a rate of its own, and each of its slices scatters."""

    def __init__(self, runner: Replay, noise: SliceNoise, contenders: Sequence[Contender], peak_bytes: int) -> None:
        self._runner = runner
        self._noise = noise
        self._peak_bytes = peak_bytes
        keys = [configuration_key(contender.plan.params) for contender in contenders]
        self._rates = [noise.true_rate(key) * noise.session() for key in keys]
        self._samples = [[_at("tick", runner.now + 5.0, 0, 0, 1)] for _ in contenders]
        self._slices: list[list[tuple[float, float]]] = [[] for _ in contenders]
        self._started = runner.now

    def rounds(self, orders: Iterable[Sequence[int]]) -> Iterator[Round]:
        self._runner.now += START_SECONDS * len(self._rates)
        for number, _ in enumerate(orders):
            for samples, slices, rate in zip(self._samples, self._slices, self._rates):
                slices.append(self._slice(samples, rate * self._noise.slice()))
                self._runner.now += slices[-1][1] - slices[-1][0]
            windows = tuple(slices[-1] for slices in self._slices)
            yield Round(number, windows, tuple(self._rates), (None,) * len(windows))

    def end(self) -> list[SessionRecord]:
        seconds = (self._runner.now - self._started) / len(self._rates)
        return [
            SessionRecord(
                SessionEnd.MEASURED, tuple(samples), self._started, seconds, self._peak_bytes, "pss", 0, (),
                slices=tuple(slices),
            )
            for samples, slices in zip(self._samples, self._slices)
        ]  # fmt: skip

    def _slice(self, samples: list[Sample], speed: float) -> tuple[float, float]:
        at = samples[-1].seconds
        steps, updates = samples[-1].steps, samples[-1].policy_updates
        edges = []
        for _ in range(SLICE_EDGES):
            at, steps, updates = at + 2048 / speed, steps + 2048, updates + 1
            samples.append(_at("update", at, steps, updates))
            edges.append(at)
        return edges[0], edges[-1]


def replay(
    prepared: Prepared, draw: Draw, seconds: Mapping[str, float], slice_noise: SliceNoise | None = None
) -> StudyResult:
    """One study from baseline to answer; confirmed in slices where `slice_noise` says how they scatter."""
    store = Memory()
    return conclude_replay(prepared, store, Replay(store, draw, seconds, slice_noise))


def conclude_replay(prepared: Prepared, store: Any, runner: Replay) -> StudyResult:
    """What a study says that `runner` answers."""
    trials = Trials(prepared, store, runner, StopSignal(), ignore, lambda: None, clock=lambda: runner.now)
    reason = Drive(trials).run()
    facts = prepared.facts(store.started_at, store.spent_seconds, CAP, reason)
    return conclude(facts, prepared.history(store.results()))


def fresh_to_confirm(
    chosen_by: Mapping[str, Sequence[float]], claimed_from: Mapping[str, Sequence[float]], chooser: random.Random
) -> Draw:
    """Recorded sessions in random order, all of them before any comes again.

    A session that chose somebody never confirms him: in use every confirmation session is a new one.
    """
    left: dict[tuple[str, bool], list[float]] = {}

    def draw(key: str, purpose: Purpose) -> float:
        confirms = purpose is Purpose.CONFIRM
        if not left.get((key, confirms)):
            pool = (claimed_from if confirms else chosen_by)[key]
            left[key, confirms] = chooser.sample(list(pool), len(pool))
        return left[key, confirms].pop()

    return draw


def _at(kind: str, seconds: float, steps: int, updates: int, decisions: int | None = None) -> Sample:
    count = BehaviorCount(steps, steps if decisions is None else decisions, updates)
    return Sample(seconds, kind, {"Car": count}, {}, "Car" if kind == "update" else None)
