"""What a killed tool left: processes and temporary folders that name an owner who is no more.

Known by identity, never by name: the mark that every process of a trial inherits names the tool that started it, by
process id, start time, and the place where these mean something. What was started elsewhere, in a container or on
another machine that shares a disk, cannot be judged from here; nor can marks of earlier versions, which name no place.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from sweeper.session.cgroup import leftover_groups
from sweeper.session.guardian import MARK
from sweeper.session.identity import is_alive, place, start_seconds

PREFIX = "sweeper-"
KILL_SECONDS = 5.0
_OWNER = re.compile("([0-9a-f]{1,16}[.][0-9]{1,20})-([0-9]{1,9})-([0-9]{1,12})-")


@dataclass(frozen=True)
class Leftovers:
    """What was found and ended: process ids and folders."""

    pids: tuple[int, ...] = ()
    folders: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pids or self.folders)


def owner() -> str:
    """This process by place, id and start time in seconds, as a prefix of marks and folders."""
    return f"{place()}-{os.getpid()}-{start_seconds(psutil.Process())}-"


def clean_up(temporary: Path | None = None) -> Leftovers:
    """End the processes and remove the temporary folders of tools that are gone; living ones' are left alone."""
    found = [process for process in psutil.process_iter() if _is_orphan(process)]
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=KILL_SECONDS)
    for name, group in leftover_groups():
        if _is_ownerless(name):
            group.remove()
    removed = []
    for folder in _temporary_folders(temporary):
        if folder.is_dir() and not folder.is_symlink() and _is_ownerless(folder.name.removeprefix(PREFIX)):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(str(folder))
    return Leftovers(tuple(process.pid for process in found), tuple(removed))


def _temporary_folders(temporary: Path | None) -> list[Path]:
    try:
        return list((temporary or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"))
    except OSError:  # no folder can be written: the disk is full, which is said where it matters
        return []


def _is_orphan(process: psutil.Process) -> bool:
    try:
        mark = process.environ().get(MARK, "")
        return _is_ownerless(mark) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):  # not ours to read, so not ours
        return False


def _is_ownerless(name: str) -> bool:
    match = _OWNER.match(name)
    if match is None or match[1] != place():
        return False
    return is_alive(int(match[2]), int(match[3])) is False
