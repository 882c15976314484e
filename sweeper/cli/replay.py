"""`sweeper replay`: search strategies compared on recorded trials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo

if TYPE_CHECKING:
    from sweeper.model.replay import Comparison

COLUMNS = {
    "seconds_to_5_percent": "to 5 %, s",
    "seconds_to_2_percent": "to 2 %, s",
    "seconds_to_2_percent_p90": "p90",
    "seconds_to_1_percent": "to 1 %, s",
    "ended_seconds": "ended, s",
    "regret_percent": "regret %",
    "regret_percent_p90": "p90",
    "claimed_over_true_percent": "claimed over true %",
    "infeasible_percent": "infeasible %",
}


def replay(
    results: list[Path] = typer.Argument(
        ...,
        metavar="RESULTS...",
        parser=options.place,
        help="Study folders, or files like results.json.",
        show_default=False,
    ),
    strategy: list[str] = typer.Option(
        [],
        "--strategy",
        metavar="NAME",
        help="Compare this one; may be given again. [default: most]",
        show_default=False,
    ),
    seeds: int = typer.Option(100, "--seeds", min=1, max=10_000, metavar="N", help="Searches of each strategy."),
    time: str = typer.Option("30m", "--time", metavar="TIME", help="Of recorded time that a search may take at most."),
    output: Optional[Path] = typer.Option(
        None,
        "-o",
        "--output",
        metavar="FILE",
        parser=options.place,
        help="Draw the first surface into this SVG.",
        show_default=False,
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on stdout."),
) -> None:
    """Compare search strategies on recorded trials: how soon does each know the fastest? Starts no learner."""
    from sweeper.app.outputs import write_atomically
    from sweeper.app.places import check_place
    from sweeper.app.replay import check_names, compared, read_surfaces
    from sweeper.app.stop import StopSignal
    from sweeper.model.replay import figures

    if output is not None:
        check_place("--output", output)
    seconds_allowed = options.seconds("--time", time)
    names = check_names(strategy)
    surfaces = read_surfaces(results)

    def tell(surface: str, name: str, done: int) -> None:
        if done == seeds:
            echo(f"{surface}: {name} searched {done} times.", err=True)

    found = {}
    stop = StopSignal()
    with stop.installed():
        for comparison in compared(surfaces, names, seeds, seconds_allowed, tell, stop):
            by_strategy = {name: figures(courses) for name, courses in comparison.courses.items()}
            found[comparison.surface.name] = by_strategy
            if not as_json:
                _print(comparison, by_strategy)
            if output is not None:
                from sweeper.report.replay import picture

                write_atomically(output, picture(comparison))
                echo(f"Wrote {output}.", err=True)
                output = None
    if as_json:
        echo(json.dumps({"seeds": seeds, "by_surface": found}))
    echo("Next: sweeper run STUDY --sampler NAME", err=True)


def _print(comparison: Comparison, by_strategy: dict[str, dict[str, float | None]]) -> None:
    from sweeper.cli.table import print_columns
    from sweeper.units import format_rate

    surface = comparison.surface
    echo(
        f"{surface.name}: {surface.feasible} of {surface.configurations} configurations are feasible, "
        f"{surface.sessions} sessions; the best makes {format_rate(surface.best)} steps/s"
    )
    if surface.error is None:
        echo("Nothing was measured twice: who trusts single readings looks better here than in use.")
    else:
        others = (
            f"{surface.rivals - 1} others cannot be told from the best" if surface.rivals > 1 else "the best is sure"
        )
        echo(f"Speeds are known to ± {100 * surface.error:.1f} % (standard error): {others}")
    rows = [
        [name, *("never" if figures[column] is None else f"{figures[column]:,.1f}" for column in COLUMNS)]
        for name, figures in by_strategy.items()
    ]
    print_columns(["strategy", *COLUMNS.values()], rows)
