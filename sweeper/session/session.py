"""Trial plans become records: one session at a time, or several that are alive together and run in turn."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import psutil

from sweeper.model.load import LoadSample, Part
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress, SessionEnd, SessionRecord, Watcher
from sweeper.model.trial import LearnerStart
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.disk import is_short
from sweeper.session.gpu import Gpus
from sweeper.session.guardian import Guardian
from sweeper.session.live import POLL_SECONDS, LiveSession
from sweeper.session.load import LoadMonitor
from sweeper.session.memory import MemoryRules
from sweeper.session.quiet import Quiet, wait_for_quiet
from sweeper.session.warm import NotWarm, WarmLearner

log = logging.getLogger(__name__)

READING_SECONDS = 0.5
"""Between readings of memory and load, while the cap is far."""
MIN_READING_SECONDS = 0.02
LOOKS_BEFORE_CAP = 4
"""Readings of a tree that grows as it did last, before it would break the cap."""


_END = {
    Progress.GO_ON: None,
    Progress.ENOUGH: SessionEnd.MEASURED,
    Progress.HOPELESS: SessionEnd.TOO_SLOW,
    Progress.OUTPACED: SessionEnd.OUTPACED,
}

AnyRunner = TypeVar("AnyRunner", bound="SessionRunner")


@dataclass(frozen=True)
class Glimpse:
    """What a session looks like just now, for whoever shows it.

    `play_seconds_left`: to press Play in the Unity Editor; None while nobody needs to.
    """

    stage: str
    samples: Sequence[Sample]
    memory_bytes: int
    seconds: float
    play_seconds_left: float | None = None


class SessionRunner:
    """Runs trial plans. `stop_asked` is polled: when it answers true, sessions end at once.

    Use as a context manager: a guardian process lives meanwhile, and ends what is left should this process be killed.
    """

    def __init__(
        self,
        memory: MemoryRules,
        usable_cores: int,
        stop_asked: Callable[[], bool],
        show: Callable[[Glimpse], None],
    ) -> None:
        self.memory = memory
        self.stop_asked = stop_asked
        self.show = show
        self.guardian = Guardian()
        self.cores = usable_cores
        self._gpus = Gpus()
        self._warm: WarmLearner | None = None
        self._may_be_warm = True

    def __enter__(self: AnyRunner) -> AnyRunner:
        self.guardian.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.cool()
        self.guardian.__exit__(*error)

    def cool(self) -> None:
        """Let go of the process that warm learners are forked from, and of its memory."""
        if self._warm is not None:
            self._warm.close()
            self._warm = None

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        """Run one session until `watch` has enough, a limit is broken, or the learner ends.

        `max_wait_seconds`: how long to wait for a quiet machine first; 0 asks for none.

        Raises:
            NotReady: the learner cannot be started, or the disk is full.
        """
        warm = self.warm_learner(plan)
        quiet = self.wait(max_wait_seconds)
        with self.begin(plan, warm) as session:
            readings = self.readings()
            end = self.drive(session, lambda: _END[watch(session.samples)], readings, [session], session.stage)
            busiest = readings.monitor.busiest()
            self.glimpse(session, "stopping")
            # Nobody wants what a searching session has learnt; but the Editor should leave Play mode in order.
            session.end(polite=end is SessionEnd.MEASURED and (plan.in_editor or not session.is_warm))
            record = session.record(end)
        return replace(record, load=tuple(readings.load), busiest=busiest, waited_seconds=quiet.waited_seconds)

    def warm_learner(self, plan: TrialPlan) -> WarmLearner | None:
        """The process to fork this plan's learner from; None where it is to be the plain command, or has to be."""
        if plan.learner_start is LearnerStart.COLD:
            self.cool()
            return None
        if self._warm is not None and not self._warm.is_alive():
            self.cool()
        if self._warm is None and self._may_be_warm:
            self.show(Glimpse("loading the learner's packages, once", [], 0, 0.0))
            try:
                self._warm = WarmLearner(Path(plan.argv[0]), self.guardian, self.memory.cap_bytes, self.stop_asked)
            except NotWarm as error:
                if not self.stop_asked():  # then nothing is wrong with it, and nothing starts any more
                    self._stay_cold(error)
        return self._warm

    def begin(self, plan: TrialPlan, warm: WarmLearner | None) -> LiveSession:
        """Start a session, forked from `warm` where there is one; as the plain command where that fails."""
        if warm is not None:
            try:
                return LiveSession(plan, self.guardian, self.memory.cap_bytes, warm)
            except NotWarm as error:
                self.cool()
                if not self.stop_asked():
                    self._stay_cold(error)
        return LiveSession(plan, self.guardian, self.memory.cap_bytes)

    def _stay_cold(self, error: NotWarm) -> None:
        self._may_be_warm = False
        log.warning("sessions of the search start with the plain command: %s", error)

    def wait(self, max_seconds: float) -> Quiet:
        """Wait for a quiet machine, showing that."""
        if max_seconds <= 0:
            return Quiet(0.0, False, 0.0)
        monitor = LoadMonitor(self.cores, gpus=self._gpus)
        monitor.start()
        started = time.monotonic()

        def others() -> float:
            seconds = time.monotonic() - started
            if seconds > 2:
                self.show(Glimpse("waiting for a quiet machine", [], 0, seconds))
            return monitor.read([]).others_cpu_seconds

        return wait_for_quiet(others, self.cores, max_seconds, self.stop_asked)

    def readings(self) -> Readings:
        """A fresh start of memory and load."""
        return Readings(LoadMonitor(self.cores, gpus=self._gpus), self.memory)

    def glimpse(self, session: LiveSession, stage: str) -> None:
        """Show what a session is at."""
        now, play = time.monotonic(), session.play
        seconds = now - session.started - play.asked_seconds(now)
        self.show(Glimpse(stage, session.samples, session.meter.now_bytes, seconds, play.seconds_left(now)))

    def drive(
        self,
        session: LiveSession,
        watch: Callable[[], SessionEnd | None],
        readings: Readings,
        alive: Sequence[LiveSession],
        stage: Callable[[], str],
        poll_seconds: float = POLL_SECONDS,
    ) -> SessionEnd:
        """Follow a session until `watch`, asked whenever samples are new, has an end, or a limit is broken.

        `alive`: all sessions whose memory counts together. `stage`: what it is at, for people.
        """
        while True:
            now = time.monotonic()
            fresh = session.read_samples()
            if readings.are_due(now) and (broken := readings.read(alive)) is not None:
                return broken
            self.glimpse(session, stage())
            if self.stop_asked():
                return SessionEnd.INTERRUPTED
            if fresh and (end := watch()) is not None:
                return end
            if (limit := session.broken_limit(now)) is not None:
                return limit
            if session.process.exit_status() is not None:
                session.read_samples()
                return SessionEnd.OVER_MEMORY if session.was_killed_at_cap() else SessionEnd.EXITED
            time.sleep(min(poll_seconds, readings.seconds_to_next(time.monotonic())))


