"""What a check leaves outside its folder: `--junit`, `--history`, and what GitHub gave a place for.

Places are looked at before anything is measured. What cannot be written afterwards is said, and the verdict stays.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sweeper.app.check.folder import CheckFolder, attempt
from sweeper.app.check.history import append, check_history
from sweeper.app.outputs import write_atomically
from sweeper.app.places import check_place
from sweeper.errors import InvalidInput
from sweeper.model.gate import JUNIT_SUITE, CheckResult

OURS = f'<testsuite name="{JUNIT_SUITE}"'.encode()
SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"


@dataclass(frozen=True)
class Elsewhere:
    """The places. `environment`: variables, of which GitHub's name two."""

    history: Path | None
    junit: Path | None
    environment: Mapping[str, str]

    def look(self, out: Path | None = None) -> None:
        """What is wrong with them is said at once; a result of an earlier check goes.

        `out`: the check's own folder, which is made later, and in which they may lie.

        Raises:
            InvalidInput: a file could not be written, or holds something else than a check leaves there.
        """
        for place in (self.history, self.junit):
            if place is not None and out is not None and place.is_relative_to(out):
                with suppress(OSError):  # which is said of it in a moment
                    place.parent.mkdir(parents=True, exist_ok=True)
        if self.history is not None:
            check_place("--history", self.history)
            check_history(self.history)
        if self.junit is not None:
            check_place("--junit", self.junit)
            if self.junit == self.history:
                raise InvalidInput(f"--junit: {self.junit} is the history too", "name another file")
            if not _may_be_replaced(self.junit):
                raise InvalidInput(f"--junit: {self.junit} holds something else than a check's", "name another file")
            _empty(self.junit)

    def leave(self, folder: CheckFolder, result: CheckResult) -> list[str]:
        """Write all of it; returns what could not be, for people."""
        from sweeper.report.check import ci

        said: list[str | None] = []
        history, junit = self.history, self.junit
        if history is not None:
            said.append(attempt(str(history), lambda: said.extend(folder.write(result, append(history, result)))))
        if junit is not None:
            said.append(attempt(str(junit), lambda: write_atomically(junit, ci.junit(result))))
        said += [self._append(SUMMARY, ci.summary(result)), self._append(OUTPUT, ci.outputs(result))]
        return [complaint for complaint in said if complaint is not None]

    def leave_error(self, folder: Path | None, message: str, code: int) -> list[str]:
        """What CI reads of a check that ended without a verdict. `folder`: as `--out` named it."""
        from sweeper.report.check import ended

        said: list[str | None] = []
        text = ended.junit(message, code)
        for place in (self.junit, None if folder is None else _own(folder)):
            if place is None or place == self.history or not os.path.isdir(place.parent):  # noqa: PTH112 the other raises
                continue
            if _may_be_replaced(place):
                said.append(attempt(str(place), _writer(place, text)))
        said += [
            self._append(SUMMARY, ended.summary(message, code)),
            self._append(OUTPUT, ended.outputs(message)),
        ]
        return [complaint for complaint in said if complaint is not None]

    def _append(self, variable: str, text: str) -> str | None:
        place = self.environment.get(variable)
        if not place:
            return None

        def write() -> None:
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(text)

        return attempt(variable, write)


def _may_be_replaced(junit: Path) -> bool:
    """Whether nothing is lost: no file is there, or one without any test, or a check's."""
    try:
        if not junit.exists():
            return True
        if not junit.is_file():
            return False
        with junit.open("rb") as file:
            start = file.read(1024)
    except OSError:
        return False
    return not start or (b"<testsuite" in start and (b"<testcase" not in start or OURS in start))


def _empty(junit: Path) -> None:
    """Remove it; where a link stands, empty what it names."""
    if junit.is_symlink():
        junit.write_bytes(b"")
    else:
        junit.unlink(missing_ok=True)


def _own(folder: Path) -> Path | None:
    """The JUnit file of a check's folder, which is made where there is none; None where it is somebody else's."""
    opened = CheckFolder(folder)
    try:
        opened.open()
    except Exception:  # whoever made the error said it, or this is one: nothing is replaced
        return None
    return opened.junit


def _writer(place: Path, text: str) -> Callable[[], None]:
    return lambda: write_atomically(place, text)
