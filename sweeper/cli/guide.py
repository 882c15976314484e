"""`sweeper guide`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo

if TYPE_CHECKING:
    from sweeper.model.guide import GuideResult, Row, Times


def guide(
    study: Path = options.StudyArgument,
    rounds: int = typer.Option(4, "--rounds", min=1, max=100, metavar="N", help="Times that every row is measured."),
    out: Optional[Path] = typer.Option(
        None, "--out", metavar="DIR", help="Where it is left. [default: reports/NAME-guide]", show_default=False
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the table as one JSON document."),
) -> None:
    """The parallel-training guide's speed-up table, measured on this machine with this study's build."""
    from sweeper.app.stop import StopSignal

    stop = StopSignal()
    with stop.installed():
        from sweeper.app.guide import measure_guide
        from sweeper.errors import Inconclusive

        result, file = measure_guide(study, rounds, out, lambda text: echo(text, err=True), stop)
    if as_json:
        echo(file.read_text(encoding="utf-8"), nl=False)
    else:
        _print(result)
    echo(f"Written: {file}", err=True)
    if result.knee is None:
        raise Inconclusive("no session of one environment counted, over which the others are held", "try a quiet hour")
    echo(f"Next: sweeper run {study}, which searches batch_size and threaded as well", err=True)


def _print(result: GuideResult) -> None:
    from sweeper.cli.table import print_columns
    from sweeper.report.words.guide import knee_text

    names = ["environments", "areas", "guide", "here", "each more adds", "steps/s", "memory", "cores", "held back by"]
    print_columns(names, [_cells(row) for row in result.rows])
    echo(knee_text(result))


def _cells(row: Row) -> list[str]:
    from sweeper.report.words.values import bytes_text
    from sweeper.units import format_rate

    return [
        str(row.envs),
        str(row.areas),
        "–" if row.guide is None else f"{row.guide:.1f}x",
        row.failed or _times(row.speedup, "{:.2f}x", "{:.2f}"),
        _times(row.added, "{:+.0%}", "{:+.0%}"),
        "–" if row.steps_per_second is None else format_rate(row.steps_per_second),
        bytes_text(row.peak_memory_bytes),
        "–" if row.cores is None else f"{row.cores:.1f}",
        "–" if row.bottleneck is None else row.bottleneck.value,
    ]


def _times(times: Times | None, one: str, bound: str) -> str:
    if times is None:
        return "–"
    text = one.format(times.estimate)
    if times.interval is not None:
        text += f" ({bound.format(times.interval[0])} to {bound.format(times.interval[1])})"
    return text
