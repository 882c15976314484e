"""Artificial costs and faults, for tests and demos: slow steps, memory, leaks, crashes, hangs."""

from __future__ import annotations

import logging
import os
import threading
import time

import numpy as np
from numpy.typing import NDArray

from sweeper.racer.options import Options, Work

CRASH_EXIT_CODE = 3

_MIB = 1024 * 1024
_LEAK_TICK_SECONDS = 0.05
_log = logging.getLogger(__name__)


class Load:
    """What the options ask the player to suffer.

    The leak runs in a thread of its own, so that it goes on while the trainer lets the player wait.
    """

    def __init__(self, options: Options) -> None:
        """Read the options; nothing happens before `start`."""
        # Spinning counts the thread's own CPU time, so players that share a core slow each other down as busy builds
        # do. Sleeping counts wall time: that player behaves as if it had a core of its own.
        self._clock = time.perf_counter if options.work is Work.SLEEP else time.thread_time
        self._seconds_per_area = options.step_ms / 1000
        self._work = options.work
        self._memory_mb = options.memory_mb
        self._leak_mb_per_s = options.leak_mb_per_s
        self._crash_after, self._hang_after = options.crash_after, options.hang_after
        self._steps = 0
        self._held: list[NDArray[np.uint8]] = []

    def start(self) -> None:
        """Take the memory and begin to leak."""
        if self._seconds_per_area:
            _log.info("a step costs %g ms an area, by work: %s", self._seconds_per_area * 1000, self._work.value)
        if self._memory_mb:
            self._hold(self._memory_mb * _MIB)
            _log.info("holding %d MiB", self._memory_mb)
        if self._leak_mb_per_s:
            _log.info("leaking %g MiB/s", self._leak_mb_per_s)
            threading.Thread(target=self._leak, name="leak", daemon=True).start()

    def begin_step(self) -> float:
        """Crash or hang if it is time to. Returns when the step began, for `finish_step`."""
        self._steps += 1
        if self._steps == self._crash_after:
            _log.error("crashing at step %d, as asked", self._steps)
            logging.shutdown()
            os._exit(CRASH_EXIT_CODE)
        if self._steps == self._hang_after:
            _log.error("hanging at step %d, as asked", self._steps)
            while True:
                time.sleep(3600)
        return self._clock()

    def finish_step(self, began: float, areas: int) -> None:
        """Spend what is left of the step's cost; what the simulation itself took counts."""
        end = began + self._seconds_per_area * areas
        left = end - self._clock()
        if left <= 0:
            return
        if self._work is Work.SLEEP:
            time.sleep(left)
        else:
            while self._clock() < end:
                pass

    def _hold(self, size: int) -> None:
        # Written, not just reserved: untouched pages are not resident.
        self._held.append(np.ones(size, dtype=np.uint8))

    def _leak(self) -> None:
        began, leaked = time.perf_counter(), 0
        while True:
            time.sleep(_LEAK_TICK_SECONDS)
            due = int((time.perf_counter() - began) * self._leak_mb_per_s * _MIB) - leaked
            if due > 0:
                self._hold(due)
                leaked += due
