"""What a killed tool left: processes and temporary folders that name an owner who is no more.

Known by identity, never by name: the mark that every process of a trial inherits names the tool that started it, by
process id, start time, and the place where these mean something. What was started elsewhere, in a container or on
another machine that shares a disk, cannot be judged from here; nor can marks of earlier versions, which name no place.
And whatever a mark says, an owner who holds the temporary folder locked lives.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from sweeper.session.cgroup import leftover_groups
from sweeper.session.guardian import MARK, marked, with_descendants
from sweeper.session.identity import is_ownerless
from sweeper.session.scratch import PREFIX, is_held

KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Leftovers:
    """What was found and ended: process ids and folders."""

    pids: tuple[int, ...] = ()
    folders: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pids or self.folders)


def clean_up(temporary: Path | None = None) -> Leftovers:
    """End the processes and remove the temporary folders of tools that are gone; living ones' are left alone."""
    found = with_descendants([process for process in psutil.process_iter() if _is_orphan(process)])
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=KILL_SECONDS)
    for name, group in leftover_groups():
        if is_ownerless(name) and not marked(name):  # of which some were left alone
            group.remove()
    removed = []
    for folder in _temporary_folders(temporary):
        if folder.is_dir() and not folder.is_symlink() and _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(str(folder))
    return Leftovers(tuple(process.pid for process in found), tuple(removed))


def _temporary_folders(temporary: Path | None) -> list[Path]:
    try:
        return list((temporary or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"))
    except OSError:  # no folder can be written: the disk is full, which is said where it matters
        return []


def _is_abandoned(folder: Path) -> bool:
    return is_ownerless(folder.name.removeprefix(PREFIX)) and not is_held(folder)


def _is_orphan(process: psutil.Process) -> bool:
    try:
        environment = process.environ()
        is_marked = is_ownerless(environment.get(MARK, ""))
        return is_marked and process.status() != psutil.STATUS_ZOMBIE and not _holds_its_folder(environment)
    except (psutil.Error, OSError):  # not ours to read, so not ours
        return False


def _holds_its_folder(environment: Mapping[str, str]) -> bool:
    """Whether the owner of a marked process holds the temporary folder that it gave to it."""
    folder = environment.get("TMPDIR")
    return folder is not None and is_held(Path(folder))
