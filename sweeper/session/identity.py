"""Which process is which: an id is used again, a start time with it is not."""

from __future__ import annotations

import sys

import psutil

SAME_SECONDS = 2
"""Start times that differ by no more are the same: they are rounded, and read at different instants."""


def start_seconds(process: psutil.Process) -> int:
    """When a process started, in seconds that stay the same when the machine's clock is set.

    Linux counts from boot, to which psutil adds the boot time by the clock as it is now; others keep the time itself.

    Raises:
        psutil.Error: it is gone, or may not be looked at.
    """
    boot = psutil.boot_time() if sys.platform == "linux" else 0.0
    return round(process.create_time() - boot)


def is_alive(pid: int, started: int) -> bool | None:
    """Whether the process that started then still lives; None where it cannot be told."""
    try:
        return abs(start_seconds(psutil.Process(pid)) - started) <= SAME_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return None
