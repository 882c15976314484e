"""Blocks and conditions of a script: whether a command in them runs, and for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sweeper.inputs.learner_words import CONTROL
from sweeper.inputs.shell_state import State
from sweeper.inputs.shell_words import plain
from sweeper.shells import Shell

_OPENS, _CLOSES = {"if", "for", "while", "until", "case", "select", "{"}, {"fi", "done", "esac", "}"}


@dataclass
class Blocks:
    """Those that are open at a line of a script. `state`: what is known there."""

    state: State
    _open: list[tuple[str, Path | None]] = field(default_factory=list)
    """The kind of each, and the folder before it."""
    _met: bool | None = None
    """Whether the condition of the block that begins holds; None where nobody can tell."""
    _closed: str = ""
    """The kind of the block that ended last."""

    def enter(self, sign: str, last: list[str], shell: Shell) -> None:
        """What a sign between two commands begins or ends; `last`: the words before it."""
        opens = shell is not Shell.CMD or not last or last[0].lower().lstrip("@") in ("if", "else", "for", "do")
        if sign in "({" and opens:  # cmd prints one that stands among words
            kind = "param" if last and last[-1].lower() == "param" else sign
            if shell is Shell.CMD and last and self._met is not None:
                kind = "met" if self._met else "unmet"
            self._begin(kind)
        elif sign == ")" and self._open and self._open[-1][0] in ("(", "param", "met", "unmet"):
            self._end(is_own=shell is Shell.POSIX)
        elif sign == "}":
            self._end()
        self._met = None

    def is_sure(self, sign: str) -> bool:
        """Whether a command behind `sign` runs for who runs the script and gives it nothing."""
        return sign not in ("&&", "||", "|") and all(kind in ("param", "met") for kind, _ in self._open)

    def passes_over(self, raw: list[str], shell: Shell) -> bool:
        """Whether this gives a name a value where cmd does not come by."""
        is_set = shell is Shell.CMD and raw[:1] and raw[0].lower().lstrip("@") == "set"
        return bool(is_set) and any(kind == "unmet" for kind, _ in self._open)

    def command_in(self, raw: list[str], sign: str, shell: Shell) -> tuple[list[str], str, bool | None]:
        """The command behind words like `if` and `then`, as written; the sign before it; whether its condition holds.

        No words where it is yet to come: then a block that begins depends on the condition. None where it has no
        condition, or nobody can tell.
        """
        conditions = 0
        while raw and _is_keyword(head := plain(raw[0], shell).lower()):
            raw = raw[1:]
            if shell is Shell.CMD and head.lstrip("@") == "else":
                conditions += 1
                self._met = {"met": False, "unmet": True}.get(self._closed)
            elif shell is Shell.CMD and head.lstrip("@") == "if":
                conditions += 1
                self._met = self.state.is_met(" ".join(raw)) if conditions == 1 else None
                raw, sign = _after_condition(raw), "||"
            elif shell is Shell.POSIX and head in _OPENS:
                self._begin(head)
            elif shell is Shell.POSIX and head in _CLOSES:
                self._end()
        if not raw:
            return raw, sign, None
        met, self._met = self._met, None
        if shell is Shell.POSIX and head in _OPENS | {"function"}:
            self._begin(head)
        return raw, sign, met if conditions else None

    def _begin(self, kind: str) -> None:
        self._open.append((kind, self.state.folder))

    def _end(self, is_own: bool = False) -> None:
        """A block's end; its folder is known afterwards where it never changed, or is that of a shell of its own."""
        if self._open:
            self._closed, folder = self._open.pop()
            self.state.folder = folder if is_own or folder == self.state.folder else None


def _is_keyword(word: str) -> bool:
    """Whether a command may follow this word; cmd has a sign that keeps it from being printed."""
    return word.lstrip("@") in CONTROL | _CLOSES | {""}


def _after_condition(raw: list[str]) -> list[str]:
    """What cmd does on a condition, of the words after `if`."""
    while raw and raw[0].lower() in ("/i", "not"):
        raw = raw[1:]
    head = raw[0].lower() if raw else ""
    if head in ("exist", "defined", "errorlevel", "cmdextversion") or head.endswith("=="):
        return raw[2:]
    if raw[1:2] and raw[1].lower() in ("==", "equ", "neq", "lss", "leq", "gtr", "geq"):
        return raw[3:]
    return raw[2:] if raw[1:2] and raw[1].startswith("==") else raw[1:]
