"""Several sessions alive at once, of which one runs while the others are suspended: paired slices of one machine.

The machine's speed drifts over tens of seconds. Slices of a few cycles, taken in turn, see nearly the same machine, and
start-up is paid once: about a third of the minutes that whole sessions in turn need for the same standard error
(docs/sources.md, 18). It takes memory for all of them, and players that survive being suspended for seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from sweeper.measure.contention import contention
from sweeper.measure.cycles import Cutting, boundaries, made
from sweeper.model.session import Round, SessionEnd, SessionRecord
from sweeper.model.trial import LearnerStart
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.live import LiveSession
from sweeper.session.session import Readings, SessionRunner

POLL_SECONDS = 0.1
"""A slice should not run on for long after its last cycle."""
MIN_ROUNDS = 2
"""Fewer slices say nothing about how they scatter."""


@dataclass(frozen=True)
class Contender:
    """A plan under a name, and how its cycles are cut: `warmup_cycles` before the first slice, `slice_cycles` in each.

    Two with equal parameters are two contenders.
    """

    name: str
    plan: TrialPlan
    cut: Cutting
    warmup_cycles: int
    slice_cycles: int


class Sessions(SessionRunner):
    """Runs sessions one by one, or several in turn."""

    @contextmanager
    def in_turn(
        self, contenders: Sequence[Contender], max_wait_seconds: float, max_seconds: float = math.inf
    ) -> Iterator[Turns]:
        """Sessions of all contenders, for as long as the context lasts; whatever ends it, they are gone afterwards.

        `max_seconds`: after it has begun, that it may take in all; then it ends as too slow.
        """
        if any(contender.plan.learner_start is LearnerStart.COLD for contender in contenders):
            self.cool()
        with Turns(self, contenders, max_wait_seconds, max_seconds) as turns:
            yield turns


class Turns:
    """Sessions that are alive together, of which one runs at a time. The caller decides how many rounds there are."""

    def __init__(
        self,
        runner: SessionRunner,
        contenders: Sequence[Contender],
        max_wait_seconds: float,
        max_seconds: float = math.inf,
    ) -> None:
        self._runner = runner
        self._contenders = contenders
        self._max_wait_seconds = max_wait_seconds
        self._max_seconds = max_seconds
        self._until = math.inf
        self._stack = ExitStack()
        self._sessions: list[LiveSession] = []
        self._slices: list[list[tuple[float, float]]] = [[] for _ in contenders]
        self._broken: SessionEnd | None = None
        self._waited_seconds = 0.0
        self._readings: Readings | None = None

    def __enter__(self) -> Turns:
        self._stack.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def rounds(self, orders: Iterable[Sequence[int]]) -> Iterator[Round]:
        """Start and warm up one session after the other, then a slice of each, in the order that `orders` says.

        Stops early where a session breaks a limit, the time is up after a round, or somebody asks us to stop.

        Raises:
            NotReady: a learner cannot be started, or the disk is full.
        """
        self._waited_seconds = self._runner.wait(self._max_wait_seconds).waited_seconds
        self._readings = self._runner.readings()
        self._until = time.monotonic() + self._max_seconds
        if not all(self._warm_up(contender, self._readings) for contender in self._contenders):
            return
        for session in self._sessions:
            session.meter.begin_again()
        for number, order in enumerate(orders):
            windows: dict[int, tuple[float, float]] = {}
            for index in order:
                window = self._slice(index, self._readings)
                if window is None:
                    return
                windows[index] = window
            for index, window in windows.items():
                self._slices[index].append(window)
            yield self._round(number, self._readings)
            if time.monotonic() > self._until:
                return

    def end(self) -> list[SessionRecord]:
        """End all sessions; what each left, those that were not even started included, in the contenders' order.

        A session's time is its share. `slices` are those of whole rounds. Where one session broke a limit, all end as
        TURNS_BROKEN: suspending may be what broke it.
        """
        readings = self._readings
        busiest = readings.monitor.busiest() if readings else ()
        for session in self._sessions:
            session.resume()
            self._runner.glimpse(session, "stopping")
            session.end(polite=self._broken is None and not session.is_warm)
        end = self._how_it_ended()
        share = 1 / len(self._contenders)
        nothing = SessionRecord(end, (), time.monotonic(), 0.0, None, None, None, ())
        records = [session.record(end) for session in self._sessions]
        records += [nothing] * (len(self._contenders) - len(records))
        total = max(record.total_seconds for record in records)
        return [
            replace(
                record,
                total_seconds=share * total,
                load=tuple(readings.load) if readings else (),
                busiest=busiest,
                waited_seconds=share * self._waited_seconds,
                slices=tuple(slices),
                broken_by=self._broken,
            )
            for record, slices in zip(records, self._slices)
        ]

    def _how_it_ended(self) -> SessionEnd:
        if self._broken in (SessionEnd.INTERRUPTED, SessionEnd.DISK_SHORT):
            return self._broken
        is_whole = self._broken is None and len(self._slices[0]) >= MIN_ROUNDS
        return SessionEnd.MEASURED if is_whole else SessionEnd.TURNS_BROKEN

    def _warm_up(self, contender: Contender, readings: Readings) -> bool:
        """Bring a fresh session past its first update and the warm-up, then suspend it; False where that fails."""
        plan = contender.plan
        session = self._stack.enter_context(self._runner.begin(plan, self._runner.warm_learner(plan)))
        self._sessions.append(session)
        return self._run_until(
            session,
            lambda: len(boundaries(session.samples, contender.cut)) > contender.warmup_cycles,
            "warming up",
            readings,
        )

    def _slice(self, index: int, readings: Readings) -> tuple[float, float] | None:
        """Resume, let the cycle that was cut end, count whole cycles, suspend; None where a limit was broken."""
        contender, session = self._contenders[index], self._sessions[index]
        session.read_samples()
        seen = len(session.samples)
        resumed = time.monotonic()
        session.resume()

        def edges() -> Sequence[float]:
            # What happened between the last slice's end and its suspension is written only now.
            fresh = [sample for sample in session.samples[seen:] if sample.seconds >= resumed]
            return [edge.seconds for edge in boundaries(fresh, contender.cut)]

        if not self._run_until(session, lambda: len(edges()) > contender.slice_cycles, "measuring in turn", readings):
            return None
        found = edges()
        return found[0], found[contender.slice_cycles]

    def _run_until(self, session: LiveSession, is_done: Callable[[], bool], stage: str, readings: Readings) -> bool:
        """Let one session run until it is done, then suspend it; False where a limit was broken instead."""

        def watch() -> SessionEnd | None:
            if is_done():
                return SessionEnd.MEASURED
            return SessionEnd.TOO_SLOW if time.monotonic() > self._until else None

        end = self._runner.drive(
            session,
            watch,
            readings,
            self._sessions,
            lambda: stage,
            POLL_SECONDS,
        )
        if end is not SessionEnd.MEASURED:
            self._broken = end
            return False
        session.suspend()
        return True

    def _round(self, number: int, readings: Readings) -> Round:
        windows = tuple(slices[-1] for slices in self._slices)
        everyone = zip(self._contenders, self._sessions, windows)
        return Round(
            number,
            windows,
            tuple(_rate(contender, session, window) for contender, session, window in everyone),
            tuple(contention(readings.load, window, self._runner.cores) for window in windows),
            tuple(session.meter.recent_peak_bytes for session in self._sessions),
        )


def _rate(contender: Contender, session: LiveSession, window: tuple[float, float]) -> float:
    """Agent steps per second between two edges of this session."""
    at = {sample.seconds: made(sample, contender.cut) for sample in session.samples}
    return (at[window[1]] - at[window[0]]) / (window[1] - window[0])
