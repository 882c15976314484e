"""What a check leaves: one folder with everything, for people, for scripts and for CI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.app.artefacts import check_disk
from sweeper.app.check.history import append
from sweeper.app.outputs import write_atomically
from sweeper.errors import NotReady
from sweeper.model.gate import CheckResult, Past

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

    def open(self) -> None:
        """Make it.

        Raises:
            NotReady: it cannot be written, or the disk is nearly full.
        """
        try:
            (self.root / "trials").mkdir(parents=True, exist_ok=True)
            for name in NAMES:  # a check that is cut short must not leave an earlier one's verdict
                (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            raise NotReady(
                f"cannot write to {self.root}: {error.strerror or error}", "name another with --out"
            ) from None
        check_disk(self.root)

    def write(self, result: CheckResult, past: Sequence[Past] = ()) -> None:
        """Everything that can be made from the result. `past`: earlier checks, for the trend."""
        from sweeper.report.check import ci
        from sweeper.report.check.data import as_json
        from sweeper.report.check.page import render_check

        texts = {
            "check.json": as_json(result),
            "junit.xml": ci.junit(result),
            "summary.md": ci.summary(result),
            "metrics.txt": ci.metrics(result),
            "gl-code-quality-report.json": ci.code_quality(result),
            "benchmark.json": ci.benchmark(result),
            "check.html": render_check(result, past),
        }
        for name, text in texts.items():
            write_atomically(self.root / name, text)


def leave(
    folder: CheckFolder,
    result: CheckResult,
    history: Path | None,
    junit: Path | None,
    environment: Mapping[str, str],
) -> None:
    """What was asked for elsewhere, and what GitHub gave a place for.

    Raises:
        InvalidInput: the history is something else.
        NotReady: something cannot be written.
    """
    from sweeper.report.check import ci

    if history is not None:
        folder.write(result, append(history, result))
    if junit is not None:
        write_atomically(junit, ci.junit(result))
    for variable, text in (("GITHUB_STEP_SUMMARY", ci.summary(result)), ("GITHUB_OUTPUT", ci.outputs(result))):
        if place := environment.get(variable):
            try:
                with Path(place).open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                raise NotReady(f"cannot write {variable}: {error.strerror or error}") from None
