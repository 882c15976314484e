"""One measurement at a time on one machine: two would only measure each other."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from filelock import BaseFileLock, FileLock, Timeout

from sweeper.errors import NotReady

HOST_LOCK = Path(tempfile.gettempdir()) / "sweeper-host.lock"
WAIT_SECONDS = 60.0
"""For another sweeper that may just be ending; a whole study would take too long to wait for."""
POLL_SECONDS = 0.5


@contextlib.contextmanager
def exclusive(
    path: Path,
    what: str,
    hint: str,
    max_seconds: float = 0.0,
    waiting: Callable[[str], None] | None = None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Hold the lock file `path`; the system frees it when the process ends, however it ends.

    Waits up to `max_seconds` for whoever holds it, and tells `waiting` once for whom.

    Raises:
        NotReady: someone else holds it; names that process where it can be read.
    """
    lock = FileLock(path, mode=0o666)
    holder = path.with_suffix(".pid")
    deadline = time.monotonic() + max_seconds
    told = False
    while not _acquired(lock, path):
        who = f"{what} is in use by another sweeper{_held_by(holder)}"
        if time.monotonic() >= deadline or stop_asked():
            raise NotReady(who, hint)
        if waiting is not None and not told:
            waiting(f"{who}; waiting up to {max_seconds:.0f} s.")
            told = True
        time.sleep(POLL_SECONDS)
    try:
        with contextlib.suppress(OSError):
            holder.write_text(str(os.getpid()))
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _acquired(lock: BaseFileLock, path: Path) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        raise NotReady(f"cannot lock {path}: {error.strerror or error}") from None
    return True


def _held_by(holder: Path) -> str:
    """Who wrote the name last; a killed one left it, and is not there any more."""
    try:
        pid = int(holder.read_text())
    except (OSError, ValueError):
        return ""
    return f" (process {pid})" if psutil.pid_exists(pid) else ""
