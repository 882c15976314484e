"""What trials leave on the disk: kept where it explains a failure, removed where it only takes room."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.model.folder import TrialFolder

MIN_FREE_BYTES = 200 * 1024**2
"""A trial writes a few MiB; SQLite and the report need some air."""
EVENTS = "events.out.tfevents"
"""How TensorBoard's files begin."""


def check_disk(root: Path) -> None:
    """Before anything is started.

    Raises:
        NotReady: the disk is nearly full; what was measured is saved.
    """
    free = shutil.disk_usage(next(folder for folder in (root, *root.parents) if folder.exists())).free
    if free < MIN_FREE_BYTES:
        raise NotReady(
            f"the disk of {root} has only {free // 1024**2} MiB left",
            "free some space, then run the same command again: it resumes",
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
