"""The one way to the storage: what it refuses is translated, and a database that somebody locks is waited for.

A dashboard, a backup or a virus scanner may hold a SQLite file for a minute. That delays a study and ends nothing.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import optuna
import sqlalchemy.exc

from sweeper.errors import NotReady, cannot_write

SQLITE_SECONDS = 2
"""That SQLite itself waits for a lock: short, so that a wish to stop is heard."""
PATIENCE_SECONDS = 600.0
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
_BUSY = ("database is locked", "database table is locked", "database is busy")

Answer = TypeVar("Answer")


def _nothing() -> None:
    pass


def _silent(text: str) -> None:
    pass


@dataclass
class Patience:
    """How long to try. `waiting` is told once for whom; `check` is called meanwhile, and raises what ends the
    waiting sooner."""

    seconds: float = PATIENCE_SECONDS
    waiting: Callable[[str], None] = _silent
    check: Callable[[], None] = _nothing
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def attempt(self, path: Path | None, operation: Callable[[], Answer]) -> Answer:
        """What `operation` gives; it is tried again while the database at `path` is locked, so it must bear that.

        Raises:
            NotReady: it stays locked, the disk is full, or this is no database; says which.
        """
        deadline, pause, told = self.clock() + self.seconds, PAUSE_SECONDS, False
        while True:
            try:
                return operation()
            except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
                text = str(error.__cause__ or error)
                if not any(words in text for words in _BUSY):
                    raise _translated(path, text) from None
                self.check()
                if self.clock() >= deadline:
                    raise NotReady(
                        f"{path or 'the storage'} is locked by another program",
                        "nothing is lost: once that program lets go, the same command goes on",
                    ) from None
            if not told:
                self.waiting(f"{path or 'The storage'} is locked by another program; waiting for it.")
                told = True
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _translated(path: Path | None, text: str) -> NotReady:
    if "disk is full" in text:
        return cannot_write(path or "the storage", OSError(errno.ENOSPC, text))
    if "disk I/O error" in text:
        return NotReady(
            f"{path or 'the storage'}: its disk fails, or lets it grow no further (disk I/O error)",
            "is it full, or is there a quota or a limit on the size of files? what is stored is not lost",
        )
    if "not a database" in text or "malformed" in text:
        return NotReady(
            f"{path or 'the study.db'}: not an Optuna storage, or damaged",
            "--fresh moves the folder aside and starts anew",
        )
    return NotReady(
        f"cannot use the study's storage: {text.splitlines()[0]}", "is its folder writable, and on a local disk?"
    )
