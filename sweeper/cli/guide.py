"""`sweeper guide`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo
from sweeper.errors import Inconclusive, Interrupted

if TYPE_CHECKING:
    from sweeper.model.guide import GuideResult, Row, Times

ROUNDS = 4


def guide(
    study: Path = options.StudyArgument,
    rounds: int = typer.Option(
        ROUNDS, "--rounds", min=1, max=100, metavar="N", help="Times that every row is measured."
    ),
    out: Optional[Path] = typer.Option(
        None,
        "--out",
        metavar="DIR",
        parser=options.place,
        help="Where it is left. [default: reports/NAME-guide]",
        show_default=False,
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the table as one JSON document."),
) -> None:
    """The parallel-training guide's speed-up table, measured on this machine with this study's build.

    The same command again goes on where it was stopped; after a complete table it measures anew.
    """
    from sweeper.app.stop import StopSignal

    stop = StopSignal()
    so_far: list[GuideResult] = []
    try:
        with stop.installed():
            from sweeper.app.guide import measure_guide

            done = measure_guide(study, rounds, out, lambda text: echo(text, err=True), so_far.append, stop)
    except Interrupted:
        if not as_json and so_far and so_far[-1].trials:
            _print(so_far[-1])
        again = _again(study, rounds, out, as_json)
        echo(f"Stopped; what was measured is saved. To go on, the same command: {again}", err=True)
        raise
    if as_json:
        echo(done.file.read_text(encoding="utf-8"), nl=False)
    else:
        _print(done.result)
    echo(f"Written: {done.file}", err=True)
    if done.result.knee is None:
        raise Inconclusive("no session of one environment counted, over which the others are held", "try a quiet hour")
    echo(f"Next: {_next(study, done.searched)}", err=True)


def _again(study: Path, rounds: int, out: Optional[Path], as_json: bool) -> str:
    flags = [f"--rounds={rounds}"] if rounds != ROUNDS else []
    flags += [] if out is None else [f"--out={out}"]
    flags += ["--json"] if as_json else []
    return shlex.join(["sweeper", "guide", str(study), *flags])


def _next(study: Path, searched: Sequence[str]) -> str:
    command = f"sweeper run {shlex.quote(str(study))}"
    if not searched:
        return command
    names = " and ".join(filter(None, (", ".join(searched[:-1]), searched[-1])))
    return f"{command}, which searches {names} as well"


def _print(result: GuideResult) -> None:
    from sweeper.cli.table import print_columns
    from sweeper.report.words.guide import knee_text

    names = ["environments", "areas", "guide", "here", "each more adds", "steps/s", "memory", "cores", "held back by"]
    print_columns(names, [_cells(row) for row in result.rows])
    if result.is_complete:
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
