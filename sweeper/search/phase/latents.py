"""What may be true before anything was measured: Gaussian priors of ln C, ln U and of what overlapping saves.

    ln C = b0 + bE e + bA a + bEE e^2 + bAA a^2 + bEA e a + GP(e, a) + small GP(everything) + residual
    ln U = u0 + uB b + uBB b^2 + GP(b) + GP(e, a) + residual
    ln t = ln(C + U) + threaded * D,    D = overlap that is possible * what of it is used + GP(everything) + residual

with e, a and b in octaves. Means and deviations are those that served in replay (docs/sources.md, 12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy

from sweeper.search.phase.coordinates import ActsOn, Array, Axis, Coordinates

OFFSET = 3.0
"""Deviation of ln(seconds a step) about the mean of what was read: nothing is known of it."""
SLOPES = {"num_envs": (-0.35, 0.25), "num_areas": (-0.40, 0.25), "batch_size": (-0.12, 0.12)}
OTHER_SLOPE = (0.0, 0.15)
"""Mean and deviation of the change of ln(seconds a step) for each octave."""
CURVATURES = {"num_envs": (0.06, 0.05), "num_areas": (0.02, 0.05), "batch_size": (0.0, 0.05)}
OTHER_CURVATURE = (0.0, 0.05)
CROSS = 0.05
"""Of environments times areas."""
LENGTH = 1.5
"""Octaves over which two configurations are alike."""
UNLIKE = 0.3
"""How much two values that are not numbers have in common."""
SMALL = 0.03
OVERLAP_USED = (0.5, 0.4)
"""Of the overlap that is possible; the Global Interpreter Lock takes the rest."""
THREADED_OFFSET = 0.1
THREADED_SHAPE = 0.05


@dataclass(frozen=True)
class Amplitudes:
    """Deviations that are learnt from the readings, by marginal likelihood on a small grid.

    `collecting`: of ln C about its smooth form. `cells`: of what environments and areas do to updating. `batch`: of ln
    U about its smooth form. `residual`: of every configuration by itself. `session`: of the machine, from one session
    to the next.
    """

    collecting: float = 0.15
    cells: float = 0.15
    batch: float = 0.1
    residual: float = 0.04
    session: float = 0.03


ALTERNATIVES: Mapping[str, tuple[float, ...]] = {
    "residual": (0.02, 0.04, 0.08, 0.15),
    "session": (0.015, 0.03, 0.06, 0.12),
    "collecting": (0.04, 0.15, 0.35),
    "cells": (0.04, 0.15, 0.4),
}
"""What to try, one amplitude after another."""


@dataclass(frozen=True)
class Prior:
    """Means (n,) and covariances (n, n) of the latents over n configurations.

    Means are without their level. `saving` is the covariance of D beside what a part of the overlap explains.
    """

    collecting_mean: Array
    updating_mean: Array
    collecting: Array
    updating: Array
    saving: Array


class Latents:
    """The priors over given configurations; what does not depend on the amplitudes is computed once."""

    def __init__(self, where: Coordinates) -> None:
        self.threaded = where.threaded
        count = len(where.points)
        cells = [index for index, axis in enumerate(where.axes) if axis.acts_on is ActsOn.COLLECTING]
        batch = [index for index, axis in enumerate(where.axes) if axis.acts_on is ActsOn.UPDATING]
        both = list(range(len(where.axes)))
        other = [index for index in both if index not in cells and index not in batch]
        self._collecting, self._updating = numpy.zeros(count), numpy.zeros(count)
        self._smooth_collecting = numpy.full((count, count), OFFSET**2)
        self._smooth_updating = numpy.full((count, count), OFFSET**2)
        for index, axis in enumerate(where.axes):
            mean, covariance = _polynomial(axis, where.points[:, index])
            if axis.acts_on & ActsOn.COLLECTING:
                self._collecting += mean
                self._smooth_collecting += covariance
            if axis.acts_on & ActsOn.UPDATING:
                self._updating += mean
                self._smooth_updating += covariance
        envs, areas = where.column("num_envs"), where.column("num_areas")
        if envs is not None and areas is not None:
            self._smooth_collecting += CROSS**2 * numpy.outer(envs * areas, envs * areas)
        self._everything = _alike(where, both)
        self._cells = _alike(where, [*cells, *other])
        self._batch = _alike(where, [*batch, *other])
        self._cells_alone = _alike(where, cells) if cells else numpy.zeros((count, count))
        self._smooth_collecting += SMALL**2 * self._everything

    def prior(self, found: Amplitudes) -> Prior:
        """The priors with these amplitudes."""
        residual = found.residual**2 * numpy.eye(len(self.threaded))
        return Prior(
            self._collecting,
            self._updating,
            self._smooth_collecting + found.collecting**2 * self._cells + residual,
            self._smooth_updating + found.batch**2 * self._batch + found.cells**2 * self._cells_alone + residual,
            THREADED_OFFSET**2 + THREADED_SHAPE**2 * self._everything + residual,
        )


def _polynomial(axis: Axis, at: Array) -> tuple[Array, Array]:
    """Mean and covariance of a parabola; nothing for values that are not numbers."""
    if not axis.is_ordered:
        return numpy.zeros(len(at)), numpy.zeros((len(at), len(at)))
    slope, curvature = SLOPES.get(axis.knob, OTHER_SLOPE), CURVATURES.get(axis.knob, OTHER_CURVATURE)
    mean = slope[0] * at + curvature[0] * at**2
    return mean, slope[1] ** 2 * numpy.outer(at, at) + curvature[1] ** 2 * numpy.outer(at**2, at**2)


def _alike(where: Coordinates, axes: list[int]) -> Array:
    """Squared-exponential correlation over numbers, times UNLIKE for every other value that differs."""
    count = len(where.points)
    exponent, factor = numpy.zeros((count, count)), numpy.ones((count, count))
    for index in axes:
        apart = where.points[:, index][:, None] - where.points[:, index][None, :]
        if where.axes[index].is_ordered:
            exponent += (apart / LENGTH) ** 2
        else:
            factor *= numpy.where(apart == 0, 1.0, UNLIKE)
    return numpy.exp(-0.5 * exponent) * factor
