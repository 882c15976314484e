"""A file that is there and cannot start: its rights, or the interpreter that its first line names, are not right."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_MOST_BYTES = 256
"""Of a first line, as Linux reads it (BINPRM_BUF_SIZE)."""


def how_to_let_it_start(file: Path) -> str:
    """What to do about a file that is not executable: text that is no script is not what was meant."""
    try:
        with file.open("rb") as opened:
            start = opened.read(_MOST_BYTES)
    except OSError:
        start = b""
    is_text = not any(byte < 32 and byte not in b"\t\n\f\r" for byte in start)
    if start and is_text and not start.startswith(b"#!"):
        return "it is text: name the program itself"
    return f"chmod +x {shlex.quote(str(file))}"


def why_it_cannot_start(script: Path) -> tuple[str, str] | None:
    """What is wrong with its first line, and how to mend it; None where nothing is, or it is no script.

    The system says "No such file or directory" then, of a file that everybody sees.
    """
    try:
        with script.open("rb") as file:
            first, end, _ = file.read(_MOST_BYTES).partition(b"\n")
    except OSError:
        return None
    if not end or not first.startswith(b"#!") or os.name == "nt":
        return None
    if first.endswith(b"\r"):
        return (
            "its lines end as on Windows, so that the system looks for an interpreter of another name",
            f"sed -i 's/\\r$//' '{script}'",
        )
    interpreter = os.fsdecode(first[2:].split()[0]) if first[2:].split() else ""
    if Path(interpreter).is_absolute() and not Path(interpreter).exists():
        return (
            f"its first line names {interpreter}, which is not there",
            "its environment was moved or removed: make it again, or name one that is there",
        )
    return None
