"""`sweeper check`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from sweeper.cli import check_options, options
from sweeper.cli.check_ci import told_to_ci
from sweeper.cli.endings import is_closed
from sweeper.cli.terminal import echo, forget_stdout
from sweeper.errors import ExitCode, Interrupted

if TYPE_CHECKING:
    from sweeper.app.check.elsewhere import Elsewhere
    from sweeper.app.check.plan import Spread
    from sweeper.app.check.run import Checked, Told, Wishes
    from sweeper.app.stop import StopSignal
    from sweeper.model.gate import CheckResult


def check(
    context: typer.Context,
    candidate: list[str] = check_options.CandidateOption,
    baseline: list[str] = check_options.BaselineOption,
    tolerance: str = check_options.ToleranceOption,
    max_time: str = check_options.MaxTimeOption,
    max_memory_growth: str = check_options.MaxMemoryGrowthOption,
    trimmed: bool = check_options.TrimmedOption,
    whole_sessions: bool = check_options.WholeSessionsOption,
    tolerate_load: bool = check_options.TolerateLoadOption,
    record: Optional[Path] = check_options.RecordOption,
    against: Optional[Path] = check_options.AgainstOption,
    history: Optional[Path] = check_options.HistoryOption,
    plan: bool = check_options.PlanOption,
    same: bool = check_options.SameOption,
    junit: Optional[Path] = check_options.JunitOption,
    out: Optional[Path] = check_options.OutOption,
    as_json: bool = check_options.JsonOption,
) -> None:
    """Is the candidate slower? A gate for CI: exit code 0 passed, 5 slower, 6 cannot tell, 8 candidate fails.

    Without a verdict: 2 wrong usage or input, 3 not ready, or the baseline fails, 7 nothing to compare with.
    """
    from sweeper.app.stop import StopSignal

    stop, spread, checked = StopSignal(), None, None
    with stop.installed(), _told_when_stopped():  # before the imports, which take a second or two
        from sweeper.app.check.elsewhere import Elsewhere
        from sweeper.app.check.run import Wishes

        elsewhere = Elsewhere(history, junit, os.environ)
        with told_to_ci(elsewhere, out):
            check_options.refuse_what_does_nothing(context)
            elsewhere.look(out)
            wishes = Wishes(
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
            if plan:
                spread = _plan(wishes, stop)
            elif record is not None:
                _record(wishes, record, stop)
            else:
                checked = _run(wishes, against, stop)
    if spread is not None:
        from sweeper.cli.check_lines import print_plan

        print_plan(spread, as_json)
    if checked is not None:
        raise typer.Exit(_finish(checked, elsewhere, as_json))


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except Interrupted:
        echo("Stopped without a verdict; the same command begins anew", err=True)
        raise


def _plan(wishes: Wishes, stop: StopSignal) -> Spread:
    from sweeper.app.check.plan import run_plan

    return run_plan(wishes, _told(wishes), stop)


def _record(wishes: Wishes, file: Path, stop: StopSignal) -> None:
    from sweeper.app.check.stored import record

    stored = record(wishes, file, _told(wishes), stop)
    echo(f"{file} holds {len(stored.sessions)} sessions of {stored.days} day(s).", err=True)
    echo(f"Next: sweeper check --against {file}; it needs 5 sessions of 2 days at least,", err=True)
    echo("and finds small slowdowns once it has 4 to 6 days", err=True)


def _run(wishes: Wishes, against: Optional[Path], stop: StopSignal) -> Checked:
    if against is not None:
        from sweeper.app.check.stored import against as compare_with

        return compare_with(wishes, against, _told(wishes), stop)
    from sweeper.app.check.run import run_check

    return run_check(wishes, _told(wishes), stop)


def _told(wishes: Wishes) -> Told:
    from sweeper.app.check.run import Told
    from sweeper.cli.check_lines import pair_shower
    from sweeper.cli.play import Asker

    return Told(lambda text: echo(text, err=True), pair_shower(wishes.tolerance), Asker())


def _finish(checked: Checked, elsewhere: Elsewhere, as_json: bool) -> ExitCode:
    """Leave and print what was found. Nothing that fails here changes the exit code, which is the verdict's."""
    from sweeper.model.gate import GateVerdict
    from sweeper.report.check import ci
    from sweeper.report.check.data import as_json as json_text

    result = checked.result
    complaints = elsewhere.leave(checked.folder, result)
    _print(json_text(result).rstrip("\n") if as_json else ci.details(result))
    mark = ci.annotation(result)
    if mark is not None and os.environ.get("GITHUB_ACTIONS"):
        _print(mark, err=as_json)
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


def _print(text: str, err: bool = False) -> None:
    try:
        echo(text, err=err)
    except OSError as error:
        forget_stdout()
        if not is_closed(error):
            echo(f"Careful: the result could not be printed: {error.strerror or error}", err=True)


def _next(result: CheckResult, history: Optional[Path]) -> Optional[str]:
    from sweeper.model.gate import GateVerdict

    if result.verdict is GateVerdict.INCONCLUSIVE:
        return "sweeper check --plan, which tells what tolerance this machine reaches in which time"
    if result.verdict is GateVerdict.CANDIDATE_FAILS:
        return "sweeper doctor STUDY, which looks at what the candidate needs"
    return None if history else "sweeper check --history FILE, which keeps the trend"
