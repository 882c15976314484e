"""The history of checks: JSON lines in a file that CI keeps, and the trend that they make."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sweeper.errors import InvalidInput, NotReady
from sweeper.model.gate import CheckResult, Past
from sweeper.model.study import from_json, to_json
from sweeper.outside import read_bounded

MAX_BYTES = 64 * 1024**2
SHOWN = 60
"""Latest checks in the picture."""


def key_of(result: CheckResult) -> str:
    """What makes checks comparable: the machine, the study's name and the baseline's settings.

    Build, trainer config and learner may change from check to check: a trend is of them.
    """
    settings = sorted(f"{knob}={value}" for knob, value in result.baseline.params.items())
    text = "|".join([result.name, result.machine.key, *settings])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def check_history(file: Path) -> None:
    """That a line can be added, before anything is measured.

    Raises:
        InvalidInput: the file holds something else.
    """
    _read(file)


def append(file: Path, result: CheckResult) -> tuple[Past, ...]:
    """Add this check; returns the latest of its kind, itself included, oldest first.

    Raises:
        InvalidInput: the file holds something else.
        NotReady: it cannot be written.
    """
    earlier = _read(file)
    joint = "" if _ends_with_a_line(file) else "\n"
    now = Past(result.started_at, key_of(result), result.verdict, result.change, result.steps_per_second)
    try:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(joint + json.dumps(to_json(now)) + "\n")
    except OSError as error:
        raise NotReady(f"cannot write {file}: {error.strerror or error}") from None
    return tuple(one for one in (*earlier, now) if one.key == now.key)[-SHOWN:]


def _ends_with_a_line(file: Path) -> bool:
    """Whether what is added begins a line of its own; editors, and checks that were killed, leave off the last end."""
    return not file.exists() or not (data := read_bounded(file, MAX_BYTES)) or data.endswith(b"\n")


def _read(file: Path) -> list[Past]:
    if not file.exists():
        return []
    try:
        lines = read_bounded(file, MAX_BYTES).decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InvalidInput(f"{file}: no history of checks: it is not text", "name another file") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file}: cannot be read: {error}", "name another file, or mend its rights") from None
    found: list[Past] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(from_json(Past, line))
        except ValueError as error:
            raise InvalidInput(
                f"{file}:{number}: not a line of a history: {error}", "mend the line, or name another file"
            ) from None
    return found
