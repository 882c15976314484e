"""One measurement at a time on one machine: two would only measure each other."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import psutil
from filelock import BaseFileLock, FileLock, Timeout

from sweeper.errors import NotReady
from sweeper.outside import read_bounded
from sweeper.session.identity import is_alive, place, start_seconds

LOCK_VARIABLE = "SWEEPER_HOST_LOCK"
"""Names another lock file, for containers of one machine that share a folder."""
WAIT_SECONDS = 60.0
"""For another sweeper that may just be ending; a whole study would take too long to wait for."""
POLL_SECONDS = 0.5
SIGNATURE_BYTES = 1024**2
EVERYBODYS = 0o666
"""So that every user of the machine can lock it; a system that forbids more only narrows it (umask is overruled)."""


def host_lock(environment: Mapping[str, str] = os.environ) -> Path:
    """The one lock file of this machine: the same for all its users, whatever their TMPDIR, but on Windows."""
    if named := environment.get(LOCK_VARIABLE):
        return Path(named)
    shared = Path(tempfile.gettempdir() if sys.platform == "win32" else "/tmp")
    return shared / "sweeper-host.lock"


@contextlib.contextmanager
def exclusive(
    path: Path,
    what: str,
    hint: str,
    max_seconds: float = 0.0,
    waiting: Callable[[str], None] | None = None,
    stop_asked: Callable[[], bool] = lambda: False,
    mend: str = f"name a file that you may write with {LOCK_VARIABLE}",
) -> Iterator[None]:
    """Hold the lock file `path`; the system frees it when the process ends, however it ends.

    Waits up to `max_seconds` for whoever holds it, and tells `waiting` once for whom.

    Raises:
        NotReady: someone else holds it, with that process where it can be read; or it cannot be made, with `mend`.
    """
    lock = FileLock(path, mode=EVERYBODYS)
    holder = path.with_suffix(".pid")
    deadline = time.monotonic() + max_seconds
    told = False
    while not _acquired(lock, path, mend):
        who = f"{what} is in use by another sweeper{_held_by(holder)}"
        if time.monotonic() >= deadline or stop_asked():
            raise NotReady(who, hint)
        if waiting is not None and not told:
            waiting(f"{who}; waiting up to {max_seconds:.0f} s.")
            told = True
        time.sleep(POLL_SECONDS)
    try:
        _sign(holder)
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _acquired(lock: BaseFileLock, path: Path, mend: str) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        raise NotReady(f"cannot lock {path}: {error.strerror or error}", mend) from None
    return True


def _sign(holder: Path) -> None:
    """Say who we are. In a shared folder another user's signature, left by a kill, can be replaced by nobody else."""
    with contextlib.suppress(OSError):
        holder.unlink(missing_ok=True)
        with holder.open("x") as file:  # never through a link that somebody put there meanwhile
            file.write(f"{os.getpid()} {start_seconds(psutil.Process())} {place()}")


def _held_by(holder: Path) -> str:
    """The process that signed, with its user; nothing where that one is gone and its number another's."""
    try:
        words = read_bounded(holder, SIGNATURE_BYTES).decode().split()
        pid, started = (int(word) for word in words[:2])
        if words[2:] and words[2] != place():
            return " in another container or on another machine"
        if not is_alive(pid, started):
            return ""
        process = psutil.Process(pid)
        since = datetime.fromtimestamp(process.create_time()).strftime("%H:%M")
        return f" (process {pid} of {process.username()}, since {since})"
    except (OSError, ValueError, psutil.Error):
        return ""
