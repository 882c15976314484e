"""One trial: what was asked for, what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Union

from sweeper.model.findings import Bottleneck, BottleneckFigures, Finding, FindingKind
from sweeper.model.load import Contention, Utilisation
from sweeper.model.measurement import Measurement, Method, PerThousandSteps, Phases

ParamValue = Union[bool, int, float, str, None]
"""A knob's value. None: left as it is in the trainer config, where behaviours differ in it."""

Params = Mapping[str, ParamValue]


class Outcome(str, Enum):
    """How a trial ended. Values are part of `results.json`."""

    OK = "ok"
    OVER_MEMORY = "over_memory"
    TOO_FEW_UPDATES = "too_few_updates"
    VETOED = "vetoed"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    NO_STEPS = "no_steps"
    OUTPACED = "outpaced"
    DISTURBED = "disturbed"
    INTERRUPTED = "interrupted"

    @property
    def is_infeasible(self) -> bool:
        """True where the configuration itself is to blame; the sampler learns from it."""
        return self not in (Outcome.OK, Outcome.OUTPACED, Outcome.DISTURBED, Outcome.INTERRUPTED)

    @property
    def uses_limit(self) -> bool:
        """False where it does not count against a limit on trials: not launched, or cut off and run again."""
        return self not in (Outcome.VETOED, Outcome.INTERRUPTED)


class Purpose(str, Enum):
    """Why a trial was run. Values are part of `results.json`."""

    BASELINE = "baseline"
    SEARCH = "search"
    ANCHOR = "anchor"
    CONFIRM = "confirm"


class Stage(str, Enum):
    """Where in the course of a study a trial belongs, told when it is asked. Values are part of `results.json`.

    `pilot`: the reference before any search. `search`: what chooses. `finals`: leaders once more, which also chooses.
    `confirmation`: contenders side by side, which chooses nobody.
    """

    PILOT = "pilot"
    SEARCH = "search"
    FINALS = "finals"
    CONFIRMATION = "confirmation"


class LearnerStart(str, Enum):
    """How a session's learner starts: forked from a process that has imported everything, or as the plain command."""

    WARM = "warm"
    COLD = "cold"


def configuration_key(params: Params) -> str:
    """Text that is equal for equal parameters, whatever their order, and whether a storage made 512.0 of 512."""
    return json.dumps({knob: _whole(value) for knob, value in params.items()}, sort_keys=True)


def _whole(value: ParamValue) -> ParamValue:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True)
class TrialResult:
    """One finished session. Times in seconds, memory in bytes, rates in agent steps per second of wall time.

    Absent is None, never a made-up number. `reason`: why it ended without a comparable number. `interval` is a 95 %
    interval of this session's own mean, and `relative_standard_error` its error; sessions of one configuration differ
    by more. `bottleneck_figures`: by what `bottleneck` was named. `method`: how the rate was estimated. `stage` and
    `round` say where in the study's course it belongs: in a round of finals or confirmation every contender runs once.
    `contender`: whom it measured there, by name; its configuration where it is None. `machine`: the key of the machine
    that it ran on. `slices`: its rates where it ran in turn with others that were alive at the same time; None for a
    slice that other programs disturbed. `brief`: a session of the search that was as short as its question allowed.
    `learner_start`: of a study's confirming sessions always the plain command's. `update_seconds`: what a policy update
    would take by batch size, its own and others, told from this session's first buffer; None where nobody looked.
    `cost_seconds`: what it took of the budget, from the end of the trial before it to its own: waiting, drawing and
    storage included. `excuses`: numbers of earlier trials that failed as this one did, although their settings had run
    before: the machine was the reason, and they are owed again. `collecting_steps_per_second`: of a session that ended
    because it cannot become the fastest, while its first buffer was filled; no whole cycle is faster.
    """

    number: int
    params: Params
    purpose: Purpose
    outcome: Outcome
    started_at: str
    total_seconds: float
    seed: int
    reason: Finding | None = None
    diagnosis: str | None = None
    steps_per_second: float | None = None
    interval: tuple[float, float] | None = None
    cycles: int | None = None
    startup_seconds: float | None = None
    longest_silence_seconds: float | None = None
    warmup_seconds: float | None = None
    measured_seconds: float | None = None
    peak_memory_bytes: int | None = None
    memory_source: str | None = None
    memory_cap_kept_by: str | None = None
    peak_gpu_memory_bytes: int | None = None
    predicted_memory_bytes: tuple[float, float] | None = None
    updates_per_1000_steps: PerThousandSteps | None = None
    agents: float | None = None
    phases: Phases | None = None
    utilisation: Utilisation | None = None
    bottleneck: Bottleneck | None = None
    bottleneck_figures: BottleneckFigures | None = None
    contention: Contention | None = None
    command: tuple[str, ...] = ()
    log_tail: tuple[str, ...] = ()
    warnings: tuple[Finding, ...] = field(default=())
    stage: Stage = Stage.SEARCH
    round: int | None = None
    contender: str | None = None
    machine: str | None = None
    cost_seconds: float | None = None
    excuses: tuple[int, ...] = ()
    slices: tuple[float | None, ...] = ()
    relative_standard_error: float | None = None
    warmup_cycles: int | None = None
    method: Method | None = None
    brief: bool = False
    learner_start: LearnerStart = LearnerStart.COLD
    update_seconds: Mapping[str, float] | None = None
    collecting_steps_per_second: float | None = None

    @cached_property
    def key(self) -> str:
        """The configuration that this trial belongs to."""
        return configuration_key(self.params)

    @property
    def taken_seconds(self) -> float:
        """Seconds of the budget; of results of earlier versions, the session's."""
        return self.total_seconds if self.cost_seconds is None else self.cost_seconds

    @property
    def between_seconds(self) -> float:
        """Seconds of the budget outside the session, without waiting for quiet: loading packages, drawing, storage."""
        waited = self.contention.waited_seconds if self.contention else 0.0
        return max(0.0, self.taken_seconds - self.total_seconds - waited)

    @property
    def is_ok(self) -> bool:
        """True where the number may be compared with others."""
        return self.outcome is Outcome.OK and self.steps_per_second is not None and self.steps_per_second > 0

    @property
    def turns_broke(self) -> bool:
        """Whether it ended because running in turn with others did not work."""
        return self.reason is not None and self.reason.kind is FindingKind.TURNS_BROKEN

    @property
    def is_too_slow(self) -> bool:
        """Whether it trained, but made too few whole cycles in the time allowed."""
        is_said = self.reason is not None and self.reason.kind is FindingKind.TOO_SLOW
        return self.outcome is Outcome.TIMEOUT and self.cycles is None and is_said


def measured_fields(measurement: Measurement | None) -> dict[str, Any]:
    """The fields of a TrialResult that a measurement fills; empty without one."""
    if measurement is None:
        return {}
    return {
        "steps_per_second": measurement.steps_per_second,
        "interval": measurement.interval,
        "cycles": measurement.cycles,
        "warmup_seconds": measurement.warmup_seconds,
        "measured_seconds": measurement.measured_seconds,
        "updates_per_1000_steps": measurement.updates_per_1000_steps,
        "agents": measurement.agents,
        "phases": measurement.phases,
        "warnings": measurement.notes,
        "relative_standard_error": measurement.relative_standard_error,
        "warmup_cycles": measurement.warmup_cycles,
        "method": measurement.method,
    }
