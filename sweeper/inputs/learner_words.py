"""The word that is the learner, and the words before it: environments, wrappers, a Python with a module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile

from sweeper.shells import Shell

LEARNER = "mlagents-learn"
MODULE = "mlagents.trainers.learn"
CONTROL = frozenset(["if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "not", "call", "exec"])
"""Words after which a command stands all the same."""
_CONTAINER = re.compile(r"(?:^|[\s\\/])(?:docker|podman)(?:\.exe)?\s(?:.*\s)?(?:run|exec)\s", re.IGNORECASE | re.DOTALL)
_PYTHON = re.compile(r"py|pythonw?[\d.]*|pypy[\d.]*")


def is_learner(word: str) -> bool:
    """Whether this word, without its folders, is the learner's name."""
    return word.replace("\\", "/").rsplit("/", 1)[-1].lower() in (LEARNER, f"{LEARNER}.exe", MODULE)


def names_learner(text: str) -> bool:
    """Whether the learner is spoken of in it."""
    return LEARNER in text.lower() or MODULE in text


def program(word: str) -> str:
    """A program's name without its folder and `.exe`."""
    name = word.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return name.removesuffix(".exe")


def learner_of(word: str, before: list[str], shell: Shell) -> tuple[str | None, list[str]]:
    """The learner that a word starts, and what stands before it; for a Python's module the script beside that Python.

    None where nobody can tell.
    """
    if not word.lower().endswith(MODULE):
        if before and re.fullmatch(r"python[\d.]*", before[-1].lower()):
            before = before[:-1]
        return (word if re.search(r"[\\/]", word) else LEARNER), before
    at = next((at for at, other in enumerate(before) if _PYTHON.fullmatch(program(other))), None)
    if at is None or before[-1] != "-m":
        return None, before
    python, options = before[at].replace("\\", "/"), [one for one in before[at + 1 : -1] if one not in ("-u", "-B")]
    folder, slash, name = python.rpartition("/")
    if not slash:
        is_chosen = program(name) == "py" or options
        return LEARNER, before[:at] + ([name, *options] if is_chosen else [])
    is_windows = name.lower().endswith(".exe") or folder.lower().endswith("/scripts") or shell is Shell.CMD
    if is_windows and not folder.lower().endswith("scripts"):  # conda's Python stands above its scripts
        folder += "/Scripts"
    return f"{folder}/{LEARNER}{'.exe' if is_windows else ''}", before[:at] + options


def _stands_alone(word: str) -> bool:
    """Whether what follows this word is a command as it is without it."""
    return word.lower() in CONTROL | {"command"}


def named(before: list[str]) -> tuple[str, ...]:
    """What stands before the learner, a name for each: assignments, and the programs that wrap it."""
    if before[:1] and before[0].lower() == "start":
        before = [word for word in before[1:] if word.lower() not in ("/b", "/wait", "/w", "/min", "/max")]
        before = ["start", *before] if before and before[0].startswith("/") else before
    given = tuple(word for word in before if re.match(r"[A-Za-z_]\w*=", word))
    left = list(dropwhile(_stands_alone, (word for word in before if word not in given)))
    return (*given, " ".join(left)) if left else given


def is_in_container(around: Sequence[str]) -> bool:
    """Whether what stands around the learner starts it in a container."""
    return any(_CONTAINER.search(one) for one in around)
