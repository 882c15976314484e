"""What a whole study concludes; the shape of `results.json`."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sweeper.model.findings import Bottleneck, Finding
from sweeper.model.guide import Rule
from sweeper.model.machine import Machine
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.older import upgrade_findings, upgrade_study, upgrade_trials
from sweeper.model.trial import ParamValue, TrialResult, configuration_key
from sweeper.outside import short, shown

FORMAT = "sweeper.results"
VERSION = 1
"""1: first version. Additive changes keep the number."""
MOST = 2.0**63
"""No number of ours goes as far."""


class IntervalFrom(str, Enum):
    """Which error an interval of a speed carries. Values are part of `results.json`."""

    WITHIN = "within one session"
    BETWEEN = "sessions of this configuration and the spread between sessions"
    CONFIRMED = "confirmation sessions"
    CONFIRMED_CHOICE = "confirmation sessions, which also chose it"


class Stopped(str, Enum):
    """Ends of a study that are named elsewhere too. Values are part of `results.json`."""

    BUDGET = "budget"
    TRIALS = "limit on trials"


class Verdict(str, Enum):
    """What the study advises. Values are part of `results.json`."""

    BETTER = "better"
    KEEP_YOURS = "keep_yours"
    UNCONFIRMED = "unconfirmed"
    NONE_FEASIBLE = "none_feasible"


@dataclass(frozen=True)
class Speedup:
    """How many times as fast as the baseline. `interval`: 95 %, from confirmation sessions only; None without."""

    estimate: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class StudyInfo:
    """Which study this is. `seconds`: time spent over all runs. `budget`: its total in seconds; None where only trials
    are limited."""

    name: str
    file: str
    started_at: str
    seconds: float
    budget: float | None
    trial_limit: int | None
    stopped_because: str | None
    trainer_config: str
    env_path: str | None
    space: Mapping[str, tuple[ParamValue, ...]]
    min_updates: float | None
    engine: Mapping[str, ParamValue] = field(default_factory=dict)
    """Engine settings that the study file states."""


@dataclass(frozen=True)
class Baseline:
    """What the user runs today. `stated`: the study file says it; else it is read from the trainer config.

    `interval`: 95 % of steps per second, see `interval_from`. `command` trains with it from the user's trainer config;
    empty in results of earlier versions.
    """

    trial: int
    stated: bool
    params: Mapping[str, ParamValue]
    steps_per_second: float | None
    interval: tuple[float, float] | None = None
    interval_from: IntervalFrom | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Best:
    """The recommended configuration, or what looks fastest: see `verdict`.

    `interval`: 95 % of steps per second, see `interval_from`.
    """

    trial: int
    params: Mapping[str, ParamValue]
    steps_per_second: float
    interval: tuple[float, float] | None
    interval_from: IntervalFrom | None
    peak_memory_bytes: int | None
    updates_per_1000_steps: PerThousandSteps | None
    bottleneck: Bottleneck | None
    speedup: Speedup | None
    tied_with: tuple[Mapping[str, ParamValue], ...]
    command: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True)
class NoFewerUpdates:
    """The fastest configuration that makes no fewer updates per step than the user's own."""

    params: Mapping[str, ParamValue]
    steps_per_second: float
    speedup: Speedup | None


@dataclass(frozen=True)
class Noise:
    """How much sessions of one configuration differ, and how the machine's speed moved over the study.

    Attributes:
        between_percent: standard deviation of ln(steps/s) between sessions of one configuration.
        drift_percent_per_hour: slope of ln(steps/s) of the baseline's sessions over time (Theil and Sen).
        drift_interval: its 95 % interval.
        sessions: how many sessions `between_percent` comes from.
        baseline_sessions: how many measured sessions of the baseline the drift comes from.
    """

    between_percent: float | None
    drift_percent_per_hour: float | None
    drift_interval: tuple[float, float] | None = None
    sessions: int = 0
    baseline_sessions: int = 0


