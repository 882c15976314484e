"""Several sessions alive at once, of which one runs while the others are suspended: paired slices of one machine.

The machine's speed drifts over tens of seconds. Slices of a few cycles, taken in turn, see nearly the same machine, and
start-up is paid once: about a third of the minutes that whole sessions in turn need for the same standard error (facts,
18). It takes memory for all of them, and players that survive being suspended for seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sweeper.model.load import BusyProcess
from sweeper.model.session import Edges, SessionEnd, SessionRecord
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.live import LiveSession
from sweeper.session.session import SessionRunner

POLL_SECONDS = 0.1
"""A slice should not run on for long after its last cycle."""


@dataclass(frozen=True)
class Contender:
    """A plan, and how its cycles are told: `warmup_cycles` before the first slice, `slice_cycles` in each."""

    name: str
    plan: TrialPlan
    edges: Edges
    warmup_cycles: int
    slice_cycles: int


class _Broken(Exception):
    """One session cannot go on, so none does."""

    def __init__(self, end: SessionEnd, contender: int) -> None:
        self.end = end
        self.contender = contender


class Sessions(SessionRunner):
    """Runs sessions one by one, or several in turn."""

    def run_in_turn(
        self,
        contenders: Sequence[Contender],
        orders: Sequence[Sequence[int]],
        max_seconds: float,
        max_wait_seconds: float,
    ) -> list[SessionRecord]:
        """Run all contenders together, a round for each of `orders`; returns their records in their own order.

        No round is begun later than `max_seconds` after the start. A record's `slices` are those of whole rounds. Where
        one session breaks a limit, all end as TURNS_BROKEN: suspending may be what broke it.

        Raises:
            NotReady: a learner cannot be started, or the disk is full.
        """
        quiet = self.wait(max_wait_seconds)
        started = time.monotonic()
        with ExitStack() as stack:
            turns = _Turns(self, contenders)
            broken: _Broken | None = None
            try:
                for contender in contenders:
                    turns.sessions.append(
                        stack.enter_context(LiveSession(contender.plan, self.guardian, self.memory.cap_bytes))
                    )
                    turns.warm_up(len(turns.sessions) - 1)
                for order in orders:
                    if time.monotonic() - started > max_seconds:
                        break
                    turns.round(order)
            except _Broken as error:
                broken = error
            busiest = turns.readings.monitor.busiest()
            for session in turns.sessions:
                session.resume()
                self.glimpse(session, "stopping")
                session.end(polite=broken is None)
            return turns.records(broken, quiet.waited_seconds, busiest)


class _Turns:
    def __init__(self, runner: SessionRunner, contenders: Sequence[Contender]) -> None:
        self.sessions: list[LiveSession] = []
        self.readings = runner.readings()
        self._runner = runner
        self._contenders = contenders
        self._slices: list[list[tuple[float, float]]] = [[] for _ in contenders]

    def warm_up(self, index: int) -> None:
        """Bring a fresh session past its first update and the warm-up, then suspend it."""
        contender = self._contenders[index]
        session = self.sessions[index]
        self._run_until(index, lambda: len(contender.edges(session.samples)) > contender.warmup_cycles, "warming up")
        session.suspend()

    def round(self, order: Sequence[int]) -> None:
        """A slice of each; only a whole round is kept."""
        windows = {index: self._slice(index) for index in order}
        for index, window in windows.items():
            self._slices[index].append(window)

    def records(
        self, broken: _Broken | None, waited_seconds: float, busiest: tuple[BusyProcess, ...]
    ) -> list[SessionRecord]:
        """What each session left, those that were not even started included; a session's time is its share."""
        end = SessionEnd.MEASURED
        if broken is not None and broken.end is SessionEnd.INTERRUPTED:
            end = SessionEnd.INTERRUPTED
        elif broken is not None or len(self._slices[0]) < 2:
            end = SessionEnd.TURNS_BROKEN
        share = 1 / len(self._contenders)
        started = time.monotonic()
        nothing = SessionRecord(end, (), started, 0.0, None, None, None, ())
        records = [session.record(end) for session in self.sessions]
        records += [nothing] * (len(self._contenders) - len(records))
        total = max(record.total_seconds for record in records)
        return [
            replace(
                record,
                total_seconds=share * total,
                load=tuple(self.readings.load),
                busiest=busiest,
                waited_seconds=share * waited_seconds,
                slices=tuple(slices),
            )
            for record, slices in zip(records, self._slices)
        ]

    def _slice(self, index: int) -> tuple[float, float]:
        """Resume, let the cycle that was cut end, count whole cycles, suspend."""
        contender, session = self._contenders[index], self.sessions[index]
        session.read_samples()
        seen = len(session.samples)
        resumed = time.monotonic()
        session.resume()

        def edges() -> Sequence[float]:
            # What happened between the last slice's end and its suspension is written only now.
            fresh = [sample for sample in session.samples[seen:] if sample.seconds >= resumed]
            return [edge.seconds for edge in contender.edges(fresh)]

        self._run_until(index, lambda: len(edges()) > contender.slice_cycles, "measuring in turn")
        session.suspend()
        found = edges()
        return found[0], found[contender.slice_cycles]

    def _run_until(self, index: int, is_done: Callable[[], bool], stage: str) -> None:
        session = self.sessions[index]
        while True:
            now = time.monotonic()
            fresh = session.read_samples()
            if fresh and is_done():
                return
            if self.readings.are_due(now) and (rule := self.readings.read(self.sessions)) is not None:
                raise _Broken(rule, index)
            self._runner.glimpse(session, stage)
            if self._runner.stop_asked():
                raise _Broken(SessionEnd.INTERRUPTED, index)
            if (limit := session.broken_limit(now)) is not None:
                raise _Broken(limit, index)
            if session.process.poll() is not None:
                raise _Broken(SessionEnd.EXITED, index)
            time.sleep(min(POLL_SECONDS, self.readings.seconds_to_next(time.monotonic())))
