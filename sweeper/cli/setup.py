"""Commands before a study: `doctor`, `init`, `validate`, `schema`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo


def doctor(
    study: Optional[Path] = typer.Argument(
        None, metavar="[STUDY]", parser=options.place, help="Check what this study needs.", show_default=False
    ),
) -> None:
    """Is this machine, this environment, this build ready? One line a check, and how to mend it."""
    from sweeper.app.doctor import Level, examine
    from sweeper.errors import ExitCode

    worst = Level.OK
    for check in examine(study):
        mark = {Level.OK: "ok  ", Level.WARNING: "warn", Level.FAILED: "FAIL"}[check.level]
        echo(f"{mark}  {check.name}: {check.text}")
        if check.mend:
            echo(f"      mend: {check.mend}")
        worst = max(worst, check.level)
    if worst is Level.FAILED:
        raise typer.Exit(int(ExitCode.NOT_READY))
    echo(f"Next: sweeper {f'run {study}' if study else 'init'}", err=True)


def init(
    path: Path = typer.Argument(
        Path("study.yaml"), metavar="[PATH]", parser=options.place, help="Where to write it; a file or a folder."
    ),
    demo: bool = typer.Option(False, "--demo", help="About the bundled demo build, whatever is found nearby."),
    command: Optional[str] = typer.Option(
        None,
        "--from",
        metavar="COMMAND",
        help='About a training command such as "mlagents-learn Car.yaml --env=Build", or a .bat, .sh or .ps1 with one.',
        show_default=False,
    ),
) -> None:
    """Write a commented study file about the trainer config and the build that are found nearby."""
    from sweeper.app.init import write_study
    from sweeper.app.init_from import write_study_from

    if demo and command is not None:
        raise typer.BadParameter("give one of them", param_hint="--demo and --from")
    written = write_study(path, demo) if command is None else write_study_from(path, command)
    echo(f"Wrote {' and '.join(str(file) for file in written.files)}.", err=True)
    for sentence in written.told:
        echo(sentence, err=True)
    echo(f"Next: sweeper validate {shlex.quote(str(written.study))}", err=True)


def validate(
    study: Path = options.StudyArgument,
    budget: Optional[str] = options.BudgetOption,
    until: Optional[str] = options.UntilOption,
    trials: Optional[int] = options.TrialsOption,
    memory_cap: Optional[str] = options.CapOption,
    out: Optional[Path] = options.OutOption,
) -> None:
    """Parse and resolve a study; print its space, the plan for its budget and the first command. Trains nothing."""
    given = options.overrides(budget, until, trials, memory_cap, out)
    from sweeper.app.validate import describe

    for line in describe(study, given):
        echo(line)
    echo(f"Next: sweeper run {study}", err=True)


def editor_script(
    project: Path = typer.Argument(
        ..., metavar="PROJECT", parser=options.place, help="The folder of a Unity project.", show_default=False
    ),
) -> None:
    """Put a script into a Unity project that enters Play mode whenever a learner listens, so that nobody has to."""
    from sweeper.app.editor_script import install_script

    place, is_new = install_script(project)
    echo(f"Wrote {place}." if is_new else f"{place} is there already.", err=True)
    echo("Open the project in the Editor, with the scene to train; the menu Tools > Sweeper switches it off.", err=True)
    echo("Next: sweeper run STUDY, of a study without env_path", err=True)


def schema() -> None:
    """Print the JSON Schema of the study file, for editors that complete and check."""
    import json

    from sweeper.inputs.study_file import json_schema

    echo(json.dumps(json_schema(), indent=2))
