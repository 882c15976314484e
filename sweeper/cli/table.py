"""A study in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from sweeper.cli.terminal import echo
from sweeper.model.study import StudyResult
from sweeper.model.trial import configuration_key
from sweeper.outside import one_line
from sweeper.report.words import command_text, error_text, headline, range_text, value_text, why
from sweeper.units import format_bytes, format_rate

ROWS = 10
FILE_WIDTH = 160
"""Characters a line where nothing folds them: a pipe, a log."""


def print_study(result: StudyResult) -> None:
    """The answer, the fastest configurations, and the command to train with."""
    echo(headline(result))
    ranked = result.ranked[:ROWS]
    if ranked:
        knobs = list(dict.fromkeys(knob for item in ranked for knob in item.params))
        own = configuration_key(result.baseline.params) if result.baseline else None
        table = Table(box=None, pad_edge=False)
        for knob in knobs:
            table.add_column(one_line(knob.split(".")[-1]), justify="right")
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
                format_bytes(item.peak_memory_bytes) if item.peak_memory_bytes else "–",
                f"{updates.policy:.2f}" if updates else "–",
                "yours" if item.key == own else "",
            )
        console = Console(highlight=False, markup=False, emoji=False)
        if not console.is_terminal:
            console.width = FILE_WIDTH
        console.print(table)
        echo(error_text(result))
        for name, text in why(result):
            echo(f"{name}: {text}")
    for note in result.warnings:
        echo(f"Note: {note.text}")
    if result.best is not None:
        echo(command_text(result.best.command))
