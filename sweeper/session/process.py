"""The learner as a process: what a session needs of it, and the first kind, the plain command.

A session never asks how the learner was started: it is alive or has an exit status, can be asked to stop, is known by
its process id, and ends by itself when its control pipe closes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

import psutil

from sweeper.errors import NotReady
from sweeper.session.cap import CapKeeper, keep_cap
from sweeper.session.reaper import adopting


class LearnerProcess(Protocol):
    """A learner that runs, or has ended."""

    @property
    def pid(self) -> int:
        """Its process id; players and workers descend from it."""

    def exit_status(self) -> int | None:
        """None while it runs; negative where a signal ended it."""

    def ask_to_stop(self) -> None:
        """As Ctrl-C does: it saves and ends its players, which takes some seconds."""

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""

    def let_go(self) -> None:
        """Close the control pipe: to our probe that means that we are gone, and it ends the session hard."""


@dataclass(frozen=True)
class Started:
    """A learner, who keeps its memory cap, and from whom it has pages that a plain one would have of its own."""

    process: LearnerProcess
    keeper: CapKeeper | None
    lender: psutil.Process | None = None


class Start(Protocol):
    """A way to start a learner."""

    def __call__(self, mark: str, command: Sequence[str], environment: Mapping[str, str], log: IO[bytes], /) -> Started:
        """Start `command`, its output into `log`. `mark`: of the session, which `environment` carries, too."""


class PlainStart:
    """The plain command, capped from its first moment on."""

    def __init__(self, cap_bytes: int) -> None:
        self._cap_bytes = cap_bytes

    def __call__(self, mark: str, command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Started:
        """Start it.

        Raises:
            NotReady: it cannot be started.
        """
        if shutil.which(command[0]) is None:
            raise NotReady(f"cannot start {command[0]}: there is no such program any more")
        keeper = keep_cap(mark, self._cap_bytes)
        command = adopting(command)
        try:
            return Started(CommandProcess(keeper.wrap(command) if keeper else command, environment, log), keeper)
        except BaseException:  # a second Ctrl-C too, and then the learner may run already
            if keeper is not None:
                keeper.remove()
            raise


class CommandProcess:
    """`mlagents-learn` as people run it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> None:
        """Starts it, its output into `log`.

        Raises:
            NotReady: it cannot be started.
        """
        try:
            with _sigint_at_default():
                self._process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(environment),
                    start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                )
        except OSError as error:
            raise NotReady(f"cannot start {command[0]}: {error.strerror or error}") from None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """SIGINT, to its whole group as a terminal sends it: the learner may be behind a script, or `conda run`.

        On Windows, where none reaches a child, our probe raises it from inside.
        """
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                assert self._process.stdin is not None
                os.write(self._process.stdin.fileno(), b"s")
            else:
                os.killpg(self._process.pid, signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def let_go(self) -> None:
        """Close the control pipe."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]


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
