"""Putting the Editor script into a Unity project."""

from __future__ import annotations

from pathlib import Path

from sweeper.app.outputs import write_atomically
from sweeper.editor import SCRIPT
from sweeper.errors import InvalidInput, NotReady

PLACE = Path("Assets") / "Editor" / SCRIPT.name


def install_script(project: Path) -> tuple[Path, bool]:
    """Write it into the project's `Assets/Editor`; where it is, and whether it was not there before.

    Raises:
        InvalidInput: this is no Unity project, or another file is in the way.
        NotReady: it cannot be written.
    """
    if not (project / "Assets").is_dir() or not (project / "ProjectSettings").is_dir():
        hint = "give the folder that holds Assets and ProjectSettings"
        raise InvalidInput(f"{project} is not the folder of a Unity project", hint)
    place, text = project / PLACE, SCRIPT.read_text(encoding="utf-8")
    try:
        if place.exists():
            if place.read_text(encoding="utf-8", errors="replace") == text:
                return place, False
            raise InvalidInput(f"{place} exists and is another one; nothing was overwritten", "move it away first")
        place.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        hint = "Unity wants a folder there: move the file away first"
        raise InvalidInput(f"{place.parent} is a file; nothing was written", hint) from None
    except OSError as error:
        raise NotReady(f"cannot write {place}: {error.strerror or error}") from None
    write_atomically(place, text)
    return place, True
