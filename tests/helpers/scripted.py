"""A study without processes: scripted sessions, a store in memory, a clock that moves with the sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sweeper.app.prepare import Prepared
from sweeper.app.stop import StopSignal
from sweeper.app.sweep import Sweep
from sweeper.app.trials import Trials
from sweeper.inputs.study_limits import Budget
from sweeper.measure.rate import Rule
from sweeper.model.events import Event
from sweeper.model.load import BusyProcess, LoadSample
from sweeper.model.session import SessionEnd, SessionRecord, Watcher
from sweeper.model.study import StudyResult
from sweeper.model.trial import Outcome, Params, Purpose, TrialResult, configuration_key
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.turns import Contender
from sweeper.store import Store
from sweeper.study.answer import Facts, conclude
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
    load: Callable[[int], Load] = lambda index: QUIET
    end: Callable[[int], SessionEnd] = lambda index: SessionEnd.MEASURED
    turns_end: SessionEnd = SessionEnd.MEASURED
    turns_load: Load = QUIET
    jitter: Callable[[int], float] = lambda index: 1.0
    slow_cycles: Callable[[int], int] = lambda index: 0
    peak_bytes: int = GIB
    sessions: list[Session] = field(default_factory=list)
    in_turn: list[tuple[list[Contender], list[list[int]], float]] = field(default_factory=list)
    on_session: Callable[[int], None] = lambda index: None
    on_turns: Callable[[], None] = lambda: None
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        index = len(self.sessions)
        assert isinstance(watch, Rule)
        self.sessions.append(Session(plan, watch, max_wait_seconds))
        self.on_session(index)
        seconds = STEPS / (self.speed(plan.params) * self.jitter(index))
        slow = self.slow_cycles(index)
        samples = session_of([(STEPS, 3 * seconds)] * slow + [(STEPS, seconds)] * (CYCLES - slow))
        total = STARTUP_SECONDS + CYCLES * seconds
        self.now += total
        return record_of(
            self.end(index),
            samples,
            ["last words"],
            total_seconds=total,
            load=self.load(index),
            busiest=CULPRITS,
            peak_memory_bytes=self.peak_bytes,
        )

    def run_in_turn(
        self,
        contenders: Sequence[Contender],
        orders: Sequence[Sequence[int]],
        max_seconds: float,
        max_wait_seconds: float,
    ) -> list[SessionRecord]:
        self.in_turn.append((list(contenders), [list(order) for order in orders], max_seconds))
        self.on_turns()
        total = 0.0
        records = []
        for contender in contenders:
            seconds = STEPS / self.speed(contender.plan.params)
            cycles = contender.slice_cycles
            samples = session_of([(STEPS, seconds)] * (1 + contender.warmup_cycles + cycles * len(orders)))
            edges = [sample.seconds for sample in contender.edges(samples)][contender.warmup_cycles :]
            slices = tuple((edges[at], edges[at + cycles]) for at in range(0, cycles * len(orders), cycles))
            total += STARTUP_SECONDS + len(samples) * seconds
            if self.turns_end is SessionEnd.TURNS_BROKEN:
                total, slices = STARTUP_SECONDS, ()
            records.append(
                record_of(
                    self.turns_end, samples, load=self.turns_load, slices=slices, peak_memory_bytes=self.peak_bytes
                )
            )
        self.now += total
        return [replace(record, total_seconds=total / len(contenders)) for record in records]


class MemoryStore:
    """What `Store` does, without a database."""

    def __init__(self, results: Sequence[TrialResult] = (), cap_bytes: int = 8 * GIB) -> None:
        self.memory_cap_bytes = cap_bytes
        self.spent_seconds = 0.0
        self.confirmed_search: int | None = None
        self.constraints: dict[int, Mapping[str, float]] = {}
        self._results = {result.number: result for result in results}
        self._started = len(results)

    def results(self) -> list[TrialResult]:
        return [self._results[number] for number in sorted(self._results)]

    def spend(self, seconds: float) -> None:
        self.spent_seconds += seconds

    def confirm(self, last_search: int) -> None:
        self.confirmed_search = last_search

    def start(self, params: Params, purpose: Purpose) -> int:
        self._started += 1
        return self._started - 1

    def finish(self, result: TrialResult, constraints: Mapping[str, float]) -> None:
        assert result.number not in self._results
        assert result.number < self._started
        self._results[result.number] = result
        self.constraints[result.number] = constraints


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
        return Sweep(self.trials()).run()

    @property
    def results(self) -> list[TrialResult]:
        found: list[TrialResult] = self.store.results()
        return found

    @property
    def purposes(self) -> list[Purpose]:
        return [trial.purpose for trial in self.results]

    def of(self, purpose: Purpose) -> list[TrialResult]:
        return [trial for trial in self.results if trial.purpose is purpose]

    def conclusion(self) -> StudyResult:
        facts = Facts("2026-01-01T00:00:00+00:00", self.store.spent_seconds, self.store.memory_cap_bytes, "budget")
        return conclude(self.prepared, self.results, facts)


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
