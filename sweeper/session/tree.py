"""The processes of one trial: found while they live, ended by identity.

Players run in sessions of their own and lose their parents when a worker dies, so a process is recorded as (pid,
start time) as soon as it is seen, and is also known by the trial's mark in its environment.
"""

from __future__ import annotations

import contextlib
import time

import psutil

MARK = "SWEEPER_TRIAL"
"""Environment variable that every process of a trial inherits."""
_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


class ProcessTree:
    """All processes of a trial, the learner first. Not thread-safe."""

    def __init__(self, pid: int, mark: str) -> None:
        self._root = psutil.Process(pid)
        self._mark = mark
        self._known: dict[tuple[int, float], psutil.Process] = {}
        self._remember(self._root)

    def refresh(self) -> list[psutil.Process]:
        """Find new members; return those alive."""
        for process in [*self._known.values()]:
            with contextlib.suppress(*_GONE, psutil.AccessDenied):
                if process.pid == self._root.pid or not _has_ancestor_in(process, self._known):
                    for child in process.children(recursive=True):
                        self._remember(child)
        return self.alive()

    def alive(self) -> list[psutil.Process]:
        """Members that run, zombies left out."""
        return [process for process in self._known.values() if _is_alive(process)]

    def kill(self, timeout_seconds: float = 5.0) -> list[int]:
        """Kill every member, recorded or marked, until none is left or time is up. Returns the pids still there."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            self.refresh()
            for process in marked(self._mark):
                self._remember(process)
            left = self.alive()
            if not left or time.monotonic() > deadline:
                return [process.pid for process in left]
            for process in left:
                with contextlib.suppress(*_GONE, psutil.AccessDenied):
                    process.kill()
            psutil.wait_procs(left, timeout=0.5)

    def _remember(self, process: psutil.Process) -> None:
        with contextlib.suppress(*_GONE):
            self._known.setdefault((process.pid, process.create_time()), process)


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that carry this trial's mark; those whose environment we may not read are not ours."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and _is_alive(process):
                found.append(process)
    return found


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except _GONE:
        return False


def _has_ancestor_in(process: psutil.Process, known: dict[tuple[int, float], psutil.Process]) -> bool:
    parent = process.parent()
    return parent is not None and (parent.pid, parent.create_time()) in known
