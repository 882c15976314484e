"""What a car sees of the walls: distances along a fan of rays."""

from __future__ import annotations

import numpy as np

from sweeper.racer.track import Floats, Track

RAY_RANGE = 40.0
"""Metres."""
RAY_ANGLES: Floats = np.linspace(-np.pi / 2, np.pi / 2, 9)
"""(R,) radians from the car's heading, right to left: 180 degrees ahead."""

# Dense near the car, where a metre matters; at most 2.5 m apart, less than any two stretches of wall.
_SAMPLES: Floats = RAY_RANGE * np.linspace(0.0, 1.0, 25) ** 1.5


def wall_distances(track: Track, x: Floats, y: Floats, heading: Floats, half_width: Floats) -> Floats:
    """Distance to the first wall along each ray.

    Every ray is sampled at fixed distances at once, and the wall placed between the two samples that straddle it: the
    cost is the same whatever is in sight.

    Args:
        track: where the walls are: `half_width` from its centre line.
        x: (A,) metres.
        y: (A,) metres.
        heading: (A,) radians.
        half_width: (A,) metres.

    Returns:
        (A, R) metres, at most RAY_RANGE; 0 for a car that is off the track.
    """
    angle = heading[:, None] + RAY_ANGLES
    at_x = x[:, None, None] + np.cos(angle)[..., None] * _SAMPLES
    at_y = y[:, None, None] + np.sin(angle)[..., None] * _SAMPLES
    gap = half_width[:, None, None] - track.centre_distance(at_x, at_y)
    outside = gap < 0
    outside[..., -1] = True  # nothing in sight: the last sample counts, and the share below becomes 1
    hit = outside.argmax(axis=-1)
    before = np.maximum(hit - 1, 0)
    gap_before = np.take_along_axis(gap, before[..., None], axis=-1)[..., 0]
    gap_hit = np.take_along_axis(gap, hit[..., None], axis=-1)[..., 0]
    share = np.clip(gap_before / np.maximum(gap_before - gap_hit, 1e-9), 0.0, 1.0)
    distance: Floats = _SAMPLES[before] + share * (_SAMPLES[hit] - _SAMPLES[before])
    return distance
