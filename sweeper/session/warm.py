"""Learners that start at once: forked from a process of the learner's own Python that has imported what takes long.

Importing torch takes longer than many a measurement of the search. Only where the system forks, and where the learner's
Python is known; confirming sessions use the plain command. What runs in there is `learner/inside/sweeper_warm.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import psutil

from sweeper.learner import INSIDE, surroundings
from sweeper.session.cap import CapKeeper, Meanwhile, keep_cap
from sweeper.session.guardian import MARK, Guardian, kill_marked
from sweeper.session.identity import new_mark
from sweeper.session.learner import python_of
from sweeper.session.process import Started
from sweeper.session.scratch import Scratch

READY_SECONDS = 120.0
"""To import everything, from a cold disk too."""
FORK_SECONDS = 10.0
LOOK_SECONDS = 0.2
GONE = -int(signal.SIGTERM)
"""The exit status that is told of a learner whose parent is gone, too."""


class NotWarm(Exception):
    """No learner can be forked; why."""


class WarmLearner:
    """The process that forks learners. Close it: it holds some hundred MB."""

    def __init__(
        self, script: Path, guardian: Guardian, cap_bytes: int, stop_asked: Callable[[], bool] = lambda: False
    ) -> None:
        """Start it, and wait until it has imported everything, or somebody asks to stop.

        Raises:
            NotWarm: this system, or this learner, does not allow it.
        """
        if sys.platform != "linux":
            raise NotWarm("only Linux forks a process that has loaded torch")
        python = python_of(script)
        if python is None:
            raise NotWarm(f"which Python runs {script} cannot be told")
        self._guardian, self._mark, self._stop_asked = guardian, new_mark(), stop_asked
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch = Scratch(partial(guardian.watch, self._mark))
        self._keeper = keep_cap(self._mark, cap_bytes)
        self._answers = b""
        self._ended: dict[int, int] = {}
        self._is_gone = False
        try:
            self._process, self._channel = _start(python, self._keeper, self._mark, self._scratch.path)
            self._expect("ready", READY_SECONDS)
        except BaseException:
            self.close()
            raise
        self.lender = psutil.Process(self._process.pid)

    def __call__(self, _mark: str, command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Started:
        """A learner that runs `command`, its output into `log`; see `Start`.

        Raises:
            NotWarm: it could not be forked.
        """
        theirs, ours = os.pipe()
        try:
            request = json.dumps({"argv": list(command), "env": dict(environment)}).encode() + b"\n"
            sent = socket.send_fds(self._channel, [request], [theirs, log.fileno()])
            self._channel.sendall(request[sent:])
            pid = self._expect("pid", FORK_SECONDS)
        except BaseException as error:
            os.close(ours)
            if isinstance(error, OSError):
                raise NotWarm(f"it does not answer: {error}") from None
            raise
        finally:
            os.close(theirs)
        process = ForkedProcess(self, int(pid), ours)
        return Started(process, Meanwhile(self._keeper) if self._keeper else None, self.lender)

    def status_of(self, pid: int) -> int | None:
        """The exit status of a learner; None while it runs."""
        self._listen(0.0)
        if pid not in self._ended and self._is_gone and not psutil.pid_exists(pid):
            self._ended[pid] = GONE
        return self._ended.get(pid)

    def is_alive(self) -> bool:
        """Whether it can be asked for another."""
        self._listen(0.0)
        return not self._is_gone

    def close(self) -> None:
        """End it and all that it forked."""
        self._is_gone = True
        if self._process is not None:
            self._channel.close()
            self._process.kill()
            self._process.wait()
        kill_marked(self._mark)
        if self._keeper is not None:
            self._keeper.remove()
        self._scratch.close()
        self._guardian.forget(self._mark)

    def _expect(self, word: str, seconds: float) -> Any:
        """The value of the next answer that has `word` and tells no end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._is_gone and not self._stop_asked():
            for answer in self._listen(LOOK_SECONDS):
                if word in answer:
                    return answer[word]
        if self._stop_asked():
            raise NotWarm("somebody asked to stop")
        raise NotWarm("it ended" if self._is_gone else f"it gave no answer within {seconds:.0f} s")

    def _listen(self, seconds: float) -> list[dict[str, Any]]:
        """Answers that are there, waiting so long for the first; ends of learners are noted and not returned."""
        if self._is_gone or not select.select([self._channel], [], [], seconds)[0]:
            return []
        try:
            block = self._channel.recv(65536)
        except OSError:
            block = b""
        self._is_gone = not block
        *lines, self._answers = (self._answers + block).split(b"\n")
        answers = [json.loads(line) for line in lines]
        self._ended.update({answer["pid"]: answer["status"] for answer in answers if "status" in answer})
        return [answer for answer in answers if "status" not in answer]


class ForkedProcess:
    """A learner that was forked; see `LearnerProcess`."""

    def __init__(self, parent: WarmLearner, pid: int, control: int) -> None:
        """`control`: our end of its standard input."""
        self._parent, self._pid = parent, pid
        self._control: int | None = control

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._pid

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._parent.status_of(self._pid)

    def ask_to_stop(self) -> None:
        """SIGINT."""
        if self.exit_status() is None:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        deadline = time.monotonic() + seconds
        while self.exit_status() is None and time.monotonic() < deadline:
            time.sleep(0.02)

    def let_go(self) -> None:
        """Close the control pipe."""
        if self._control is not None:
            os.close(self._control)
            self._control = None


def _start(
    python: Path, keeper: CapKeeper | None, mark: str, temporary: str
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    command = [str(python), str(INSIDE / "sweeper_warm.py"), str(theirs.fileno())]
    try:
        process = subprocess.Popen(
            keeper.wrap(command) if keeper else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Some packages leave folders there when they are imported.
            env={**surroundings(), **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary), MARK: mark},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise NotWarm(f"cannot start {python}: {error.strerror or error}") from None
    finally:
        theirs.close()
    return process, ours
