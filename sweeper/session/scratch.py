"""The temporary folder of a session, which its owner holds locked for as long as it lives.

The lock is the system's own, so it says the same in every container of a machine, and on a disk that machines share.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from sweeper.errors import NotReady
from sweeper.session.identity import owner

PREFIX = "sweeper-"
LOCK = ".sweeper-owner"


class Scratch:
    """A new one. Close it, or use it as a context manager that gives its path: what is in it goes with it."""

    def __init__(self, announce: Callable[[str], None] = lambda _path: None) -> None:
        """Make it. `announce` is told its path before it exists: who is to remove it after a kill must know by then.

        Raises:
            NotReady: no temporary folder can be written.
        """
        try:
            # A short path: sockets in it may have 108 characters at most.
            self.path = str(Path(tempfile.gettempdir()) / f"{PREFIX}{owner()}{secrets.token_hex(4)}")
            announce(self.path)
            Path(self.path).mkdir(mode=0o700)
        except OSError as error:
            raise NotReady(
                f"no temporary folder can be made: {error.strerror or error}",
                "free some space there, or name a folder that you may write with TMPDIR",
            ) from None
        self._lock = FileLock(Path(self.path) / LOCK)
        with contextlib.suppress(OSError, Timeout):  # a file system without locks: then the mark alone tells
            self._lock.acquire(timeout=0)

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it."""
        with contextlib.suppress(OSError):
            self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def is_held(folder: Path) -> bool:
    """Whether somebody holds this folder locked, or that cannot be told; False where nobody ever locked it."""
    try:
        if not (folder / LOCK).is_file():
            return False
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
        lock.release()
    except (OSError, Timeout):
        return True
    return False
