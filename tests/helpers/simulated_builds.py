"""Sessions of a simulated build, sample by sample, for whole studies: the real loop and the real rules, no process.

A build is two formulas: seconds a step of collecting, and of updating. The machine's speed wanders as the recorded
one's does (docs/sources.md, 12): 6 % over 10 s, 2 % over minutes; a session has 1.5 % of its own, a cycle 8 %.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sweeper.model.measurement import BehaviorCount, Sample
from sweeper.model.session import Progress, Round, SessionEnd, SessionRecord, Watcher
from sweeper.model.trial import LearnerStart, Params
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.turns import Contender
from tests.helpers.builders import GIB

Cost = Callable[[Params], float]

SESSION, CYCLE = 0.015, 0.08
BUFFER = 2048
"""As in the trainer config of `prepared_of`."""
START_SECONDS = {LearnerStart.WARM: 1.5, LearnerStart.COLD: 7.0}
END_SECONDS = 1.0
TICK_SECONDS = 0.5
OVERLAP_USED = 0.5
EXCHANGE_AGENTS = 4


@dataclass(frozen=True)
class Build:
    """`collecting` and `updating`: seconds a step. `memory`: bytes."""

    collecting: Cost
    updating: Cost
    memory: Cost = lambda params: 0.5 * GIB

    def pace(self, params: Params) -> float:
        """True seconds a step."""
        collect, update = self.collecting(params), self.updating(params)
        return collect + update - (OVERLAP_USED * min(collect, update) if params.get("threaded") else 0.0)


class Wandering:
    """A machine's speed, as the sum of two Ornstein-Uhlenbeck processes in its logarithm."""

    PARTS = ((0.06, 10.0), (0.02, 180.0))

    def __init__(self, chooser: random.Random) -> None:
        self._chooser = chooser
        self._at = 0.0
        self._values = [chooser.gauss(0, deviation) for deviation, _ in self.PARTS]

    def speed(self, at: float) -> float:
        """At a time that is no earlier than the last one asked for."""
        passed, self._at = at - self._at, at
        for number, (deviation, seconds) in enumerate(self.PARTS):
            kept = math.exp(-passed / seconds)
            fresh = self._chooser.gauss(0, deviation * math.sqrt(1 - kept**2))
            self._values[number] = kept * self._values[number] + fresh
        return math.exp(sum(self._values))


