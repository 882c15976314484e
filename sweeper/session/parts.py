"""Which process of a trial's tree is the learner's own, which its workers, and which the players that they start."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping

import psutil

from sweeper.model.load import Part


class Parts:
    """Remembers what each process was when it was first seen: a player outlives the worker that started it."""

    def __init__(self) -> None:
        self._known: dict[psutil.Process, Part] = {}
        self.most_bytes: dict[Part, int] = {}
        """Of memory, by part, each at its own highest: pages that another training on the machine begins to share leave
        the learner lower than it was before there were players."""

    def of(self, processes: Iterable[psutil.Process], learner_pid: int | None) -> Mapping[psutil.Process, Part]:
        """The part of every process seen so far; none while nobody told which one is the learner.

        A script around the learner counts as the learner, and all that is no worker as players.
        """
        fresh = [process for process in processes if process not in self._known]
        if learner_pid is not None and fresh:
            around = _with_ancestors(learner_pid)
            for process in fresh:
                with contextlib.suppress(psutil.Error):
                    self._known[process] = _part(process, learner_pid, around)
        return self._known

    def weigh(self, shares: Mapping[psutil.Process, int]) -> None:
        """Take a reading of memory, bytes by process."""
        now: Counter[Part] = Counter()
        for process, share in shares.items():
            if process in self._known:
                now[self._known[process]] += share
        for part, found in now.items():
            self.most_bytes[part] = max(found, self.most_bytes.get(part, 0))


def _with_ancestors(learner_pid: int) -> set[int]:
    """Process ids; looked up once for all fresh ones, because looking for children goes through the whole machine's."""
    with contextlib.suppress(psutil.Error):
        return {learner_pid, *(parent.pid for parent in psutil.Process(learner_pid).parents())}
    return {learner_pid}


def _part(process: psutil.Process, learner_pid: int, around: set[int]) -> Part:
    if process.pid in around:
        return Part.LEARNER
    return Part.WORKERS if process.ppid() == learner_pid else Part.PLAYERS
