"""The learner's own parser, asked what it says of trainer configs before anything is trained."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.learner import INSIDE
from sweeper.outside import one_line
from sweeper.session.learner import HELP_SECONDS, python_of

_OWN_SCRIPT = b"mlagents.trainers.learn"
"""What the script that pip writes imports; another may add to the config, or be no ML-Agents at all."""
_SCRIPT_BYTES = 64 * 1024
_MESSAGE_CHARACTERS = 300
"""Some of its messages hold a whole config."""


class NotAsked(Exception):
    """This learner's parser cannot be asked; why."""


@dataclass(frozen=True)
class Question:
    """A trainer config as text, and what follows it on the learner's command line."""

    text: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """`path`: keys and positions from the config's root to what is refused, as near as can be told."""

    path: tuple[str | int, ...]
    message: str


def ask_parser(learner: Path, questions: Sequence[Question]) -> list[Refusal | None]:
    """Whether it refuses each of them, in order. It imports torch, which takes seconds.

    Raises:
        NotAsked: its Python is unknown, it is not mlagents' own script, or it gave no answer.
    """
    python = python_of(learner)
    if python is None:
        raise NotAsked(f"which Python runs {learner} cannot be told")
    if learner.suffix.lower() != ".exe" and _OWN_SCRIPT not in _beginning(learner):
        raise NotAsked(f"{learner} is not the script that comes with mlagents")
    asked = json.dumps([{"text": one.text, "argv": list(one.argv)} for one in questions])
    try:
        done = subprocess.run(
            [str(python), str(INSIDE / "sweeper_parser.py")],
            input=asked,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=HELP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotAsked(f"it gave no answer within {HELP_SECONDS:.0f} s") from None
    except OSError as error:
        raise NotAsked(f"cannot start {python}: {error.strerror or error}") from None
    try:
        answers = json.loads(done.stdout.splitlines()[-1])
        found = [None if one is None else Refusal(tuple(one["path"]), _told(one["message"])) for one in answers]
    except (IndexError, ValueError, TypeError, KeyError):
        said = done.stderr.strip().splitlines()
        raise NotAsked(one_line(said[-1]) if said else "it said nothing") from None
    if len(found) != len(questions):
        raise NotAsked("it answered something else")
    return found


def _told(message: str) -> str:
    return textwrap.shorten(one_line(message), _MESSAGE_CHARACTERS, placeholder=" …")


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_SCRIPT_BYTES)
    except OSError:
        return b""
