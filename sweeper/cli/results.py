"""Commands that read a study folder: `show`, `report`, `apply`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo


class Format(str, Enum):
    """What `report` can write."""

    html = "html"
    csv = "csv"
    json = "json"
    md = "md"


def show(folder: Path = options.FolderArgument) -> None:
    """Show the best configuration and the fastest trials."""
    from sweeper.app.outputs import read_results
    from sweeper.cli.table import print_study
    from sweeper.model.folder import StudyFolder

    result = read_results(StudyFolder(folder))
    print_study(result)
    if result.best is not None:
        echo(f"Next: sweeper apply {folder}", err=True)
    else:
        echo(f"Next: sweeper run {result.study.file}", err=True)


def report(
    folder: Path = options.FolderArgument,
    other: Optional[Path] = typer.Argument(
        None, metavar="[DIR]", parser=options.place, help="A second study, to set beside the first."
    ),
    format: Optional[Format] = typer.Option(None, "--format", help="[default: html; md for two]", show_default=False),
    output: Optional[Path] = typer.Option(
        None, "-o", "--output", metavar="FILE", parser=options.place, help="Where to write.", show_default=False
    ),
    open_it: bool = typer.Option(False, "--open", help="Open the report in the browser."),
) -> None:
    """Write a study's report, or two side by side. Without -o: HTML to DIR/report.html, the others to stdout."""
    from sweeper.app.render import render, write_report
    from sweeper.errors import InvalidInput

    if other is not None and format not in (None, Format.md):
        raise InvalidInput(f"two studies side by side come as md, not {format.value if format else ''}")
    chosen = format.value if format else ("md" if other else "html")
    if chosen != "html" and output is None:
        if open_it:
            raise InvalidInput("--open needs a file", "give -o FILE, or leave --format out")
        echo(render(folder, other, chosen), nl=False)
        return
    path = write_report(folder, other, chosen, output)
    echo(f"Wrote {path}.", err=True)
    if open_it:
        typer.launch(str(path))
    else:
        echo(f"Next: sweeper apply {folder}", err=True)


def apply(
    folder: Path = options.FolderArgument,
    write: bool = typer.Option(False, "--write", help="Write the files; without it they are only shown."),
    take_back: bool = typer.Option(False, "--undo", help="Take the last --write back: restore or remove its files."),
    output: Optional[Path] = typer.Option(
        None,
        "-o",
        "--output",
        metavar="DIR",
        parser=options.place,
        help="Where to write. [default: beside the trainer config]",
        show_default=False,
    ),
) -> None:
    """The tuned trainer config and launch scripts; prints the diff, and writes with --write."""
    from sweeper.app.apply import plan_apply, undo, write_files
    from sweeper.errors import InvalidInput
    from sweeper.report.words.values import command_text

    this_command = command_text(("sweeper", "apply", str(folder), *(("-o", str(output)) if output else ())))
    if take_back:
        if write:
            raise InvalidInput("--write and --undo cannot be used together", "give one of them")
        for line in undo(folder, output):
            echo(line, err=True)
        echo(f"Next: {this_command}", err=True)
        return
    plan = plan_apply(folder, output)
    if plan.doubt is not None:
        echo(f"Unconfirmed, so it may be no gain: {plan.doubt}", err=True)
    echo(plan.diff or "The tuned trainer config is the same as yours.\n", nl=False)
    if not write:
        echo(f"Nothing was written. To write {plan.names}: {this_command} --write", err=True)
        return
    written = write_files(plan)
    for path in written:
        echo(f"Wrote {path}.", err=True)
    echo(f"To take it back: {this_command} --undo" if written else f"Already applied: {plan.names}.", err=True)
    echo(f"Next: {plan.next_command}", err=True)