@dataclass
class Session:
    """A learner with its players: `go_on` yields after every sample."""

    runner: SimulatedRunner
    plan: TrialPlan
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.runner.now
        chooser = self.runner.chooser
        self.own = math.exp(chooser.gauss(0, SESSION))
        self._steps = self._updates = 0
        self._update_seconds = self._collect_seconds = 0.0
        self._told = not self.plan.batch_sizes

    def start(self) -> None:
        self.samples.append(Sample(self.runner.now, "hello"))
        self.runner.now += START_SECONDS[self.plan.learner_start]
        self._add("tick", 1)

    def go_on(self) -> Iterator[None]:
        """Forever: a buffer is filled, and an update follows, beside collecting where threaded."""
        build, params = self.runner.build, self.plan.params
        collect, update = build.collecting(params), build.updating(params)
        hidden = OVERLAP_USED * min(collect, update) if params.get("threaded") else 0.0
        while True:
            cycle = math.exp(self.runner.chooser.gauss(0, CYCLE / 2))
            left = BUFFER * (collect - (hidden if self._updates else 0.0)) * self.own * cycle
            filled, whole = 0, left
            while left > 0:
                passed = min(TICK_SECONDS, left / self._speed())
                left -= passed * self._speed()
                self.runner.now += passed
                self._collect_seconds += passed
                done = round(BUFFER * (1 - max(0.0, left) / whole))
                self._steps, filled = self._steps + done - filled, done
                if left > 0:
                    self._add("tick")
                    yield
            seconds = BUFFER * update * self.own * cycle / self._speed()
            self.runner.now += seconds
            if not self._told:
                self._told = True
                self._try_sizes()
                yield
            self._updates += 1
            self._add("update")
            self._update_seconds += seconds
            yield

    def _try_sizes(self) -> None:
        """There and back over all batch sizes."""
        found = {}
        for size in self.plan.batch_sizes:
            seconds = BUFFER * self.runner.build.updating({**self.plan.params, "batch_size": size})
            found[size] = seconds * self.own * math.exp(self.runner.chooser.gauss(0, 0.04)) / self._speed()
            self.runner.now += 2 * found[size]
        self._add("batch sizes", sizes=found)

    def _speed(self) -> float:
        return self.runner.wandering.speed(self.runner.now)

    def _add(self, kind: str, first: int = 0, sizes: dict[int, float] | None = None) -> None:
        decisions = self._steps + first
        agents = EXCHANGE_AGENTS * int(self.plan.params.get("num_areas") or 1)
        timers = {
            "_update_policy": (self._update_seconds, self._updates),
            "env_step": (self._collect_seconds, self._steps // agents),
            "env_step.self": (0.8 * self._collect_seconds, self._steps // agents),
            "UnityEnvironment.step": (self._collect_seconds, self._steps // agents),
            "TorchPPOOptimizer.update": (self._update_seconds, 48 * self._updates),
        }
        count = BehaviorCount(self._steps, decisions, self._updates)
        updated = "Car" if kind == "update" else None
        self.samples.append(Sample(self.runner.now, kind, {"Car": count}, timers, updated, sizes or {}))


@dataclass
class SimulatedRunner:
    """Runs plans on a build whose time is made up: `now`, in seconds."""

    build: Build
    chooser: random.Random
    cap_bytes: int = 8 * GIB
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.wandering = Wandering(self.chooser)

    def clock(self) -> float:
        return self.now

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        session = Session(self, plan)
        session.start()
        if self.build.memory(plan.params) > self.cap_bytes:
            return self._record(session, SessionEnd.OVER_MEMORY)
        ends = {
            Progress.ENOUGH: SessionEnd.MEASURED,
            Progress.HOPELESS: SessionEnd.TOO_SLOW,
            Progress.OUTPACED: SessionEnd.OUTPACED,
        }
        end = next(ends[said] for _ in session.go_on() if (said := watch(session.samples)) in ends)
        return self._record(session, end)

    @contextmanager
    def in_turn(
        self, contenders: Sequence[Contender], max_wait_seconds: float, max_seconds: float = math.inf
    ) -> Iterator[SimulatedTurns]:
        yield SimulatedTurns(self, contenders)

    def _record(self, session: Session, end: SessionEnd, share: float = 1.0, **fields: object) -> SessionRecord:
        self.now += END_SECONDS * share
        return SessionRecord(
            end, tuple(session.samples), session.started, share * (self.now - session.started),
            int(self.build.memory(session.plan.params)), "pss", 0, (),
            learner_start=session.plan.learner_start, **fields,  # type: ignore[arg-type]
        )  # fmt: skip


class SimulatedTurns:
    """Sessions that are alive together, of which one goes on at a time."""

    def __init__(self, runner: SimulatedRunner, contenders: Sequence[Contender]) -> None:
        self._runner = runner
        self._contenders = contenders
        self._sessions: list[Session] = []
        self._slices: list[list[tuple[float, float]]] = [[] for _ in contenders]

    def rounds(self, orders: Iterable[Sequence[int]]) -> Iterator[Round]:
        going = []
        for contender in self._contenders:
            session = Session(self._runner, contender.plan)
            session.start()
            self._sessions.append(session)
            going.append(session.go_on())
            self._updates(session, going[-1], 1 + contender.warmup_cycles)
        for number, order in enumerate(orders):
            windows = {}
            for at in order:
                edges = self._updates(self._sessions[at], going[at], 1 + self._contenders[at].slice_cycles)
                windows[at] = edges[0].seconds, edges[-1].seconds
                self._slices[at].append(windows[at])
            inside = tuple(windows[at] for at in range(len(windows)))
            yield Round(number, inside, tuple(map(self._rate, self._sessions, inside)), (None,) * len(inside))

    def end(self) -> list[SessionRecord]:
        share = 1 / len(self._contenders)
        return [
            self._runner._record(session, SessionEnd.MEASURED, share, slices=tuple(slices))
            for session, slices in zip(self._sessions, self._slices)
        ]

    @staticmethod
    def _updates(session: Session, going: Iterator[None], count: int) -> list[Sample]:
        seen = len(session.samples)
        while len(found := [one for one in session.samples[seen:] if one.kind == "update"]) < count:
            next(going)
        return found

    @staticmethod
    def _rate(session: Session, window: tuple[float, float]) -> float:
        at = {one.seconds: one.steps for one in session.samples if one.kind == "update"}
        return (at[window[1]] - at[window[0]]) / (window[1] - window[0])
