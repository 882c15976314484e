"""A study in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from sweeper.cli.terminal import echo
from sweeper.model.study import StudyResult
from sweeper.outside import one_line
from sweeper.report.words.answer import headline
from sweeper.report.words.bottlenecks import why
from sweeper.report.words.errors import error_text
from sweeper.report.words.reference import mark_of
from sweeper.report.words.study_notes import study_note
from sweeper.report.words.values import ABSENT, bytes_text, command_text, knob_text, range_text, value_text
from sweeper.units import format_rate

ROWS = 10
FILE_WIDTH = 160
"""Characters a line where nothing folds them: a pipe, a log."""


def print_study(result: StudyResult) -> None:
    """The answer, the fastest configurations, and the command to train with."""
    echo(headline(result))
    if result.ranking:
        _print_ranking(result)
        echo(error_text(result))
        for name, text in why(result):
            echo(f"{name}: {text}")
    for note in result.warnings:
        echo(f"Note: {study_note(note)}")
    if result.best is not None:
        echo(command_text(result.best.command))


def print_columns(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table, its first column to the left."""
    table = Table(box=None, pad_edge=False)
    for at, name in enumerate(names):
        table.add_column(name, justify="right" if at else "left")
    for row in rows:
        table.add_row(*map(one_line, row))
    _print(table)


def _print_ranking(result: StudyResult) -> None:
    ranked = result.ranking[:ROWS]
    knobs = list(dict.fromkeys(knob for item in ranked for knob in item.params))
    table = Table(box=None, pad_edge=False)
    for knob in knobs:
        table.add_column(one_line(knob_text(knob)), justify="right")
    for name in ("steps/s", "95 %", "sessions", "peak memory", "updates per 1,000"):
        table.add_column(name, justify="right")
    table.add_column("")
    for item in ranked:
        updates = item.updates_per_1000_steps
        table.add_row(
            *(one_line(value_text(item.params.get(knob))) for knob in knobs),
            format_rate(item.steps_per_second or 0.0),
            range_text(item.interval),
            str(item.sessions),
            bytes_text(item.peak_memory_bytes),
            f"{updates.policy:.2f}" if updates else ABSENT,
            mark_of(item.params, result),
        )
    _print(table)


def _print(table: Table) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)
