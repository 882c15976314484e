"""A build whose two phases are known, for the search: seconds a step of collecting and of updating."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from sweeper.model.measurement import PerThousandSteps, Phases
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult
from sweeper.plan.space import Space
from tests.helpers.builders import GIB, trial_of

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
BUFFER = 2048
OVERHEAD = 10.0
OVERLAP_USED = 0.5
WANDERING_SECONDS = 10.0

Cost = Callable[[Params], float]


def number(params: Params, knob: str) -> float:
    value = params[knob]
    assert isinstance(value, (int, float))
    return float(value)


def collecting(params: Params) -> float:
    """Players that burn a core each, of eight; areas help by their square root."""
    envs = number(params, "num_envs")
    return 0.003 / (min(envs, 8) * number(params, "num_areas") ** 0.5) * (1 + 0.03 * max(0.0, envs - 8)) + 0.0002


def updating(params: Params) -> float:
    return 0.0004 * (number(params, "batch_size") / 128) ** -0.25


@dataclass
class World:
    """Sessions of a build.

    `noise` is the deviation of a session, shared by its phases, and of each cycle alone where `white` is None.
    `wandering`: of the machine's speed over WANDERING_SECONDS, which a long session averages out.
    """

    space: Space
    collecting: Cost = collecting
    updating: Cost = updating
    memory: Cost = lambda params: 0.7 + 0.1 * number(params, "num_envs")
    cap: float = 64.0
    noise: float = 0.03
    wandering: float = 0.0
    white: float | None = None
    tells_phases: bool = True
    tells_sizes: bool = False
    seed: int = 0
    now: float = 0.0
    trials: list[TrialResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def pace(self, params: Params) -> float:
        """True seconds a step."""
        return self._together(params, self.collecting(params), self.updating(params))

    def _update_seconds(self, params: Params) -> dict[str, float]:
        """Of an update with every batch size."""
        sizes = self.space.knobs["batch_size"]
        return {str(size): BUFFER * self.updating({**params, "batch_size": size}) for size in sizes}

    @staticmethod
    def _together(params: Params, one: float, other: float) -> float:
        return one + other - (OVERLAP_USED * min(one, other) if params.get("threaded") else 0.0)

    def best_pace(self) -> float:
        return min(self.pace(params) for params in self.space.combinations() if self.memory(params) <= self.cap)

    def measure(self, params: Params, seconds: float = 4.0, purpose: Purpose = Purpose.SEARCH) -> TrialResult:
        started = START + timedelta(seconds=self.now)
        if self.memory(params) > self.cap:
            self.now += OVERHEAD
            result = trial_of(
                len(self.trials), params, None, purpose, Outcome.OVER_MEMORY,
                started_at=started.isoformat(), peak_memory_bytes=int(1.01 * self.cap * GIB),
            )  # fmt: skip
            self.trials.append(result)
            return result
        cycle = self.pace(params) * BUFFER
        cycles = max(2, math.ceil(seconds / cycle))
        averaged = min(1.0, 2 * WANDERING_SECONDS / (cycles * cycle))
        session = math.exp(self._random.gauss(0, math.sqrt(self.noise**2 + averaged * self.wandering**2)))
        white = (self.noise if self.white is None else self.white) / math.sqrt(cycles)
        own = [session * math.exp(self._random.gauss(0, white)) for _ in range(2)]
        collect, update = self.collecting(params) * own[0], self.updating(params) * own[1]
        pace = self._together(params, collect, update)
        steps = cycles * BUFFER
        self.now += OVERHEAD + 1.5 * cycle + steps * pace
        result = trial_of(
            len(self.trials), params, 1 / pace, purpose,
            started_at=started.isoformat(),
            total_seconds=OVERHEAD + 1.5 * cycle + steps * pace,
            startup_seconds=OVERHEAD, warmup_seconds=1.5 * cycle, measured_seconds=steps * pace, cycles=cycles,
            phases=Phases(steps * collect, 0.0, steps * update, 0.0) if self.tells_phases else None,
            peak_memory_bytes=int(self.memory(params) * GIB),
            stage=Stage.PILOT if purpose is Purpose.BASELINE else Stage.SEARCH,
            updates_per_1000_steps=PerThousandSteps(3000 / number(params, "batch_size"), 0.5),
            brief=True,
            update_seconds=self._update_seconds(params) if self.tells_sizes else None,
        )  # fmt: skip
        self.trials.append(result)
        return result
