"""`sweeper run`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo

if TYPE_CHECKING:
    from sweeper.app.run import Finished


def run(
    study: Path = options.StudyArgument,
    budget: Optional[str] = options.BudgetOption,
    until: Optional[str] = options.UntilOption,
    trials: Optional[int] = options.TrialsOption,
    memory_cap: Optional[str] = options.CapOption,
    sampler: Optional[str] = options.SamplerOption,
    out: Optional[Path] = options.OutOption,
    fresh: bool = typer.Option(False, "--fresh", help="Move an old study folder aside and start anew."),
    tensorboard: bool = typer.Option(
        False, "--tensorboard", help="Write event files to watch the study in TensorBoard, and keep the learner's own."
    ),
    json: bool = typer.Option(False, "--json", help="Print the results as one JSON document."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="No progress and no summary."),
    verbose: bool = typer.Option(False, "-v", "--verbose", help="Say why trials failed."),
) -> None:
    """Find the fastest settings: the main job. The same command again resumes where it stopped."""
    from sweeper.app.stop import StopSignal

    stop = StopSignal()
    with stop.installed():  # before the imports, which take a second or two
        given = options.overrides(budget, until, trials, memory_cap, out, sampler, tensorboard)
        from sweeper.app.run import run_study
        from sweeper.cli.progress import Progress
        from sweeper.errors import Interrupted, NobodyPlayed

        try:
            with Progress(quiet=quiet, verbose=verbose) as progress:
                finished = run_study(study, given, fresh, progress, stop)
        except Interrupted:
            again = _again(study, budget, until, trials, memory_cap, out, sampler, tensorboard)
            echo(f"Stopped; finished trials are saved. To go on: {again}", err=True)
            raise
        except NobodyPlayed as error:
            again = _again(study, budget, until, trials, memory_cap, out, sampler, tensorboard)
            hint = f"be at the Editor, then go on where it stopped: {again}"
            raise NobodyPlayed(f"{error}; the study is paused, and finished trials are saved", hint) from None
    if json:
        from sweeper.report.data import as_json

        echo(as_json(finished.result), nl=False)
    elif not quiet:
        _summary(finished)


def _summary(finished: Finished) -> None:
    from sweeper.report.words.answer import headline
    from sweeper.report.words.study_notes import study_note

    result, folder = finished.result, finished.prepared.folder
    if finished.moved is not None:
        echo(f"The old study folder is now {finished.moved}.")
    if finished.ran == 0:
        limit = result.study.trial_limit
        used = sum(trial.outcome.uses_limit for trial in result.trials)
        is_limit = limit and (used >= limit or result.study.budget is None)
        more = f"--trials above {limit}" if is_limit else "a larger --budget"
        echo(f"This study is finished. To go on, give it {more}; to start anew, use --fresh.")
    for note in result.warnings:
        echo(f"Note: {study_note(note)}")
    echo(headline(result))
    echo(f"Report: {folder.report}")
    if finished.prepared.tensorboard:
        echo(f"TensorBoard: tensorboard --logdir {shlex.quote(str(folder.tensorboard))}")
    echo(f"Next: sweeper apply {shlex.quote(str(folder.root))}")


def _again(
    study: Path,
    budget: Optional[str],
    until: Optional[str],
    trials: Optional[int],
    memory_cap: Optional[str],
    out: Optional[Path],
    sampler: Optional[str],
    tensorboard: bool,
) -> str:
    named = {
        "--budget": budget,
        "--until": until,
        "--trials": trials,
        "--memory-cap": memory_cap,
        "--sampler": sampler,
        "--out": out,
    }
    flags = [f"{flag}={value}" for flag, value in named.items() if value is not None]
    flags += ["--tensorboard"] if tensorboard else []
    return shlex.join(["sweeper", "run", str(study), *flags])
