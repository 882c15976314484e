"""Memory of a process tree. Shared pages are counted once where the system tells (PSS on Linux).

Under fork, summed RSS overstates a learner with 8 environments more than four times; as an upper bound that costs
next to nothing it tells when PSS must be read.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from sweeper.model.session import PSS, RSS, SessionEnd

EXACT_SECONDS = 10.0
GROWTH = 1.01
"""Over the peak so far, from which on an exact reading tells the new one."""
NEAR_CAP = 0.8
"""Share of the cap from which on readings must be quick."""
NEAR_SECONDS = 1.0


@dataclass(frozen=True)
class MemoryRules:
    """What sessions are held to, in bytes: their caps, and what the machine must keep for itself.

    `left`: what is available on the machine now, container limits counted. `gpu_cap_bytes`: None where no GPU tells.
    """

    cap_bytes: int
    margin_bytes: int
    left: Callable[[], int]
    gpu_cap_bytes: int | None = None

    def broken_by(self, used_bytes: int, gpu_bytes: int | None = None) -> SessionEnd | None:
        """The rule that is broken while sessions use so much, if any."""
        if used_bytes > self.cap_bytes:
            return SessionEnd.OVER_MEMORY
        if gpu_bytes is not None and self.gpu_cap_bytes is not None and gpu_bytes > self.gpu_cap_bytes:
            return SessionEnd.OVER_GPU_MEMORY
        return SessionEnd.MACHINE_SHORT_OF_MEMORY if self.left() < self.margin_bytes else None


def oom_kills(path: Path = Path("/proc/vmstat")) -> int:
    """Processes that the kernel's out-of-memory killer has ended since boot; 0 where it does not tell."""
    try:
        counts = dict(line.split() for line in path.read_text().splitlines())
        return int(counts.get("oom_kill", 0))
    except (OSError, ValueError):
        return 0


class MemoryMeter:
    """Follows a tree's memory and keeps its peak, in bytes.

    An exact reading of 17 processes takes a third of a second and holds up the learner's own memory calls. So it is
    made where it matters: when the tree has grown since the last one, before the cap counts as broken, and every
    EXACT_SECONDS (every NEAR_SECONDS close to the cap), because pages that a fork shared become private without any
    growth of RSS. In between, growth of RSS is added.

    `lender`: a process outside the tree, from which it was forked. Pages that both have still are the tree's, as if it
    had loaded them itself.
    """

    def __init__(
        self,
        cap_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        lender: psutil.Process | None = None,
    ) -> None:
        self.peak_bytes = 0
        self.recent_peak_bytes = 0
        """The highest since `begin_again`."""
        self.shares: Mapping[psutil.Process, int] = {}
        """By process, at the latest exact reading; the lender's part is not in it."""
        self._lender = lender
        self.source = RSS
        self.now_bytes = 0
        self._cap = cap_bytes
        self._clock = clock
        self._exact_at = -math.inf
        self._exact = 0
        self._bound_then = 0

    def read(self, processes: Iterable[psutil.Process], exactly: bool = False) -> int:
        """Bytes in use now; `exactly` whether or not it matters to the cap."""
        processes = list(processes)
        bound = sum(_rss(process) for process in processes)
        guess = min(bound, self._exact + max(0, bound - self._bound_then))
        is_near = guess > NEAR_CAP * self._cap
        is_old = self._clock() - self._exact_at >= (NEAR_SECONDS if is_near else EXACT_SECONDS)
        has_grown = guess > GROWTH * self.recent_peak_bytes and not (is_near and guess <= self._cap)
        if exactly or is_old or has_grown or guess > self._cap:
            guess = self._read_exactly(processes, bound)
            self.peak_bytes = max(self.peak_bytes, guess)
            self.recent_peak_bytes = max(self.recent_peak_bytes, guess)
        self.now_bytes = guess
        return guess

    def begin_again(self) -> None:
        """Look for a new `recent_peak_bytes`; the next reading is exact."""
        self.recent_peak_bytes = 0
        self._exact_at = -math.inf

    def _read_exactly(self, processes: list[psutil.Process], bound: int) -> int:
        shares = {process: _pss(process) for process in processes}
        lent = 0 if self._lender is None else _lent(self._lender)
        is_exact = None not in shares.values()
        self.source = PSS if is_exact else RSS
        self.shares = {process: (share or 0) if is_exact else _rss(process) for process, share in shares.items()}
        self._exact = sum(self.shares.values()) + lent if is_exact else bound
        self._bound_then = bound
        self._exact_at = self._clock()
        return self._exact


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _pss(process: psutil.Process) -> int | None:
    """Its share of pages, with what of it was swapped out; None where the system does not tell, 0 if it is gone."""
    try:
        info = process.memory_full_info()
        return int(info.pss) + int(getattr(info, "swap", 0)) if hasattr(info, "pss") else None
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return 0


def _lent(process: psutil.Process, proc: Path = Path("/proc")) -> int:
    """Its share of pages, without those of which a fork has made its own copy; 0 if it is gone.

    Files that it has mapped count whole: a fork finds them there without having mapped them itself.
    """
    try:
        lines = (proc / str(process.pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0
    sizes = {name: int(size.split()[0]) * 1024 for name, _, size in (line.partition(":") for line in lines)}
    return max(0, sizes.get("Pss", 0) - sizes.get("Private_Dirty", 0))
