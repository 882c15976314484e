"""A study without processes: scripted sessions, a store in memory, a clock that moves with the sessions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sweeper.app.drive import Drive
from sweeper.app.prepare import Prepared
from sweeper.app.stop import StopSignal
from sweeper.app.trials import Trials
from sweeper.inputs.study_limits import Budget
from sweeper.measure.contention import contention
from sweeper.measure.cycles import boundaries
from sweeper.measure.rate import Rule
from sweeper.model.events import Event
from sweeper.model.load import BusyProcess, LoadSample
from sweeper.model.measurement import Sample
from sweeper.model.session import Round, SessionEnd, SessionRecord, Watcher
from sweeper.model.study import StudyResult
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult, configuration_key
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.turns import Contender
from sweeper.store import Store
from sweeper.study.answer import conclude
from sweeper.study.history import History
from tests.helpers.builders import GIB, prepared_of, record_of, session_of

STEPS = 2048
CYCLES = 12
CORES = 8
STARTUP_SECONDS = 10.0
"""From `started_at` to the first decision of the sessions that `session_of` makes."""


def load_of(
    others: float = 0.0,
    steal: float = 0.0,
    gpu: float | None = None,
    stalls: float | None = None,
    own_cores: float = 2.0,
    seconds: tuple[float, float] = (90.0, 600.0),
) -> tuple[LoadSample, ...]:
    """A sample a second; `others`, `steal` and `stalls` in per cent, on a machine with CORES cores."""
    start, end = seconds
    return tuple(
        LoadSample(
            seconds=start + at,
            own_cpu_seconds=own_cores * at,
            others_cpu_seconds=others / 100 * CORES * at,
            steal_seconds=steal / 100 * CORES * at,
            memory_stall_seconds=None if stalls is None else stalls / 100 * at,
            gpu_others_percent=gpu,
        )
        for at in range(int(end - start) + 1)
    )


QUIET = load_of(1.0)
BUSY = load_of(40.0)
CULPRITS = (BusyProcess("stress", 3.0), BusyProcess("chrome", 0.2))

Load = tuple[LoadSample, ...]


def speed_of(params: Params) -> float:
    """More environments, areas and a bigger batch are faster; 1,000 steps/s for the settings of `prepared_of`."""
    envs, areas, batch = (int(params[knob] or 0) for knob in ("num_envs", "num_areas", "batch_size"))
    return 1000.0 * envs**0.5 * areas**0.25 * (batch / 128) ** 0.1


@dataclass
class Session:
    """One session as the runner was asked for it: `waited` is how long it might wait for a quiet machine."""

    plan: TrialPlan
    rule: Rule
    waited: float


@dataclass
class ScriptedRunner:
    """Sessions of `speed` steps/s. `load(index)` and `end(index)` say how session `index`, from 0, went."""

    speed: Callable[[Params], float] = speed_of
    speed_of_plan: Callable[[TrialPlan], float] | None = None
    load: Callable[[int], Load] = lambda index: QUIET
    end: Callable[[int], SessionEnd] = lambda index: SessionEnd.MEASURED
    turns_end: SessionEnd = SessionEnd.MEASURED
    turns_load: Load = QUIET
    jitter: Callable[[int], float] = lambda index: 1.0
    slow_cycles: Callable[[int], int] = lambda index: 0
    bursts: Callable[[Params], int] = lambda params: 1
    """How many buffers an update of a session sees."""
    peak_bytes: int = GIB
    turns_peak_bytes: Callable[[Contender], int] = lambda contender: GIB
    """While all are alive."""
    asked_seconds: float = 0.0
    """That somebody was asked to press Play, in every session."""
    sessions: list[Session] = field(default_factory=list)
    in_turns: list[list[Contender]] = field(default_factory=list)
    turns_most_seconds: list[float] = field(default_factory=list)
    from_console: bool = False
    on_session: Callable[[int], None] = lambda index: None
    on_turns: Callable[[], None] = lambda: None
    now: float = 0.0

    def rate(self, plan: TrialPlan) -> float:
        return self.speed(plan.params) if self.speed_of_plan is None else self.speed_of_plan(plan)

    def clock(self) -> float:
        return self.now

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        index = len(self.sessions)
        assert isinstance(watch, Rule)
        self.sessions.append(Session(plan, watch, max_wait_seconds))
        self.on_session(index)
        steps = STEPS * self.bursts(plan.params)
        seconds = steps / (self.rate(plan) * self.jitter(index))
        slow = self.slow_cycles(index)
        samples = session_of([(steps, 3 * seconds)] * slow + [(steps, seconds)] * (CYCLES - slow))
        if self.from_console:
            samples = [replace(one, kind="summary", timers={}) for one in samples if one.kind == "update"]
        total = STARTUP_SECONDS + CYCLES * seconds
        self.now += total + self.asked_seconds
        return record_of(
            self.end(index),
            samples,
            ["last words"],
            total_seconds=total,
            load=self.load(index),
            busiest=CULPRITS,
            peak_memory_bytes=self.peak_bytes,
            from_console=self.from_console,
            asked_seconds=self.asked_seconds,
        )

    @contextmanager
    def in_turn(
        self, contenders: Sequence[Contender], max_wait_seconds: float, max_seconds: float = math.inf
    ) -> Iterator[ScriptedTurns]:
        self.in_turns.append(list(contenders))
        self.turns_most_seconds.append(max_seconds)
        self.on_turns()
        yield ScriptedTurns(self, contenders)


class ScriptedTurns:
    """Sessions alive together, each at its own `speed`."""

    def __init__(self, runner: ScriptedRunner, contenders: Sequence[Contender]) -> None:
        self._runner = runner
        self._contenders = contenders
        self._rounds = 0

    def rounds(self, orders: Iterable[Sequence[int]]) -> Iterator[Round]:
        self._runner.now += STARTUP_SECONDS * len(self._contenders)
        if self._runner.turns_end is not SessionEnd.MEASURED:
            return
        for number, _ in enumerate(orders):
            self._rounds += 1
            slices = [self._cycle(one) * one.slice_cycles for one in self._contenders]
            self._runner.now += sum(slices)
            windows = tuple(self._windows(one)[-1] for one in self._contenders)
            load = tuple(contention(self._runner.turns_load, window, CORES) for window in windows)
            rates = tuple(STEPS * one.slice_cycles / seconds for one, seconds in zip(self._contenders, slices))
            peaks = tuple(self._runner.turns_peak_bytes(one) for one in self._contenders)
            yield Round(number, windows, rates, load, peaks)

    def end(self) -> list[SessionRecord]:
        return [
            record_of(
                self._runner.turns_end,
                self._samples(one),
                load=self._runner.turns_load,
                slices=tuple(self._windows(one)),
                peak_memory_bytes=self._runner.peak_bytes,
            )
            for one in self._contenders
        ]

    def _cycle(self, one: Contender) -> float:
        return STEPS / self._runner.rate(one.plan)

    def _samples(self, one: Contender) -> list[Sample]:
        return session_of([(STEPS, self._cycle(one))] * (1 + one.warmup_cycles + one.slice_cycles * self._rounds))

    def _windows(self, one: Contender) -> list[tuple[float, float]]:
        edges = [sample.seconds for sample in boundaries(self._samples(one), one.cut)][one.warmup_cycles :]
        return [
            (edges[at], edges[at + one.slice_cycles])
            for at in range(0, one.slice_cycles * self._rounds, one.slice_cycles)
        ]


class MemoryStore:
    """What `Store` does, without a database."""

    def __init__(self, results: Sequence[TrialResult] = (), cap_bytes: int = 8 * GIB) -> None:
        self.memory_cap_bytes = cap_bytes
        self.spent_seconds = 0.0
        self.constraints: dict[int, Mapping[str, float]] = {}
        self.abandoned: list[int] = []
        self._results = {result.number: result for result in results}
        self._started = len(results)

    def results(self) -> tuple[TrialResult, ...]:
        return tuple(self._results[number] for number in sorted(self._results))

    def spend(self, seconds: float) -> None:
        self.spent_seconds += seconds

    def start(
        self,
        params: Params,
        *,
        purpose: Purpose,
        stage: Stage,
        round: int | None = None,
        machine: str | None = None,
        contender: str | None = None,
    ) -> int:
        self._started += 1
        return self._started - 1

    def finish(self, result: TrialResult, constraints: Mapping[str, float]) -> None:
        assert result.number not in self._results
        assert result.number < self._started
        self._results[result.number] = result
        self.constraints[result.number] = constraints

    def abandon(self, number: int) -> None:
        self.abandoned.append(number)


@dataclass
class Scripted:
    """One study, run as often as a test likes."""

    runner: ScriptedRunner = field(default_factory=ScriptedRunner)
    prepared: Prepared = field(default_factory=prepared_of)
    store: Any = field(default_factory=MemoryStore)
    stop: StopSignal = field(default_factory=StopSignal)
    events: list[Event] = field(default_factory=list)
    saves: int = 0

    def trials(self) -> Trials:
        return Trials(
            self.prepared, self.store, self.runner, self.stop, self.events.append, self._save, self.runner.clock
        )

    def _save(self) -> None:
        self.saves += 1

    def run(self) -> str:
        return Drive(self.trials()).run()

    @property
    def results(self) -> list[TrialResult]:
        return list(self.store.results())

    @property
    def history(self) -> History:
        return self.prepared.history(self.results)

    @property
    def purposes(self) -> list[Purpose]:
        return [trial.purpose for trial in self.results]

    def of(self, purpose: Purpose) -> list[TrialResult]:
        return [trial for trial in self.results if trial.purpose is purpose]

    def conclusion(self) -> StudyResult:
        facts = self.prepared.facts(
            "2026-01-01T00:00:00+00:00", self.store.spent_seconds, self.store.memory_cap_bytes, "budget"
        )
        return conclude(facts, self.history)


def scripted(seconds: float = 1200.0, trials: int | None = None, study: str | None = None, **runner: Any) -> Scripted:
    """A study with this budget and file, and a runner with these fields."""
    prepared = replace(prepared_of(study) if study else prepared_of(), budget=Budget(seconds, trials))
    return Scripted(ScriptedRunner(**runner), prepared)


def on_disk(study: Scripted, folder: Path) -> Scripted:
    """The same study on a real store in `folder`."""
    values = study.prepared.knob_values()
    study.store = Store.open(folder / "study.db", "racer", {"machine": "m1"}, values, "2026-01-01", 8 * GIB)
    return study


def is_disturbed(trial: TrialResult) -> bool:
    return trial.outcome is Outcome.DISTURBED


"""A bug that is known."""

OWN_KEY = configuration_key(prepared_of().space.baseline)
