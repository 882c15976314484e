"""A study's folder before anything runs in it: made ready, or an old one moved aside; never somebody else's."""

from __future__ import annotations

from pathlib import Path

from sweeper.app.artefacts import check_disk
from sweeper.errors import InvalidInput, NotReady
from sweeper.model.folder import StudyFolder

ELSEWHERE = "choose another place with --out"


def move_aside(folder: StudyFolder) -> Path:
    """Rename an old study folder; returns its new place.

    Raises:
        InvalidInput: it holds something that is not a study, or we are in it.
        NotReady: that is not allowed.
    """
    if Path.cwd().is_relative_to(folder.root.resolve()):
        raise InvalidInput(f"{folder.root} holds the current folder and cannot be moved", ELSEWHERE)
    if not folder.results.exists():  # its database may have been emptied
        _refuse_strangers(folder)
    moved = aside(folder.root)
    try:
        folder.root.rename(moved)
    except OSError as error:
        raise NotReady(f"cannot move {folder.root}: {error.strerror or error}", ELSEWHERE) from None
    return moved


def open_folder(folder: StudyFolder) -> None:
    """Make the study folder ready.

    Raises:
        InvalidInput: the folder holds something that is not a study.
        NotReady: it cannot be written, or the disk is nearly full.
    """
    root = folder.root
    try:
        if root.exists() and not root.is_dir():
            raise InvalidInput(f"{root} is a file, not a study folder", ELSEWHERE)
        if "?" in str(root):  # in the address of a database, what follows it is options
            raise InvalidInput(f"{root}: a study folder's path cannot hold a question mark", ELSEWHERE)
        if folder.storage.exists() and not folder.storage.is_file():
            raise InvalidInput(f"{folder.storage} is not a file", "choose another place with --out, or use --fresh")
        _refuse_strangers(folder)
        folder.trials.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"cannot write to {root}: {error.strerror or error}", ELSEWHERE) from None
    check_disk(root)


def aside(root: Path) -> Path:
    """Where an old folder `root` goes; nothing is there."""
    number = 1
    while (candidate := root.with_name(f"{root.name}.old-{number}")).exists():
        number += 1
    return candidate


def _refuse_strangers(folder: StudyFolder) -> None:
    has_study = folder.storage.exists() and folder.storage.stat().st_size > 0
    if folder.root.is_dir() and not has_study and not set(folder.root.iterdir()) <= folder.early:
        hint = f"{ELSEWHERE}, or use --fresh" if folder.results.exists() else ELSEWHERE
        raise InvalidInput(f"{folder.root} is not empty and holds no study", hint)
