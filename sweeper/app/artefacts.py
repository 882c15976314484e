"""What trials leave on the disk: kept where it explains a failure, removed where it only takes room."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.model.folder import TrialFolder
from sweeper.session.disk import RESERVE_BYTES, free_bytes

_MEND = "free some space, then run the same command again: it resumes"


def check_disk(root: Path) -> None:
    """Before anything is started.

    Raises:
        NotReady: the disk is nearly full; what was measured is saved.
    """
    free = free_bytes(root)
    if free < RESERVE_BYTES:
        raise NotReady(f"the disk of {root} has only {free // 1024**2} MiB left", _MEND)


def disk_ran_short(root: Path) -> NotReady:
    """In the middle of a trial; what was written until then may be gone already."""
    return NotReady(f"the disk of {root} was nearly full in the middle of a trial", _MEND)


def prune(folder: TrialFolder) -> None:
    """Of a trial that was measured, remove the learner's models and event files; config, logs and samples stay."""
    logs = folder.player_logs
    for path in folder.results_dir.glob("*/*"):
        if path == logs:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # somebody has it open: it takes room, and does no harm
                path.unlink(missing_ok=True)
