"""Waiting for a quiet machine before a session starts, so that no trial begins in the middle of another's work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

QUIET_PERCENT = 10.0
"""Less than this of the usable cores is a desktop at rest; it also covers the 10 ms grain of the counters."""
WINDOW_SECONDS = 1.0
"""One look. In shorter ones the counters' grain shows, longer ones delay every session on a quiet machine."""
QUIET_WINDOWS = 5
"""Looks in a row that must be quiet after a busy one: a build or a sync pauses for a second or two in between."""
POLL_SECONDS = 0.25
"""How soon a wish to stop is heard."""


@dataclass(frozen=True)
class Quiet:
    """How a wait ended.

    Attributes:
        waited_seconds: wall time, the first glance included.
        is_quiet: whether the machine was quiet when the wait ended.
        others_percent: other processes' CPU time in the busiest of the last windows, in percent of the usable cores;
            0 where there was no time to look.
    """

    waited_seconds: float
    is_quiet: bool
    others_percent: float


def _never() -> bool:
    return False


def wait_for_quiet(
    read_others: Callable[[], float],
    usable_cores: int,
    max_seconds: float,
    stop_asked: Callable[[], bool] = _never,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Quiet:
    """Wait until other processes leave the cores alone: one quiet window at once, or else five in a row.

    Args:
        read_others: CPU seconds that other processes burnt so far; a counter.
        usable_cores: logical cores that we may use.
        max_seconds: the wait never takes longer, the first glance excepted.
        stop_asked: polled; once it answers true, the wait ends with what was seen.
        clock: seconds, monotonic.
        sleep: waits for that many seconds.
    """
    started = before = clock()
    burnt = read_others()
    windows: deque[float] = deque(maxlen=QUIET_WINDOWS)
    looks = 0
    while True:
        stopped = _sleep_a_window(before + WINDOW_SECONDS, stop_asked, clock, sleep)
        now, burnt_before, burnt = clock(), burnt, read_others()
        if now > before:
            windows.append(100 * max(0.0, burnt - burnt_before) / (now - before) / usable_cores)
            looks += 1
        before = now
        is_quiet = bool(windows) and max(windows) < QUIET_PERCENT
        is_settled = is_quiet and (looks == 1 or looks > QUIET_WINDOWS)
        if stopped or is_settled or now - started + WINDOW_SECONDS > max_seconds:
            return Quiet(now - started, is_quiet, max(windows, default=0.0))


def _sleep_a_window(
    until: float, stop_asked: Callable[[], bool], clock: Callable[[], float], sleep: Callable[[float], None]
) -> bool:
    """Sleep until then; returns whether we were asked to stop."""
    while not stop_asked():
        left = until - clock()
        if left <= 0:
            return False
        sleep(min(POLL_SECONDS, left))
    return True
