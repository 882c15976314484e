"""What a check leaves: one folder with everything, for people, for scripts and for CI."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.app.artefacts import check_disk
from sweeper.app.outputs import write_atomically
from sweeper.errors import InvalidInput, NotReady, SweeperError
from sweeper.model.gate import FORMAT, CheckResult, Past
from sweeper.outside import read_bounded, short

log = logging.getLogger("sweeper")

OURS = ".sweeper-check"
"""Marks a folder that a check made, whatever became of the check."""
MAX_BYTES = 256 * 1024**2
NAMES = (
    "check.json",
    "check.html",
    "junit.xml",
    "summary.md",
    "metrics.txt",
    "gl-code-quality-report.json",
    "benchmark.json",
)


@dataclass(frozen=True)
class CheckFolder:
    """The paths of a check."""

    root: Path

    @property
    def page(self) -> Path:
        """For people."""
        return self.root / "check.html"

    @property
    def junit(self) -> Path:
        """For every CI system."""
        return self.root / "junit.xml"

    @property
    def trials(self) -> Path:
        """A folder for each session."""
        return self.root / "trials"

    def refuse_foreign(self) -> None:
        """That nothing in it is somebody else's.

        Raises:
            InvalidInput: it holds files of the names that a check writes, and no check wrote there.
        """
        if (self.root / OURS).exists() or _is_ours(self.root / "check.json"):
            return
        if found := [name for name in (*NAMES, self.trials.name) if (self.root / name).exists()]:
            raise InvalidInput(
                f"--out: {self.root} holds {', '.join(found)}, which no check wrote and this one would replace",
                "name a folder of the check's own",
            )

    def open(self, is_new_check: bool = False) -> None:
        """Make it. `is_new_check`: sessions of an earlier one go, over which no learner would write.

        Raises:
            InvalidInput: there are files that a check would replace, and that are not a check's.
            NotReady: it cannot be written, or the disk is nearly full.
        """
        self.refuse_foreign()
        try:
            if is_new_check and self.trials.is_dir():
                shutil.rmtree(self.trials)
            self.trials.mkdir(parents=True, exist_ok=True)
            (self.root / OURS).touch()
            for name in NAMES:  # a check that is cut short must not leave an earlier one's verdict
                (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            raise NotReady(
                f"cannot write to {self.root}: {error.strerror or error}", "name another with --out"
            ) from None
        check_disk(self.root)

    def clear(self) -> None:
        """Remove it where nothing is in it that anybody could want; logs of sessions that failed are."""
        with contextlib.suppress(OSError):
            self.trials.rmdir()
            if {path.name for path in self.root.iterdir()} == {OURS}:
                (self.root / OURS).unlink()
                self.root.rmdir()

    def write(self, result: CheckResult, past: Sequence[Past] = ()) -> list[str]:
        """Everything that can be made from the result; returns what could not be, for people.

        `past`: earlier checks, for the trend.
        """
        from sweeper.report.check import ci
        from sweeper.report.check.data import as_json

        makers: dict[str, Callable[[], str]] = {
            "check.json": lambda: as_json(result),
            "junit.xml": lambda: ci.junit(result),
            "summary.md": lambda: ci.summary(result),
            "metrics.txt": lambda: ci.metrics(result),
            "gl-code-quality-report.json": lambda: ci.code_quality(result),
            "benchmark.json": lambda: ci.benchmark(result),
            "check.html": lambda: _page(result, past),
        }
        written = [attempt(name, self._writer(name, make)) for name, make in makers.items()]
        return [complaint for complaint in written if complaint is not None]

    def _writer(self, name: str, make: Callable[[], str]) -> Callable[[], None]:
        return lambda: write_atomically(self.root / name, make())


def attempt(what: str, write: Callable[[], None]) -> str | None:
    """Write something; what to say where that fails, which is no reason to lose a verdict."""
    try:
        write()
    except SweeperError as error:
        return f"Careful: {what} could not be written: {error}"
    except OSError as error:
        return f"Careful: {what} could not be written: {error.strerror or error}"
    except Exception as error:
        log.exception("%s", what)
        return f"Careful: {what} could not be made: {type(error).__name__}: {short(str(error))}"
    return None


def _page(result: CheckResult, past: Sequence[Past]) -> str:
    from sweeper.report.check.page import render_check

    return render_check(result, past)


def _is_ours(document: Path) -> bool:
    try:
        data = json.loads(read_bounded(document, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("format") == FORMAT
