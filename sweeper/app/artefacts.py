"""What trials leave on the disk: kept where it explains a failure, removed where it only takes room."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from sweeper.errors import NobodyPlayed, NotReady
from sweeper.model.folder import TrialFolder
from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.session.disk import RESERVE_BYTES, free_bytes
from sweeper.session.play import ASK_AFTER_SECONDS
from sweeper.units import format_seconds

EVENTS = "events.out.tfevents"
"""How TensorBoard's files begin."""
_MEND = "free some space, then run the same command again: it resumes"


def check_disk(root: Path) -> None:
    """Before anything is started.

    Raises:
        NotReady: the disk is nearly full; what was measured is saved.
    """
    free = free_bytes(root)
    if free < RESERVE_BYTES:
        raise NotReady(f"the disk of {root} has only {free // 1024**2} MiB left", _MEND)


def check_end(record: SessionRecord, root: Path) -> None:
    """Whether more sessions may follow one that ended so.

    Raises:
        NotReady: the disk ran short in mid-trial.
        NobodyPlayed: nobody pressed Play in the Unity Editor.
    """
    if record.end is SessionEnd.DISK_SHORT:  # what was written until then may be gone already
        raise NotReady(f"the disk of {root} was nearly full in the middle of a trial", _MEND)
    if record.end is SessionEnd.NOBODY_PLAYED:
        waited = ASK_AFTER_SECONDS + record.asked_seconds
        within = f" within {format_seconds(waited)}" if record.asked_seconds else ""
        raise NobodyPlayed(
            f"nobody pressed Play in the Unity Editor{within}",
            "run the same command again and press Play when asked; `sweeper editor-script PROJECT` does it for you",
        )


def prune(folder: TrialFolder, keep_events: bool = False) -> None:
    """Of a trial that was measured, remove the learner's models and event files; config, logs and samples stay.

    `keep_events`: TensorBoard's files of the learner stay, too.
    """
    if keep_events:
        for path in folder.results_dir.rglob("*"):
            if path.is_file() and not path.name.startswith(EVENTS) and folder.player_logs not in path.parents:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        return
    logs = folder.player_logs
    for path in folder.results_dir.glob("*/*"):
        if path == logs:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # somebody has it open: it takes room, and does no harm
                path.unlink(missing_ok=True)
