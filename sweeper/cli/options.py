"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Optional

import typer

from sweeper.inputs.study_limits import MAX_TRIALS
from sweeper.outside import shown


def place(text: object) -> Path:
    """A path as it was given; an empty one is a variable that was left empty, and not the current folder."""
    if not str(text).strip():
        raise typer.BadParameter("it names nothing; was a variable left empty?")
    return Path(str(text))


StudyArgument = typer.Argument(
    ..., metavar="STUDY", parser=place, help="A study file; `sweeper init` writes one.", show_default=False
)
FolderArgument = typer.Argument(
    ..., metavar="DIR", parser=place, help="A study folder, such as reports/NAME.", show_default=False
)
BudgetOption = typer.Option(None, metavar="TIME", help="The study's total, such as 20m or 8h.", show_default=False)
UntilOption = typer.Option(
    None, metavar="HH:MM", help="End by the next HH:MM, whatever the file's budget.", show_default=False
)
TrialsOption = typer.Option(
    None,
    min=1,
    max=MAX_TRIALS,
    metavar="N",
    help="At most this many trials over all runs, the confirmation's included.",
    show_default=False,
)
CapOption = typer.Option(
    None, metavar="SIZE", help="Most memory a trial may use: 8GiB, or a share such as 80%.", show_default=False
)
SamplerOption = typer.Option(
    None, metavar="NAME", help="How to search: phase, tpe, gp, random or grid.", show_default=False
)
OutOption = typer.Option(
    None, metavar="DIR", parser=place, help="Study folder. [default: reports/NAME]", show_default=False
)


def overrides(
    budget: Optional[str],
    until: Optional[str],
    trials: Optional[int],
    memory_cap: Optional[str],
    out: Optional[Path],
    sampler: Optional[str] = None,
    tensorboard: bool = False,
) -> Any:
    """What the command line says over the study file; bad values are usage errors."""
    from sweeper.app.prepare import Overrides
    from sweeper.inputs import quantities
    from sweeper.inputs.study_limits import parse_memory_cap

    return Overrides(
        budget_seconds=_parsed("--budget", quantities.seconds, budget),
        until=_parsed("--until", next_time, until),
        trials=trials,
        memory_cap=_parsed("--memory-cap", parse_memory_cap, memory_cap),
        out=out,
        sampler=_parsed("--sampler", _sampler, sampler),
        tensorboard=tensorboard,
    )


def seconds(name: str, text: str) -> float:
    """The seconds that an option's text such as `30m` stands for; ends the program where it stands for none."""
    from sweeper.inputs import quantities

    return float(_parsed(name, quantities.seconds, text))


def share(name: str, text: str, least: float, most: float) -> float:
    """The share that an option's text such as `5%` stands for; ends the program where it is none, or out of range."""
    from sweeper.inputs import quantities

    def parse(given: str) -> float:
        found = 0.0 if given.strip().rstrip("%").strip() in ("0", "0.0") else quantities.share(given)
        if not least <= found <= most:
            raise ValueError(f"expected a share from {100 * least:g}% to {100 * most:g}%, not {shown(given)}")
        return found

    return float(_parsed(name, parse, text))


def growth(name: str, text: str, most: float) -> float:
    """As `share`, for a growth: from nothing, and it may be more than what there was (`150%`)."""

    def parse(given: str) -> float:
        written = given.strip()
        try:
            found = float(written[:-1]) / 100 if written.endswith("%") else float(written)
        except ValueError:
            found = math.nan
        if not 0 <= found <= most:
            raise ValueError(f"expected a growth from 0% to {100 * most:g}%, not {shown(given)}")
        return found

    return float(_parsed(name, parse, text))


def next_time(text: str, now: Optional[datetime] = None) -> datetime:
    """The next time the clock on the wall shows `HH:MM`; raises ValueError."""
    now = now or datetime.now()
    try:
        clock = datetime.strptime(text, "%H:%M")
    except ValueError:
        raise ValueError(f"expected a time of day such as 07:30, not {shown(text)}") from None
    then = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return then if then > now else then + timedelta(days=1)


def _sampler(text: str) -> str:
    from sweeper.inputs.study_file import SAMPLERS
    from sweeper.inputs.yaml_text import did_you_mean

    if text not in SAMPLERS:
        raise ValueError(f"expected one of {', '.join(SAMPLERS)}, not {shown(text)}{did_you_mean(text, SAMPLERS)}")
    return text


def _parsed(name: str, parse: Callable[[str], Any], text: Optional[str]) -> Any:
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from None