class Readings:
    """Memory and load of sessions, read together: every READING_SECONDS, faster as the tree nears the cap."""

    def __init__(self, monitor: LoadMonitor, memory: MemoryRules) -> None:
        self.monitor = monitor
        self._memory = memory
        self._last = (0.0, 0)
        self.monitor.start()
        self.load: list[LoadSample] = []
        self._next = 0.0

    def are_due(self, now: float) -> bool:
        """Whether it is time again; counts as read."""
        if now < self._next:
            return False
        self._next = now + READING_SECONDS
        return True

    def seconds_to_next(self, now: float) -> float:
        """Until it is time again."""
        return max(MIN_READING_SECONDS, self._next - now)

    def read(self, sessions: Sequence[LiveSession]) -> SessionEnd | None:
        """Read both, and bound what is written; the rule that all sessions together break, if any."""
        processes, used = [], 0
        parts: dict[psutil.Process, Part] = {}
        for session in sessions:
            found = session.processes()
            parts.update(session.parts(found))
            used += session.read_memory(found)
            processes += found
            session.logs.bound()
        now = time.monotonic()
        if not self.load or now - self.load[-1].seconds >= READING_SECONDS / 2:
            self.load.append(self.monitor.read(processes, parts))
        self._next = min(self._next, now + self._seconds_to_cap(now, used) / LOOKS_BEFORE_CAP)
        if any(session.was_killed_at_cap() for session in sessions):
            return SessionEnd.OVER_MEMORY
        if any(is_short(session.plan.folder.root) for session in sessions):
            return SessionEnd.DISK_SHORT
        return self._memory.broken_by(used, self.load[-1].gpu_memory_bytes)

    def _seconds_to_cap(self, now: float, used: int) -> float:
        """If the tree goes on growing as since the last reading."""
        (before, then), self._last = self._last, (now, used)
        growth = (used - then) / (now - before) if now - before > 0 else 0.0
        return max(0.0, self._memory.cap_bytes - used) / growth if growth > 0 and then else math.inf
