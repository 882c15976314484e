"""Where configurations lie: a number for every knob, and the phase of training on which each knob acts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

import numpy

from sweeper.model.trial import Params, ParamValue
from sweeper.plan.space import Space

Array = Any
"""Of numpy floats."""


class ActsOn(Flag):
    """The phases that a knob changes."""

    COLLECTING = auto()
    UPDATING = auto()


_ACTS = {
    "num_envs": ActsOn.COLLECTING,
    "num_areas": ActsOn.COLLECTING,
    "time_horizon": ActsOn.COLLECTING,
    "batch_size": ActsOn.UPDATING,
    "hyperparameters.num_epoch": ActsOn.UPDATING,
    "hyperparameters.learning_rate": ActsOn.UPDATING,
    "hyperparameters.buffer_size": ActsOn.UPDATING,
}
"""As the trainers use them (mlagents 1.1.0); what is not here acts on both."""
SWITCH = "threaded"
"""The knob that lets the phases overlap."""
BATCH = "batch_size"


def acts_on(knob: str) -> ActsOn:
    """The phases that `knob` changes; both where that is not known."""
    return _ACTS.get(knob, ActsOn.COLLECTING | ActsOn.UPDATING)


@dataclass(frozen=True)
class Axis:
    """A knob's place in `Coordinates.points`. `is_ordered`: its values are numbers, and near ones are alike."""

    knob: str
    acts_on: ActsOn
    is_ordered: bool
    place: Callable[[ParamValue], float]


@dataclass(frozen=True)
class Coordinates:
    """Configurations as points.

    `points`: one row for a configuration, one column for an axis; in octaves where the values are positive numbers.
    `threaded`: 1.0 where the phases may overlap.
    """

    axes: tuple[Axis, ...]
    points: Array
    threaded: Array

    def column(self, knob: str) -> Array | None:
        """The coordinates of one knob; None where it is not searched."""
        found = [index for index, axis in enumerate(self.axes) if axis.knob == knob]
        return self.points[:, found[0]] if found else None


def coordinates(space: Space, configurations: Sequence[Params], usable_cores: int) -> Coordinates:
    """The coordinates of `configurations`: environments are counted from one for each core, others from 1."""
    axes = []
    for knob in space.baseline:
        values = {params.get(knob) for params in configurations}
        if knob != SWITCH and len(values) > 1:
            axes.append(_axis(knob, sorted(values, key=repr), usable_cores))
    points = numpy.array([[axis.place(params.get(axis.knob)) for axis in axes] for params in configurations])
    threaded = numpy.array([float(bool(params.get(SWITCH))) for params in configurations])
    return Coordinates(tuple(axes), points.reshape(len(configurations), len(axes)), threaded)


def _axis(knob: str, values: Sequence[ParamValue], usable_cores: int) -> Axis:
    numbers = [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return Axis(knob, acts_on(knob), False, lambda value: float(values.index(value)))
    if min(numbers) > 0:
        unit = usable_cores if knob == "num_envs" else 1
        return Axis(knob, acts_on(knob), True, lambda value: math.log2(_number(value) / unit))
    span = max(numbers) - min(numbers)
    return Axis(knob, acts_on(knob), True, lambda value: 4 * (_number(value) - min(numbers)) / span)


def _number(value: ParamValue) -> float:
    assert isinstance(value, (int, float))
    return float(value)
