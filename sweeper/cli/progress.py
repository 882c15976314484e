"""Showing a study while it runs: a live line in a terminal, one plain line a trial elsewhere."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator

from rich.console import Console as RichConsole
from rich.live import Live
from rich.text import Text

from sweeper.cli.play import countdown, sentence
from sweeper.model.events import (
    Event,
    PlayAwaited,
    StageChanged,
    StudyStarted,
    TrialFinished,
    TrialProgress,
    TrialStarted,
)
from sweeper.model.trial import TrialResult
from sweeper.outside import printable
from sweeper.report.words.reasons import OUTCOME_WORDS, reason_text
from sweeper.report.words.study_notes import study_note
from sweeper.report.words.values import params_text
from sweeper.units import format_bytes, format_rate, format_seconds


class Console(RichConsole):
    """One that falls silent where nobody reads any more; rich's own would end the program."""

    def on_broken_pipe(self) -> None:
        """Called by rich."""
        self.quiet = True


class Progress:
    """Prints events on stderr. Use as a context manager; `quiet` prints nothing, `verbose` adds diagnoses."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, markup=False, emoji=False, soft_wrap=True)
        animated = sys.stderr.isatty() and not quiet and not os.environ.get("CI")
        self._live = Live(console=self._console, refresh_per_second=4, transient=True) if animated else None
        self._verbose = verbose
        self._cap = 0
        self._budget = 0.0
        self._spent_before = 0.0
        self._started = time.monotonic()
        self._trial = ""
        self._best = ""
        self._asked_at: float | None = None

    def __enter__(self) -> Progress:
        if self._live is not None:
            with self._or_silence():
                self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            with self._or_silence():
                self._live.stop()

    def __call__(self, event: Event) -> None:
        """Show one event. A study goes on when its terminal is gone."""
        with self._or_silence():
            self._show(event)

    @contextlib.contextmanager
    def _or_silence(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self._console.quiet = True

    def _show(self, event: Event) -> None:
        if isinstance(event, PlayAwaited):
            self._ask(event)
            return
        self._asked_at = None
        if isinstance(event, StudyStarted):
            self._study_started(event)
        elif isinstance(event, StageChanged):
            self._console.print(printable(event.text), style="bold")
        elif isinstance(event, TrialStarted):
            self._trial = f"trial {event.number} ({event.purpose.value}): {params_text(event.params)}"
            self._update("starting")
        elif isinstance(event, TrialProgress):
            self._progress(event)
        elif isinstance(event, TrialFinished):
            self._finished(event)

    def _study_started(self, event: StudyStarted) -> None:
        self._cap, self._budget, self._spent_before = event.memory_cap_bytes, event.budget_seconds, event.spent_seconds
        self._started = time.monotonic()
        resumed = f", resumed with {event.done} finished trial{'s' if event.done > 1 else ''}" if event.done else ""
        cap = format_bytes(event.memory_cap_bytes)
        self._console.print(
            f"Study {event.name} in {printable(event.folder)}{resumed}; memory cap {cap}, "
            f"{_left(event.budget_seconds - event.spent_seconds)}."
        )
        for note in event.notes:
            self._console.print(f"Note: {printable(study_note(note))}")

    def _progress(self, event: TrialProgress) -> None:
        rate = f"{format_rate(event.steps_per_second)} steps/s" if event.steps_per_second else "– steps/s"
        memory = f"{format_bytes(event.memory_bytes or 0)} of {format_bytes(self._cap)}"
        self._update(f"{event.stage}, {event.seconds:.0f} s, {rate}, {event.cycles} updates, {memory}")

    def _ask(self, event: PlayAwaited) -> None:
        """Once with a bell, or in a line where there is no terminal; the budget stands still meanwhile."""
        now = time.monotonic()
        if self._asked_at is not None:
            self._started += now - self._asked_at
        elif self._live is not None:
            self._console.bell()
        else:
            self._console.print(sentence(event), style="bold")
        self._asked_at = now
        self._update(countdown(event), "bold yellow")

    def _update(self, status: str, style: str = "") -> None:
        if self._live is None:
            return
        left = self._budget - self._spent_before - (time.monotonic() - self._started)
        shown = Text(no_wrap=True, overflow="ellipsis")
        shown.append(printable(f"{self._trial}\n  "))
        shown.append(printable(status), style=style)
        shown.append(printable(f"\n  {self._best}{_left(left)}"))
        self._live.update(shown)

    def _finished(self, event: TrialFinished) -> None:
        if event.best_params is not None and event.best_steps_per_second:
            times = ""
            if event.baseline_steps_per_second:
                times = f", {event.best_steps_per_second / event.baseline_steps_per_second:.2f}x yours"
            self._best = (
                f"fastest so far {format_rate(event.best_steps_per_second)} steps/s{times} "
                f"({params_text(event.best_params)}) · "
            )
        self._console.print(self._line(event))
        if self._verbose and event.result.diagnosis:
            self._console.print(printable(f"    {event.result.diagnosis}"))

    def _line(self, event: TrialFinished) -> Text:
        result = event.result
        text = Text(printable(f"{result.number:>4}  {result.purpose.value:<8}  {params_text(result.params)}  "))
        text.append(printable(_outcome(result)), style="green" if result.is_ok else "yellow")
        text.append(f"  [{_left(event.remaining_seconds)}]", style="dim")
        return text


def _left(seconds: float) -> str:
    return f"{format_seconds(seconds)} left" if math.isfinite(seconds) else "no limit on time"


def _outcome(result: TrialResult) -> str:
    memory = f", peak {format_bytes(result.peak_memory_bytes)}" if result.peak_memory_bytes else ""
    if result.is_ok and result.steps_per_second:
        spread = " (brief)" if result.brief else ""
        if result.interval and not result.brief:
            spread = f" (± {50 * (result.interval[1] - result.interval[0]) / result.steps_per_second:.1f} % within)"
        return f"{format_rate(result.steps_per_second)} steps/s{spread}{memory}"
    reason = reason_text(result.reason)
    return OUTCOME_WORDS[result.outcome] + (f": {reason}" if reason else "")
