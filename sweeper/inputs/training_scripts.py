"""Where people have their training commands: on a line, or in a script of a shell that its name tells."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.inputs.learner_starts import GIVE_IT, Started
from sweeper.inputs.script_walk import Walk
from sweeper.inputs.shell_state import at_home
from sweeper.inputs.shell_words import shell_of_line, without_lost_ends
from sweeper.outside import read_bounded
from sweeper.shells import Shell

MAX_BYTES = 64 * 1024
SCRIPTS = {
    ".bat": Shell.CMD,
    ".cmd": Shell.CMD,
    ".ps1": Shell.POWERSHELL,
    ".sh": Shell.POSIX,
    ".bash": Shell.POSIX,
    ".zsh": Shell.POSIX,
    ".command": Shell.POSIX,
}


def read_started(text: str) -> tuple[Started, int, str]:
    """The first training command in `text`, or in the script that it names; how many there are; where that is.

    Raises:
        InvalidInput: there is none that can be read.
    """
    path = at_home(text) if "\n" not in text and len(text) < 4096 else None
    shell = SCRIPTS.get(path.suffix.lower()) if path is not None else None
    if path is not None and shell is None and os.path.isfile(path):  # noqa: PTH113 no error for what is no name
        raise InvalidInput(f"{path}: its name does not say which shell reads it: {', '.join(SCRIPTS)}", GIVE_IT)
    if len(text) > MAX_BYTES:
        raise InvalidInput(f"--from: longer than {MAX_BYTES // 1024} KiB, which no command is", GIVE_IT)
    if path is None or shell is None:
        text = re.sub(r"^\s*(?:!|[$%>#]\s+)", "", text)  # a notebook's sign, or a prompt
        where, place, shell = "--from", Path.cwd(), shell_of_line(text)
        text = without_lost_ends(text)
    else:
        where, place, text = str(path), path.parent.absolute(), _read(path)
    walk = Walk(place, shell)
    walk.run(text, shell)
    return walk.starts.first(where, text)


def _read(path: Path) -> str:
    try:
        data = read_bounded(path, 1024**2)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{path}: larger than {MAX_BYTES // 1024} KiB, which no training script is", GIVE_IT)
    # PowerShell writes UTF-16, with its sign in front.
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
