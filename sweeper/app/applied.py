"""What `apply` wrote, and what was there before: a small record beside its files, so that it can be taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sweeper.app.outputs import write_atomically
from sweeper.errors import InvalidInput
from sweeper.outside import read_bounded

FORMAT = "sweeper.applied"
VERSION = 1
_MAX_BYTES = 64 * 1024**2
"""A step holds at most what it replaced: a trainer config and three scripts."""
_ELSEWHERE = "choose a folder with -o"


@dataclass(frozen=True)
class Written:
    """One file as it was written: its text's digest, and the text that it replaced, None where there was none."""

    digest: str
    before: str | None


@dataclass(frozen=True)
class Step:
    """One `apply --write`: its files by name, and the folders that it had to make, innermost first."""

    files: Mapping[str, Written]
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Applied:
    """All that was applied in one place and not taken back, oldest first."""

    steps: tuple[Step, ...] = ()

    def wrote(self, name: str, text: str) -> bool:
        """Whether this text of the file `name` is ours."""
        return any(step.files[name].digest == digest(text) for step in self.steps if name in step.files)


def digest(text: str) -> str:
    """Equal for equal texts."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def found_text(path: Path) -> str | None:
    """The text of a file, bytes that are no text included; None where there is no file.

    Raises:
        InvalidInput: something else is there, or it cannot be read.
    """
    try:
        return read_bounded(path, _MAX_BYTES).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        if path.is_symlink():
            message = f"{path} is a link to {path.readlink()}, which is not there; nothing was overwritten"
            raise InvalidInput(message, f"remove the link or mend it, or {_ELSEWHERE}") from None
        return None
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}", _ELSEWHERE) from None
    except ValueError as error:
        raise InvalidInput(f"cannot write {path}: {error}", _ELSEWHERE) from None


def read_applied(path: Path) -> Applied:
    """The record at `path`; an empty one where there is none.

    Raises:
        InvalidInput: it is not one of ours, or of a newer sweeper.
    """
    from pydantic import TypeAdapter

    text = found_text(path)
    if text is None:
        return Applied()
    hint = f"move it away, or {_ELSEWHERE}"
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("version") != VERSION:
            raise InvalidInput(f"{path}: not a record of what this sweeper applied", hint)
        applied = TypeAdapter(Applied).validate_python({"steps": data.get("steps")})
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path}: this record of what was applied is damaged", hint) from None
    if any(Path(name).name != name for step in applied.steps for name in step.files):
        raise InvalidInput(f"{path}: this record names files elsewhere", hint)
    return applied


def save_applied(path: Path, applied: Applied) -> None:
    """Write the record; raises NotReady as write_atomically does."""
    document = {"format": FORMAT, "version": VERSION, **asdict(applied)}
    write_atomically(path, json.dumps(document, indent=1) + "\n")
