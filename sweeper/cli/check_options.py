"""The options of `sweeper check`, and which of them go together."""

from __future__ import annotations

import typer

from sweeper.cli import options

_SIDE = "a study file or folder, a build, a trainer config, a learner or its environment, or a git revision"

CandidateOption = typer.Option(
    [],
    "--candidate",
    metavar="SIDE",
    help=f"What may have become slower: {_SIDE}. May be given again.",
    show_default=False,
)
BaselineOption = typer.Option(
    [],
    "--baseline",
    metavar="SIDE",
    help="What it is compared with, likewise; a candidate that names no study takes from it what it does not name.",
    show_default=False,
)
ToleranceOption = typer.Option(
    "5%", "--tolerance", metavar="SHARE", help="The slowdown that is to be excluded; 2% at least."
)
MaxTimeOption = typer.Option(
    "20m", "--max-time", metavar="TIME", help="No pair is begun that would end later; first sessions may."
)
MaxMemoryGrowthOption = typer.Option(
    "10%", "--max-memory-growth", metavar="SHARE", help="Of the peak, that is no regression."
)
TrimmedOption = typer.Option(False, "--trimmed", help="For shared runners: a few pairs may be far off.")
WholeSessionsOption = typer.Option(False, "--whole-sessions", help="Never keep both sides alive at once.")
TolerateLoadOption = typer.Option(False, "--tolerate-load", help="Count pairs that other programs disturbed.")
RecordOption = typer.Option(
    None,
    "--record",
    metavar="FILE",
    parser=options.place,
    help="Record a baseline instead; on several days.",
    show_default=False,
)
AgainstOption = typer.Option(
    None,
    "--against",
    metavar="FILE",
    parser=options.place,
    help="Compare with a recorded baseline.",
    show_default=False,
)
HistoryOption = typer.Option(
    None,
    "--history",
    metavar="FILE",
    parser=options.place,
    help="Add the verdict to these JSON lines.",
    show_default=False,
)
PlanOption = typer.Option(False, "--plan", help="Measure how long a check takes here, and what tolerance it reaches.")
SameOption = typer.Option(False, "--same", help="Both sides are one thing, on purpose: to try the gate.")
JunitOption = typer.Option(
    None, "--junit", metavar="FILE", parser=options.place, help="Write JUnit XML there too.", show_default=False
)
OutOption = typer.Option(
    None,
    "--out",
    metavar="DIR",
    parser=options.place,
    help="Where everything is left. [default: reports/checks/NAME-TIME]",
    show_default=False,
)
JsonOption = typer.Option(False, "--json", help="Print the result as one JSON document.")

MODES = ("record", "against", "plan")
"""Each is something else to do than to compare two sides."""
UNUSED = {
    "plan": ("candidate", "tolerance", "max_time", "max_memory_growth", "history", "junit", "same"),
    "record": ("baseline", "tolerance", "max_memory_growth", "trimmed", "history", "junit", "as_json", "same"),
    "against": ("baseline", "trimmed", "same"),
}
"""By what is done: options that would do nothing there, and so are refused."""
ITS_SIDE = {"plan": "baseline", "record": "candidate", "against": "candidate"}
"""Of these there is one side, and this option names it."""


def refuse_what_does_nothing(context: typer.Context) -> None:
    """Options that would do nothing are mistakes that nobody would notice.

    Raises:
        BadParameter: two of MODES are given, or an option that the one given makes no use of.
    """
    given = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) is not None and source.name != "DEFAULT"
    }
    if len(modes := [name for name in MODES if name in given]) > 1:
        raise typer.BadParameter("these are different things to do: give one of them", param_hint=_flags(modes))
    for mode in modes:
        if unused := [name for name in UNUSED[mode] if name in given]:
            is_its_side = unused[0] in ("candidate", "baseline")
            mend = f"name what is measured with --{ITS_SIDE[mode]}" if is_its_side else "leave it out"
            raise typer.BadParameter(f"--{mode} makes no use of it: {mend}", param_hint=_flags(unused))


def _flags(names: list[str]) -> str:
    return " and ".join(f"--{'json' if name == 'as_json' else name.replace('_', '-')}" for name in names)
