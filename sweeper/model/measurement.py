"""What a session yields (samples) and what is concluded from it (a measurement)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sweeper.model.findings import Finding


@dataclass(frozen=True)
class BehaviorCount:
    """Counters of one behaviour since the learner started."""

    steps: int = 0
    decisions: int = 0
    policy_updates: int = 0


@dataclass(frozen=True)
class Sample:
    """The learner's counters at one instant.

    Attributes:
        seconds: monotonic clock of the machine.
        kind: `hello` (our probe runs), `trainer` (a trainer was made: players are connected), `update` (a policy
            update has just been applied), `tick` (once a second), `batch sizes` (`update_seconds` is known), or
            `summary` (a line that the learner printed).
        behaviors: counters by behaviour name.
        timers: the learner's own timers, path to (total seconds, count).
        updated: the behaviour whose update or summary this is.
        update_seconds: what an update of it would take, by batch size.
    """

    seconds: float
    kind: str
    behaviors: Mapping[str, BehaviorCount] = field(default_factory=dict)
    timers: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    updated: str | None = None
    update_seconds: Mapping[int, float] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Agent steps of all behaviours."""
        return sum(count.steps for count in self.behaviors.values())

    @property
    def decisions(self) -> int:
        """Agent decisions of all behaviours."""
        return sum(count.decisions for count in self.behaviors.values())

    @property
    def policy_updates(self) -> int:
        """Policy updates of all behaviours."""
        return sum(count.policy_updates for count in self.behaviors.values())


@dataclass(frozen=True)
class PerThousandSteps:
    """Updates per 1,000 agent steps. `policy` counts whole updates, `gradient` optimizer steps within them.

    `gradient` is None where the learner did not tell. `parts` tells them apart where several behaviours or trainers
    learn at once: policy updates of each behaviour per 1,000 of its own steps, gradient updates of each optimizer.
    """

    gradient: float | None
    policy: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Phases:
    """Where the learner's main process spent the measured window, in seconds of wall time.

    `wait` is time waiting for players (with the unpickling of their messages), `infer` choosing actions, `process`
    preparing trajectories for the buffer, `update` policy updates, `collect` all that is not updating. With `threaded:
    true` updates and processing overlap with collecting.

    Summed over the workers, each of which serves one player: `worker` is all their time, `player` the part in which the
    player computed and its messages travelled. None where the learner did not tell.
    """

    collect_seconds: float
    infer_seconds: float
    update_seconds: float
    wait_seconds: float
    process_seconds: float = 0.0
    worker_seconds: float | None = None
    player_seconds: float | None = None


class Method(str, Enum):
    """How a rate was estimated. Values are part of `results.json`."""

    CYCLES = "cycles"
    BLOCKS = "blocks"
    PHASES = "phases"
    CONSOLE = "console"
    SLICES = "slices"


@dataclass(frozen=True)
class Measurement:
    """Agent steps per second of one session over whole cycles, with its own 95 % interval.

    `window`: first and last edge on the machine's monotonic clock. `warmup_cycles`: dropped after the first update.
    """

    steps_per_second: float
    interval: tuple[float, float] | None
    relative_standard_error: float | None
    cycles: int
    warmup_seconds: float
    measured_seconds: float
    steps: int
    updates_per_1000_steps: PerThousandSteps | None
    agents: float | None
    phases: Phases | None
    window: tuple[float, float]
    warmup_cycles: int
    method: Method
    notes: tuple[Finding, ...] = ()
