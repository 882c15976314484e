"""Files that are to be written at the end, tried before anything else is."""

from __future__ import annotations

from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.outside import short


def check_place(option: str, file: Path) -> None:
    """That `file` can be written, or replaced.

    Raises:
        InvalidInput: its folder is not there, or it is something else, or nobody may write it.
    """
    try:
        is_folder, is_somewhere, is_special = file.is_dir(), file.parent.is_dir(), file.exists() and not file.is_file()
    except OSError as error:  # a name that is too long, a folder that this user may not look into
        raise InvalidInput(f"{option}: {short(str(file))}: {error.strerror}", "name another file") from None
    if file.is_symlink() and not file.exists():
        raise InvalidInput(
            f"{option}: {file} is a link to {file.readlink()}, which is not there",
            "mend the link, or name another file",
        )
    if is_folder:
        raise InvalidInput(f"{option}: {file} is a folder", "name a file")
    if not is_somewhere:
        raise InvalidInput(f"{option}: there is no folder {file.parent}", "make it first, or name another file")
    if is_special:
        raise InvalidInput(f"{option}: {file} is no ordinary file", "name another file")
    try:
        _try(file)
    except OSError as error:  # rights alone do not say it: root may write anything, and a system's own folders nothing
        raise InvalidInput(
            f"{option}: {file} cannot be written: {error.strerror}", "name another file, or mend its rights"
        ) from None


def _try(file: Path) -> None:
    """Open it to be written; what is in it stays, and none is left where none was."""
    is_new = not file.exists()
    with file.open("ab"):
        pass
    if is_new:
        file.unlink()
