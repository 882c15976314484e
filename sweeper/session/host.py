"""One measurement at a time on one machine: two would only measure each other."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from sweeper.errors import NotReady

HOST_LOCK = Path(tempfile.gettempdir()) / "sweeper-host.lock"


@contextlib.contextmanager
def exclusive(path: Path, what: str, hint: str) -> Iterator[None]:
    """Hold the lock file `path`; the system frees it when the process ends, however it ends.

    Raises:
        NotReady: someone else holds it; names that process where it can be read.
    """
    lock = FileLock(path, mode=0o666)
    holder = path.with_suffix(".pid")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise NotReady(f"{what} is in use by another sweeper{_held_by(holder)}", hint) from None
    except OSError as error:
        raise NotReady(f"cannot lock {path}: {error.strerror or error}") from None
    try:
        with contextlib.suppress(OSError):
            holder.write_text(str(os.getpid()))
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _held_by(holder: Path) -> str:
    try:
        return f" (process {int(holder.read_text())})"
    except (OSError, ValueError):
        return ""
