"""A small process that outlives us for a moment: should we be killed, it ends what we left.

The probe inside a learner does the same, but it cannot while its session is suspended, and there is none where it could
not be loaded. The guardian holds the read end of a pipe; when it closes without a farewell, every process that carries
the mark of a watched trial is killed and the trial's temporary folder is removed.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from typing import IO

import psutil

MARK = "SWEEPER_TRIAL"
"""Environment variable that every process of a trial inherits."""
KILL_SECONDS = 10.0


class Guardian:
    """Our side of it. Without one (it could not be started) sessions still run; only this safety net is missing."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Guardian:
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_SECONDS)

    def watch(self, mark: str, folder: str) -> None:
        """From now on, a trial's processes and its temporary folder are the guardian's to end."""
        self._say(f"+{mark} {folder}\n")

    def forget(self, mark: str) -> None:
        """The trial has ended and left nothing."""
        self._say(f"-{mark}\n")

    def _say(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def guard(words: IO[bytes]) -> None:
    """Listen until the pipe closes, then end every trial that was not forgotten."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    folders: dict[str, str] = {}
    for line in words:
        mark, _, folder = line.decode().strip().partition(" ")
        if mark.startswith("+"):
            folders[mark[1:]] = folder
        else:
            folders.pop(mark[1:], None)
    for mark, folder in folders.items():
        kill_marked(mark)
        shutil.rmtree(folder, ignore_errors=True)


def kill_marked(mark: str) -> None:
    """Kill every process of a trial until none is left: one may be starting another at this instant."""
    deadline = time.monotonic() + KILL_SECONDS
    while (found := with_descendants(marked(mark))) and time.monotonic() < deadline:
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.2)


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that carry this trial's mark."""
    return [process for process in psutil.process_iter() if carries(process, mark)]


def with_descendants(found: list[psutil.Process]) -> list[psutil.Process]:
    """These and what descends from them, marked or not: a helper may have dropped its mark."""
    everybody = [*found]
    for process in found:
        with contextlib.suppress(psutil.Error):
            everybody += [child for child in process.children(recursive=True) if child not in everybody]
    return everybody


def carries(process: psutil.Process, mark: str) -> bool:
    """Whether a living process has the mark; one whose environment we may not read is not ours."""
    try:
        return process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


if __name__ == "__main__":
    guard(sys.stdin.buffer)
