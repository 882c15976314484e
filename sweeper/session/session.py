"""One session: start the learner, follow it, stop it as soon as enough was measured, leave nothing behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from sweeper.errors import NotReady
from sweeper.learner import INSIDE
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress, SessionEnd, SessionRecord, Watcher
from sweeper.session.follow import SampleFile, log_tail
from sweeper.session.memory import MemoryMeter
from sweeper.session.tree import MARK, ProcessTree
from sweeper.trial_plan import TrialPlan

POLL_SECONDS = 0.25
MEMORY_SECONDS = 0.5
POLITE_SECONDS = 15.0
"""A clean stop takes about 2.5 s; 10 s more where a worker does not answer (mlagents, SubprocessEnvManager.close)."""
KILL_SECONDS = 5.0
NO_PROBE_SECONDS = 20.0
"""Once the learner's console shows steps, our probe has long said hello, or it never will."""
LOG_LINES = 40


@dataclass(frozen=True)
class Glimpse:
    """What a session looks like just now, for whoever shows it."""

    stage: str
    samples: list[Sample]
    memory_bytes: int
    seconds: float


class SessionRunner:
    """Runs trial plans, one at a time. `stop_asked` is polled: when it answers true, the session ends at once."""

    def __init__(self, memory_cap_bytes: int, stop_asked: Callable[[], bool], show: Callable[[Glimpse], None]) -> None:
        self._cap = memory_cap_bytes
        self._stop_asked = stop_asked
        self._show = show

    def run(self, plan: TrialPlan, watch: Watcher) -> SessionRecord:
        """Run one session until `watch` has enough, a limit is broken, or the learner ends.

        Raises:
            NotReady: the learner cannot be started, or the disk is full.
        """
        _prepare(plan)
        mark = uuid.uuid4().hex
        started = time.monotonic()
        # torch leaves folders in TMPDIR when it is killed. A short path: sockets in it may have 108 characters at most.
        scratch = tempfile.TemporaryDirectory(prefix="sweeper-", ignore_cleanup_errors=True)
        with _open_log(plan) as log, scratch as temporary:
            process = _start(plan, mark, log, temporary)
            session = _Session(plan, process, mark, started)
            try:
                end = self._follow(session, watch)
                self._show(Glimpse("stopping", session.samples, session.meter.now_bytes, time.monotonic() - started))
                left = session.end(polite=end is SessionEnd.MEASURED)
            except BaseException:
                session.tree.kill(KILL_SECONDS)
                raise
            finally:
                # Last: to the probe the closing of this pipe means that we are gone, and it ends the session hard.
                with contextlib.suppress(OSError):
                    process.stdin.close()  # type: ignore[union-attr]
        return session.record(end, left)

    def _follow(self, session: _Session, watch: Watcher) -> SessionEnd:
        next_memory = 0.0
        while True:
            now = time.monotonic()
            fresh = session.read_samples()
            if now >= next_memory:
                next_memory = now + MEMORY_SECONDS
                if session.meter.read(session.tree.refresh()) > self._cap:
                    return SessionEnd.OVER_MEMORY
            self._show(Glimpse(session.stage(), session.samples, session.meter.now_bytes, now - session.started))
            if self._stop_asked():
                return SessionEnd.INTERRUPTED
            if fresh:
                progress = watch(session.samples)
                if progress is not Progress.GO_ON:
                    return SessionEnd.MEASURED if progress is Progress.ENOUGH else SessionEnd.TOO_SLOW
            if (limit := session.broken_limit(now)) is not None:
                return limit
            if session.process.poll() is not None:
                session.read_samples()
                return SessionEnd.EXITED
            time.sleep(POLL_SECONDS)


