"""`sweeper check`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import typer

from sweeper.cli import options
from sweeper.cli.terminal import echo
from sweeper.errors import ExitCode

if TYPE_CHECKING:
    from sweeper.app.check.elsewhere import Elsewhere
    from sweeper.app.check.run import Checked
    from sweeper.model.gate import CheckResult

_SIDE = "a study file or folder, a build, a trainer config, a learner or its environment, or a git revision"


UNUSED = {
    "plan": ("candidate", "tolerance", "max_time", "max_memory_growth", "history", "junit"),
    "record": ("baseline", "tolerance", "max_memory_growth", "trimmed", "history", "junit", "as_json", "same"),
    "against": ("baseline", "trimmed", "same"),
}
"""By what is done: options that would do nothing there, and so are refused."""


def check(
    context: typer.Context,
    candidate: list[str] = typer.Option(
        [],
        "--candidate",
        metavar="SIDE",
        help=f"What may have become slower: {_SIDE}. May be given again.",
        show_default=False,
    ),
    baseline: list[str] = typer.Option(
        [],
        "--baseline",
        metavar="SIDE",
        help="What it is compared with, likewise; a candidate that names no study takes from it what it does not name.",
        show_default=False,
    ),
    tolerance: str = typer.Option("5%", "--tolerance", metavar="SHARE", help="The slowdown that is to be excluded."),
    max_time: str = typer.Option(
        "20m", "--max-time", metavar="TIME", help="No pair is begun that would end later; first sessions may."
    ),
    max_memory_growth: str = typer.Option(
        "10%", "--max-memory-growth", metavar="SHARE", help="Of the peak, that is no regression."
    ),
    trimmed: bool = typer.Option(False, "--trimmed", help="For shared runners: a few pairs may be far off."),
    whole_sessions: bool = typer.Option(False, "--whole-sessions", help="Never keep both sides alive at once."),
    tolerate_load: bool = typer.Option(False, "--tolerate-load", help="Count pairs that other programs disturbed."),
    record: Optional[Path] = typer.Option(
        None, "--record", metavar="FILE", help="Record a baseline instead; on several days.", show_default=False
    ),
    against: Optional[Path] = typer.Option(
        None, "--against", metavar="FILE", help="Compare with a recorded baseline.", show_default=False
    ),
    history: Optional[Path] = typer.Option(
        None, "--history", metavar="FILE", help="Add the verdict to these JSON lines.", show_default=False
    ),
    plan: bool = typer.Option(
        False, "--plan", help="Measure how long a check takes here, and what tolerance it reaches."
    ),
    same: bool = typer.Option(False, "--same", help="Both sides are one thing, on purpose: to try the gate."),
    junit: Optional[Path] = typer.Option(
        None, "--junit", metavar="FILE", help="Write JUnit XML there too.", show_default=False
    ),
    out: Optional[Path] = typer.Option(
        None,
        "--out",
        metavar="DIR",
        help="Where everything is left. [default: reports/checks/NAME-TIME]",
        show_default=False,
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the result as one JSON document."),
) -> None:
    """Is the candidate slower? A gate for CI: exit code 0 passed, 5 slower, 6 cannot tell, 8 candidate fails."""
    from sweeper.app.stop import StopSignal

    stop = StopSignal()
    with stop.installed():
        from sweeper.app.check.elsewhere import Elsewhere
        from sweeper.app.check.run import Told, Wishes
        from sweeper.cli.check_lines import pair_shower
        from sweeper.cli.play import Asker

        elsewhere = Elsewhere(history, junit, os.environ)

        def wished() -> Wishes:
            _check_together(record=record, against=against, plan=plan or None)
            _refuse_unused(context)
            elsewhere.look()
            return Wishes(
                baseline=tuple(baseline),
                candidate=tuple(candidate),
                tolerance=options.share("--tolerance", tolerance, 0.02, 0.5),
                max_seconds=options.seconds("--max-time", max_time),
                max_memory_growth=options.growth("--max-memory-growth", max_memory_growth, 10.0),
                trimmed=trimmed,
                whole_sessions=whole_sessions,
                tolerate_load=tolerate_load,
                folder=out,
                same=same,
            )

        checked = None
        try:
            wishes = wished()
            told = Told(lambda text: echo(text, err=True), pair_shower(wishes.tolerance), Asker())
            if plan:
                _plan(wishes, told, stop, as_json)
            elif record is not None:
                _record(wishes, record, told, stop)
            else:
                checked = _run(wishes, against, told, stop)
        except Exception as error:  # whoever called us says it; CI reads files
            _tell_ci(elsewhere, out, error)
            raise
    if checked is not None:
        raise typer.Exit(_finish(checked, elsewhere, as_json))


def _refuse_unused(context: typer.Context) -> None:
    """Options that would do nothing are mistakes that nobody would notice."""
    given = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) is not None and source.name != "DEFAULT"
    }
    for mode, names in UNUSED.items():
        if mode in given and (unused := [name for name in names if name in given]):
            flags = [f"--{'json' if name == 'as_json' else name.replace('_', '-')}" for name in unused]
            raise typer.BadParameter(f"--{mode} makes no use of it: leave it out", param_hint=" and ".join(flags))


def _tell_ci(elsewhere: Elsewhere, out: Optional[Path], error: Exception) -> None:
    from sweeper.report.check import ended

    message, code = str(error) or type(error).__name__, int(getattr(error, "exit_code", ExitCode.INTERNAL))
    for complaint in elsewhere.leave_error(out, message, code):
        echo(complaint, err=True)
    if os.environ.get("GITHUB_ACTIONS"):
        echo(ended.annotation(message), err=True)


def _plan(wishes: Any, told: Any, stop: Any, as_json: bool) -> None:
    from sweeper.app.check.plan import run_plan
    from sweeper.cli.check_lines import print_plan

    print_plan(run_plan(wishes, told, stop), as_json)


def _record(wishes: Any, file: Path, told: Any, stop: Any) -> None:
    from sweeper.app.check.stored import record

    stored = record(wishes, file, told, stop)
    echo(f"{file} holds {len(stored.sessions)} sessions of {stored.days} day(s).", err=True)
    echo(f"Next: sweeper check --against {file}; it needs 5 sessions of 2 days at least,", err=True)
    echo("and finds small slowdowns once it has 4 to 6 days", err=True)


def _run(wishes: Any, against: Optional[Path], told: Any, stop: Any) -> Checked:
    if against is not None:
        from sweeper.app.check.stored import against as compare_with

        return compare_with(wishes, against, told, stop)
    from sweeper.app.check.run import run_check

    return run_check(wishes, told, stop)


def _check_together(**given: object) -> None:
    named = [f"--{name}" for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise typer.BadParameter("these are different things to do: give one of them", param_hint=" and ".join(named))


def _finish(checked: Checked, elsewhere: Elsewhere, as_json: bool) -> int:
    from sweeper.model.gate import GateVerdict
    from sweeper.report.check import ci
    from sweeper.report.check.data import as_json as json_text

    result = checked.result
    complaints = elsewhere.leave(checked.folder, result)
    if as_json:
        echo(json_text(result), nl=False)
    else:
        echo(ci.details(result))
    mark = ci.annotation(result)
    if mark is not None and os.environ.get("GITHUB_ACTIONS"):
        echo(mark, err=as_json)
    for complaint in complaints:
        echo(complaint, err=True)
    echo(f"Report: {checked.folder.page}", err=True)
    if (following := _next(result, elsewhere.history)) is not None:
        echo(f"Next: {following}", err=True)
    return {
        GateVerdict.REGRESSED: ExitCode.REGRESSION,
        GateVerdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
        GateVerdict.CANDIDATE_FAILS: ExitCode.CANDIDATE_FAILS,
    }.get(result.verdict, ExitCode.OK)


def _next(result: CheckResult, history: Optional[Path]) -> Optional[str]:
    from sweeper.model.gate import GateVerdict

    if result.verdict is GateVerdict.INCONCLUSIVE:
        return "sweeper check --plan, which tells what tolerance this machine reaches in which time"
    if result.verdict is GateVerdict.CANDIDATE_FAILS:
        return "sweeper doctor STUDY, which looks at what the candidate needs"
    return None if history else "sweeper check --history FILE, which keeps the trend"
