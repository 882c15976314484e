"""A running learner with its players: started, followed, bounded, suspended, ended, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from functools import partial

import psutil

from sweeper.model.load import Part
from sweeper.model.measurement import Sample
from sweeper.model.session import OUT_OF_MEMORY_KILLER, SAMPLING, SessionEnd, SessionRecord
from sweeper.model.trial import LearnerStart
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.cap import CapKeeper
from sweeper.session.console import ConsoleFile
from sweeper.session.disk import TrialLogs
from sweeper.session.follow import SampleFile, console_shows, log_tail, player_that_ended
from sweeper.session.guardian import Guardian, kill_marked
from sweeper.session.identity import new_mark
from sweeper.session.memory import NEAR_CAP, MemoryMeter, oom_kills
from sweeper.session.parts import Parts
from sweeper.session.play import CONNECTED, PlayWait
from sweeper.session.process import PlainStart, Start
from sweeper.session.scratch import Scratch
from sweeper.session.setting_out import environment_of, open_log, prepare
from sweeper.session.surroundings import limits, proxy_for_localhost
from sweeper.session.tree import ProcessTree

POLL_SECONDS = 0.25
POLITE_SECONDS = 15.0
"""A clean stop takes about 2.5 s; 10 s more where a worker does not answer (mlagents, SubprocessEnvManager.close)."""
KILL_SECONDS = 5.0
SEARCH_SECONDS = 3.0
"""Between searches for new processes, once all players are there."""
SLOW_CONSOLE = 5.0
"""How many times the start-up limit a learner may take to its first line about steps, where our probe cannot tell."""
LOG_LINES = 40


class LiveSession:
    """One trial's learner. Use as a context manager: whatever happens, its processes are gone afterwards."""

    def __init__(self, plan: TrialPlan, guardian: Guardian, cap_bytes: int, start: Start | None = None) -> None:
        """Starts the learner, as the plain command unless `start` says how.

        Raises:
            NotReady: it cannot be started, or the disk is full.
        """
        prepare(plan)
        self.plan = plan
        self.started = time.monotonic()
        self.samples: list[Sample] = []
        self._cap_bytes = cap_bytes
        self._oom_kills_before = oom_kills()
        self._mark = new_mark()
        self._guardian = guardian
        # Of its own, for torch leaves folders in TMPDIR when it is killed.
        self._scratch = Scratch(partial(guardian.watch, self._mark))
        self._keeper: CapKeeper | None = None
        try:
            with open_log(plan) as log:
                environment = environment_of(plan, self._mark, self._scratch.path)
                started = (start or PlainStart(cap_bytes))(self._mark, plan.argv, environment, log)
        except BaseException:  # a second Ctrl-C too, and then the learner may run already
            kill_marked(self._mark)
            self._forget()
            raise
        self.process, self._keeper = started.process, started.keeper
        self.is_warm = started.lender is not None
        self.meter = MemoryMeter(cap_bytes, lender=started.lender)
        self.tree = ProcessTree(self.process.pid, self._mark)
        self.logs = TrialLogs(plan.folder)
        self.play = PlayWait(plan.folder.learner_log, plan.max_play_wait_seconds)
        self._file: SampleFile | ConsoleFile = SampleFile(plan.folder.samples)
        self._progress: tuple[int, ...] = ()
        self._progress_at = self.started
        self._left: tuple[str, ...] = ()
        self._parts = Parts()
        self._vanished: set[int] = set()
        self._searched_at = self.started
        self._kernel_acted = False
        self._searched_training = False
        self._weighed_training = False

    def __enter__(self) -> LiveSession:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.exit_status() is None or self.tree.alive():
            self._kill()
        self.process.let_go()  # last: the probe ends the session hard when it sees that
        self._forget()

    @property
    def from_console(self) -> bool:
        """Whether our probe is missing, so that samples are what the learner prints."""
        return isinstance(self._file, ConsoleFile)

    def read_samples(self) -> list[Sample]:
        """Samples since the last call; where our probe is missing, from the learner's console."""
        fresh = self._file.new()
        if not self.samples and not fresh and isinstance(self._file, SampleFile):
            # The probe says hello before players are started: steps without a hello mean that there is none.
            console = ConsoleFile(self.plan.folder.learner_log)
            if fresh := console.new():
                self._file = console
        self.samples.extend(fresh)
        if fresh:
            last = fresh[-1]
            gradient = sum(count for name, (_, count) in last.timers.items() if name.endswith(".update"))
            progress = (last.steps, last.decisions, last.policy_updates, gradient)
            if progress != self._progress:
                self._progress, self._progress_at = progress, time.monotonic()
        return fresh

    def was_killed_at_cap(self) -> bool:
        """Whether the kernel has ended a process of this session at the memory cap."""
        self._kernel_acted = self._keeper is not None and self._keeper.kills() > 0
        return self._kernel_acted

    def processes(self) -> list[psutil.Process]:
        """Those alive. Looking for new ones takes a look at all of the machine's: less often once training goes on.

        Players are all there when it does, so one look then sees them, however soon the session is over.
        """
        now = time.monotonic()
        if not self._searched_training or now - self._searched_at >= SEARCH_SECONDS:
            self._searched_at = now
            self._searched_training = self._trains()
            self.tree.refresh()
        if self.process.exit_status() is None:  # what ends with the learner was not killed before it
            self._vanished |= self.tree.gone()
        return self.tree.alive()

    def parts(self, processes: Sequence[psutil.Process]) -> Mapping[psutil.Process, Part]:
        """Which of the processes seen so far are the learner's own, its workers, and players; none while untold."""
        return self._parts.of(processes, getattr(self._file, "learner_pid", None))

    def read_memory(self, processes: Sequence[psutil.Process]) -> int:
        """Bytes that they use now, exactly once all players are there; `parts` has told of them before."""
        is_first_of_training = self._searched_training and not self._weighed_training
        self._weighed_training = self._searched_training
        used = self.meter.read(processes, exactly=is_first_of_training)
        self._parts.weigh(self.meter.shares)
        return used

    def stage(self) -> str:
        """What the session is at, for people."""
        if not self._trains():
            return "waiting for the Editor" if self.play.is_on else "starting"
        return "measuring" if self.samples[-1].policy_updates or self.from_console else "filling the first buffer"

    def broken_limit(self, now: float) -> SessionEnd | None:
        """The time limit that is broken, if any."""
        plan = self.plan
        self.play.look(now, self._trains())
        if self._trains():
            return SessionEnd.STALLED if now - self._progress_at > plan.max_stall_seconds else None
        if self.play.is_on:
            return SessionEnd.NOBODY_PLAYED if self.play.is_in_vain(now) else None
        starting = now - self.started - self.play.asked_seconds(now)
        if starting <= plan.max_startup_seconds:
            return None
        connected = console_shows(plan.folder.learner_log, CONNECTED)
        if connected and not self.samples and starting <= SLOW_CONSOLE * plan.max_startup_seconds:
            return None
        if not connected:
            return SessionEnd.NOBODY_PLAYED if plan.in_editor else SessionEnd.NOT_CONNECTED
        return SessionEnd.NO_STEPS

    def suspend(self) -> None:
        """Stop every process where it is. Windows too (psutil)."""
        for process in self.tree.refresh():
            with contextlib.suppress(psutil.Error):
                process.suspend()

    def resume(self) -> None:
        """Let them go on; the time that they stood still is no stall."""
        for process in reversed(self.tree.alive()):
            with contextlib.suppress(psutil.Error):
                process.resume()
        self._progress_at = time.monotonic()

    def end(self, polite: bool) -> None:
        """Stop everything; what could not be ended is in the record."""
        self.tree.refresh()
        if polite and self.process.exit_status() is None:
            self.process.ask_to_stop()
            deadline = time.monotonic() + POLITE_SECONDS
            while self._goes_on() and time.monotonic() < deadline:
                self.tree.refresh()
                time.sleep(POLL_SECONDS / 2)
        self._kill()

    def record(self, end: SessionEnd) -> SessionRecord:
        """What the session left to conclude from."""
        peak, source = self._peak()
        said = log_tail(self.plan.folder.learner_log, LOG_LINES)
        player = player_that_ended(said, int(self.plan.params.get("num_envs") or 1))
        now = time.monotonic()
        asked_seconds = self.play.asked_seconds(now)
        return SessionRecord(
            end=end,
            samples=tuple(self.samples),
            started_at=self.started,
            total_seconds=now - self.started - asked_seconds,
            asked_seconds=asked_seconds,
            peak_memory_bytes=peak,
            memory_source=source,
            exit_code=self.process.exit_status(),
            log_tail=said,
            player_log_tail=log_tail(self.plan.folder.player_logs / f"Player-{player or 0}.log", LOG_LINES),
            player=player,
            left_behind=self._left,
            members_killed=tuple(sorted(self._vanished)),
            near_cap=self.meter.peak_bytes >= NEAR_CAP * self._cap_bytes,
            from_console=self.from_console,
            proxy=proxy_for_localhost(),
            limits=limits(),
            learner_start=LearnerStart.WARM if self.is_warm else LearnerStart.COLD,
            cap_kept_by=self._cap_kept_by(end),
            # The machine's count is everybody's; a group of our own tells which were ours.
            part_memory_bytes=dict(self._parts.most_bytes),
            oom_kills=0 if self._keeper is not None else oom_kills() - self._oom_kills_before,
        )

    def _peak(self) -> tuple[int | None, str | None]:
        """The highest reading of memory and how it was counted; the kernel's own where it was too fast for ours."""
        told = self._keeper.peak_bytes() if self._keeper is not None and self._kernel_acted else None
        if told is not None and told > self.meter.peak_bytes:
            return told, self._keeper.mechanism if self._keeper else None
        return (self.meter.peak_bytes, self.meter.source) if self.meter.peak_bytes else (None, None)

    def _cap_kept_by(self, end: SessionEnd) -> str | None:
        if end is not SessionEnd.OVER_MEMORY:
            return None
        if self._keeper is None or not self._kernel_acted:
            return SAMPLING
        told = self._keeper.peak_bytes()
        is_below_cap = told is not None and told < NEAR_CAP * self._cap_bytes
        return OUT_OF_MEMORY_KILLER if is_below_cap else self._keeper.mechanism

    def _trains(self) -> bool:
        return bool(self.samples) and bool(self.samples[-1].decisions or self.samples[-1].steps)

    def _goes_on(self) -> bool:
        """Whether the learner is still ending; a script around it may be gone before it."""
        is_there = self.process.exit_status() is None
        return is_there or any(_group(process) == self.process.pid for process in self.tree.alive())

    def _kill(self) -> None:
        self._left = tuple(_named(process) for process in self.tree.kill(KILL_SECONDS))
        self.process.wait(KILL_SECONDS)
        self.logs.finish()

    def _forget(self) -> None:
        self._scratch.close()
        if self._keeper is not None:
            self._keeper.remove()
        self._guardian.forget(self._mark)


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except (AttributeError, OSError):  # Windows has no groups
        return None


def _named(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{process.name()} (process {process.pid})"
    return f"process {process.pid}"
