"""What happens while a study runs, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from sweeper.model.findings import Finding
from sweeper.model.trial import Params, Purpose, TrialResult


@dataclass(frozen=True)
class StudyStarted:
    """The study is open. `done`: finished trials found in its folder. `notes`: what is known before the first one."""

    name: str
    folder: str
    done: int
    memory_cap_bytes: int
    budget_seconds: float
    spent_seconds: float
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class StageChanged:
    """The study entered another stage; `text` is a sentence for people."""

    text: str


@dataclass(frozen=True)
class TrialStarted:
    """A session is about to start."""

    number: int
    purpose: Purpose
    params: Params


@dataclass(frozen=True)
class TrialProgress:
    """About twice a second while a session runs. `stage`: starting, warming up, measuring or stopping."""

    stage: str
    steps_per_second: float | None
    cycles: int
    memory_bytes: int | None
    seconds: float


@dataclass(frozen=True)
class PlayAwaited:
    """The learner listens on `port` and nobody has pressed Play in the Unity Editor; told as often as TrialProgress.

    `seconds_left`: until the study pauses.
    """

    port: int
    seconds_left: float


@dataclass(frozen=True)
class TrialFinished:
    """A trial's result is saved. `best_params`: fastest feasible configuration so far, pooled over its trials."""

    result: TrialResult
    best_params: Params | None
    best_steps_per_second: float | None
    baseline_steps_per_second: float | None
    remaining_seconds: float


Event = Union[StudyStarted, StageChanged, TrialStarted, TrialProgress, PlayAwaited, TrialFinished]
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener that shows nothing."""
