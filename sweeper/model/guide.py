"""The parallel-training guide's speed-up table, as it was measured here."""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.model.findings import Bottleneck
from sweeper.model.machine import Machine
from sweeper.model.trial import Params, TrialResult

FORMAT, VERSION = "sweeper.guide", 1
GUIDE = {(1, 1): 1.0, (2, 1): 1.8, (4, 1): 3.2, (8, 1): 5.0, (4, 2): 5.5}
"""Environments and areas: how many times as fast the guide says they are."""
WORTH_IT = 0.05
"""What another environment must add to be worth it."""


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

    `knee_because`: what held back the row after it.
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
    format: str = FORMAT
    version: int = VERSION
