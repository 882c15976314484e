"""What a check says in a terminal while it runs, and what a plan of one found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Optional

from sweeper.cli.table import print_columns
from sweeper.cli.terminal import echo
from sweeper.report.check.words import change_text
from sweeper.units import format_seconds

if TYPE_CHECKING:
    from sweeper.app.check.plan import Spread
    from sweeper.model.gate import Look, Pair

WIDTH = 41
"""Characters of the line that the estimate closes in on."""


def pair_shower(tolerance: float) -> Callable[[Pair, Optional[Look], float], None]:
    """Shows a pair, what was concluded after it, and the seconds since the check began."""

    def show(pair: Pair, look: Optional[Look], seconds: float) -> None:
        head = f"pair {pair.number + 1:>2}  {format_seconds(seconds):>8}  "
        if pair.void is not None:
            echo(f"{head}void: {pair.void}", err=True)
        elif pair.difference is None:
            echo(f"{head}a session failed", err=True)
        elif look is None:
            echo(f"{head}candidate {100 * (pair.share or 0.0):+.1f} % in this pair", err=True)
        else:
            echo(f"{head}{_gauge(look, tolerance)}  candidate {change_text(look.change)}", err=True)

    return show


def print_plan(found: Spread, as_json: bool) -> None:
    """Tolerance against minutes, as a table or as JSON."""
    if as_json:
        echo(json.dumps(asdict(found)))
        return
    echo(f"{found.pairs} pairs of one thing with itself differ by {100 * found.deviation:.1f} % on this machine;")
    echo(f"a pair takes {format_seconds(found.pair_seconds)}. For a verdict in nine of ten checks:")
    rows = [
        [
            f"{100 * row.tolerance:g} %",
            f"{row.pairs}" if row.fits else "more than 32",
            format_seconds(row.seconds) if row.fits else "–",
        ]
        for row in found.rows
    ]
    print_columns(["tolerance", "pairs", "--max-time"], rows)
    echo("Next: sweeper check --candidate SIDE --tolerance SHARE --max-time TIME", err=True)


def _gauge(look: Look, tolerance: float) -> str:
    """The interval on a line from three tolerances below to one above: `|` the tolerance and none, `o` the estimate."""
    low, high = -3 * tolerance, tolerance

    def place(share: float) -> int:
        return round((min(max(share, low), high) - low) / (high - low) * (WIDTH - 1))

    cells = ["·"] * WIDTH
    for at in range(place(look.change.interval[0]), place(look.change.interval[1]) + 1):
        cells[at] = "-"
    cells[place(-tolerance)] = cells[place(0.0)] = "|"
    cells[place(look.change.estimate)] = "o"
    return "".join(cells)