class _Session:
    """A running learner with what is known of it."""

    def __init__(self, plan: TrialPlan, process: subprocess.Popen[bytes], mark: str, started: float) -> None:
        self.plan = plan
        self.process = process
        self.started = started
        self.tree = ProcessTree(process.pid, mark)
        self.meter = MemoryMeter()
        self.samples: list[Sample] = []
        self._file = SampleFile(plan.folder.samples)
        self._progress: tuple[int, ...] = ()
        self._progress_at = started

    def read_samples(self) -> list[Sample]:
        fresh = self._file.new()
        self.samples.extend(fresh)
        if fresh:
            last = fresh[-1]
            gradient = sum(count for name, (_, count) in last.timers.items() if name.endswith(".update"))
            progress = (last.steps, last.decisions, last.policy_updates, gradient)
            if progress != self._progress:
                self._progress, self._progress_at = progress, time.monotonic()
        return fresh

    def stage(self) -> str:
        if not self.samples or not self.samples[-1].decisions:
            return "starting"
        return "measuring" if self.samples[-1].policy_updates else "filling the first buffer"

    def broken_limit(self, now: float) -> SessionEnd | None:
        last = self.samples[-1] if self.samples else None
        if last is not None and last.decisions:
            stalled = now - self._progress_at > self.plan.max_stall_seconds
            return SessionEnd.STALLED if stalled else None
        if last is None and _console_shows(self.plan, ". Step: ") and now - self.started > NO_PROBE_SECONDS:
            return SessionEnd.NO_PROBE
        if now - self.started > self.plan.max_startup_seconds:
            connected = _console_shows(self.plan, "Connected to Unity environment")
            return SessionEnd.NO_STEPS if connected else SessionEnd.NOT_CONNECTED
        return None

    def end(self, polite: bool) -> tuple[int, ...]:
        """Stop everything; returns what could not be ended."""
        self.tree.refresh()
        if polite and self.process.poll() is None:
            _ask_to_stop(self.process)
            deadline = time.monotonic() + POLITE_SECONDS
            while self.process.poll() is None and time.monotonic() < deadline:
                self.tree.refresh()
                time.sleep(POLL_SECONDS / 2)
        left = self.tree.kill(KILL_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_SECONDS)
        return tuple(left)

    def record(self, end: SessionEnd, left: tuple[int, ...]) -> SessionRecord:
        measured = self.meter.peak_bytes > 0
        return SessionRecord(
            end=end,
            samples=tuple(self.samples),
            started_at=self.started,
            total_seconds=time.monotonic() - self.started,
            peak_memory_bytes=self.meter.peak_bytes if measured else None,
            memory_source=self.meter.source if measured else None,
            exit_code=self.process.returncode,
            log_tail=log_tail(self.plan.folder.learner_log, LOG_LINES),
            player_log_tail=log_tail(self.plan.folder.player_logs / "Player-0.log", 5),
            left_behind=left,
        )


def _prepare(plan: TrialPlan) -> None:
    with _disk_errors():
        plan.folder.root.mkdir(parents=True, exist_ok=True)
        # A session never reads what another one wrote, whatever was left in this folder.
        plan.folder.samples.unlink(missing_ok=True)
        plan.folder.config.write_text(plan.config_text, encoding="utf-8")


@contextlib.contextmanager
def _open_log(plan: TrialPlan) -> Iterator[IO[bytes]]:
    with _disk_errors():
        file = plan.folder.learner_log.open("wb")
    with file:
        yield file


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            raise NotReady("the disk is full", "free some space, then run the same command again: it resumes") from None
        raise NotReady(f"cannot write {error.filename}: {error.strerror}") from None


def _start(plan: TrialPlan, mark: str, log: IO[bytes], temporary: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(INSIDE), os.environ.get("PYTHONPATH"))))
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "SWEEPER_SAMPLES": str(plan.folder.samples),
        "SWEEPER_CONTROL": "stdin",
        MARK: mark,
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
    }
    try:
        with _sigint_at_default():
            return subprocess.Popen(
                plan.argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    except OSError as error:
        raise NotReady(f"cannot start {plan.argv[0]}: {error.strerror or error}") from None


@contextlib.contextmanager
def _sigint_at_default() -> Iterator[None]:
    """A background job inherits SIGINT as ignored and would pass that on: its learner could never be stopped."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":  # no SIGINT reaches a child there; our probe raises it from inside
            assert process.stdin is not None
            os.write(process.stdin.fileno(), b"s")
        else:
            process.send_signal(signal.SIGINT)


def _console_shows(plan: TrialPlan, words: str) -> bool:
    return any(words in line for line in log_tail(plan.folder.learner_log, LOG_LINES))
