"""The disk under a trial: its logs are bounded while they grow and cut when they end, and a reserve stays free."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sweeper.model.folder import TrialFolder

RESERVE_BYTES = 200 * 1024**2
"""Free before a trial: it writes a few MiB, and SQLite and the report need some air. A trial may take half of it."""
GROWING_BYTES = 16 * 1024**2
"""Of all logs of a trial together, while they grow."""
KEPT_BYTES = 2 * 1024**2
"""Of all logs of a trial together, when it has ended."""
_LEFT_OUT = b"\n[... sweeper left out what was here: %d bytes ...]\n"
_ROOM = len(_LEFT_OUT) + 20
_BLOCK = 512
"""Bytes, in which POSIX counts what a file takes."""


def free_bytes(folder: Path) -> int:
    """Free on the disk that holds a folder, or will hold it."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free


def is_short(folder: Path) -> bool:
    """Whether a trial that runs has taken more of the reserve than it may."""
    return free_bytes(folder) < RESERVE_BYTES // 2


class TrialLogs:
    """What a trial's learner and players print. Others write these files meanwhile, and go on where they were."""

    def __init__(self, folder: TrialFolder) -> None:
        self._folder = folder
        self._logs: dict[Path, _Log] = {}

    def bound(self) -> None:
        """Cut those that have grown too large: what lies between beginning and end takes no room from now on."""
        for log, share in self._shares(GROWING_BYTES, KEPT_BYTES):
            log.bound(*share)

    def finish(self) -> None:
        """Keep beginning and end of those that are too large. Nobody writes them any more."""
        for log, share in self._shares(KEPT_BYTES, KEPT_BYTES):
            log.finish(*share)

    def _shares(self, most_bytes: int, kept_bytes: int) -> Iterator[tuple[_Log, tuple[int, int]]]:
        found = [self._folder.learner_log, *sorted(self._folder.player_logs.glob("*"))]
        paths = [path for path in found if path.is_file() and not path.is_symlink()]
        for path in paths:
            yield self._logs.setdefault(path, _Log(path)), (most_bytes // len(paths), kept_bytes // len(paths))


class _Log:
    """One of them, with the end that it had when it was cut."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = b""
        self._left_out = 0

    def bound(self, most_bytes: int, kept_bytes: int) -> None:
        half = kept_bytes // 2 - _ROOM
        with contextlib.suppress(OSError):  # Windows: not while somebody has it open
            taken = _taken_bytes(self._path)
            if taken > most_bytes:
                self._end = self._last(half)
                self._left_out += taken - half
                # Who appends goes on after the beginning; who does not leaves a hole, which takes no room.
                os.truncate(self._path, half)

    def finish(self, most_bytes: int, kept_bytes: int) -> None:
        half = kept_bytes // 2 - _ROOM
        with contextlib.suppress(OSError):
            taken = _taken_bytes(self._path)
            if not self._left_out and taken <= most_bytes:
                return
            end = self._last(half)
            left_out = self._left_out + max(0, taken - half) - len(end)
            with self._path.open("r+b") as file:
                file.truncate(half)
                file.seek(0, os.SEEK_END)
                file.write((_LEFT_OUT % left_out if left_out > 0 else b"") + end)
            self._end, self._left_out = b"", 0

    def _last(self, half: int) -> bytes:
        """Its end as it was written, whether or not it was cut since."""
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(half if self._left_out else 0, size - half))
            fresh = file.read(half).lstrip(b"\0")  # of the hole
        return (self._end + fresh)[-half:]


def _taken_bytes(path: Path) -> int:
    """On the disk: a hole takes nothing."""
    status = path.stat()
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * _BLOCK)
