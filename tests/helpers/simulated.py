"""Simulated sessions whose true rate is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sweeper.model.measurement import BehaviorCount, Sample

BUFFER, OVERSHOOT = 2048, 256
UPDATE_SECONDS, STEPS_PER_SECOND = 0.5, 1450.0
SHORT_TRUTH = (BUFFER + OVERSHOOT / 2) / (UPDATE_SECONDS + (BUFFER + OVERSHOOT / 2) / STEPS_PER_SECOND)
"""Steps per second of what `short_cycles` yields in the long run."""


def correlated(rng: np.random.Generator, count: int, rho: float) -> np.ndarray:
    """A stationary AR(1) series of unit variance."""
    found = rng.standard_normal(count)
    for index in range(1, count):
        found[index] = rho * found[index - 1] + math.sqrt(1 - rho**2) * found[index]
    return found


def short_cycles(rng: np.random.Generator, count: int, rho: float, noise: float = 0.08) -> list[tuple[float, float]]:
    """(steps, seconds) of PPO cycles of two seconds: the last burst overshoots the buffer, collecting time is noisy."""
    steps = BUFFER + rng.integers(0, OVERSHOOT + 1, count)
    pace = np.exp(noise * correlated(rng, count, rho) - noise**2 / 2)
    return list(zip(steps.tolist(), (UPDATE_SECONDS + steps / STEPS_PER_SECOND * pace).tolist()))


@dataclass
class Learning:
    """One behaviour of `LongSession`, whose trajectories arrive in bursts of `burst` steps."""

    name: str = "Car"
    share: float = 1.0
    buffer: int = 20_480
    update_seconds: float = 5.0
    burst: tuple[int, int] = (200, 1500)
    lag: float = 500.0
    steps: int = 0
    updates: int = 0
    filled_from: int = 0
    due: int = 0

    @property
    def mean_cycle(self) -> float:
        """Steps between updates: the buffer, and what a renewal process overshoots it by."""
        sizes = np.arange(*self.burst)
        return self.buffer + float((sizes**2).mean() / sizes.mean() / 2) - 0.5


@dataclass
class LongSession:
    """A learner with big buffers, watched by a probe that ticks once a second and reads timers.

    The rate of decisions wavers from second to second (AR(1), `noise`, `rho`), steps lag behind, and an update's time
    shows in the timers only after the update was reported. `per_step`: decisions for each step, 2 in self-play.
    """

    rng: np.random.Generator
    behaviors: Sequence[Learning] = field(default_factory=lambda: [Learning()])
    rate: float = 400.0
    noise: float = 0.08
    rho: float = 0.5
    update_noise: float = 0.03
    per_step: float = 1.0
    has_timers: bool = True
    trailing: bool = True

    def __post_init__(self) -> None:
        self.samples: list[Sample] = [Sample(0.0, "hello")]
        self._now, self._decisions, self._timer, self._waver = 10.0, 0.0, 0.0, self.rng.standard_normal()
        self._next_tick, self._next_second = 10.5, 11.0
        for one in self.behaviors:
            one.due = int(self.rng.integers(*one.burst))

    @property
    def truth(self) -> float:
        """Steps per second in the long run."""
        steps = self.rate / self.per_step
        wall = 1 + sum(steps * one.share / one.mean_cycle * one.update_seconds for one in self.behaviors)
        return steps / wall

    def run(self, cycles: int) -> list[Sample]:
        """Samples until the first behaviour has made `cycles` whole cycles after its first update."""
        self._report("tick", self._now)
        while self.behaviors[0].updates <= cycles:
            pace = self.rate * max(0.05, 1 + self.noise * self._waver)
            first = min(self.behaviors, key=self._arrival)
            arrives = self._now + (self._arrival(first) - self._decisions) / pace
            at = min(arrives, self._next_tick, self._next_second)
            self._decisions += pace * (at - self._now)
            self._now = at
            if at == self._next_second:
                self._next_second += 1.0
                self._waver = self.rho * self._waver + math.sqrt(1 - self.rho**2) * self.rng.standard_normal()
            elif at == self._next_tick:
                self._tick()
            else:
                self._burst(first)
        if self.trailing:
            self._report("tick", self._now + 0.9)
        return self.samples

    def _arrival(self, one: Learning) -> float:
        return ((one.steps + one.due) * self.per_step + one.lag) / one.share

    def _burst(self, one: Learning) -> None:
        one.steps += one.due
        one.due = int(self.rng.integers(*one.burst))
        if one.steps - one.filled_from < one.buffer:
            return
        seconds = one.update_seconds * (1 + self.update_noise * self.rng.standard_normal())
        while self._next_tick < self._now + seconds:
            self._tick()
        self._now += seconds
        self._next_second += seconds
        one.filled_from = one.steps
        one.updates += 1
        self._report("update", self._now, one.name)
        self._timer += seconds

    def _tick(self) -> None:
        self._report("tick", self._next_tick)
        self._next_tick += self.rng.uniform(1.0, 1.2)

    def _report(self, kind: str, at: float, updated: str | None = None) -> None:
        counts = {
            one.name: BehaviorCount(one.steps, int(self._decisions * one.share) + 1, one.updates)
            for one in self.behaviors
        }
        updates = sum(one.updates for one in self.behaviors)
        timers = {"_update_policy": (self._timer, updates), "env_step": (0.0, 1)} if self.has_timers else {}
        self.samples.append(Sample(at, kind, counts, timers, updated))
