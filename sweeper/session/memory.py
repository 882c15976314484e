"""Memory of a process tree. Shared pages are counted once where the system tells (PSS on Linux).

Under fork, summed RSS overstates a learner with 8 environments more than four times; as an upper bound that costs
next to nothing it tells when PSS must be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

PSS = "pss"
RSS = "rss (upper bound)"


@dataclass(frozen=True)
class Reading:
    """Bytes in use, and how they were counted."""

    bytes: int
    source: str


class MemoryMeter:
    """Follows a tree's memory and keeps its peak, in bytes."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self.source = RSS
        self.now_bytes = 0

    def read(self, processes: Iterable[psutil.Process]) -> int:
        """Bytes in use now: exact where it matters, and never above the upper bound."""
        processes = list(processes)
        bound = sum(_rss(process) for process in processes)
        if bound <= self.peak_bytes and self.source == PSS:
            self.now_bytes = bound  # no new peak can hide under the bound: spare the exact reading
            return bound
        shares = [_pss(process) for process in processes]
        if all(share is not None for share in shares):
            self.source = PSS
            self.now_bytes = sum(share or 0 for share in shares)
        else:
            self.now_bytes = bound
        self.peak_bytes = max(self.peak_bytes, self.now_bytes)
        return self.now_bytes


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _pss(process: psutil.Process) -> int | None:
    """None where the system does not tell; 0 for a process that is gone."""
    try:
        return getattr(process.memory_full_info(), "pss", None)
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return 0
