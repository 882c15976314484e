"""The parallel-training guide's speed-up table, as it was measured here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sweeper.model.findings import Bottleneck
from sweeper.model.machine import Machine
from sweeper.model.trial import Params, TrialResult

FORMAT, VERSION = "sweeper.guide", 1
GUIDE = {(1, 1): 1.0, (2, 1): 1.8, (4, 1): 3.2, (8, 1): 5.0, (4, 2): 5.5}
"""Environments and areas: how many times as fast the guide says they are."""
WORTH_IT = 0.05
"""What another environment must add to be worth it."""
CORES = {1: (1.0, 2.0), 4: (4.0, 8.0), 8: (8.0, 16.0)}
"""Environments: cores that the guide says they take."""
PLAYER_BYTES = (0.5e9, 2e9)
"""That the guide says a Unity instance takes."""
ENVS_FOR_CORES = {4: 2, 8: 4, 16: 8}
"""Cores: environments that the guide recommends, with one area each; below the first it recommends nothing."""


def recommended_envs(cores: int) -> int | None:
    """Environments that the guide recommends for a machine; None for one that is smaller than any it names."""
    return max((envs for least, envs in ENVS_FOR_CORES.items() if least <= cores), default=None)


@dataclass(frozen=True)
class Times:
    """How many times as fast, with its 95 % interval; None with a single round."""

    estimate: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """A row of the table. `added`: what each environment more adds over the row before it, as a share.

    `failed`: why there is no number.
    """

    envs: int
    areas: int
    params: Params
    guide: float | None
    speedup: Times | None
    added: Times | None
    steps_per_second: float | None
    peak_memory_bytes: int | None
    cores: float | None
    bottleneck: Bottleneck | None
    failed: str | None = None


@dataclass(frozen=True)
class GuideResult:
    """The table. `knee`: the most environments of which the last one was still worth it; None where that is not known.

    `knee_because`: what held back the row after it. `asked`: what makes sessions of another run of the same command go
    on with these, None in tables of earlier versions. `is_complete`: False while rounds are owed, and then there is no
    knee.
    """

    name: str
    started_at: str
    seconds: float
    machine: Machine
    rows: tuple[Row, ...]
    rounds: int
    knee: int | None
    knee_because: Bottleneck | None
    trials: tuple[TrialResult, ...]
    asked: Mapping[str, Any] | None = None
    is_complete: bool = True
    format: str = FORMAT
    version: int = VERSION


class RuleKind(str, Enum):
    """What a rule of the guide is about. Values are part of `results.json`."""

    ENVIRONMENTS = "environments"
    SPEEDUP = "speedup"
    CORES = "cores"
    PLAYER_MEMORY = "player_memory"
    MEMORY = "memory"
    GPU = "gpu"


@dataclass(frozen=True)
class Rule:
    """A rule of thumb of the guide beside what a study saw.

    `envs`, `areas`: whom it is about; None where it is about any. Of ENVIRONMENTS, `areas`: the answer's. `said`: its
    range; one number twice where it gives one. `found`: in the same unit (environments, times, cores, bytes, per cent),
    `interval` its 95 % where there is one. `held`: None where the evidence does not tell.
    """

    kind: RuleKind
    envs: int | None
    areas: int | None
    said: tuple[float, float]
    found: float
    interval: tuple[float, float] | None
    held: bool | None