@dataclass(frozen=True)
class Pooled:
    """All sessions of one configuration together.

    `interval`: 95 % of its mean steps per second, see `interval_from`. `disturbed`: sessions that do not count because
    the machine was busy with something else; `sessions`: those that were measured, `rates` their steps per second in
    order. `feasible`: None while nothing is known. `speedup`: over the reference, where it was confirmed.
    """

    params: Mapping[str, ParamValue]
    steps_per_second: float | None
    interval: tuple[float, float] | None
    interval_from: IntervalFrom | None
    sessions: int
    disturbed: int
    feasible: bool | None
    rates: tuple[float, ...] = ()
    peak_memory_bytes: int | None = None
    updates_per_1000_steps: PerThousandSteps | None = None
    speedup: Speedup | None = None

    @property
    def key(self) -> str:
        """Equal for equal parameters."""
        return configuration_key(self.params)


@dataclass(frozen=True)
class StudyResult:
    """Everything there is to know about a study; `results.json` is its image."""

    study: StudyInfo
    machine: Machine
    memory_cap_bytes: int
    warnings: tuple[Finding, ...]
    noise: Noise
    baseline: Baseline | None
    best: Best | None
    best_with_no_fewer_updates: NoFewerUpdates | None
    trials: tuple[TrialResult, ...]
    verdict: Verdict | None = None
    configurations: tuple[Pooled, ...] = ()
    guide: tuple[Rule, ...] = ()
    """The parallel-training guide's rules of thumb, beside what was seen here."""
    reference: Mapping[str, ParamValue] | None = None
    """What speed-ups are over: the user's own settings, or the smallest that fits where those break the memory cap."""
    format: str = FORMAT
    version: int = VERSION

    @property
    def ranking(self) -> tuple[Pooled, ...]:
        """Feasible configurations with a number, fastest first."""
        return tuple(item for item in self.configurations if item.feasible and (item.steps_per_second or 0.0) > 0)


def to_json(result: Any) -> Any:
    """A frozen value as plain JSON types."""
    kind: Any = type(result)
    return _adapter(kind).dump_python(result, mode="json")


def study_from_json(text: str | bytes) -> StudyResult:
    """The StudyResult in `text`.

    Raises:
        ValueError: not JSON, another format, or a newer version; the message says which.
    """
    result: StudyResult = from_json(StudyResult, text)
    return result


def trial_from_json(text: str | bytes) -> TrialResult:
    """The TrialResult in `text`; raises ValueError as study_from_json does."""
    result: TrialResult = from_json(TrialResult, text)
    return result


def trials_from_json(found: Sequence[dict[str, Any]]) -> list[TrialResult]:
    """The results of a study's trials, in order, as a storage gave them; raises ValueError as study_from_json does."""
    import json

    strict = _parsed(json.dumps(list(found)))
    upgrade_trials(strict)
    return [_validated(TrialResult, data) for data in strict]


@functools.cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def from_json(kind: Any, text: str | bytes) -> Any:
    """A frozen value of `kind` in `text`; raises ValueError as study_from_json does."""
    data = _parsed(text)
    if kind is StudyResult and isinstance(data, dict):
        if data.get("format") != FORMAT:
            raise ValueError(f"not a {FORMAT} file")
        if not isinstance(data.get("version"), int) or data["version"] > VERSION:
            raise ValueError(f"format version {shown(data.get('version'))}; this sweeper reads up to {VERSION}")
        upgrade_study(data)
    if kind is TrialResult and isinstance(data, dict):
        upgrade_findings(data)
    return _validated(kind, data)


def _parsed(text: str | bytes) -> Any:
    """JSON without numbers that nobody measured."""
    import json

    try:
        return json.loads(text, parse_int=_whole, parse_float=_fraction, parse_constant=_fraction)
    except UnicodeDecodeError:
        raise ValueError("not JSON: not a text in UTF-8") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: nested too deep") from None


def _validated(kind: Any, data: Any) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(short(str(part)) for part in first["loc"])
        raise ValueError(f"{where}: {short(first['msg'])}" if where else short(first["msg"])) from None


def _whole(text: str) -> int:
    _fraction(text)
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    if not abs(number) < MOST:
        raise ValueError(f"{short(text)} is no number that was measured")
    return number
