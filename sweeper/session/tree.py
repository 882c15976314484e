"""The processes of one trial: found while they live, ended by identity.

Players run in sessions of their own and lose their parents when a worker dies, so a process is recorded as (pid,
start time) as soon as it is seen, and is also known by the trial's mark in its environment.
"""

from __future__ import annotations

import contextlib
import time

import psutil

from sweeper.session.guardian import carries, marked

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


class ProcessTree:
    """All processes of a trial, the learner first. Not thread-safe."""

    def __init__(self, pid: int, mark: str) -> None:
        self._root = pid
        self._mark = mark
        self._known: set[psutil.Process] = set()  # equal for equal pid and start, also when the clock is set
        self._strangers: set[psutil.Process] = set()
        with contextlib.suppress(psutil.NoSuchProcess):  # a forked learner that ended at once is nobody's zombie
            self._remember(psutil.Process(pid))

    def refresh(self) -> list[psutil.Process]:
        """Find new members; return those alive."""
        for process in [*self._known]:
            with contextlib.suppress(*_GONE, psutil.AccessDenied):
                if process.pid == self._root or not _has_ancestor_in(process, self._known):
                    for child in process.children(recursive=True):
                        self._remember(child)
        self._find_strays()
        return self.alive()

    def alive(self) -> list[psutil.Process]:
        """Members that run, zombies left out."""
        return sorted((process for process in self._known if _is_alive(process)), key=lambda process: process.pid)

    def gone(self) -> set[int]:
        """Process ids of members that were seen and are no more."""
        return {process.pid for process in self._known if not _is_alive(process)}

    def kill(self, timeout_seconds: float = 5.0) -> list[psutil.Process]:
        """Kill every member, recorded or marked, until none is left or time is up. Returns those still there."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            self.refresh()
            for process in marked(self._mark):
                self._remember(process)
            left = self.alive()
            if not left or time.monotonic() > deadline:
                return left
            for process in left:
                with contextlib.suppress(*_GONE, psutil.AccessDenied):
                    process.kill()
            psutil.wait_procs(left, timeout=0.5)

    def _find_strays(self) -> None:
        """Members whose parents are gone, as of a player that starts another and ends; a process is asked only once."""
        for process in psutil.process_iter():
            if process in self._known or process in self._strangers:
                continue
            if carries(process, self._mark):
                self._remember(process)
            else:
                self._strangers.add(process)

    def _remember(self, process: psutil.Process) -> None:
        self._known.add(process)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except _GONE:
        return False


def _has_ancestor_in(process: psutil.Process, known: set[psutil.Process]) -> bool:
    return process.parent() in known
