"""Which process is which: an id is used again, a start time with it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

SAME_SECONDS = 2
"""Start times that differ by no more are the same: they are rounded, and read at different instants."""


def place(proc: Path = Path("/proc")) -> str:
    """Where a process id means something: this boot of this machine, and this namespace of process ids.

    A container counts its processes anew, and another machine may share a disk: its ids say nothing here.
    """
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
        namespace = "".join(filter(str.isdigit, str((proc / "self/ns/pid").readlink())))
    except OSError:  # not Linux: the boot time is what there is, rounded because clocks are set
        return f"{round(psutil.boot_time() / 60):x}.0"
    return f"{boot}.{namespace}"


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
