"""Environment parameters: what the trainer may set of the race, as a value or as a sampler to draw from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sweeper.racer.track import MAX_HALF_WIDTH, Floats

LIMITS: dict[str, tuple[float, float, float]] = {
    # name: (default, least, most)
    "max_speed": (20.0, 1.0, 60.0),  # m/s
    "track_width": (9.0, 4.0, 2 * MAX_HALF_WIDTH),  # m
    "grip": (14.0, 2.0, 60.0),  # m/s2: the sideways acceleration that the tyres hold
}
"""The parameters that the race knows. Values beyond the limits are clipped: no value may break the simulation."""


class Sampler(Protocol):
    """A source of values."""

    def draw(self, count: int) -> Floats:
        """(count,) values."""


class Constant:
    """Always the same value."""

    def __init__(self, value: float) -> None:
        """The value to give."""
        self._value = value

    def draw(self, count: int) -> Floats:
        """(count,) values."""
        return np.full(count, self._value)


class Gaussian:
    """Normal distribution."""

    def __init__(self, mean: float, deviation: float, seed: int) -> None:
        """Mean, standard deviation (its sign does not matter), seed (any int32)."""
        self._mean, self._deviation, self._random = mean, abs(deviation), generator(seed)

    def draw(self, count: int) -> Floats:
        """(count,) values."""
        return self._random.normal(self._mean, self._deviation, count)


class Ranges:
    """Uniform over one or more ranges, each as likely as it is long."""

    def __init__(self, ranges: Sequence[tuple[float, float]], seed: int) -> None:
        """Ranges as (low, high) pairs; seed (any int32).

        Raises:
            ValueError: there is no range.
        """
        if not ranges:
            raise ValueError("a sampler needs at least one range")
        edges = np.asarray(ranges, dtype=np.float64)
        self._low, self._size = edges[:, 0], edges[:, 1] - edges[:, 0]
        lengths = np.abs(self._size)
        total = lengths.sum()
        even = np.full(len(lengths), 1 / len(lengths))
        self._chance = lengths / total if total > 0 and np.isfinite(total) else even
        self._random = generator(seed)

    def draw(self, count: int) -> Floats:
        """(count,) values."""
        which = self._random.choice(len(self._low), size=count, p=self._chance)
        values: Floats = self._low[which] + self._random.random(count) * self._size[which]
        return values


class Parameters:
    """The current source of every parameter. Cars draw from it when they start an episode."""

    def __init__(self) -> None:
        """All at their defaults."""
        self._samplers: dict[str, Sampler] = {name: Constant(limits[0]) for name, limits in LIMITS.items()}

    def set(self, name: str, sampler: Sampler) -> bool:
        """Take a source from now on. False: the race has no such parameter."""
        if name not in LIMITS:
            return False
        self._samplers[name] = sampler
        return True

    def draw(self, name: str, count: int) -> Floats:
        """(count,) values within the limits; the default for what is not a number."""
        default, least, most = LIMITS[name]
        values = self._samplers[name].draw(count)
        return np.clip(np.where(np.isnan(values), default, values), least, most)


def generator(seed: int) -> np.random.Generator:
    """A random generator for any int32 seed; numpy refuses negative ones."""
    return np.random.default_rng(seed & 0xFFFFFFFF)
