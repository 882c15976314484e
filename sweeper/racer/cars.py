"""The race: one car in each area, all of them stepped together as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.racer.parameters import Parameters, generator
from sweeper.racer.sensors import RAY_ANGLES, RAY_RANGE, wall_distances
from sweeper.racer.track import Floats, Ints, Track

Bools = NDArray[np.bool_]

STEP_SECONDS = 0.1
"""Simulated time of one step."""
EPISODE_STEPS = 300
"""An episode is cut off after so many steps (max_step_reached)."""
ACTION_SIZE = 2
"""Steering (left positive) and throttle (negative brakes), each clipped to [-1, 1]."""
OBSERVATION_SIZE = len(RAY_ANGLES) + 4
"""Rays, speed, sine and cosine of the heading error, offset from the centre line; all about -1 to 1."""
REWARD_PER_METRE = 0.05
OFF_TRACK_REWARD = -1.0

_WHEELBASE = 2.6  # m
_MAX_STEERING = 0.45  # rad at the wheels: turns within 5.4 m
_ACCELERATION = 8.0  # m/s2 from standstill, fading to nothing at top speed
_BRAKING = 12.0  # m/s2
_SEARCH_REACH = 16  # centre points; the fastest car passes 10 of them in a step


@dataclass(frozen=True)
class Step:
    """What one step brought. A = number of areas, D = number of episodes that ended."""

    reward: Floats
    """(A,)."""
    ended: Ints
    """(D,) areas whose episode ended, rising. They have started a new one."""
    interrupted: Bools
    """(D,) True: cut off at EPISODE_STEPS; False: left the track."""
    last_observation: Floats
    """(D, O) what the ended episodes saw last."""
    observation: Floats
    """(A, O) what is seen now, of the new episode where one started."""


class Cars:
    """The cars of all areas. Same track, seed, parameters and actions: same race. Not thread-safe."""

    def __init__(self, track: Track, areas: int, seed: int, parameters: Parameters) -> None:
        """Place `areas` cars (1 or more) on the track; `seed` is any int32."""
        self._track = track
        self._parameters = parameters
        self._random = generator(seed)
        self.areas = areas
        zeros = np.zeros(areas)
        self._x, self._y, self._heading, self._speed = zeros.copy(), zeros.copy(), zeros.copy(), zeros.copy()
        self._along, self._offset = zeros.copy(), zeros.copy()
        self._index = np.zeros(areas, dtype=np.intp)
        self._steps = np.zeros(areas, dtype=np.intp)
        self._max_speed, self._half_width, self._grip = zeros.copy(), zeros.copy(), zeros.copy()
        self.reset()

    def reset(self) -> Floats:
        """Start a new episode in every area. Returns (A, O) observations."""
        everywhere = np.arange(self.areas)
        self._begin(everywhere)
        return self._observe(everywhere)

    def step(self, actions: Floats) -> Step:
        """Advance every car by STEP_SECONDS.

        Args:
            actions: (A, 2) steering and throttle; clipped to [-1, 1], 0 for what is not a number.
        """
        actions = np.clip(np.nan_to_num(actions), -1.0, 1.0)
        before = self._along.copy()
        self._drive(actions[:, 0], actions[:, 1])
        self._index, self._along, self._offset = self._track.locate(self._x, self._y, self._index, _SEARCH_REACH)
        self._steps += 1
        off_track = np.abs(self._offset) > self._half_width
        reward = REWARD_PER_METRE * self._track.wrap(self._along - before) + OFF_TRACK_REWARD * off_track
        ended = np.flatnonzero(off_track | (self._steps >= EPISODE_STEPS))
        if not len(ended):
            nothing = np.empty((0, OBSERVATION_SIZE))
            return Step(reward, ended, off_track[ended], nothing, self._observe(np.arange(self.areas)))
        last_observation = self._observe(ended)
        self._begin(ended)
        observation = self._observe(np.arange(self.areas))
        return Step(reward, ended, ~off_track[ended], last_observation, observation)

    def _drive(self, steering: Floats, throttle: Floats) -> None:
        """Kinematic bicycle; beyond the grip of its tyres a car turns less than it is steered."""
        fading = 1.0 - self._speed / self._max_speed
        acceleration = np.where(throttle > 0, _ACCELERATION * fading, _BRAKING) * throttle
        self._speed = np.clip(self._speed + acceleration * STEP_SECONDS, 0.0, self._max_speed)
        yaw_rate = self._speed / _WHEELBASE * np.tan(steering * _MAX_STEERING)
        most = self._grip / np.maximum(self._speed, 0.1)
        turn = np.clip(yaw_rate, -most, most) * STEP_SECONDS
        course = self._heading + turn / 2
        self._x += self._speed * np.cos(course) * STEP_SECONDS
        self._y += self._speed * np.sin(course) * STEP_SECONDS
        self._heading = (self._heading + turn) % (2 * np.pi)

    def _begin(self, areas: Ints) -> None:
        """Start an episode in these areas: anywhere on the lap, near the middle, roughly forward, slow."""
        track, count = self._track, len(areas)
        place, sideways, turned, rolling = self._random.random((4, count))
        index = (place * len(track.x)).astype(np.intp)
        self._max_speed[areas] = self._parameters.draw("max_speed", count)
        self._half_width[areas] = self._parameters.draw("track_width", count) / 2
        self._grip[areas] = self._parameters.draw("grip", count)
        offset = (sideways - 0.5) * self._half_width[areas]
        self._x[areas] = track.x[index] - offset * np.sin(track.heading[index])
        self._y[areas] = track.y[index] + offset * np.cos(track.heading[index])
        self._heading[areas] = track.heading[index] + (turned - 0.5) * 0.4
        self._speed[areas] = rolling * 0.25 * self._max_speed[areas]
        self._index[areas], self._offset[areas] = index, offset
        self._along[areas] = index * track.spacing
        self._steps[areas] = 0

    def _observe(self, areas: Ints) -> Floats:
        half_width, heading = self._half_width[areas], self._heading[areas]
        error = heading - self._track.heading[self._index[areas]]
        rays = wall_distances(self._track, self._x[areas], self._y[areas], heading, half_width)
        speed = self._speed[areas] / self._max_speed[areas]
        offset = self._offset[areas] / half_width
        return np.column_stack((rays / RAY_RANGE, speed, np.sin(error), np.cos(error), offset))
