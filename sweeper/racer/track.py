"""The circuit: a smooth closed centre line and the distance of any point from it, as precomputed arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MAX_HALF_WIDTH = 7.0
"""Metres. Below the tightest radius of the centre line, so that a wall never folds over itself."""

_RADIUS = 48.0
# (frequency, share of the radius, phase): bends of different tightness in both directions.
_BENDS = ((2, 0.22, 0.0), (3, 0.13, 0.8), (5, 0.03, 2.0))
_POINTS = 512
_CELL = 1.0
_MARGIN = MAX_HALF_WIDTH + 2 * _CELL


@dataclass(frozen=True)
class Track:
    """A closed centre line of N points at equal distances, driven towards rising index. Metres and radians."""

    x: Floats
    """(N,)."""
    y: Floats
    """(N,)."""
    heading: Floats
    """(N,): direction of the tangent."""
    spacing: float
    """Distance between neighbouring points along the line."""
    length: float
    """Of the whole lap."""
    grid: Floats
    """(rows * columns,): distance from the centre line at the nodes of a grid, row by row (y), column by column (x)."""
    grid_shape: tuple[int, int]
    grid_origin: tuple[float, float]
    """x and y of the first node."""

    def locate(self, x: Floats, y: Floats, near: Ints, reach: int) -> tuple[Ints, Floats, Floats]:
        """Project points on the centre line.

        Args:
            x: (A,) metres.
            y: (A,) metres.
            near: (A,) index of a centre point close to each.
            reach: how many points to search on both sides of `near`.

        Returns:
            (A,) index of the nearest point, (A,) distance along the lap, in [0, length), (A,) offset, left positive.
        """
        window = (near[:, None] + np.arange(-reach, reach + 1)) % len(self.x)
        squared = (self.x[window] - x[:, None]) ** 2 + (self.y[window] - y[:, None]) ** 2
        index = window[np.arange(len(x)), squared.argmin(axis=1)]
        dx, dy = x - self.x[index], y - self.y[index]
        cos, sin = np.cos(self.heading[index]), np.sin(self.heading[index])
        along = (index * self.spacing + dx * cos + dy * sin) % self.length
        return index, along, dy * cos - dx * sin

    def centre_distance(self, x: Floats, y: Floats) -> Floats:
        """Distance from the centre line, of points of any shape; linear between grid nodes, the border's beyond it."""
        rows, columns = self.grid_shape
        column = np.clip((x - self.grid_origin[0]) / _CELL, 0.0, columns - 1.001)
        row = np.clip((y - self.grid_origin[1]) / _CELL, 0.0, rows - 1.001)
        left, low = column.astype(np.intp), row.astype(np.intp)
        column -= left
        row -= low
        corner = low * columns + left
        below = self.grid.take(corner)
        below += column * (self.grid.take(corner + 1) - below)
        corner += columns
        above = self.grid.take(corner)
        above += column * (self.grid.take(corner + 1) - above)
        above -= below
        above *= row
        above += below
        return above

    def wrap(self, along: Floats) -> Floats:
        """Shortest signed way round the lap, in [-length / 2, length / 2)."""
        half = self.length / 2
        return (along + half) % self.length - half


def make_track() -> Track:
    """The one circuit of the game. About 10 ms."""
    x, y, length = _centre_line()
    step_x, step_y = np.roll(x, -1) - np.roll(x, 1), np.roll(y, -1) - np.roll(y, 1)
    grid, shape, origin = _distance_grid(x, y)
    return Track(x, y, np.arctan2(step_y, step_x), length / _POINTS, length, grid, shape, origin)


def _centre_line() -> tuple[Floats, Floats, float]:
    """A circle with bends, resampled to points at equal distances."""
    angle = np.linspace(0.0, 2 * np.pi, 8 * _POINTS + 1)
    radius = _RADIUS * (1 + sum(share * np.cos(k * angle + phase) for k, share, phase in _BENDS))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    along = np.concatenate(([0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()))
    length = float(along[-1])
    wanted = np.arange(_POINTS) * (length / _POINTS)
    return np.interp(wanted, along, x), np.interp(wanted, along, y), length


def _distance_grid(x: Floats, y: Floats) -> tuple[Floats, tuple[int, int], tuple[float, float]]:
    nodes_x = np.arange(x.min() - _MARGIN, x.max() + _MARGIN + _CELL, _CELL)
    nodes_y = np.arange(y.min() - _MARGIN, y.max() + _MARGIN + _CELL, _CELL)
    across = (nodes_x[:, None] - x) ** 2
    # Row by row: the whole table of node times point would take 40 MB for a moment.
    rows = [np.sqrt((across + (node - y) ** 2).min(axis=1)) for node in nodes_y]
    return np.concatenate(rows), (len(nodes_y), len(nodes_x)), (float(nodes_x[0]), float(nodes_y[0]))
